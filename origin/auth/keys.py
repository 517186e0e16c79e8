"""The keys of path tokens, from a text file with one on each line.

    # ID KEY
    2 q0VlbWcNYqGVyCFGqqd3XHgvCLAFRPVvb4w4KCrJzF0
    1 6f1d0a5e…

The first key issues, all of them verify: a new one is put in front, and the old one taken out when
its last token has expired. The file is read again when it changes. One that cannot be read then
leaves the keys as they were, and is logged; no message ever shows what stands in it.
"""

from __future__ import annotations

import logging
import os
import re
from base64 import urlsafe_b64decode
from collections.abc import Mapping
from dataclasses import dataclass, field

from origin.settings import BadSetting

MAKE_A_KEY = (
    "(umask 077; python3 -c 'import secrets; print(1, secrets.token_urlsafe(32))' >token-keys)"
)
LEAST_BYTES = 16

_MOST_FILE_BYTES = 64 * 1024
_HEX = re.compile(r"[0-9A-Fa-f]+")
_BASE64URL = re.compile(r"([A-Za-z0-9_-]+)={0,2}")

log = logging.getLogger(__name__)

_Stamp = tuple[int, int, int, int]


@dataclass(frozen=True, slots=True)
class Keys:
    """``issuing``: the id of the key that new tokens are made with."""

    issuing: int
    by_id: Mapping[int, bytes] = field(repr=False)


def read_keys(path: str) -> Keys:
    """The keys of a file; ``BadSetting`` says what is wrong in which line."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise BadSetting(f"token keys: {path}: {error.strerror}") from None
    if len(content) > _MOST_FILE_BYTES:
        raise BadSetting(f"token keys: {path}: more than {_MOST_FILE_BYTES} bytes")
    by_id: dict[int, bytes] = {}
    for number, line in enumerate(content.decode("utf-8-sig", "replace").splitlines(), 1):
        words = line.partition("#")[0].split()
        if not words:
            continue
        try:
            key_id, key = _key(words)
            if key_id in by_id:
                raise ValueError(f"the id {key_id} for the second time")
        except ValueError as error:
            raise BadSetting(f"token keys: {path} line {number}: {error}") from None
        by_id[key_id] = key
    if not by_id:
        raise BadSetting(f"token keys: {path}: no key in it")
    return Keys(next(iter(by_id)), by_id)


class KeyFile:
    """The keys of the file at ``path``; one that cannot be read at the start is a BadSetting."""

    def __init__(self, path: str) -> None:
        self._path = path
        self._stamp = _stamp(path)
        self._keys = read_keys(path)

    def current(self) -> Keys:
        """The same object for as long as the file is the same. Looks at the file."""
        stamp = _stamp(self._path)
        if stamp != self._stamp:
            self._stamp = stamp  # of before it is read: what changes meanwhile is seen next time
            self._read()
        return self._keys

    def _read(self) -> None:
        try:
            self._keys = read_keys(self._path)
        except BadSetting as error:
            log.error("the keys stay as they were: %s", error)
        else:
            log.info("token keys: read %s again", self._path)


def _stamp(path: str) -> _Stamp | None:
    """What is different when the file is; None where there is none."""
    try:
        status = os.stat(path)
    except OSError:
        return None
    return status.st_ino, status.st_size, status.st_mtime_ns, status.st_ctime_ns


def _key(words: list[str]) -> tuple[int, bytes]:
    """Id and key of a line's words; no ValueError repeats any of them, for a word may be a key."""
    if len(words) != 2:
        raise ValueError("not ID KEY")
    key_id, word = words
    if re.fullmatch(r"[0-9]{1,3}", key_id) is None or int(key_id) > 255:
        raise ValueError("the id is no number from 0 to 255")
    key = _decode(word)
    if len(key) < LEAST_BYTES:
        raise ValueError(f"a key of {len(key)} bytes, where {LEAST_BYTES} are the least")
    return int(key_id), key


def _decode(word: str) -> bytes:
    """What consists of hex digits is hex, or a digit is missing; all else is base64url."""
    try:
        if _HEX.fullmatch(word):
            return bytes.fromhex(word)
        if found := _BASE64URL.fullmatch(word):
            return urlsafe_b64decode(found[1] + "=" * (-len(found[1]) % 4))
    except ValueError:
        pass
    raise ValueError("the key is neither hex nor base64url")
