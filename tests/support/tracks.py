"""Synthetic tracks and Hypothesis strategies for them: plausible tables, no media behind them.

Video has GOPs, reordered pictures, variable frame rates and edit lists; sound has priming. Every
table is what an MP4 could really hold.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from fractions import Fraction
from typing import Any

import numpy as np
from hypothesis import settings
from hypothesis import strategies as st
from numpy.typing import NDArray

from packager.columns import Integers
from packager.model import (
    AudioConfig,
    CodecConfig,
    MediaKind,
    MovieIndex,
    SampleTable,
    Track,
    VideoConfig,
)
from packager.presentation import Source

PROPERTY = settings(deadline=None, max_examples=100, derandomize=True, database=None)
"""The same examples on every machine and run; none is judged by the clock."""

VIDEO = VideoConfig("vp9", "vp09.00.10.08", b"\0\0\0\x08vp09", 160, 90)
AUDIO = AudioConfig("aac", "mp4a.40.2", b"\0\0\0\x08mp4a", 48_000, 2)
OPUS = AudioConfig("opus", "Opus", b"\0\0\0\x08Opus", 48_000, 2, roll_distance=3840)


@dataclass(frozen=True)
class Gop:
    """Frames in decode order, the first a sync sample; ``reorder``: how far pictures move."""

    durations: tuple[int, ...]
    reorder: bool = False


def video_track(
    gops: Sequence[Gop],
    timescale: int,
    *,
    start: int = 0,
    sizes: Sequence[int] = (40,),
    track_id: int = 1,
) -> Track:
    """``start``: presentation time of the first picture, below zero for one an edit list hides."""
    durations = [duration for gop in gops for duration in gop.durations]
    dts = np.concatenate(([0], np.cumsum(durations)[:-1])).astype(np.int64)
    pts = np.array(_presentation_times(gops), np.int64)
    sync = [n == 0 for gop in gops for n in range(len(gop.durations))]
    return _track(
        MediaKind.VIDEO,
        timescale,
        dts + start,
        pts + start,
        durations,
        sync,
        VIDEO,
        sizes,
        track_id,
    )


def _presentation_times(gops: Sequence[Gop]) -> list[int]:
    """Frames in order of time, but that every pair behind the sync sample is swapped."""
    times: list[int] = []
    begin = 0
    for gop in gops:
        slots = [begin + sum(gop.durations[:n]) for n in range(len(gop.durations))]
        if gop.reorder:
            for n in range(1, len(slots) - 1, 2):
                slots[n], slots[n + 1] = slots[n + 1], slots[n]
        times += slots
        begin += sum(gop.durations)
    return times


def audio_track(
    frames: int,
    timescale: int = 48_000,
    *,
    frame: int = 1024,
    priming: int = 0,
    start: int = 0,
    sizes: Sequence[int] = (20,),
    track_id: int = 2,
    config: AudioConfig = AUDIO,
) -> Track:
    dts = np.arange(frames, dtype=np.int64) * frame - priming + start
    durations = [frame] * frames
    return _track(
        MediaKind.AUDIO, timescale, dts, dts, durations, [True] * frames, config, sizes, track_id
    )


def _track(
    kind: MediaKind,
    timescale: int,
    dts: np.ndarray[tuple[int], np.dtype[np.int64]],
    pts: np.ndarray[tuple[int], np.dtype[np.int64]],
    durations: Sequence[int],
    sync: Sequence[bool],
    config: CodecConfig,
    sizes: Sequence[int],
    track_id: int,
) -> Track:
    size = np.resize(np.array(sizes, np.int32), len(dts))
    samples = sample_table(
        offset=100 + np.cumsum(size) - size,
        size=size,
        dts=dts,
        pts=pts,
        duration=np.array(durations, np.int64),
        sync=np.array(sync),
    )
    return Track(track_id, kind, timescale, "und", "", config, samples)


def sample_table(
    offset: Integers,
    size: Integers,
    dts: Integers,
    pts: Integers,
    duration: Integers,
    sync: NDArray[np.bool_],
) -> SampleTable:
    """Of columns written out, one row a sample."""
    return SampleTable.of(offset, size, int(dts[0]), duration, pts - dts, sync)


def with_columns(samples: SampleTable, **columns: Any) -> SampleTable:
    """The same but for these columns."""
    rows = samples.rows()
    names = ("offset", "size", "dts", "pts", "duration", "sync")
    return sample_table(**{name: getattr(rows, name) for name in names} | columns)


def source(*tracks: Track, name: str = "title.mp4") -> Source:
    return Source(MovieIndex(name, "1", 1 << 40, tracks))


def every(seconds: Fraction | int, count: int, timescale: int, frame: int) -> list[Gop]:
    """``count`` GOPs of equal length."""
    return [Gop((frame,) * int(seconds * timescale / frame))] * count


TIMESCALES = st.sampled_from([600, 1000, 12_800, 15_360, 24_000, 30_000, 90_000, 1_000_000])
SIZES = st.lists(st.integers(0, 5000), min_size=1, max_size=7)


@st.composite
def video_tracks(draw: st.DrawFn) -> Track:
    timescale = draw(TIMESCALES)
    rate = draw(st.sampled_from([10, 24, 25, 30, 50]))
    frame = max(timescale // rate, 2)
    steady = draw(st.booleans())
    durations = st.just(frame) if steady else st.integers(1, 3 * frame)
    gop = st.builds(Gop, st.lists(durations, min_size=1, max_size=40).map(tuple), st.booleans())
    gops = draw(st.lists(gop, min_size=1, max_size=25))
    # An edit list may hide the beginning, or delay the whole; something is left to show.
    length = sum(sum(g.durations) for g in gops)
    start = draw(st.integers(-length // 2, 2 * timescale))
    track = video_track(gops, timescale, start=start, sizes=draw(SIZES))
    return _from_first_needed(track)


def _from_first_needed(track: Track) -> Track:
    """As indexing leaves it: from the last sync sample that an edit at zero needs."""
    samples = track.samples
    rows = samples.rows()
    starts = np.flatnonzero(rows.sync & (rows.pts <= 0))
    rows = samples.rows(int(starts[-1]) if len(starts) else 0)
    return Track(
        track.track_id,
        track.kind,
        track.timescale,
        track.language,
        track.name,
        track.config,
        sample_table(rows.offset, rows.size, rows.dts, rows.pts, rows.duration, rows.sync),
    )


@st.composite
def audio_tracks(draw: st.DrawFn) -> Track:
    timescale = draw(st.sampled_from([24_000, 44_100, 48_000, 90_000]))
    frame = draw(st.sampled_from([480, 960, 1024, 1536, 2048]))
    return audio_track(
        draw(st.integers(2, 900)),
        timescale,
        frame=frame,
        priming=draw(st.sampled_from([0, 0, 312, 1024, 2112])) % frame,
        start=draw(st.sampled_from([0, 0, 0, 1, 700, timescale])),
        sizes=draw(SIZES),
        config=draw(st.sampled_from([AUDIO, OPUS])),
    )
