"""Passwords as Argon2id hashes (RFC 9106), made in threads: one takes tens of milliseconds of a
core and 19 MiB, so few are at work at once and few wait.

What is hashed is the password in NFC, as RFC 8265 section 4.2 has it: a keyboard that writes "ñ" as
two code points signs in as one that writes one.
"""

from __future__ import annotations

import asyncio
import unicodedata
from collections.abc import Callable
from typing import TypeVar

from argon2 import PasswordHasher
from argon2.exceptions import InvalidHashError, VerificationError

from origin.errors import TooMany

AT_ONCE = 2
MOST_WAITING = 32

T = TypeVar("T")


class Passwords:
    """One worker's."""

    def __init__(self) -> None:
        self._hasher = PasswordHasher(time_cost=2, memory_cost=19 * 1024, parallelism=1)
        self._nobodys = self._hasher.hash("nobody's")
        self._turns = asyncio.Semaphore(AT_ONCE)
        self._waiting = 0

    async def hash(self, password: str) -> str:
        return await self._in_turn(lambda: self._hasher.hash(_composed(password)))

    async def matches(self, hashed: str | None, password: str) -> bool:
        """None, where there is no such account, takes as long as a wrong password."""
        right = await self._in_turn(lambda: self._verify(hashed or self._nobodys, password))
        return right and hashed is not None

    def _verify(self, hashed: str, password: str) -> bool:
        try:
            return self._hasher.verify(hashed, _composed(password))
        except (VerificationError, InvalidHashError):
            return False

    async def _in_turn(self, work: Callable[[], T]) -> T:
        if self._waiting >= MOST_WAITING:
            raise TooMany(1)
        self._waiting += 1
        try:
            async with self._turns:
                return await asyncio.to_thread(work)
        finally:
            self._waiting -= 1


def _composed(password: str) -> str:
    return unicodedata.normalize("NFC", password)
