"""Places come back whatever the layout, and cost next to nothing where it is a usual one."""

from __future__ import annotations

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from packager.columns import BLOCK, Column
from packager.errors import BadSidecar
from packager.sidecar.fields import Fields
from packager.sidecar.places import pack_places, read_places
from tests.support.tracks import PROPERTY

Layout = list[tuple[NDArray[np.int64], NDArray[np.int32]]]
FILE = 1 << 41


def check(layout: Layout, file_size: int = FILE) -> bytes:
    offsets, sizes = [o for o, _ in layout], [s for _, s in layout]
    data = pack_places(offsets, sizes)
    fields = Fields(memoryview(data))
    back = read_places(fields, [Column.of(size) for size in sizes], file_size)
    fields.end()
    for there, column in zip(back, offsets, strict=True):
        assert there.rows(0, len(column)).tolist() == column.tolist()
        for row in {0, len(column) // 3, len(column) - 1}:
            assert there.rows(row, len(column)).tolist() == column[row:].tolist()
            assert there.rows(row, row + 1).tolist() == [column[row]]
    return data


def in_turns(turns: list[tuple[int, int]], tracks: int, start: int = 48) -> Layout:
    """(track, size) one behind the other from ``start`` on."""
    owner = np.array([track for track, _ in turns])
    size = np.array([size for _, size in turns], np.int32)
    offset = start + np.cumsum(size, dtype=np.int64) - size
    return [(offset[owner == track], size[owner == track]) for track in range(tracks)]


@st.composite
def layouts(draw: st.DrawFn) -> Layout:
    """Samples anywhere, in any order, over one another too."""
    sample = st.tuples(st.integers(0, 1 << 40), st.integers(0, 1 << 20))
    tracks = draw(st.lists(st.lists(sample, min_size=1, max_size=40), min_size=1, max_size=20))
    return [
        (np.array([o for o, _ in rows]), np.array([s for _, s in rows], np.int32))
        for rows in tracks
    ]


@PROPERTY
@given(layouts())
def test_any_layout_comes_back(layout: Layout) -> None:
    check(layout)


@pytest.mark.parametrize("tracks", [1, 2, 3, 5, 17, 64])
def test_samples_in_turns_take_bits(tracks: int) -> None:
    turns = [(n * 7919 % tracks, 1 + n % 1000) for n in range(5 * BLOCK // 2)]
    data = check(in_turns(turns, tracks))
    bits = {1: 0, 2: 1, 3: 2, 5: 4, 17: 8, 64: 8}[tracks]
    assert len(data) <= len(turns) * bits // 8 + 50


def test_what_lies_between_is_said_once() -> None:
    first, second = in_turns([(0, 100)] * 500, 1), in_turns([(0, 100)] * 500, 1, start=90_000)
    offset = np.concatenate((first[0][0], second[0][0]))
    assert len(check([(offset, np.full(1000, 100, np.int32))])) < 100


def test_the_last_byte_of_the_file_is_in_it() -> None:
    layout = in_turns([(0, 100), (1, 50)] * 10, 2)
    end = 48 + 1500
    check(layout, end)
    with pytest.raises(BadSidecar, match="not inside the file"):
        check(layout, end - 1)


@pytest.mark.parametrize("offset", [-1, FILE, FILE - 99, 1 << 60])
def test_samples_outside_the_file_are_refused(offset: int) -> None:
    for backwards in (False, True):
        (offsets, sizes), other = in_turns([(0, 100), (1, 50)] * 10, 2)
        offsets[9 if not backwards else 2] = offset
        for layout in ([(offsets, sizes)], [(offsets, sizes), other]):
            with pytest.raises(BadSidecar, match="not inside the file"):
                check(layout)


def test_a_track_has_as_many_samples_as_it_has() -> None:
    layout = in_turns([(0, 100), (1, 50)] * 10, 2)
    data = pack_places([o for o, _ in layout], [s for _, s in layout])
    sizes = [Column.of(s) for _, s in layout]
    for owners, there in ((b"\xff", 0), (b"\x00", 20)):
        back = read_places(Fields(memoryview(owners * 3 + data[3:])), sizes, FILE)
        for _ in range(2):
            with pytest.raises(BadSidecar, match=f"gives a track {there} samples where it has 10"):
                back[1].rows(0, 1)


def test_samples_of_no_track_are_refused() -> None:
    """Two bits tell four tracks apart, and there are three."""
    layout = in_turns([(0, 100), (1, 50), (2, 60)] * 8, 3)
    data = pack_places([o for o, _ in layout], [s for _, s in layout])
    nobody = b"\xff" * 6 + data[6:]
    back = read_places(Fields(memoryview(nobody)), [Column.of(s) for _, s in layout], FILE)
    with pytest.raises(BadSidecar, match="gives a track 0 samples where it has 8"):
        back[0].rows(0, 1)
