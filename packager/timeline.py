"""Where segments begin: boundaries common to all renditions of a title.

Video decides. A boundary is a time at which every video rendition has a sync sample; of those, the
ones nearest to the goal length are taken, the first segments shorter so that playback starts soon.
Audio is cut at its first frame at or after each boundary. What would be a tiny last segment joins
the one before it.

Times are compared across timescales without rounding: ``a/timescale_a`` against ``b/timescale_b``
by cross multiplication, allowing one tick of the coarser clock, as a writer's rounding may.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from math import floor, gcd

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


def seconds(track: Track) -> Fraction:
    """When the track ends."""
    return Fraction(track.samples.end, track.timescale)


def title_timeline(
    video: Sequence[Track], audio: Sequence[Track], cuts: Ticks
) -> tuple[Timeline, Fraction]:
    """The boundaries, and the title's duration in seconds. ``cuts``: common to all of ``video``,
    in ticks of the first; none where there are no pictures, and then there is sound."""
    timescale = (*video, *audio)[0].timescale
    pictures_end = max(map(seconds, video), default=Fraction(0))
    end = max(pictures_end, max(map(seconds, audio), default=Fraction(0)))
    last = floor(end * timescale)
    sound_only = free_cuts(floor(pictures_end * timescale), last, timescale)
    return choose_boundaries(np.concatenate((cuts, sound_only)), timescale, last), end


def sync_times(track: Track) -> Ticks:
    """Presentation times at which the track can be cut, in its own ticks (none below zero)."""
    times = np.sort(track.samples.sync_pts)
    return _distinct(times[times >= 0])


def _distinct(rising: Ticks) -> Ticks:
    """Each of the values once."""
    return np.concatenate((rising[:1], rising[1:][rising[1:] > rising[:-1]]))


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
    """For each value the row of ``ordered`` that is nearest to it, the first of two."""
    return np.searchsorted(ordered[1:] + ordered[:-1], 2 * values)


def longest_gap(times: Ticks, end: int) -> int:
    """The longest stretch without a cut from 0 to ``end``."""
    return int(np.diff(np.concatenate(([0], times, [end]))).max())


def choose_boundaries(cuts: Ticks, timescale: int, end: int) -> Timeline:
    """From all possible ``cuts``, which rise, the ones to make before ``end``, in ticks of
    ``timescale``."""
    last = int(np.searchsorted(cuts, end - timescale * TARGET_SECONDS // 2, "right")) - 1
    if last < 0:
        return Timeline(timescale, cuts[:0])
    rows: list[int] = []
    position, behind = cuts[:1] * 0, np.searchsorted(cuts, [0], "right")
    for length in FIRST_SECONDS:
        (row,) = _next_cuts(cuts, position, behind, length * timescale)
        if row > last:
            break
        rows.append(row)
        position, behind = cuts[row : row + 1], np.array([row + 1])
    else:
        all_behind = np.arange(1, len(cuts) + 1)
        following = _next_cuts(cuts, cuts, all_behind, TARGET_SECONDS * timescale)
        while (row := following[row]) <= last:
            rows.append(row)
    return Timeline(timescale, cuts[rows])


def _next_cuts(cuts: Ticks, positions: Ticks, behind: Ticks, goal: int) -> list[int]:
    """For each position the row of the cut behind it, which the row ``behind`` is the first of,
    that is nearest to ``goal`` ticks later, the earlier of two; ``len(cuts)`` where none is."""
    rows: list[int] = np.maximum(_nearest(cuts, positions + goal), behind).tolist()
    return rows


def free_cuts(start: int, end: int, timescale: int) -> Ticks:
    """Cuts where only sound plays, which can be cut anywhere: one a second."""
    return np.arange(start, end, timescale, dtype=np.int64)


def segment_edges(track: Track, timeline: Timeline) -> Ticks:
    """Rows at which the track's segments start, and the row count: one more than segments.

    Video starts a segment at the sync sample of each boundary, audio at its first sync frame at or
    after it. Boundaries beyond the track, and those with no sample between them, make no segment.
    """
    samples = track.samples
    common = gcd(track.timescale, timeline.timescale)
    wanted = timeline.boundaries * (track.timescale // common)
    if track.timescale != timeline.timescale:
        wanted -= max(track.timescale, timeline.timescale) // common
    # In the track's ticks, rounded up: the first sample at or after it is the same.
    rows = samples.sync_from(-(-wanted // (timeline.timescale // common)))
    return _distinct(np.concatenate(([0], rows, [len(samples)])))


def segment_times(samples: SampleTable, edges: Ticks) -> tuple[Ticks, Ticks]:
    """Earliest presentation time and duration of each segment, in track ticks (SegmentTable)."""
    starts = samples.earliest(edges)
    starts[0] = max(int(starts[0]), 0)
    ends = np.append(starts[1:], samples.end)
    durations = ends - starts
    durations[0] = ends[0]
    return starts, durations
