"""L0: whether a request comes by way of those who know the origin's secret, as a CDN does.

The secret is the value of ``X-Origin-Verify``. A file has the current one on its first line and,
while it is being changed, the previous one on the second: both are good, and both are always
compared, so that the time an answer takes says nothing of either. The file is read again when it
changes.
"""

from __future__ import annotations

import hmac
import time
from collections.abc import Callable
from dataclasses import dataclass, field

from origin.errors import Refused
from origin.settings import BadSetting

HEADER = b"x-origin-verify"
LOOK_SECONDS = 1.0
LEAST_CHARACTERS, MOST_CHARACTERS = 16, 256

_MOST_FILE_BYTES = 4096


@dataclass(frozen=True, slots=True)
class Secrets:
    current: bytes = field(repr=False)
    previous: bytes = field(repr=False)


def read_secrets(path: str) -> Secrets:
    """``BadSetting`` says what is wrong with the file, and never what is in it."""
    try:
        with open(path, "rb") as file:
            content = file.read(_MOST_FILE_BYTES + 1)
    except OSError as error:
        raise BadSetting(f"origin verification: {path}: {error.strerror}") from None
    lines = [line.strip() for line in content.splitlines() if line.strip()]
    if len(content) > _MOST_FILE_BYTES or not 1 <= len(lines) <= 2:
        raise BadSetting(
            f"origin verification: {path}: the current secret on its first line, "
            "and if there is one the previous on the second, are all there is to be in it"
        )
    for number, line in enumerate(lines, 1):
        if not LEAST_CHARACTERS <= len(line) <= MOST_CHARACTERS or not line.isascii():
            raise BadSetting(
                f"origin verification: {path} line {number}: a secret has "
                f"{LEAST_CHARACTERS} to {MOST_CHARACTERS} ASCII characters"
            )
    return Secrets(lines[0], lines[-1])


class OriginVerify:
    """``current`` gives the secrets of now; it is asked once in ``LOOK_SECONDS``."""

    def __init__(self, current: Callable[[], Secrets]) -> None:
        self._current = current
        self._secrets = current()
        self._looked = time.monotonic()

    def check(self, presented: bytes | None) -> None:
        """``Refused``, without a word of why, unless it is one of the two."""
        now = time.monotonic()
        if now >= self._looked + LOOK_SECONDS:
            self._looked = now
            self._secrets = self._current()
        secrets = self._secrets
        value = presented or b""
        is_current = hmac.compare_digest(value, secrets.current)
        is_previous = hmac.compare_digest(value, secrets.previous)
        if not is_current | is_previous:
            raise Refused("Not for you.")
