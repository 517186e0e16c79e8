from __future__ import annotations

import os
import shutil
from pathlib import Path

import pytest

from cli.main import main
from tests.cli.library_of_faults import make_library
from tests.support.sidecars import lie_about_sizes

Output = pytest.CaptureFixture[str]


@pytest.fixture
def library(films: Path, tmp_path: Path) -> Path:
    for name in ("city", "film.mp4"):
        source = films / name
        if source.is_dir():
            shutil.copytree(source, tmp_path / name)
        else:
            shutil.copy2(source, tmp_path / name)
    return tmp_path


def sidecars(library: Path) -> dict[str, bytes]:
    return {str(p.relative_to(library)): p.read_bytes() for p in library.rglob(".vodx/*")}


def stamps(library: Path) -> dict[str, int]:
    return {str(p): p.stat().st_mtime_ns for p in library.rglob("*.mp4")}


def index(library: Path, *options: str) -> int:
    return main(["index", str(library), *options])


def test_each_mp4_gets_a_sidecar(library: Path, capsys: Output) -> None:
    before = stamps(library)
    assert index(library) == 0
    assert capsys.readouterr() == ("", "6 written, 0 current, 0 failed\n")
    assert sidecars(library).keys() == {
        ".vodx/film.mp4.vodx",
        "city/.vodx/audio-en.mp4.vodx",
        "city/.vodx/audio-es.mp4.vodx",
        "city/.vodx/video-36.mp4.vodx",
        "city/.vodx/video-54.mp4.vodx",
        "city/.vodx/video-72.mp4.vodx",
    }
    assert stamps(library) == before


def test_only_what_is_new_is_written(films: Path, library: Path, capsys: Output) -> None:
    index(library)
    first = {path: path.stat().st_ino for path in library.rglob(".vodx/*")}
    shutil.copy(films / "uneven/video-odd.mp4", library / "city/video-36.mp4")
    shutil.copy(library / "film.mp4", library / "other.mp4")
    (library / "city/.vodx/audio-en.mp4.vodx").write_bytes(b"VODX torn")
    capsys.readouterr()
    assert index(library) == 0
    assert capsys.readouterr().err == "3 written, 4 current, 0 failed\n"
    second = {path: path.stat().st_ino for path in library.rglob(".vodx/*")}
    assert {path.name for path in second if second[path] != first.get(path)} == {
        "video-36.mp4.vodx",
        "other.mp4.vodx",
        "audio-en.mp4.vodx",
    }
    assert index(library) == 0
    assert capsys.readouterr().err == "0 written, 7 current, 0 failed\n"


def test_one_that_lies_is_written_anew(library: Path, capsys: Output) -> None:
    index(library)
    written = sidecars(library)
    lie_about_sizes(library / ".vodx/film.mp4.vodx")
    capsys.readouterr()
    assert index(library) == 0
    assert capsys.readouterr().err == "1 written, 5 current, 0 failed\n"
    assert sidecars(library) == written


def test_all_are_written_anew_if_told_so(library: Path, capsys: Output) -> None:
    index(library)
    written = sidecars(library)
    capsys.readouterr()
    assert index(library, "--force") == 0
    assert capsys.readouterr().err == "6 written, 0 current, 0 failed\n"
    assert sidecars(library) == written


def test_one_line_for_each_that_fails(tmp_path: Path, capsys: Output) -> None:
    make_library(tmp_path)
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    assert index(tmp_path) == 1
    said = capsys.readouterr()
    lines = said.out.splitlines()
    assert [line.split(": ")[:2] for line in lines] == [
        ["circle", "storage-error"],
        ["torn/audio.mp4", "bad-media"],
        ["wreck/video.mp4", "bad-media"],
    ]
    assert "passes the end of the file in box 'moov'" in lines[1]
    assert said.err.endswith(" written, 0 current, 3 failed\n")
    assert "torn/.vodx/video.mp4.vodx" in sidecars(tmp_path)
    assert "torn/.vodx/audio.mp4.vodx" not in sidecars(tmp_path)


def test_a_folder_that_cannot_be_written_to_does_not_end_it(library: Path, capsys: Output) -> None:
    (library / "city/.vodx").touch()
    assert index(library) == 1
    said = capsys.readouterr()
    assert said.err == "1 written, 0 current, 5 failed\n"
    assert said.out.splitlines()[0].startswith(
        "city/audio-en.mp4: storage-error: cannot write city/.vodx/audio-en.mp4.vodx: "
    )


def test_an_empty_library(tmp_path: Path, capsys: Output) -> None:
    (tmp_path / "artwork").mkdir()
    assert index(tmp_path) == 0
    assert capsys.readouterr() == ("", "0 written, 0 current, 0 failed\n")
    assert os.listdir(tmp_path) == ["artwork"]


@pytest.mark.parametrize("path", ["no/such/folder", __file__])
def test_a_path_that_is_no_library(path: str, capsys: Output) -> None:
    assert main(["index", path]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith("vod-origin: ")
    assert said.err.endswith(f"'{path}' is not a folder\n")
