"""Hit ratios of LRU caches without running them: Che's approximation.

A cache forgets what nobody has asked it for within its characteristic time, the same for all it
holds: that time for which it is full in the mean. So an object that is asked for ``r`` times a
second is found with probability 1 - exp(-r T). A shield is asked for what the edges missed; of
that, its T follows in the same way.

Che, Tung, Wang: Hierarchical Web caching systems (2002). That one edge does not ask the shield
twice within its own T follows Martina, Garetto, Leonardi: A unified approach to the performance
analysis of caching systems (2014).
"""

from __future__ import annotations

import math
from dataclasses import dataclass

import numpy as np
import numpy.typing as npt

from loadtest.capacity.inputs import Inputs

Column = npt.NDArray[np.float64]

PIECES = 64
"""Of a title: within one, segments count as asked for equally often."""


@dataclass(frozen=True, slots=True)
class Objects:
    """Segments in classes: requests/s for each one of a class, its bytes, how many there are."""

    rate: Column
    size: Column
    count: Column


@dataclass(frozen=True, slots=True)
class Ratios:
    """Of requests, 0 to 1; ``shield`` of those the edges missed, 0 where there are none."""

    edge: float
    shield: float

    @property
    def to_origin(self) -> float:
        return (1 - self.edge) * (1 - self.shield)


def characteristic_time(objects: Objects, capacity: float) -> float:
    """Seconds; infinite where all that is ever asked for fits into ``capacity`` bytes."""
    asked = objects.rate > 0
    rate, weight = objects.rate[asked], (objects.size * objects.count)[asked]
    if weight.sum() <= capacity:
        return math.inf
    low, high = 0.0, 1.0
    while _filled(rate, weight, high) < capacity:
        low, high = high, high * 2
    for _ in range(60):
        middle = (low + high) / 2
        if _filled(rate, weight, middle) < capacity:
            low = middle
        else:
            high = middle
    return high


def _filled(rate: Column, weight: Column, seconds: float) -> float:
    return float(weight @ -np.expm1(-rate * seconds))


def two_levels(objects: Objects, edges: int, edge_bytes: float, shield_bytes: float) -> Ratios:
    """Viewers are spread evenly over ``edges``, all of which ask one shield."""
    one = Objects(objects.rate / edges, objects.size, objects.count)
    edge_time = characteristic_time(one, edge_bytes)
    if math.isinf(edge_time):
        return Ratios(1.0, 0.0)
    missed = objects.rate * np.exp(-one.rate * edge_time)
    shield_time = characteristic_time(Objects(missed, objects.size, objects.count), shield_bytes)
    # The other edges may have asked at any time within T; the same one not within its own.
    waited = shield_time * (edges - 1) + max(0.0, shield_time - edge_time)
    found = np.ones_like(missed) if math.isinf(shield_time) else -np.expm1(-missed / edges * waited)
    asked, passed = objects.rate @ objects.count, missed @ objects.count
    shield = float(missed * found @ objects.count / passed) if passed > 0 else 0.0
    return Ratios(1 - float(passed / asked), shield)


def catalogue(inputs: Inputs) -> Objects:
    """The segments of the trace's titles, as its viewers ask for them."""
    crowd = Crowd.of(inputs)
    bounds = np.linspace(0, crowd.segments, min(PIECES, crowd.segments) + 1).astype(np.int64)
    of_piece = np.diff(bounds)
    reach = np.add.reduceat(crowd.stay ** np.arange(crowd.segments), bounds[:-1]) / of_piece
    sessions = crowd.starts * crowd.titles[:, None, None] * crowd.rungs[None, :, None]
    rate = sessions * reach[None, None, :]
    size = np.broadcast_to(crowd.sizes[None, :, None], rate.shape)
    count = np.broadcast_to(of_piece.astype(np.float64)[None, None, :], rate.shape)
    return Objects(rate.ravel(), size.ravel(), count.ravel())


@dataclass(frozen=True, slots=True)
class Crowd:
    """Viewers begin at random moments (``starts`` a second), choose a title and a rung by their
    shares, begin at its beginning, and after each segment go on with probability ``stay``.
    ``sizes`` are the bytes of a segment on each rung. Sound is left out: it is smaller, and asked
    for more often."""

    titles: Column
    rungs: Column
    sizes: Column
    segments: int
    segment_seconds: float
    stay: float
    starts: float

    @staticmethod
    def of(inputs: Inputs) -> Crowd:
        media, trace = inputs.media, inputs.simulation
        segments = max(1, int(media.title_minutes * 60 / media.segment_seconds))
        stay = math.exp(-media.segment_seconds / (inputs.audience.session_minutes * 60))
        watched = (1 - stay**segments) / (1 - stay)
        ranks = np.arange(1, int(trace.trace_titles) + 1, dtype=np.float64) ** -trace.zipf
        ladder = np.array(media.ladder)
        return Crowd(
            titles=ranks / ranks.sum(),
            rungs=ladder[:, 1] / ladder[:, 1].sum(),
            sizes=np.rint(ladder[:, 0] * 125 * media.segment_seconds * (1 + media.overhead)),
            segments=segments,
            segment_seconds=media.segment_seconds,
            stay=stay,
            starts=trace.trace_viewers / (watched * media.segment_seconds),
        )
