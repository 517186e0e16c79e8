"""Boundaries: chosen near their goals, common to all renditions, exact across timescales."""

from __future__ import annotations

from fractions import Fraction

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager import timeline as tl
from packager.model import Track
from tests.support.tracks import (
    PROPERTY,
    TIMESCALES,
    audio_track,
    audio_tracks,
    every,
    video_track,
    video_tracks,
)

cut_lists = st.lists(st.integers(0, 60_000), unique=True, max_size=200).map(
    lambda times: np.array(sorted(times), np.int64)
)


def boundaries(cuts: tl.Ticks, timescale: int, end: int) -> list[int]:
    return list(tl.choose_boundaries(cuts, timescale, end).boundaries.tolist())


def test_short_segments_first_then_the_target() -> None:
    two_second_gops = np.arange(0, 40, 2, dtype=np.int64)
    assert boundaries(two_second_gops, 1, 40) == [2, 6, 12, 18, 24, 30, 36]


def test_the_nearest_cut_is_taken_where_none_is_at_the_goal() -> None:
    assert boundaries(np.array([0, 3, 5, 10, 11, 19, 30]), 1, 60) == [3, 5, 11, 19, 30]


def test_a_tiny_last_segment_is_not_begun() -> None:
    cuts = np.arange(0, 20, 2, dtype=np.int64)
    assert boundaries(cuts, 1, 15) == [2, 6, 12]
    assert boundaries(cuts, 1, 14) == [2, 6]


@pytest.mark.parametrize("cuts", [[], [0]])
def test_without_cuts_there_are_no_boundaries(cuts: list[int]) -> None:
    assert boundaries(np.array(cuts, np.int64), 1, 100) == []


@PROPERTY
@given(cut_lists, st.integers(1, 1000), st.integers(0, 80_000))
def test_boundaries_are_rising_cuts_inside_the_title(
    cuts: tl.Ticks, timescale: int, end: int
) -> None:
    chosen = boundaries(cuts, timescale, end)
    assert set(chosen) <= set(cuts.tolist())
    assert chosen == sorted(set(chosen))
    assert all(0 < at < end for at in chosen)


@PROPERTY
@given(cut_lists, st.integers(1, 1000))
def test_no_other_cut_is_nearer_to_the_goal(cuts: tl.Ticks, timescale: int) -> None:
    position = 0
    for number, at in enumerate(boundaries(cuts, timescale, 80_000)):
        seconds = (2, 4)[number] if number < 2 else 6
        goal = position + seconds * timescale
        later = [int(cut) for cut in cuts if cut > position]
        assert abs(at - goal) == min(abs(cut - goal) for cut in later)
        position = at


@pytest.mark.parametrize(
    ("ours", "theirs"), [(12_800, 90_000), (90_000, 24_000), (600, 48_000), (30_000, 1_000_000)]
)
def test_equal_times_in_other_timescales_are_shared(ours: int, theirs: int) -> None:
    """Exact, and rounded as writers do: 1001/500 s is not a whole tick of most clocks."""
    for step in (Fraction(2), Fraction(1001, 500)):
        mine = np.array([round(n * step * ours) for n in range(50)])
        others = np.array([int(n * step * theirs) for n in range(50)])
        assert tl.shared(mine, ours, others, theirs).tolist() == mine.tolist()
        assert len(tl.shared(mine, ours, others + theirs // 10, theirs)) == 0


@PROPERTY
@given(cut_lists, cut_lists)
def test_in_one_timescale_shared_is_the_intersection(mine: tl.Ticks, others: tl.Ticks) -> None:
    assert tl.shared(mine, 600, others, 600).tolist() == np.intersect1d(mine, others).tolist()


@PROPERTY
@given(cut_lists, TIMESCALES, cut_lists, TIMESCALES)
def test_shared_is_what_lies_within_a_tick_of_the_coarser_clock(
    mine: tl.Ticks, ours: int, others: tl.Ticks, theirs: int
) -> None:
    tick = Fraction(1, min(ours, theirs)) if ours != theirs else Fraction(0)
    moments = [Fraction(other, theirs) for other in others.tolist()]
    expected = [
        time
        for time in mine.tolist()
        if any(abs(Fraction(time, ours) - moment) <= tick for moment in moments)
    ]
    assert tl.shared(mine, ours, others, theirs).tolist() == expected


@PROPERTY
@given(video_tracks() | audio_tracks(), st.lists(st.integers(1, 100_000), unique=True))
def test_edges_rise_from_none_to_all(track: Track, times: list[int]) -> None:
    edges = tl.segment_edges(track, tl.Timeline(1000, np.array(sorted(times), np.int64)))
    assert edges[0] == 0
    assert edges[-1] == len(track.samples)
    assert np.all(np.diff(edges) > 0)
    assert np.all(track.samples.rows().sync[edges[1:-1]])


@PROPERTY
@given(audio_tracks(), st.lists(st.integers(1, 20_000), unique=True))
def test_sound_is_cut_at_its_first_frame_at_or_after_the_boundary(
    track: Track, milliseconds: list[int]
) -> None:
    times = np.array(sorted(milliseconds), np.int64)
    edges = tl.segment_edges(track, tl.Timeline(1000, times)).tolist()
    tick = Fraction(1, 1000)
    starts = [Fraction(int(pts), track.timescale) for pts in track.samples.rows().pts]
    expected = {0, len(starts)}
    for time in milliseconds:
        expected |= {
            next((n for n, at in enumerate(starts) if at >= Fraction(time, 1000) - tick), 0)
        }
    assert edges == sorted(expected)


def test_sync_times_are_what_can_be_seen_of_them() -> None:
    track = video_track(every(1, 4, 600, 24), 600, start=-900)
    assert tl.sync_times(track).tolist() == [300, 900]


def test_segment_times_count_from_the_start_of_the_presentation() -> None:
    track = audio_track(10, 48_000, priming=1024)
    times, durations = tl.segment_times(track.samples, np.array([0, 4, 10]))
    assert times.tolist() == [0, 3 * 1024]
    assert durations.tolist() == [3 * 1024, 6 * 1024]
