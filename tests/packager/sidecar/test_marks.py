"""Sums that lie packed beside sizes: those of the segments, and never believed against them."""

from __future__ import annotations

import struct
from dataclasses import replace
from itertools import pairwise

import numpy as np
import pytest
from numpy.typing import NDArray

from packager.columns import Column
from packager.errors import BadSidecar
from packager.mux.fmp4 import plan_segment
from packager.presentation import Source, build_presentation
from packager.sidecar import pack, unpack
from packager.sidecar.fields import Fields
from packager.sidecar.marks import MAX_SUM, pack_marks, read_marks
from tests.support.indexing import index_bytes
from tests.support.movies import Recording, Row, plain_movie
from tests.support.sidecars import repacked, signed

PICTURES = Recording("video", 12_800, [Row(30 + n % 7, 512, sync=n % 25 == 0) for n in range(800)])
SPARSE = replace(PICTURES, rows=[Row(9 + n % 5, 512, sync=n % 75 == 0) for n in range(800)])
SOUND = Recording("audio", 48_000, [Row(10 + n % 3, 1024) for n in range(1490)])

INDEX = index_bytes(plain_movie(PICTURES, SOUND), "film.mp4", "17f3-2b")
SIDECAR = pack(INDEX)


def marks(column: Column) -> NDArray[np.int64]:
    assert column.marks is not None
    return column.marks.rows


def test_the_segments_of_a_title_of_one_file_are_added_up() -> None:
    back = repacked(INDEX)
    presentation = build_presentation("film", [Source(back)])
    for rendition, track in zip(presentation.renditions, back.tracks, strict=True):
        assert len(rendition.segments) > 4
        assert set(rendition.segments.edges.tolist()) <= set(marks(track.samples.size).tolist())


def test_sound_alone_has_its_own() -> None:
    (track,) = repacked(index_bytes(plain_movie(SOUND), "sound.mp4")).tracks
    assert len(marks(track.samples.size)) > 4


def test_a_title_that_is_cut_elsewhere_has_the_sizes_of_its_own_segments() -> None:
    """Pictures of another file have fewer places to cut at."""
    sparse = index_bytes(plain_movie(SPARSE), "sparse.mp4")
    fresh = build_presentation("film", [Source(INDEX), Source(sparse)])
    packed = build_presentation("film", [Source(repacked(INDEX)), Source(repacked(sparse))])
    assert len(packed.video) == 2
    for one, other in zip(fresh.renditions, packed.renditions, strict=True):
        assert one.segments.edges.tolist() == other.segments.edges.tolist()
        assert one.segments.size.tolist() == other.segments.size.tolist()
        assert plan_segment(other, 1).size == other.segments.size[1]
    (video,) = (r for r in packed.video if r.source == "film.mp4")
    assert set(video.segments.edges.tolist()) != set(marks(video.track.samples.size).tolist())


def test_sums_come_back() -> None:
    sizes = np.arange(50, dtype=np.int32)
    edges = np.array([0, 3, 20, 50])
    fields = Fields(memoryview(pack_marks(sizes, edges)))
    back = read_marks(fields, 50)
    fields.end()
    expected = [int(sizes[a:b].sum()) for a, b in pairwise(edges)]
    assert back.sums.tolist() == expected
    known, unknown = back.between(edges[1:]), back.between(np.array([0, 4, 50]))
    assert known is not None
    assert (known.tolist(), unknown) == (expected[1:], None)


@pytest.mark.parametrize(
    ("rows", "before"),
    [
        ([], []),
        ([0], [0]),
        ([0, 9], [0, 5]),
        ([0, 11], [0, 5]),
        ([1, 10], [0, 5]),
        ([0, 10], [1, 5]),
        ([0, 7, 6, 10], [0, 1, 2, 3]),
        ([0, 6, 10], [0, 9, 8]),
        ([0, -6, 10], [0, 1, 2]),
        ([0, 10], [0, MAX_SUM + 1]),
        ([0, 6, 10], [0, 1 << 63, 8]),
    ],
)
def test_what_cannot_be_is_refused(rows: list[int], before: list[int]) -> None:
    numbers = [number & 0xFFFF_FFFF_FFFF_FFFF for number in rows + before]
    data = struct.pack(f"<I{len(numbers)}Q", len(rows), *numbers)
    with pytest.raises(BadSidecar, match="it has segments"):
        read_marks(Fields(memoryview(data)), 10)


def test_sums_that_are_not_those_of_the_sizes_are_noticed_before_a_sample_is_given() -> None:
    sizes = INDEX.tracks[0].samples.size
    right = struct.pack("<q", sizes.total)
    at = SIDECAR.index(right)
    for wrong in (sizes.total + 1, MAX_SUM):
        lying = signed(SIDECAR[:at] + struct.pack("<q", wrong) + SIDECAR[at + 8 :])
        back = unpack(lying, "film.mp4", INDEX.version, INDEX.size)
        rendition = build_presentation("film", [Source(back)]).video[0]
        for number in (0, 1, 0):
            with pytest.raises(BadSidecar, match="sums of sizes that are not theirs"):
                plan_segment(rendition, number)
