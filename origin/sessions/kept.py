"""Copies of what the store said, bounded in number; they last as long as who reads them wants."""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable, Hashable
from typing import Generic, TypeVar

K = TypeVar("K", bound=Hashable)
V = TypeVar("V")


class Kept(Generic[K, V]):
    """The oldest goes first."""

    def __init__(self, most: int, clock: Callable[[], float] = time.monotonic) -> None:
        self._most = most
        self._clock = clock
        self._held: OrderedDict[K, tuple[float, V]] = OrderedDict()

    def __len__(self) -> int:
        return len(self._held)

    def get(self, key: K, seconds: float) -> V | None:
        """None where there is none that is no older than ``seconds``."""
        held = self._held.get(key)
        return held[1] if held is not None and self._clock() - held[0] <= seconds else None

    def put(self, key: K, value: V) -> None:
        self._held[key] = self._clock(), value
        self._held.move_to_end(key)
        if len(self._held) > self._most:
            self._held.popitem(last=False)

    def forget(self, key: K) -> None:
        self._held.pop(key, None)

    def age_all(self, seconds: float) -> None:
        """Each is as if it were that much older."""
        for key, (since, value) in self._held.items():
            self._held[key] = since - seconds, value
