"""The titles that are measured, made once and kept.

The short ones hold their media, for segments are asked of them; the long ones are hollow. What
the encoder makes is a loop of 8 seconds: whole pictures at 30 a second and whole AAC frames
(375 of 1024 samples at 48 kHz).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path

from benchmarks.titles import Loop, write_title
from ingest.sample import tone
from ingest.sample.city import city
from ingest.sample.encode import Audio, Video, write_interleaved
from packager.model import MediaKind

LOOP_SECONDS = 8

Say = Callable[[str], None]

LOW = Video(city, 426, 240, rate=30, bitrate=400_000)
SD = Video(city, 640, 360, rate=30, bitrate=800_000)
MEDIUM = Video(city, 854, 480, rate=30, bitrate=1_400_000)
QUARTER_HD = Video(city, 960, 540, rate=30, bitrate=2_000_000)
HALF_HD = Video(city, 1280, 720, rate=30, bitrate=2_800_000)
HD = Video(city, 1920, 1080, rate=30, bitrate=5_000_000)


@dataclass(frozen=True, slots=True)
class Title:
    """One file. ``interleaved``: with sound in the same file, as encoders write it; otherwise
    pictures alone, each segment one stretch of the file."""

    id: str
    video: Video
    minutes: int
    interleaved: bool = False
    hollow: bool = False

    @property
    def file(self) -> str:
        return f"{self.id}.mp4"

    @property
    def turns(self) -> int:
        return self.minutes * 60 // LOOP_SECONDS


@dataclass(frozen=True, slots=True)
class Ladder:
    """A folder of renditions: the files of titles that are there anyway, by a second name."""

    id: str
    rungs: Sequence[Title]


def _title(name: str, video: Video, *, interleaved: bool) -> Title:
    layout = "interleaved" if interleaved else "single"
    return Title(f"{name}-{layout}", video, 10, interleaved=interleaved)


def _hollow(name: str, minutes: int) -> tuple[Title, Title]:
    """One track, and interleaved."""
    return (
        Title(f"{name}-single", HD, minutes, hollow=True),
        Title(f"{name}-interleaved", HD, minutes, interleaved=True, hollow=True),
    )


SD_SINGLE = _title("sd", SD, interleaved=False)
HD_SINGLE = _title("hd", HD, interleaved=False)
SD_INTERLEAVED = _title("sd", SD, interleaved=True)
HD_INTERLEAVED = _title("hd", HD, interleaved=True)
EPISODE = Title("episode", SD, 28, hollow=True)
FILM_SINGLE, FILM_INTERLEAVED = _hollow("film", 120)

MIX_SINGLE, MIX_INTERLEAVED = (
    Ladder(
        f"mix-{'interleaved' if interleaved else 'single'}",
        tuple(
            _title(name, video, interleaved=interleaved)
            for name, video in (("sd", SD), ("480p", MEDIUM), ("720p", HALF_HD), ("hd", HD))
        ),
    )
    for interleaved in (False, True)
)
FILM_RUNGS = (
    *(
        Title(f"film-{video.height}p", video, 120, hollow=True)
        for video in (LOW, SD, MEDIUM, QUARTER_HD, HALF_HD)
    ),
    FILM_SINGLE,
)
FILM_LADDER = Ladder("film", FILM_RUNGS)
LADDERS = (MIX_SINGLE, MIX_INTERLEAVED, FILM_LADDER)

LENGTHS = (
    _hollow("10-minutes", 10),
    _hollow("1-hour", 60),
    (FILM_SINGLE, FILM_INTERLEAVED),
    _hollow("5-hours", 300),
    _hollow("10-hours", 600),
)
"""From short to long, each with one track and interleaved."""

TITLES = tuple(
    dict.fromkeys(
        (
            *(title for ladder in LADDERS for title in ladder.rungs),
            EPISODE,
            *(title for layouts in LENGTHS for title in layouts),
        )
    )
)


def make_library(folder: Path, say: Say) -> None:
    """Make what is not there. Each file appears when it is whole, and all are on the disk when
    this returns, so that nothing is left to be written while servers are measured."""
    folder.mkdir(parents=True, exist_ok=True)
    missing = [title for title in TITLES if not (folder / title.file).exists()]
    with tempfile.TemporaryDirectory(prefix=".making-", dir=folder.parent) as scratch:
        for video in dict.fromkeys(title.video for title in missing):
            say(f"encoding {LOOP_SECONDS} s of {video.height}p")
            loop = _encode(video, Path(scratch) / "loop.mp4")
            for title in (title for title in missing if title.video == video):
                say(f"writing {title.file}, {title.minutes} minutes")
                tracks = loop if title.interleaved else loop.only(MediaKind.VIDEO)
                made = Path(scratch) / title.file
                write_title(made, tracks, title.turns, hollow=title.hollow)
                made.rename(folder / title.file)
    link_ladders(folder)
    if missing:
        os.sync()


def link_ladders(folder: Path) -> None:
    for ladder in LADDERS:
        for rung in ladder.rungs:
            link = folder / ladder.id / f"video-{rung.video.height}p.mp4"
            link.parent.mkdir(exist_ok=True)
            if not link.exists():
                link.hardlink_to(folder / rung.file)


def _encode(video: Video, path: Path) -> Loop:
    sound = Audio(tone.play(tone.CITY_EN, LOOP_SECONDS + 1), "eng", bitrate=128_000)
    write_interleaved(path, video, sound, LOOP_SECONDS, lambda time: None)
    return Loop.read(path, LOOP_SECONDS)
