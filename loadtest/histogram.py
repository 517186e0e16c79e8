"""Counts of values in buckets whose width grows with the value (log-linear, as HdrHistogram's).

A bucket is at most 1/128 of its values wide, so a percentile is at most 0.8 % too high and never
too low; counts, sum, least and greatest are exact. Two histograms add up to the histogram of all
values, which percentiles do not: that is how processes are put together.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from math import ceil
from typing import Any

_BITS = 7
_SUB = 1 << _BITS


class Histogram:
    """Of whole numbers from 0: microseconds, kbit/s."""

    __slots__ = ("buckets", "count", "greatest", "least", "total")

    def __init__(self) -> None:
        self.buckets: dict[int, int] = {}
        self.count = 0
        self.total = 0
        self.least = 0
        self.greatest = 0

    def add(self, value: int) -> None:
        if value < 2 * _SUB:
            index = value = max(0, value)
        else:
            shift = value.bit_length() - _BITS - 1
            index = (shift << _BITS) + (value >> shift)
        self.buckets[index] = self.buckets.get(index, 0) + 1
        if value < self.least or not self.count:
            self.least = value
        if value > self.greatest:
            self.greatest = value
        self.count += 1
        self.total += value

    def merge(self, other: Histogram) -> None:
        if not other.count:
            return
        for index, count in other.buckets.items():
            self.buckets[index] = self.buckets.get(index, 0) + count
        self.least = min(self.least, other.least) if self.count else other.least
        self.greatest = max(self.greatest, other.greatest)
        self.count += other.count
        self.total += other.total

    def mean(self) -> float | None:
        return self.total / self.count if self.count else None

    def percentile(self, share: float) -> int | None:
        """No less than that share of the values (nearest rank); None where there are none."""
        wanted, seen = max(1, ceil(share * self.count)), 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            if seen >= wanted:
                return max(self.least, min(upper(index), self.greatest))
        return None

    def cumulative(self) -> Iterator[tuple[int, float]]:
        """Upper bounds of buckets, rising, and the share of values up to there."""
        seen = 0
        for index in sorted(self.buckets):
            seen += self.buckets[index]
            yield min(upper(index), self.greatest), seen / self.count

    def as_json(self) -> dict[str, Any]:
        return {
            "count": self.count,
            "total": self.total,
            "least": self.least,
            "greatest": self.greatest,
            "buckets": {str(index): self.buckets[index] for index in sorted(self.buckets)},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Histogram:
        """``KeyError``, ``TypeError`` or ``ValueError`` where it is not what ``as_json`` gave."""
        made = cls()
        made.buckets = {int(index): int(count) for index, count in data["buckets"].items()}
        made.count, made.total = int(data["count"]), int(data["total"])
        made.least, made.greatest = int(data["least"]), int(data["greatest"])
        if sum(made.buckets.values()) != made.count:
            raise ValueError(f"{made.count} values, but other counts in the buckets")
        return made


def upper(index: int) -> int:
    """The greatest value that is counted under ``index``."""
    shift = max(0, (index >> _BITS) - 1)
    return ((index - (shift << _BITS) + 1) << shift) - 1
