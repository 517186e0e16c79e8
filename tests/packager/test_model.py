"""What a sample table says of all its rows, however its columns are held."""

from __future__ import annotations

from dataclasses import fields, replace

import numpy as np
from hypothesis import assume, given
from hypothesis import strategies as st

from packager.codecs import parse_sample_entry
from packager.model import MediaKind, MovieIndex, Samples, SampleTable, Track
from tests.packager.codecs.assemble import as_box
from tests.support.movies import AAC_ENTRY, VP9_ENTRY
from tests.support.sidecars import repacked
from tests.support.tracks import (
    PROPERTY,
    audio_tracks,
    every,
    sample_table,
    video_track,
    video_tracks,
    with_columns,
)

VIDEO, AUDIO = (parse_sample_entry(as_box(entry)) for entry in (VP9_ENTRY, AAC_ENTRY))


def from_sidecar(track: Track) -> SampleTable:
    """The samples of a track, as they come back from the bytes of its index."""
    config = VIDEO if track.kind is MediaKind.VIDEO else AUDIO
    index = MovieIndex("a.mp4", "1", 1 << 40, (replace(track, config=config),))
    return repacked(index).tracks[0].samples


@PROPERTY
@given(video_tracks() | audio_tracks(), st.data())
def test_what_a_table_says_is_what_its_rows_say(track: Track, data: st.DataObject) -> None:
    for table in (track.samples, from_sidecar(track)):
        rows = table.rows()
        durations = set(rows.duration.tolist())
        assert table.steady == (durations.pop() if len(durations) == 1 else None)
        assert table.first_pts == rows.pts[0]
        assert table.start == rows.pts.min()
        assert table.end == (rows.pts + rows.duration).max()
        assert table.dts.end == rows.dts[-1] + rows.duration[-1]
        sync_pts = rows.pts[rows.sync]
        assert table.sync_pts.tolist() == sync_pts.tolist()
        assert table.sync_in_order == (sync_pts.tolist() == sorted(sync_pts.tolist()))
        cuts = data.draw(st.sets(st.integers(1, len(table)), max_size=9)) - {len(table)}
        edges = np.array([0, *sorted(cuts), len(table)])
        assert table.earliest(edges).tolist() == np.minimum.reduceat(rows.pts, edges[:-1]).tolist()


@PROPERTY
@given(video_tracks() | audio_tracks(), st.lists(st.integers(-5000, 2_000_000), max_size=9))
def test_the_first_sync_sample_from_a_time_on(track: Track, times: list[int]) -> None:
    rows = track.samples.rows()
    assume(track.samples.sync_in_order)
    times += rows.pts[:3].tolist()
    later = [np.flatnonzero(rows.sync & (rows.pts >= time)) for time in times]
    expected = [int(found[0]) if len(found) else len(rows) for found in later]
    assert track.samples.sync_from(np.array(times)).tolist() == expected


@PROPERTY
@given(video_tracks() | audio_tracks(), st.data())
def test_a_part_is_a_part_of_the_whole(track: Track, data: st.DataObject) -> None:
    first = data.draw(st.integers(0, len(track.samples) - 1))
    stop = data.draw(st.integers(first + 1, len(track.samples)))
    whole = track.samples.rows()
    for table in (track.samples, from_sidecar(track)):
        part = table.rows(first, stop)
        for name in (*(field.name for field in fields(Samples)), "pts"):
            assert getattr(part, name).tolist() == getattr(whole, name)[first:stop].tolist(), name


def test_pictures_far_out_of_order_have_an_earliest_time_too() -> None:
    """One that is shown much earlier than all decoded before it."""
    table = video_track(every(2, 6, 600, 24), 600).samples
    pts = table.rows().pts
    pts[140] = 7
    edges = np.array([0, 50, 100, 150, len(table)])
    times = [0, 50 * 24, 7, 150 * 24]
    assert with_columns(table, pts=pts).earliest(edges).tolist() == times


def test_what_samples_have_in_common_takes_no_memory() -> None:
    times = np.arange(0, 5000, 1000)
    table = sample_table(
        offset=times,
        size=np.full(5, 7, np.int32),
        dts=times,
        pts=times,
        duration=np.full(5, 1000),
        sync=np.ones(5, np.bool_),
    )
    assert table.nbytes == table.offset.nbytes == times.nbytes
    assert (table.steady, table.start, table.end) == (1000, 0, 5000)


def test_the_end_of_what_is_shown_long_before_it_is_decoded() -> None:
    table = video_track(every(2, 6, 600, 24), 600).samples
    pts = table.rows().pts - 1_000_000
    pts[3] -= 1
    assert with_columns(table, pts=pts).end == 12 * 600 - 1_000_000
