"""The sample library is what the packager's best case asks for, and shows what it claims."""

from __future__ import annotations

import io
import itertools
import json
from fractions import Fraction
from pathlib import Path
from typing import Any

import av
import numpy as np
import pytest
from numpy.typing import NDArray

from ingest.sample import make_library
from ingest.sample.__main__ import main
from ingest.sample.city import city
from ingest.sample.slate import stamp
from ingest.sample.tone import BEEP_HERTZ, SAMPLE_RATE

SECONDS = 4.0
RUNGS = {"video-180p.mp4": 180, "video-360p.mp4": 360, "video-540p.mp4": 540, "video-720p.mp4": 720}
FILES = {
    *(f"city-lights/{name}" for name in RUNGS),
    "city-lights/audio-en.mp4",
    "city-lights/audio-es.mp4",
    "city-lights/subtitles.en.vtt",
    "city-lights/subtitles.es.srt",
    "lighthouse.mp4",
    "music-box.mp4",
    *(f"small-hours-{number}.mp4" for number in (1, 2, 3)),
    *(f"city-lights/{name}.jpg" for name in ("poster", "backdrop")),
    *(
        f"{title}.{name}.jpg"
        for title in (
            "lighthouse",
            "music-box",
            "small-hours",
            *(f"small-hours-{number}" for number in (1, 2, 3)),
        )
        for name in ("poster", "backdrop")
    ),
    "city-lights/title.json",
    "library.json",
}


@pytest.fixture(scope="module")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("sample") / "library"
    make_library(folder, seconds=SECONDS)
    return folder


def contents(folder: Path) -> dict[str, bytes]:
    return {
        path.relative_to(folder).as_posix(): path.read_bytes()
        for path in folder.rglob("*")
        if path.is_file()
    }


def boxes(path: Path) -> list[str]:
    """The types of the boxes side by side in a file."""
    content, at, found = path.read_bytes(), 0, []
    while at < len(content):
        found.append(content[at + 4 : at + 8].decode())
        at += int.from_bytes(content[at : at + 4], "big")
    return found


def frames(path: Path) -> list[NDArray[Any]]:
    with av.open(str(path)) as container:
        return [frame.to_ndarray(format="yuv420p") for frame in container.decode(video=0)]


def signal(path: Path) -> NDArray[Any]:
    """The left channel."""
    with av.open(str(path)) as container:
        return np.concatenate([frame.to_ndarray()[0] for frame in container.decode(audio=0)])


def test_library_has_these_files_and_the_same_bytes_each_time(
    library: Path, tmp_path: Path
) -> None:
    again = tmp_path / "again"
    make_library(again, seconds=SECONDS)
    assert contents(library).keys() == FILES
    assert contents(again) == contents(library)


@pytest.mark.parametrize(("name", "height"), RUNGS.items())
def test_rung_has_closed_gops_of_two_seconds(library: Path, name: str, height: int) -> None:
    with av.open(str(library / "city-lights" / name)) as container:
        (stream,) = container.streams.video
        assert (stream.width * 9, stream.height) == (height * 16, height)
        assert stream.time_base == Fraction(1, 90_000)
        packets = [packet for packet in container.demux(stream) if packet.size]
    times = [packet.pts / 90_000 for packet in packets if packet.pts is not None]
    keys = [index for index, packet in enumerate(packets) if packet.is_keyframe]
    assert [times[index] for index in keys] == [0, 2]
    assert times != sorted(times), "B-frames make decode order differ"
    for first, stop in itertools.pairwise([*keys, len(packets)]):
        assert min(times[first:stop]) == times[first]
        assert stop - first == 60


def test_rungs_keep_to_their_bit_rates(library: Path) -> None:
    sizes = [(library / "city-lights" / name).stat().st_size for name in RUNGS]
    rates = [size * 8 / SECONDS / 1000 for size in sizes]
    assert rates == pytest.approx([250, 700, 1500, 3000], rel=0.3)


def test_index_is_in_front_of_the_ladder_and_behind_the_single_film(library: Path) -> None:
    for path in (library / "city-lights").glob("*.mp4"):
        assert boxes(path).index("moov") < boxes(path).index("mdat")
    film = boxes(library / "lighthouse.mp4")
    assert film.index("moov") > film.index("mdat")


def test_languages_are_told(library: Path) -> None:
    for name, language in (("audio-en", "eng"), ("audio-es", "spa")):
        with av.open(str(library / "city-lights" / f"{name}.mp4")) as container:
            (stream,) = container.streams
            assert (stream.codec_context.name, stream.language) == ("aac", language)


def test_single_film_is_interleaved(library: Path) -> None:
    with av.open(str(library / "lighthouse.mp4")) as container:
        kinds = [packet.stream.type for packet in container.demux() if packet.size]
    assert len(list(itertools.groupby(kinds))) > 50


@pytest.mark.parametrize("name", RUNGS)
def test_picture_carries_its_time_rung_and_number(library: Path, name: str) -> None:
    height = RUNGS[name]
    decoded = frames(library / "city-lights" / name)
    draw = city(height * 16 // 9, height)
    area = slice(0, height // 4), slice(0, height)
    for number in (7, 59, 101):
        differences = []
        for claimed in (number - 1, number, number + 1):
            picture = draw(claimed / 30)
            stamp(picture, claimed / 30, claimed)
            differences.append(np.abs(decoded[number][area] - picture.y[area].astype(float)).mean())
        assert min(differences) == differences[1]


def test_beep_and_lamp_begin_together_on_each_second(library: Path) -> None:
    pictures = frames(library / "lighthouse.mp4")
    with av.open(str(library / "lighthouse.mp4")) as container:
        rate = container.streams.video[0].average_rate
    assert rate == 25
    light = np.array([picture[30:45, 238:258].mean() for picture in pictures])
    lit = np.flatnonzero(np.diff(light, prepend=0) > 40)
    assert list(lit) == [0, 25, 50]

    sound = signal(library / "lighthouse.mp4")
    window = SAMPLE_RATE // 100
    tone = np.exp(-2j * np.pi * BEEP_HERTZ * np.arange(window) / SAMPLE_RATE)
    blocks = sound[: len(sound) // window * window].reshape(-1, window)
    loud = np.abs(blocks @ tone) > 0.1 * window / 2
    starts = np.flatnonzero(loud & ~np.concatenate([[False], loud[:-1]])) / 100
    assert starts == pytest.approx([0, 1, 2], abs=0.02)


@pytest.mark.parametrize(
    ("name", "shape"), [("poster", Fraction(2, 3)), ("backdrop", Fraction(16, 9))]
)
def test_artwork_has_its_shape_a_picture_and_few_bytes(
    library: Path, name: str, shape: Fraction
) -> None:
    files = sorted(library.rglob(f"*{name}.jpg"))
    assert len(files) == 7
    for path in files:
        assert path.stat().st_size <= 100_000
        with av.open(str(path)) as container:
            (stream,) = container.streams.video
            picture = next(container.decode(stream)).to_ndarray(format="rgb24")
        assert stream.codec_context.name == "mjpeg"
        assert Fraction(picture.shape[1], picture.shape[0]) == shape
        assert picture.std() > 20, f"{path} shows something"


def test_artwork_has_the_colours_of_its_scene(library: Path) -> None:
    with av.open(str(library / "lighthouse.backdrop.jpg")) as container:
        picture = next(container.decode(video=0)).to_ndarray(format="rgb24").astype(int)
    red, green, blue = picture[217:227, 744:754].mean(axis=(0, 1))
    assert (red, green, blue) == pytest.approx((0.80 * 255, 0.20 * 255, 0.18 * 255), abs=25)


def entries(library: Path) -> dict[str, dict[str, Any]]:
    """What is said of each title, with the folder that its artwork is named in."""
    listed: dict[str, dict[str, Any]] = json.loads((library / "library.json").read_bytes())[
        "titles"
    ]
    for path in library.glob("*/title.json"):
        listed[path.parent.name] = json.loads(path.read_bytes()) | {"folder": path.parent.name}
    return listed


def test_every_title_is_described_in_both_languages(library: Path) -> None:
    described = entries(library)
    media = {path.stem for path in library.glob("*.mp4")} | {"city-lights"}
    assert {title for title, entry in described.items() if entry["kind"] != "series"} == media
    for entry in described.values():
        assert entry["names"].keys() == entry["synopses"].keys() == {"en", "es"}
        assert entry["genres"]
        folder = library / entry.get("folder", "")
        for name in ("poster", "backdrop"):
            assert (folder / entry["artwork"][name]).is_file()


def test_episodes_are_of_a_series_that_is_there(library: Path) -> None:
    described = entries(library)
    episodes = [entry for entry in described.values() if entry["kind"] == "episode"]
    assert [(entry["season"], entry["episode"]) for entry in episodes] == [(1, 1), (1, 2), (1, 3)]
    assert {described[entry["series"]]["kind"] for entry in episodes} == {"series"}


def test_existing_folder_is_left_alone(tmp_path: Path) -> None:
    (tmp_path / "mine.mp4").write_bytes(b"mine")
    with pytest.raises(FileExistsError, match="there already"):
        make_library(tmp_path)
    assert contents(tmp_path) == {"mine.mp4": b"mine"}


def test_interrupted_run_leaves_nothing(tmp_path: Path) -> None:
    def interrupt(share: float, finished: str | None) -> None:
        if share > 0.1:
            raise KeyboardInterrupt

    with pytest.raises(KeyboardInterrupt):
        make_library(tmp_path / "library", interrupt, seconds=2)
    assert list(tmp_path.iterdir()) == []


def test_progress_rises_to_the_whole(tmp_path: Path) -> None:
    shares: list[float] = []
    finished: list[str] = []

    def follow(share: float, path: str | None) -> None:
        shares.append(share)
        finished.extend([path] if path else [])

    make_library(tmp_path / "library", follow, seconds=1)
    assert shares == sorted(shares)
    assert shares[-1] == pytest.approx(1)
    assert set(finished) == FILES


def test_command_prints_a_line_a_file(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    assert main([str(tmp_path / "library"), "--seconds", "1"]) == 0
    out, err = capsys.readouterr()
    assert out == ""
    assert {line.split()[1] for line in err.splitlines()} == FILES
    assert main([str(tmp_path / "library")]) == 1
    assert "there already" in capsys.readouterr().err


def test_command_draws_a_bar_on_a_terminal(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    terminal = io.StringIO()
    monkeypatch.setattr(terminal, "isatty", lambda: True)
    monkeypatch.setattr("sys.stderr", terminal)
    assert main([str(tmp_path / "library"), "--seconds", "1"]) == 0
    assert terminal.getvalue().endswith("█ 100%\n")
    assert terminal.getvalue().count("\n") == 1


@pytest.mark.parametrize("word", ["0", "-1", "nan", "1e9", "soon"])
def test_command_refuses_odd_lengths(word: str, tmp_path: Path) -> None:
    with pytest.raises(SystemExit, match="2"):
        main([str(tmp_path / "library"), f"--seconds={word}"])
