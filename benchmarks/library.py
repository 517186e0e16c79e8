"""The titles that are measured, made once and kept.

The short ones hold their media, for segments are asked of them; the long ones are hollow. What
the encoder makes is a loop of 8 seconds: whole pictures at 30 a second and whole AAC frames
(375 of 1024 samples at 48 kHz).
"""

from __future__ import annotations

import os
import tempfile
from collections.abc import Callable
from dataclasses import dataclass
from pathlib import Path

from benchmarks.titles import Loop, write_title
from ingest.sample import tone
from ingest.sample.city import city
from ingest.sample.encode import Audio, Video, write_interleaved
from packager.model import MediaKind

LOOP_SECONDS = 8

Say = Callable[[str], None]

SD = Video(city, 640, 360, rate=30, bitrate=800_000)
HD = Video(city, 1920, 1080, rate=30, bitrate=5_000_000)


@dataclass(frozen=True, slots=True)
class Title:
    """``interleaved``: with sound in the same file, as encoders write it; otherwise pictures
    alone, each segment one stretch of the file."""

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


SD_SINGLE = Title("sd-single", SD, 10)
HD_SINGLE = Title("hd-single", HD, 10)
SD_INTERLEAVED = Title("sd-interleaved", SD, 10, interleaved=True)
HD_INTERLEAVED = Title("hd-interleaved", HD, 10, interleaved=True)
EPISODE = Title("episode", SD, 28, hollow=True)
FILM = Title("film", HD, 120, interleaved=True, hollow=True)
FILM_SINGLE = Title("film-single", HD, 120, hollow=True)

TITLES = (
    SD_SINGLE,
    HD_SINGLE,
    SD_INTERLEAVED,
    HD_INTERLEAVED,
    EPISODE,
    FILM,
    FILM_SINGLE,
)


def make_library(folder: Path, say: Say) -> None:
    """Make ``folder`` unless it is there; it appears when it is whole and on the disk, so that
    nothing is left to be written while servers are measured."""
    if folder.exists():
        return
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        made.mkdir()
        for video in (SD, HD):
            say(f"encoding {LOOP_SECONDS} s of {video.height}p")
            loop = _encode(video, Path(scratch) / "loop.mp4")
            for title in (title for title in TITLES if title.video is video):
                say(f"writing {title.file}, {title.minutes} minutes")
                tracks = loop if title.interleaved else loop.only(MediaKind.VIDEO)
                write_title(made / title.file, tracks, title.turns, hollow=title.hollow)
        os.sync()
        made.rename(folder)


def _encode(video: Video, path: Path) -> Loop:
    sound = Audio(tone.play(tone.CITY_EN, LOOP_SECONDS + 1), "eng", bitrate=128_000)
    write_interleaved(path, video, sound, LOOP_SECONDS, lambda time: None)
    return Loop.read(path, LOOP_SECONDS)
