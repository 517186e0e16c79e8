"""Real servers, started and ended as a run does."""

from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks.library import LOOP_SECONDS, TITLES
from benchmarks.rounds import Target, one_round
from benchmarks.servers import ServerFailed, nginx, nginx_program, vod_origin
from benchmarks.targets import WrongAnswer, check_same, copy, find_paths, reading
from benchmarks.titles import Loop, write_title
from benchmarks.workloads import WORKLOADS, Asks, Workload
from packager.model import MediaKind
from tests.support.movies import Recording, Row, plain_movie

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux"),
    pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed"),
]


@pytest.fixture
def library(tmp_path: Path) -> Path:
    """The titles of the real one, with tiny samples: 1 picture a second, in GOPs of 2."""
    folder = tmp_path / "library"
    folder.mkdir()
    loop = tmp_path / "loop.mp4"
    pictures = [Row(size=400, duration=90_000, sync=n % 2 == 0) for n in range(LOOP_SECONDS)]
    sound = [Row(size=40, duration=48_000) for n in range(LOOP_SECONDS)]
    loop.write_bytes(
        plain_movie(Recording("video", 90_000, pictures), Recording("audio", 48_000, sound))
    )
    both = Loop.read(loop, LOOP_SECONDS)
    for title in TITLES:
        tracks = both if title.interleaved else both.only(MediaKind.VIDEO)
        write_title(folder / title.file, tracks, title.turns, hollow=title.hollow)
    return folder


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_both_answer_with_the_same_bytes_and_are_measured(
    workload: Workload, library: Path, tmp_path: Path
) -> None:
    root = tmp_path / "static"
    root.mkdir()
    with vod_origin(library, tmp_path) as ours, nginx(root, tmp_path) as theirs:
        with reading(ours) as mine, reading(theirs) as static:
            paths = find_paths(workload, mine)
            copy(paths, mine, root)
            nbytes = check_same(paths, mine, static)
            file = root / paths[0].lstrip("/")
            file.write_bytes(bytes(file.stat().st_size))
            with pytest.raises(WrongAnswer, match="different bytes"):
                check_same(paths[:1], mine, static)
        assert len(paths) == (1 if workload.asks is Asks.PLAYLIST else 64)
        done = one_round(Target(workload, paths, nbytes), ours, 1)
    assert done.requests_per_second > 0
    assert done.server > 0
    for server in (ours, theirs):
        with pytest.raises(ProcessLookupError):
            os.kill(server.pid, 0)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="not a folder"), vod_origin(tmp_path / "no", tmp_path):
        pass
