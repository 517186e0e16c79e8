"""Metrics in memory that all workers share.

The parent lays out a board before it forks: one row of numbers for each worker. A worker writes to
its own row only, so there is no lock; whoever is scraped adds up the rows. Adding to a number costs
some 0.1 us, and a worker that dies leaves what it counted.

A family knows all its label values beforehand, so the number of series is fixed. Children that were
never touched are not shown.
"""

from __future__ import annotations

import mmap
from bisect import bisect_left
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass

from prometheus_client.core import (
    CounterMetricFamily,
    GaugeMetricFamily,
    HistogramMetricFamily,
    Metric,
)

Labels = tuple[str, ...]


@dataclass(frozen=True, slots=True)
class Counter:
    """``children``: every combination of label values there can be."""

    name: str
    help: str
    labels: Labels = ()
    children: tuple[Labels, ...] = ((),)

    @property
    def width(self) -> int:
        return 1


@dataclass(frozen=True, slots=True)
class Gauge(Counter):
    """Shown for each worker, under the label ``worker``."""


@dataclass(frozen=True, slots=True)
class Histogram:
    """``buckets``: upper bounds, rising, without the infinite one."""

    name: str
    help: str
    buckets: tuple[float, ...]
    labels: Labels = ()
    children: tuple[Labels, ...] = ((),)

    @property
    def width(self) -> int:
        """A count for each bucket and for what is above them, and the sum."""
        return len(self.buckets) + 2


Family = Counter | Gauge | Histogram


class Cell:
    """One number of one worker; counters ``inc``, gauges ``set``."""

    __slots__ = ("_at", "_row")

    def __init__(self, row: memoryview[float], at: int) -> None:
        self._row = row
        self._at = at

    def inc(self, amount: float = 1.0) -> None:
        self._row[self._at] += amount

    def set(self, value: float) -> None:
        self._row[self._at] = value


class Distribution:
    """One worker's child of a histogram."""

    __slots__ = ("_at", "_bounds", "_row")

    def __init__(self, row: memoryview[float], at: int, bounds: Sequence[float]) -> None:
        self._row = row
        self._at = at
        self._bounds = bounds

    def observe(self, value: float) -> None:
        row, at, bounds = self._row, self._at, self._bounds
        row[at + bisect_left(bounds, value)] += 1.0
        row[at + len(bounds) + 1] += value


class Board:
    """The rows of ``workers`` workers for ``families``; a collector for prometheus_client."""

    def __init__(self, families: Iterable[Family], workers: int) -> None:
        self._families = tuple(families)
        self._workers = workers
        self._place: dict[str, dict[Labels, int]] = {}
        size = 0
        for family in self._families:
            if family.name in self._place:
                raise ValueError(f"two metrics are called {family.name}")
            self._place[family.name] = {
                child: size + family.width * number for number, child in enumerate(family.children)
            }
            size += family.width * len(family.children)
        self._size = size
        self._cells: memoryview[float] = memoryview(mmap.mmap(-1, 8 * size * workers)).cast("d")

    def cell(self, worker: int, family: Counter, child: Labels = ()) -> Cell:
        return Cell(self.row(worker), self.place(family, child))

    def distribution(self, worker: int, family: Histogram, child: Labels = ()) -> Distribution:
        return Distribution(self.row(worker), self.place(family, child), family.buckets)

    def totals(self, family: Family, child: Labels = ()) -> list[float]:
        """The child's numbers, those of all workers added: of a histogram each bucket's, that above
        them, and the sum."""
        return [sum(column) for column in zip(*self._values(family, child), strict=True)]

    def collect(self) -> Iterator[Metric]:
        for family in self._families:
            match family:
                case Histogram():
                    yield self._histogram(family)
                case Gauge():
                    yield self._gauge(family)
                case Counter():
                    yield self._counter(family)

    def row(self, worker: int) -> memoryview[float]:
        """All numbers of a worker; nobody else's to write to."""
        return self._cells[worker * self._size : (worker + 1) * self._size]

    def place(self, family: Family, child: Labels) -> int:
        """Where the child's first number is in a row."""
        return self._place[family.name][child]

    def _values(self, family: Family, child: Labels) -> list[list[float]]:
        """The child's numbers, a list for each worker."""
        at = self.place(family, child)
        return [list(self.row(worker)[at : at + family.width]) for worker in range(self._workers)]

    def _counter(self, family: Counter) -> Metric:
        metric = CounterMetricFamily(family.name, family.help, labels=family.labels)
        for child in family.children:
            if total := sum(row[0] for row in self._values(family, child)):
                metric.add_metric(child, total)
        return metric

    def _gauge(self, family: Gauge) -> Metric:
        metric = GaugeMetricFamily(family.name, family.help, labels=(*family.labels, "worker"))
        for child in family.children:
            for worker, row in enumerate(self._values(family, child)):
                metric.add_metric((*child, str(worker)), row[0])
        return metric

    def _histogram(self, family: Histogram) -> Metric:
        metric = HistogramMetricFamily(family.name, family.help, labels=family.labels)
        bounds = (*map(str, family.buckets), "+Inf")
        for child in family.children:
            columns = self.totals(family, child)
            if not any(columns[:-1]):
                continue
            running = 0.0
            buckets = []
            for bound, count in zip(bounds, columns, strict=False):
                running += count
                buckets.append((bound, running))
            metric.add_metric(child, buckets, columns[-1])
        return metric
