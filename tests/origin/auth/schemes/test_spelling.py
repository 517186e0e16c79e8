"""Base64 in one spelling only."""

from __future__ import annotations

import string

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.schemes.spelling import (
    from_base64url,
    from_cloudfront,
    to_base64url,
    to_cloudfront,
)
from tests.support.tracks import PROPERTY

CHARACTERS = string.ascii_letters + string.digits + "-_~+/=.% é"


@PROPERTY
@given(st.binary(max_size=100))
def test_bytes_come_back(content: bytes) -> None:
    assert from_base64url(to_base64url(content)) == content
    assert from_cloudfront(to_cloudfront(content)) == content
    assert set(to_cloudfront(content)) <= set(CHARACTERS) - set("+/=")


@PROPERTY
@given(st.text(CHARACTERS, max_size=12))
def test_no_text_is_another_spelling(text: str) -> None:
    for read, write in ((from_base64url, to_base64url), (from_cloudfront, to_cloudfront)):
        try:
            content = read(text)
        except ValueError:
            continue
        assert write(content) == text


@pytest.mark.parametrize("text", ["AB", "AAB", "A", "AA==", "AA=", "A A", "AA\n", "+_AA", "é"])
def test_what_is_none(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        from_base64url(text)


@pytest.mark.parametrize("text", ["AA", "AB__", "AA=_", "A+_-", "AA__AA__", "AA__ ", "é"])
def test_what_is_none_of_cloudfronts(text: str) -> None:
    with pytest.raises(ValueError, match="base64"):
        from_cloudfront(text)
