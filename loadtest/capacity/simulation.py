"""Caches that really keep and forget, asked by viewers who watch one segment after the other.

Each session is on one edge. What its edge does not have is asked of the shield, what that does not
have of the origin, and each keeps it then, forgetting what was asked for longest ago. Nothing of
``caches`` is used but the crowd: the same viewers, so that the two can be compared. The first half
of the requests fills the caches and is not counted.
"""

from __future__ import annotations

import math
from collections import OrderedDict
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import count

import numpy as np
import numpy.typing as npt

from loadtest.capacity.caches import Column, Crowd, Ratios, catalogue, two_levels
from loadtest.capacity.inputs import Inputs
from loadtest.capacity.model import GB

WINDOW = 60.0
"""Seconds of the trace that are made at once."""

Whole = npt.NDArray[np.int64]


class LRU:
    """Of objects known by number, up to ``capacity`` bytes."""

    def __init__(self, capacity: float, sizes: list[int]) -> None:
        """``sizes``: object n has ``sizes[n % len(sizes)]`` bytes."""
        self._free = capacity
        self._sizes = sizes
        self._kept: OrderedDict[int, None] = OrderedDict()

    def ask(self, wanted: int) -> bool:
        """Whether it was there; now it is, unless it is larger than the cache."""
        kept = self._kept
        if wanted in kept:
            kept.move_to_end(wanted)
            return True
        sizes = self._sizes
        kept[wanted] = None
        self._free -= sizes[wanted % len(sizes)]
        while self._free < 0:
            oldest, _ = kept.popitem(last=False)
            self._free += sizes[oldest % len(sizes)]
        return False


@dataclass(frozen=True, slots=True)
class Point:
    """One size of edges: what was counted, and what Che's approximation says of it."""

    edge_gb: float
    counted: Ratios
    expected: Ratios
    requests: int

    @property
    def apart(self) -> float:
        """The largest difference of the three ratios."""
        pairs = (
            (self.counted.edge, self.expected.edge),
            (self.counted.shield, self.expected.shield),
            (self.counted.to_origin, self.expected.to_origin),
        )
        return max(abs(one - other) for one, other in pairs)


def points(inputs: Inputs, tell: Callable[[str], None]) -> Iterator[Point]:
    """One for each of ``edge_gb``; ``tell`` hears of each before it is run."""
    trace = inputs.simulation
    objects = catalogue(inputs)
    for number, edge_gb in enumerate(trace.edge_gb, 1):
        tell(f"{number} of {len(trace.edge_gb)}: edges of {edge_gb:g} GB")
        sizes = int(trace.edges), edge_gb * GB, trace.shield_gb * GB
        counted, requests = run(inputs, *sizes)
        yield Point(edge_gb, counted, two_levels(objects, *sizes), requests)


def run(inputs: Inputs, edges: int, edge_bytes: float, shield_bytes: float) -> tuple[Ratios, int]:
    """The ratios, and of how many requests they are."""
    crowd = Crowd.of(inputs)
    sizes = [int(size) for size in crowd.sizes]
    near = [LRU(edge_bytes, sizes) for _ in range(edges)]
    shield = LRU(shield_bytes, sizes)
    windows = _windows(crowd, edges, int(inputs.simulation.seed))
    wanted = int(inputs.simulation.requests / 2)
    _play(windows, near, shield, wanted)
    asked, missed, passed = _play(windows, near, shield, wanted)
    return Ratios(1 - missed / asked, 1 - passed / missed if missed else 0.0), asked


def _play(
    windows: Iterator[tuple[Whole, Whole]], near: list[LRU], shield: LRU, wanted: int
) -> tuple[int, int, int]:
    """At least ``wanted`` requests: how many there were, missed at the edges, and at the shield."""
    asked = missed = passed = 0
    while asked < wanted:
        objects, places = next(windows)
        asked += len(objects)
        for wish, place in zip(objects.tolist(), places.tolist(), strict=True):
            if not near[place].ask(wish):
                missed += 1
                passed += not shield.ask(wish)
    return asked, missed, passed


def _windows(crowd: Crowd, edges: int, seed: int) -> Iterator[tuple[Whole, Whole]]:
    """The trace without end, a window at a time: objects in the order they are asked for, and the
    edge of each. An object is (title * segments + segment) * rungs + rung. Those who began up to a
    title's length before are watching when it begins."""
    dice = np.random.default_rng(seed)
    before = math.ceil(crowd.segments * crowd.segment_seconds / WINDOW) * WINDOW
    watching = np.empty((0, 5))
    for begin in count(-before, WINDOW):
        watching = np.concatenate([watching, _newcomers(crowd, edges, dice, begin)])
        if begin < 0:
            continue
        first = np.maximum(0, np.ceil((begin - watching[:, START]) / crowd.segment_seconds))
        last = np.ceil((begin + WINDOW - watching[:, START]) / crowd.segment_seconds)
        last = np.minimum(last, watching[:, LENGTH])
        yield _requests(crowd, watching, first, last)
        ends = watching[:, START] + watching[:, LENGTH] * crowd.segment_seconds
        watching = watching[ends > begin + WINDOW]


START, LENGTH, TITLE, RUNG, EDGE = range(5)


def _newcomers(crowd: Crowd, edges: int, dice: np.random.Generator, begin: float) -> Column:
    """A row for each session that begins in the window; its length is in segments."""
    new = dice.poisson(crowd.starts * WINDOW)
    columns = (
        begin + dice.random(new) * WINDOW,
        np.minimum(dice.geometric(1 - crowd.stay, new), crowd.segments),
        dice.choice(len(crowd.titles), new, p=crowd.titles),
        dice.choice(len(crowd.rungs), new, p=crowd.rungs),
        dice.integers(edges, size=new),
    )
    return np.stack([column.astype(np.float64) for column in columns], axis=1)


def _requests(crowd: Crowd, watching: Column, first: Column, last: Column) -> tuple[Whole, Whole]:
    counts = np.maximum(0, last - first).astype(np.int64)
    rows = np.repeat(np.arange(len(watching)), counts)
    segment = np.arange(len(rows)) - np.repeat(np.cumsum(counts) - counts, counts) + first[rows]
    asked = watching[rows]
    order = np.argsort(asked[:, START] + segment * crowd.segment_seconds, kind="stable")
    titles, rungs = asked[:, TITLE].astype(np.int64), asked[:, RUNG].astype(np.int64)
    objects = (titles * crowd.segments + segment.astype(np.int64)) * len(crowd.rungs) + rungs
    return objects[order], asked[order, EDGE].astype(np.int64)
