"""The keys of path tokens, from a text file with one on each line.

    # ID KEY
    2 q0VlbWcNYqGVyCFGqqd3XHgvCLAFRPVvb4w4KCrJzF0
    1 6f1d0a5e…

The first key issues, all of them verify: a new one is put in front, and the old one taken out when
its last token has expired. No message ever shows what stands in it.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field

from origin.auth.key_lines import read_lines, secret

MAKE_A_KEY = (
    "(umask 077; python3 -c 'import secrets; print(1, secrets.token_urlsafe(32))' >token-keys)"
)


@dataclass(frozen=True, slots=True)
class Keys:
    """``issuing``: the id of the key that new tokens are made with."""

    issuing: int
    by_id: Mapping[int, bytes] = field(repr=False)


def read_keys(path: str) -> Keys:
    """The keys of a file; ``BadSetting`` says what is wrong in which line."""
    by_id = read_lines(path, "token keys", _key)
    return Keys(next(iter(by_id)), by_id)


def _key(words: list[str]) -> tuple[int, bytes]:
    if len(words) != 2:
        raise ValueError("not ID KEY")
    key_id, word = words
    if re.fullmatch(r"[0-9]{1,3}", key_id) is None or int(key_id) > 255:
        raise ValueError("the id is no number from 0 to 255")
    return int(key_id), secret(word)
