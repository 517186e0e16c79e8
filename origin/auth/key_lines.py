"""The lines of a file of keys: an id and a key in each, ``#`` begins a comment.

No message repeats what stands in a line, for any word of it may be a key.
"""

from __future__ import annotations

import re
from base64 import urlsafe_b64decode
from collections.abc import Callable, Hashable
from typing import TypeVar

from origin.settings import BadSetting

LEAST_BYTES = 16

_MOST_FILE_BYTES = 64 * 1024
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64URL = re.compile(r"([A-Za-z0-9_-]+)={0,2}")

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


def read_lines(
    path: str, what: str, parse: Callable[[list[str]], tuple[K, V]], said: Callable[[K], str] = str
) -> dict[K, V]:
    """What ``parse`` makes of the words of each line, in their order: an id, and the key.

    ``BadSetting`` says what is wrong in which line; ``parse`` raises ValueError without a word of
    the line in it. ``what``: which keys these are; ``said``: an id as messages name it."""
    found: dict[K, V] = {}
    for number, line in enumerate(_text(path, what).splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            key_id, key = parse(words)
            if key_id in found:
                raise ValueError(f"the id {said(key_id)} for the second time")
        except ValueError as error:
            raise BadSetting(f"{what}: {path} line {number}: {error}") from None
        found[key_id] = key
    if not found:
        raise BadSetting(f"{what}: {path}: no key in it")
    return found


def secret(word: str) -> bytes:
    """What consists of hex digits is hex, or a digit is missing; all else is base64url."""
    key = _decode(word)
    if len(key) < LEAST_BYTES:
        raise ValueError(f"a key of {len(key)} bytes, where {LEAST_BYTES} are the least")
    return key


def _text(path: str, what: str) -> str:
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise BadSetting(f"{what}: {path}: {error.strerror}") from None
    if len(content) > _MOST_FILE_BYTES:
        raise BadSetting(f"{what}: {path}: more than {_MOST_FILE_BYTES} bytes")
    return content.decode("utf-8-sig", "replace")


def _decode(word: str) -> bytes:
    try:
        if _HEX.fullmatch(word):
            return bytes.fromhex(word)
        if found := _BASE64URL.fullmatch(word):
            return urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except ValueError:
        pass
    raise ValueError("the key is neither hex nor base64url")
