"""Which rung to fetch next. Each way is a function of what a player knows."""

from __future__ import annotations

from bisect import bisect_right
from collections.abc import Callable, Mapping, Sequence
from typing import NamedTuple

SAFETY = 0.8
RESERVOIR = 0.25
CUSHION = 0.9
FAST, SLOW = 3.0, 9.0
"""Half-lives of the two averages, in seconds of downloading."""


class Situation(NamedTuple):
    """``ladder``: bit/s, rising; ``estimate``: bit/s, None before anything was fetched; ``level``
    and ``goal``: of the buffer, in seconds; ``current``: the rung that plays."""

    ladder: Sequence[int]
    estimate: float | None
    level: float
    goal: float
    current: int


def by_throughput(at: Situation) -> int:
    """The highest rung that needs no more than a part of the estimate."""
    if at.estimate is None:
        return at.current
    return fitting(at.ladder, at.estimate * SAFETY)


def by_buffer(at: Situation) -> int:
    """The lowest rung below a reservoir, the highest above a cushion, in proportion between (as
    BBA-0, Huang et al. 2014)."""
    low, high = at.goal * RESERVOIR, at.goal * CUSHION
    if at.level <= low:
        return 0
    share = min(1.0, (at.level - low) / max(high - low, 1e-9))
    wanted = at.ladder[0] + share * (at.ladder[-1] - at.ladder[0])
    return fitting(at.ladder, wanted)


def lowest(at: Situation) -> int:
    return 0


def highest(at: Situation) -> int:
    return len(at.ladder) - 1


WAYS: Mapping[str, Callable[[Situation], int]] = {
    "throughput": by_throughput,
    "buffer": by_buffer,
    "lowest": lowest,
    "highest": highest,
}


def fitting(ladder: Sequence[int], limit: float) -> int:
    """The highest rung of at most ``limit`` bit/s, or the lowest."""
    return max(bisect_right(ladder, limit) - 1, 0)


class Estimate:
    """Throughput as two exponentially weighted averages; the lower one counts, so that it falls at
    once and rises slowly."""

    __slots__ = ("_fast", "_slow", "_weight")

    def __init__(self) -> None:
        self._fast = self._slow = 0.0
        self._weight = 0.0

    def add(self, nbytes: int, seconds: float) -> None:
        seconds = max(seconds, 1e-4)
        rate = nbytes * 8 / seconds
        first = self._weight == 0.0
        keep_fast = 0.0 if first else 0.5 ** (seconds / FAST)
        keep_slow = 0.0 if first else 0.5 ** (seconds / SLOW)
        self._fast = keep_fast * self._fast + (1 - keep_fast) * rate
        self._slow = keep_slow * self._slow + (1 - keep_slow) * rate
        self._weight += seconds

    def value(self) -> float | None:
        return min(self._fast, self._slow) if self._weight else None
