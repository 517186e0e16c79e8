from __future__ import annotations

import re
import shutil
from pathlib import Path

import pytest

from cli.check import EPILOG
from cli.main import main
from tests.cli.library_of_faults import EXPECTED, NOTES, make_library

ROOT = Path(__file__).parents[2]
LINE = re.compile(r"([a-z]+)(?:/[^:]+)?: ([a-z-]+): (.+)")

Output = pytest.CaptureFixture[str]


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("faults")
    make_library(folder)
    return folder


def faults(output: str) -> dict[str, set[str]]:
    found: dict[str, set[str]] = {}
    for line in output.splitlines():
        parts = LINE.fullmatch(line)
        assert parts is not None, line
        found.setdefault(parts[1], set()).add(parts[2])
    return found


def test_every_fault_is_found_in_its_title_alone(library: Path, capsys: Output) -> None:
    assert main(["check", str(library)]) == 1
    said = capsys.readouterr()
    assert faults(said.out) == {title: codes for title, codes in EXPECTED.items() if codes}
    assert said.err == f"{len(EXPECTED)} titles, {len(EXPECTED) - 1 - len(NOTES)} with faults\n"


def test_every_code_there_is_has_a_title_here_and_a_line_in_the_help() -> None:
    source = (ROOT / "packager" / "faults.py").read_text(encoding="utf-8")
    codes = {*re.findall(r'Fault\(\s*[\w.]+,\s*"([a-z-]+)"', source), "unplayable"}
    assert len(codes) == 9
    assert set().union(*EXPECTED.values()) == codes
    assert set(re.findall(r"^  ([a-z-]+)  +[a-z]", EPILOG, re.MULTILINE)) == codes


@pytest.mark.parametrize(
    ("title", "sentence"),
    [
        ("again", "again/b.mp4: not-needed: audio track 2 (mp4a.40.2, und): the same sound is"),
        ("gaps", "gaps/video.mp4: key-frames: no common key frame for 10.00 s"),
        ("heavy", "heavy/video.mp4: peak: peak "),
        ("late", "late/audio.mp4: length: the sound ends 2.99 s after the pictures"),
        ("mixed", "mixed/film.mp4: interleaved: a segment lies in about "),
        ("odd", "odd/odd.mp4: left-out: video track 1 (vp09.00.10.08, 160x90): its key frames do"),
        ("primed", "primed/audio-es.mp4: priming: its edit list hides 21 ms of encoder priming"),
        ("scales", "scales/b.mp4: timescale: timescale 90000 differs from 12800 of scales/a.mp4"),
        ("torn", "torn/audio.mp4: left-out: box size "),
        ("wreck", "wreck: unplayable: box size "),
    ],
)
def test_what_is_said_of_a_fault(
    library: Path, tmp_path: Path, capsys: Output, title: str, sentence: str
) -> None:
    shutil.copytree(library / title, tmp_path / title)
    assert main(["check", str(tmp_path)]) == (0 if title in NOTES else 1)
    (line,) = capsys.readouterr().out.splitlines()
    assert line.startswith(sentence)


def test_a_library_without_a_fault(library: Path, tmp_path: Path, capsys: Output) -> None:
    shutil.copytree(library / "clean", tmp_path / "clean")
    (tmp_path / "artwork").mkdir()
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "1 titles, 0 with faults\n")


def test_an_empty_library(tmp_path: Path, capsys: Output) -> None:
    assert main(["check", str(tmp_path)]) == 0
    assert capsys.readouterr() == ("", "0 titles, 0 with faults\n")


def test_more_titles_than_a_page(library: Path, tmp_path: Path, capsys: Output) -> None:
    for number in range(120):
        shutil.copy(library / "wreck" / "video.mp4", tmp_path / f"wreck-{number:03}.mp4")
    assert main(["check", str(tmp_path)]) == 1
    said = capsys.readouterr()
    assert [line.split(":")[0] for line in said.out.splitlines()] == [
        f"wreck-{number:03}" for number in range(120)
    ]


@pytest.mark.parametrize("path", ["no/such/folder", __file__])
def test_a_path_that_is_no_library(path: str, capsys: Output) -> None:
    assert main(["check", path]) == 2
    assert capsys.readouterr() == ("", f"vod-origin: library: '{path}' is not a folder\n")


def test_a_title_that_cannot_be_read_does_not_end_the_check(
    library: Path, tmp_path: Path, capsys: Output
) -> None:
    shutil.copytree(library / "wreck", tmp_path / "wreck")
    (tmp_path / "circle.mp4").symlink_to("circle.mp4")
    assert main(["check", str(tmp_path)]) == 1
    assert faults(capsys.readouterr().out) == {"circle": {"unplayable"}, "wreck": {"unplayable"}}


def test_the_generated_library(films: Path, capsys: Output) -> None:
    """The misaligned rendition is said here as it is in the server's log."""
    assert main(["check", str(films)]) == 1
    lines = capsys.readouterr().out.splitlines()
    assert [line for line in lines if line.startswith(("city", "uneven", "broken"))] == [
        "broken: unplayable: box size 2274 passes the end of the file in box 'moov' at byte 32",
        "uneven/video-odd.mp4: left-out: video track 1 (avc1.4d500b, 64x36): its key frames do "
        "not line up with uneven/video-a.mp4: 1 of 8 are shared",
    ]
