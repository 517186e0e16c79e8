"""What a sample table says of all its rows, however its columns are held."""

from __future__ import annotations

import numpy as np
from hypothesis import given

from packager.model import SampleTable, Track
from tests.support.tracks import PROPERTY, audio_tracks, video_tracks


@PROPERTY
@given(video_tracks() | audio_tracks())
def test_what_a_table_says_is_what_its_rows_say(track: Track) -> None:
    whole = track.samples
    for table in (whole, whole.rows(len(whole) // 3, len(whole)), whole.rows(0, 1)):
        durations = set(table.duration.tolist())
        assert table.steady == (durations.pop() if len(durations) == 1 else None)
        assert table.start == table.pts.min()
        assert table.end == (table.pts + table.duration).max()
        assert table.sync_pts.tolist() == table.pts[table.sync].tolist()


def test_columns_held_once_say_the_same() -> None:
    times = np.arange(0, 5000, 1000)
    table = SampleTable(
        offset=times,
        size=np.full(5, 7, np.int32),
        dts=times,
        pts=times,
        duration=np.broadcast_to(np.int64(1000), 5),
        sync=np.ones(5, np.bool_),
    ).rows(1, 4)
    assert table.pts is table.dts
    assert (table.steady, table.start, table.end) == (1000, 1000, 4000)
