from __future__ import annotations

import asyncio
import re
import shutil
from pathlib import Path
from typing import Any

import orjson
import pytest

from cli.main import main
from tests.origin.node import Node
from tests.support.films import RATE, SECONDS
from tests.support.movies import Recording, Row, plain_movie
from tests.support.shared_media import FOLDER, shared_files

Output = pytest.CaptureFixture[str]


def report(path: Path, capsys: Output) -> dict[str, Any]:
    assert main(["inspect", "--json", str(path)]) == 0
    read: dict[str, Any] = orjson.loads(capsys.readouterr().out)
    return read


def test_tracks_as_json(films: Path, capsys: Output) -> None:
    said = report(films / "film.mp4", capsys)
    assert said["file"] == str(films / "film.mp4")
    assert said["size"] == (films / "film.mp4").stat().st_size
    assert said["duration"] == pytest.approx(SECONDS, abs=0.05)
    assert said["left_out"] == []
    video, audio = said["tracks"]
    assert video["kind"] == "video"
    assert video["codec"].startswith("avc1.")
    assert (video["width"], video["height"], video["frame_rate"]) == (96, 54, RATE)
    assert video["video_range"] == "SDR"
    assert video["samples"] == RATE * SECONDS
    gap = 2 * video["timescale"]
    assert video["key_frames"] == {"count": 8, "shortest_gap": gap, "longest_gap": gap}
    assert (audio["kind"], audio["codec"], audio["language"]) == ("audio", "mp4a.40.2", "en")
    assert (audio["sample_rate"], audio["channels"]) == (48_000, 2)
    assert audio["edit_list"]["media_time"] == 1024
    assert audio["first_pts"] == -1024


async def test_segments_are_those_that_are_served(films: Path, capsys: Output) -> None:
    node = Node(films)
    served = (await node.origin.title("film")).presentation
    said = await asyncio.to_thread(report, films / "film.mp4", capsys)
    for rendition, track in zip(served.renditions, said["tracks"], strict=True):
        assert [segment["time"] for segment in track["segments"]] == list(rendition.segments.time)
        for segment in track["segments"]:
            path = f"/v/film/{served.revision}/{rendition.name}/{segment['time']}.m4s"
            resource = await node.resource(path)
            assert segment["bytes"] == resource.size
            assert segment["pieces"] == len(resource.parts) - 1
        assert sum(segment["samples"] for segment in track["segments"]) == track["samples"]


def test_tracks_as_text(films: Path, capsys: Output) -> None:
    assert main(["inspect", str(films / "film.mp4")]) == 0
    text = capsys.readouterr().out
    assert re.search(r"film\.mp4: [0-9,]+ bytes, 16\.0\d\d s\n", text)
    assert re.search(r"track 1  video  avc1\.\w+  96x54, 10\.000 fps, SDR\n", text)
    assert re.search(r"track 2  audio  mp4a\.40\.2  48000 Hz, 2 channels\n", text)
    assert "8 key frames, 2.000 to 2.000 s apart" in text
    assert "edit list: the media from 0.021 s" in text
    assert "first sample shown at -0.021 s" in text
    rows = re.findall(r"^ +(\d+) +([\d.]+) +([\d.]+) +(\d+) +([\d,]+) +(\d+)$", text, re.MULTILINE)
    assert [row[0] for row in rows] == ["1", "2", "3", "4"] * 2
    assert [row[1] for row in rows[:4]] == ["0.000", "2.000", "6.000", "12.000"]
    assert sum(int(row[3]) for row in rows[:4]) == RATE * SECONDS


def test_a_track_that_is_left_out_is_named(tmp_path: Path, capsys: Output) -> None:
    rows = [Row(sync=number % 25 == 0) for number in range(100)]
    path = tmp_path / "film.mp4"
    path.write_bytes(
        plain_movie(
            Recording("video", 12_800, rows),
            Recording("audio", 48_000, [Row(duration=1024)] * 200, edits=[(1, 0), (1, 2048)]),
        )
    )
    reason = "track 2: 2 edits of media in one track in box 'elst' at byte "
    (left_out,) = report(path, capsys)["left_out"]
    assert left_out.startswith(reason)
    assert main(["inspect", str(path)]) == 0
    assert f"\nleft out: {reason}" in capsys.readouterr().out


def test_a_delay_and_a_lone_picture(tmp_path: Path, capsys: Output) -> None:
    path = tmp_path / "film.mp4"
    path.write_bytes(
        plain_movie(
            Recording("video", 1000, [Row(duration=500)]),
            Recording("audio", 48_000, [Row(duration=1024)] * 100, edits=[(250, -1), (2000, 0)]),
        )
    )
    assert main(["inspect", str(path)]) == 0
    text = capsys.readouterr().out
    assert "no edit list, first sample shown at 0.000 s" in text
    assert "1 key frames, 0.000 to 0.000 s apart" in text
    assert "edit list: 0.250 s of delay, then the media from 0.000 s" in text
    assert "first sample shown at 0.250 s" in text


@pytest.mark.parametrize("as_json", [False, True])
def test_a_file_whose_name_is_no_text(
    films: Path, tmp_path: Path, capsys: Output, as_json: bool
) -> None:
    path = tmp_path / "f\udcfflm.mp4"
    try:
        shutil.copy(films / "film.mp4", path)
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    if as_json:
        assert report(path, capsys)["file"] == f"{tmp_path}/f\\xfflm.mp4"
    else:
        assert main(["inspect", str(path)]) == 0
        assert f"{tmp_path}/f\\xfflm.mp4: " in capsys.readouterr().out


def test_a_broken_file(films: Path, capsys: Output) -> None:
    assert main(["inspect", str(films / "broken.mp4")]) == 2
    assert capsys.readouterr() == (
        "",
        "vod-origin: box size 2274 passes the end of the file in box 'moov' at byte 32\n",
    )


@pytest.mark.parametrize(
    ("path", "complaint"),
    [
        ("no-such.mp4", "no file no-such.mp4"),
        ("no/such/folder.mp4", "'no/such' is not a folder"),
        (".", "no file ."),
    ],
)
def test_what_is_no_file(path: str, complaint: str, capsys: Output) -> None:
    assert main(["inspect", path]) == 2
    assert capsys.readouterr() == ("", f"vod-origin: {complaint}\n")


@pytest.mark.parametrize("name", shared_files("*.mp4"))
def test_files_of_public_test_suites(name: str, capsys: Output) -> None:
    """Shown, or refused in one line."""
    status = main(["inspect", "--json", str(FOLDER / name)])
    said = capsys.readouterr()
    if status == 2:
        assert said.out == ""
        assert re.fullmatch(r"vod-origin: .+\n", said.err)
        return
    assert (status, said.err) == (0, "")
    tracks = orjson.loads(said.out)["tracks"]
    assert tracks
    for track in tracks:
        assert sum(segment["samples"] for segment in track["segments"]) == track["samples"]
        assert all(segment["duration"] > 0 for segment in track["segments"])
