"""Where segments begin: boundaries common to all renditions of a title.

Video decides. A boundary is a time at which every video rendition has a sync sample; of those, the
ones nearest to the goal length are taken, the first segments shorter so that playback starts soon.
Audio is cut at its first frame at or after each boundary. What would be a tiny last segment joins
the one before it.

Times are compared across timescales without rounding: ``a/timescale_a`` against ``b/timescale_b``
by cross multiplication, allowing one tick of the coarser clock, as a writer's rounding may.
"""

from __future__ import annotations

from bisect import bisect_left, bisect_right
from dataclasses import dataclass
from math import gcd

import numpy as np
from numpy.typing import NDArray

from packager.model import SampleTable, Track

TARGET_SECONDS = 6
"""The Apple authoring specification's target (7.5); 2-second GOPs divide it."""
FIRST_SECONDS = (2, 4)
"""Goals of the first segments: little has to arrive before the first picture."""
LONGEST_SECONDS = 2 * TARGET_SECONDS

Ticks = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Timeline:
    """``boundaries``: in ticks of ``timescale``; the first segment starts before the first of
    them, whatever its earliest sample."""

    timescale: int
    boundaries: Ticks


def sync_times(track: Track) -> Ticks:
    """Presentation times at which the track can be cut, in its own ticks (none below zero)."""
    times = track.samples.pts[track.samples.sync]
    return np.unique(times[times >= 0])


def shared(times: Ticks, timescale: int, others: Ticks, other_timescale: int) -> Ticks:
    """Those of ``times`` that ``others`` has too."""
    if len(times) == 0 or len(others) == 0:
        return times[:0]
    common = gcd(timescale, other_timescale)
    mine, theirs = times * (other_timescale // common), others * (timescale // common)
    tolerance = max(timescale, other_timescale) // common if timescale != other_timescale else 0
    near: NDArray[np.bool_] = np.abs(theirs[_nearest(theirs, mine)] - mine) <= tolerance
    return times[near]


def _nearest(ordered: Ticks, values: Ticks) -> Ticks:
    """For each value the row of ``ordered`` that is nearest to it."""
    after = np.clip(np.searchsorted(ordered, values), 1, max(len(ordered) - 1, 1))
    before = after - 1
    after = np.minimum(after, len(ordered) - 1)
    nearer_before = values - ordered[before] <= ordered[after] - values
    return np.asarray(np.where(nearer_before, before, after))


def longest_gap(times: Ticks, end: int) -> int:
    """The longest stretch without a cut from 0 to ``end``."""
    return int(np.diff(np.concatenate(([0], times, [end]))).max())


def choose_boundaries(cuts: Ticks, timescale: int, end: int) -> Timeline:
    """From all possible ``cuts`` the ones to make before ``end``, in ticks of ``timescale``."""
    boundaries: list[int] = []
    possible: list[int] = cuts.tolist()
    position = 0
    while possible and position < possible[-1]:
        position = _cut_near(possible, position, position + _goal(len(boundaries)) * timescale)
        if position > end - timescale * TARGET_SECONDS // 2:
            break
        boundaries.append(position)
    return Timeline(timescale, np.array(boundaries, np.int64))


def free_cuts(start: int, end: int, timescale: int) -> Ticks:
    """Cuts where only sound plays, which can be cut anywhere: one a second."""
    return np.arange(start, end, timescale, dtype=np.int64)


def _goal(index: int) -> int:
    return FIRST_SECONDS[index] if index < len(FIRST_SECONDS) else TARGET_SECONDS


def _cut_near(cuts: list[int], position: int, goal: int) -> int:
    """The cut behind ``position`` that is nearest to ``goal``, the earlier of two."""
    later = bisect_right(cuts, position)
    at = bisect_left(cuts, goal, later)
    return min(cuts[max(later, at - 1) : at + 1], key=lambda cut: abs(cut - goal))


def segment_edges(track: Track, timeline: Timeline) -> Ticks:
    """Rows at which the track's segments start, and the row count: one more than segments.

    Video starts a segment at the sync sample of each boundary, audio at its first sync frame at or
    after it. Boundaries beyond the track, and those with no sample between them, make no segment.
    """
    samples = track.samples
    sync_rows = np.flatnonzero(samples.sync)
    sync_pts = samples.pts[sync_rows]
    common = gcd(track.timescale, timeline.timescale)
    wanted = timeline.boundaries * (track.timescale // common)
    ours = sync_pts * (timeline.timescale // common)
    tolerance = max(track.timescale, timeline.timescale) // common
    at = np.searchsorted(ours, wanted - (tolerance if track.timescale != timeline.timescale else 0))
    rows = sync_rows[at[at < len(sync_rows)]]
    return np.unique(np.concatenate(([0], rows, [len(samples)])))


def segment_times(samples: SampleTable, edges: Ticks) -> tuple[Ticks, Ticks]:
    """Earliest presentation time and duration of each segment, in track ticks (SegmentTable)."""
    starts = np.minimum.reduceat(samples.pts, edges[:-1])
    starts[0] = max(int(starts[0]), 0)
    ends = np.append(starts[1:], track_end(samples))
    durations = ends - starts
    durations[0] = ends[0]
    return starts, durations


def track_end(samples: SampleTable) -> int:
    """Where the last sample shown ends, in track ticks."""
    return int((samples.pts + samples.duration).max())
