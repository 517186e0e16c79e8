"""Titles out of a loop: every table says where every sample of every turn really is."""

from __future__ import annotations

from pathlib import Path

import numpy as np
import pytest

from benchmarks.titles import Loop, index_file, write_title
from packager.model import MediaKind, MovieIndex, Track
from packager.mux.fmp4 import plan_segment
from packager.presentation import Source, build_presentation
from packager.ranges import ByteRange
from tests.support.atoms import atoms
from tests.support.movies import Recording, Row, plain_movie

SECONDS, TURNS = 2, 5

# Two GOPs of 10 pictures, decoded 0 2 1 4 3 6 5 8 7 9, behind an edit list; sound with priming.
SHIFTS = (100, 200, 0, 200, 0, 200, 0, 200, 0, 100)
VIDEO = Recording(
    "video",
    1000,
    [
        Row(size=100 + n, duration=100, composition=SHIFTS[n % 10], sync=n % 10 == 0)
        for n in range(20)
    ],
    edits=[(0, 100)],
)
AUDIO = Recording(
    "audio", 48_000, [Row(size=30 + n % 7, duration=1000) for n in range(98)], edits=[(0, 1000)]
)


@pytest.fixture
def loop_file(tmp_path: Path) -> Path:
    path = tmp_path / "loop.mp4"
    path.write_bytes(plain_movie(VIDEO, AUDIO))
    return path


def payloads(path: Path, track: Track) -> list[bytes]:
    data = path.read_bytes()
    rows = track.samples.rows()
    places = zip(rows.offset.tolist(), rows.size.tolist(), strict=True)
    return [data[start : start + size] for start, size in places]


def write(loop: Loop, path: Path, *, hollow: bool = False) -> MovieIndex:
    write_title(path, loop, TURNS, hollow=hollow)
    return index_file(path)


def test_each_turn_has_the_samples_of_the_loop(loop_file: Path, tmp_path: Path) -> None:
    loop = Loop.read(loop_file, SECONDS)
    index = write(loop, tmp_path / "title.mp4")
    assert [track.kind for track in index.tracks] == [MediaKind.VIDEO, MediaKind.AUDIO]
    for before, after in zip(loop.tracks, index.tracks, strict=True):
        assert payloads(tmp_path / "title.mp4", after) == payloads(loop_file, before) * TURNS
        assert after.config == before.config


def test_times_go_on_from_turn_to_turn(loop_file: Path, tmp_path: Path) -> None:
    loop = Loop.read(loop_file, SECONDS)
    index = write(loop, tmp_path / "title.mp4")
    for before, after in zip(loop.tracks, index.tracks, strict=True):
        turn = SECONDS * before.timescale
        for name in ("dts", "pts"):
            once = getattr(before.samples.rows(), name)
            expected = np.concatenate([once + turn * n for n in range(TURNS)])
            assert getattr(after.samples.rows(), name).tolist() == expected.tolist()
        assert after.samples.rows().sync.tolist() == before.samples.rows().sync.tolist() * TURNS


def test_a_hollow_title_has_the_index_of_a_whole_one(loop_file: Path, tmp_path: Path) -> None:
    loop = Loop.read(loop_file, SECONDS)
    whole, hollow = tmp_path / "whole.mp4", tmp_path / "hollow.mp4"
    write(loop, whole)
    write(loop, hollow, hollow=True)
    assert hollow.stat().st_size == whole.stat().st_size
    (_, moov, mdat), (_, hollow_moov, hollow_mdat) = (
        atoms(path.read_bytes()) for path in (whole, hollow)
    )
    assert hollow_moov == moov
    assert set(hollow_mdat.body) == {0} != set(mdat.body)


@pytest.mark.parametrize(("interleaved", "most"), [(False, 1), (True, 20)])
def test_stretches_of_a_segment(
    loop_file: Path, tmp_path: Path, *, interleaved: bool, most: int
) -> None:
    loop = Loop.read(loop_file, SECONDS)
    index = write(loop if interleaved else loop.only(MediaKind.VIDEO), tmp_path / "title.mp4")
    video = build_presentation("title", [Source(index)]).video[0]
    plans = [plan_segment(video, number) for number in range(len(video.segments))]
    stretches = [sum(isinstance(part, ByteRange) for part in plan.parts) for plan in plans]
    samples = np.diff(video.segments.edges).tolist()
    assert stretches == (samples if interleaved else [1] * len(plans))


def test_a_loop_ends_with_a_sample(loop_file: Path) -> None:
    with pytest.raises(ValueError, match="not whole samples"):
        Loop.read(loop_file, 3)
