"""What was read of the database: for while it is away, at most an hour old then, and for what many
ask for at once and need not have of this very second.

A database that did not answer is asked again after a second: what is remembered need not wait for
it until then. The memory is bounded by the rows in it, of which the least recently used go first.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable, Coroutine, Hashable
from dataclasses import dataclass
from typing import Any, TypeVar

from catalog.postgres.errors import DatabaseAway, NoSuchRow
from catalog.postgres.records import Page, Shelf
from origin.cache import Cache

STALE_SECONDS = 60 * 60.0
AWAY_SECONDS = 1.0
MOST_ROWS = 20_000

T = TypeVar("T")
Asking = Coroutine[Any, Any, T]


@dataclass(frozen=True, slots=True)
class _Known:
    at: float
    found: Any


class Memory:
    """One worker's."""

    def __init__(self, clock: Callable[[], float] = time.monotonic) -> None:
        self._clock = clock
        self._kept: Cache[Hashable, _Known] = Cache(MOST_ROWS, lambda known: _rows(known.found))
        self._away_until = -math.inf

    async def ask(self, key: Hashable, asking: Asking[T]) -> T:
        """What is asked; or what it was of late, where there is no answer."""
        found: T = (await self._ask(key, asking)).found
        return found

    async def recent(self, key: Hashable, seconds: float, ask: Callable[[], Asking[T]]) -> T:
        """What is asked, at most ``seconds`` old; all who ask meanwhile share one question."""
        known = self._kept.peek(key)
        if known is None or self._clock() - known.at > seconds:
            known = await self._kept.load(key, lambda: self._ask(key, ask()))
        found: T = known.found
        return found

    async def _ask(self, key: Hashable, asking: Asking[Any]) -> _Known:
        now = self._clock()
        last = self._kept.peek(key)
        if last is not None and now - last.at > STALE_SECONDS:
            last = None
        if last is not None and now < self._away_until:
            asking.close()
            return last
        try:
            known = _Known(now, await asking)
        except DatabaseAway:
            self._away_until = self._clock() + AWAY_SECONDS
            if last is None:
                raise
            return last
        except NoSuchRow:
            self._kept.discard(key)
            raise
        self._kept.put(key, known)
        return known


def _rows(found: object) -> int:
    """At least one: the key is kept, too."""
    match found:
        case Page(rows, _) | Shelf(_, rows):
            return 1 + len(rows)
        case tuple():
            return 1 + sum(map(_rows, found))
        case dict():
            return 1 + len(found)
        case _:
            return 1
