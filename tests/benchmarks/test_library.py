from __future__ import annotations

from pathlib import Path

import pytest

from benchmarks import library
from benchmarks.library import FILM_LADDER, LADDERS, TITLES, make_library
from benchmarks.titles import Loop

HEIGHTS = (360, 480, 720, 1080)


def test_ladders_are_their_rungs_by_a_second_name(library: Path) -> None:
    for ladder in LADDERS:
        heights = (240, 360, 480, 540, 720, 1080) if ladder is FILM_LADDER else HEIGHTS
        names = {path.name for path in (library / ladder.id).iterdir()}
        assert names == {f"video-{height}p.mp4" for height in heights}
        for rung in ladder.rungs:
            link = library / ladder.id / f"video-{rung.video.height}p.mp4"
            assert link.samefile(library / rung.file)


def test_only_what_is_missing_is_made(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    kept = TITLES[0]
    folder = tmp_path / "library"
    folder.mkdir()
    (folder / kept.file).write_bytes(b"as it was")
    monkeypatch.setattr(library, "_encode", lambda video, path: Loop(8, (), b""))
    monkeypatch.setattr(
        library, "write_title", lambda path, loop, turns, hollow: path.write_bytes(b"made")
    )
    make_library(folder, lambda message: None)
    assert (folder / kept.file).read_bytes() == b"as it was"
    assert all((folder / title.file).read_bytes() == b"made" for title in TITLES[1:])
    monkeypatch.setattr(library, "_encode", None)
    make_library(folder, lambda message: None)
