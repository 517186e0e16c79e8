"""A cache bounded by what it holds, with one load for all who wait for it.

Least recently used goes first. A load that fails is not kept: everyone who waited gets its error,
the next asks again. A waiter that leaves does not cancel the load for the others.
"""

from __future__ import annotations

import asyncio
from collections import OrderedDict
from collections.abc import Awaitable, Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Cache(Generic[K, V]):
    """``cost`` gives a value's share of ``limit`` (bytes, or whatever unit both use)."""

    def __init__(self, limit: int, cost: Callable[[V], int]) -> None:
        self._limit = limit
        self._cost = cost
        self._held: OrderedDict[K, V] = OrderedDict()
        self._loading: dict[K, asyncio.Task[V]] = {}
        self.used = 0

    def __len__(self) -> int:
        return len(self._held)

    def peek(self, key: K) -> V | None:
        value = self._held.get(key)
        if value is not None:
            self._held.move_to_end(key)
        return value

    def put(self, key: K, value: V) -> None:
        self.discard(key)
        self._held[key] = value
        self.used += self._cost(value)
        while self.used > self._limit and len(self._held) > 1:
            _, oldest = self._held.popitem(last=False)
            self.used -= self._cost(oldest)

    def discard(self, key: K) -> None:
        value = self._held.pop(key, None)
        if value is not None:
            self.used -= self._cost(value)

    async def load(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        """Run ``load`` and hold its result; callers meanwhile share it."""
        task = self._loading.get(key)
        if task is None:
            task = asyncio.ensure_future(self._run(key, load))
            task.add_done_callback(_retrieve)
            self._loading[key] = task
        await asyncio.wait((task,))  # unlike awaiting the task, leaves it alone when cancelled
        return task.result()

    async def _run(self, key: K, load: Callable[[], Awaitable[V]]) -> V:
        try:
            value = await load()
            self.put(key, value)
            return value
        finally:
            del self._loading[key]


def _retrieve(task: asyncio.Task[V]) -> None:
    """Look at the error of a load whose waiters have all left, or asyncio complains."""
    if not task.cancelled():
        task.exception()
