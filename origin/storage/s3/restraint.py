"""When to ask S3 again, when to ask twice, how much at once, and when not at all.

But for those who wait for their turn, this is arithmetic: the time is an argument.
"""

from __future__ import annotations

import asyncio
import math
from collections import deque
from collections.abc import Iterator
from contextlib import contextmanager

from origin.breaker import Breaker
from origin.errors import StorageError
from origin.storage.s3.faults import Passing, Reason, Resting


class Budget:
    """Retries and second requests are at most ``SHARE`` of all requests, so that a storage in
    trouble is not asked more for it. ``AT_FIRST`` there are some for those who ask little."""

    SHARE = 0.2
    AT_FIRST = 10.0
    MOST = 100.0

    def __init__(self) -> None:
        self._saved = self.AT_FIRST

    def earn(self) -> None:
        """A request is made."""
        self._saved = min(self._saved + self.SHARE, self.MOST)

    def spend(self) -> bool:
        """Whether one more may be made."""
        if self._saved < 1:
            return False
        self._saved -= 1
        return True


class FirstBytes:
    """How long first bytes take, as far as the last ``KEPT`` of them tell."""

    KEPT = 256
    ENOUGH = 32
    SOONEST = 0.01
    """A second request sooner than this gains nothing that anybody would see."""

    def __init__(self) -> None:
        self._seconds: deque[float] = deque(maxlen=self.KEPT)
        self._fresh = 0
        self.late: float | None = None
        """Seconds within which 19 of 20 come; None while that is not known."""

    def add(self, seconds: float) -> None:
        """What one took, or for how long it was waited for in vain."""
        self._seconds.append(seconds)
        self._fresh += 1
        if self._fresh >= self.ENOUGH:
            self._fresh = 0
            ordered = sorted(self._seconds)
            self.late = max(ordered[len(ordered) * 19 // 20], self.SOONEST)


class Slots:
    """How many requests at once: one more for each round that went well while all slots were taken,
    a third fewer, once a second at most, when that was too much. Those who wait are served in
    their order."""

    AT_FIRST = 64
    LEAST = 4
    SHRINK = 0.7
    ROUND_SECONDS = 1.0

    def __init__(self, most: int, patience: float) -> None:
        """``patience``: for how many seconds a turn is waited for."""
        self._most = most
        self._patience = patience
        self._limit: float = min(self.AT_FIRST, most)
        self._shrunk = -math.inf
        self._waiting: deque[asyncio.Future[None]] = deque()
        self.taken = 0

    @property
    def limit(self) -> int:
        return int(self._limit)

    @property
    def has_spare(self) -> bool:
        return self.taken < self.limit

    async def take(self) -> None:
        if self.has_spare and not self._waiting:
            self.taken += 1
            return
        turn = asyncio.get_running_loop().create_future()
        self._waiting.append(turn)
        try:
            async with asyncio.timeout(self._patience):
                await turn
        except BaseException as error:
            if turn.done() and not turn.cancelled():
                self.release()  # it came too late
            if isinstance(error, TimeoutError):
                raise Passing(Reason.QUEUE, "the storage is asked for too much at once") from None
            raise

    def release(self) -> None:
        self.taken -= 1
        self._serve()

    def grow(self) -> None:
        if self.taken >= self.limit and self._limit < self._most:
            self._limit += 1 / self._limit
            self._serve()

    def shrink(self, now: float) -> None:
        if now - self._shrunk >= self.ROUND_SECONDS:
            self._shrunk = now
            self._limit = max(self._limit * self.SHRINK, min(self.LEAST, self._most))

    def _serve(self) -> None:
        while self._waiting and self.has_spare:
            turn = self._waiting.popleft()
            if not turn.done():
                self.taken += 1
                turn.set_result(None)


@contextmanager
def watch(breaker: Breaker) -> Iterator[None]:
    """One request. ``Resting`` without one while nothing is asked."""
    if not breaker.admit():
        raise Resting("the storage has failed too often; it is left alone for a moment")
    try:
        yield
    except Passing as fault:
        if fault.reason is Reason.QUEUE:  # it was never asked: that is our crowd, not its fault
            breaker.abandoned()
        else:
            breaker.failed()
        raise
    except StorageError:
        breaker.worked()  # S3 has answered
        raise
    except BaseException:
        breaker.abandoned()
        raise
    breaker.worked()
