from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks.contests import Ground
from benchmarks.library import LOOP_SECONDS, TITLES, link_ladders
from benchmarks.titles import Loop, write_title
from packager.model import MediaKind
from tests.support.movies import Recording, Row, plain_movie


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """The titles of the real one, with tiny samples: 1 picture a second, in GOPs of 2."""
    folder = tmp_path_factory.mktemp("library")
    loop = tmp_path_factory.mktemp("loop") / "loop.mp4"
    pictures = [Row(size=14_000, duration=90_000, sync=n % 2 == 0) for n in range(LOOP_SECONDS)]
    sound = [Row(size=40, duration=48_000) for n in range(LOOP_SECONDS)]
    loop.write_bytes(
        plain_movie(Recording("video", 90_000, pictures), Recording("audio", 48_000, sound))
    )
    both = Loop.read(loop, LOOP_SECONDS)
    for title in TITLES:
        tracks = both if title.interleaved else both.only(MediaKind.VIDEO)
        write_title(folder / title.file, tracks, title.turns, hollow=title.hollow)
    link_ladders(folder)
    return folder


@pytest.fixture
def ground(library: Path, tmp_path: Path) -> Ground:
    (tmp_path / "static").mkdir()
    return Ground(library, tmp_path / "static", tmp_path)
