"""Wildcards, against trying everything."""

from __future__ import annotations

from functools import cache

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.schemes.wildcards import matcher
from tests.support.tracks import PROPERTY


def matches(pattern: str, text: str) -> bool:
    """What the words of the module say, tried in every way."""

    @cache
    def rest(at: int, to: int) -> bool:
        if at == len(pattern):
            return to == len(text)
        if pattern[at] == "*":
            return rest(at + 1, to) or (to < len(text) and rest(at, to + 1))
        return to < len(text) and pattern[at] in (text[to], "?") and rest(at + 1, to + 1)

    return rest(0, 0)


@PROPERTY
@given(st.text("ab*?/\n.", max_size=12), st.text("ab/\n.", max_size=16))
def test_it_is_what_trying_everything_finds(pattern: str, text: str) -> None:
    assert matcher(pattern)(text) == matches(pattern, text)


@pytest.mark.parametrize("pattern", ["*a" * 1000 + "b", "*?a" * 1000 + "b", "?*" * 1000 + "b"])
def test_no_pattern_takes_for_ever(pattern: str) -> None:
    """One that tries again would not come to an end."""
    assert not matcher(pattern)("a" * 2000)
