from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import cold
from benchmarks.contests import Ground
from benchmarks.effort import Effort
from benchmarks.micro import INTERLEAVED, ONE_TRACK
from benchmarks.origins import write_sidecars

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux")

ONCE = Effort(clean=1, most=1, seconds=0.1, micro=0.1, starts=1, scale=0.01)


def test_first_answers_of_both_layouts(ground: Ground) -> None:
    figures = list(cold.first_answers(ground, ONCE, lambda message: None))
    assert len(figures) == 8
    for layout in (ONE_TRACK, INTERLEAVED):
        for how in (cold.NO_SIDECAR, cold.WITH_SIDECAR):
            manifest, both = (f for f in figures if f.row.endswith(layout) and f.column == how)
            assert manifest.row == cold.manifest_row(layout)
            assert manifest.runs == 5
            assert 0 < manifest.value < both.value


def test_sidecars_lie_beside_what_is_served(library: Path, tmp_path: Path) -> None:
    with cold.linked_library(library / "film-interleaved.mp4", 2, tmp_path) as folder:
        write_sidecars(folder)
        assert len(list(folder.rglob("title-000001.mp4*"))) == 2


def test_a_library_of_each_size_is_made_measured_and_gone(ground: Ground) -> None:
    before = set(os.listdir(ground.scratch))
    figures = list(cold.library_sizes(ground, ONCE, lambda message: None))
    assert [f.row for f in figures] == ["10 titles"] * 3 + ["1,000 titles"] * 3
    assert {f.column for f in figures} == {
        "first manifest",
        "first page of the list",
        "memory then",
    }
    assert all(f.value > 0 for f in figures)
    assert not [name for name in set(os.listdir(ground.scratch)) - before if "titles" in name]


def test_links_are_spread_over_files(
    library: Path, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(cold, "LINKS_A_FILE", 3)
    film = library / "film-interleaved.mp4"
    with cold.linked_library(film, 7, tmp_path) as folder:
        files = sorted(folder.iterdir())
        assert len(files) == 7
        assert {f.stat().st_nlink for f in files} == {3, 1}
        assert all(f.stat().st_size == film.stat().st_size for f in files)
        start = film.read_bytes()[:10_000]
        assert all(f.read_bytes()[:10_000] == start for f in files)
        assert max(f.stat().st_blocks for f in files) * 512 < film.stat().st_size
