"""What is watched: 8 seconds of each rung, repeated for ten minutes, made once and kept.

    ladder     titles of five rungs, 240p to 1080p, and sound, each with files of its own
    small      the same with the two lowest rungs alone
    catalogue  one short title by thousands of names, for a bucket

Rates are low, as of drawings in few colours: some 0.5 Mbit/s for who watches the highest rung, so
that ten thousand of them have 5 Gbit/s together, and a 6-second segment of it has 300 KB.
"""

from __future__ import annotations

import json
import os
import shutil
import tempfile
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.library import LOOP_SECONDS, Say
from benchmarks.servers import Server
from benchmarks.targets import Reader, reading
from benchmarks.titles import Loop, write_title
from ingest.sample import tone
from ingest.sample.city import city
from ingest.sample.encode import Audio, Video, write_interleaved
from loadtest import dash, hls
from loadtest.streams import resolve
from packager.model import MediaKind

RUNGS = tuple(
    Video(city, width, height, rate=30, bitrate=kbit * 1000)
    for width, height, kbit in (
        (426, 240, 60),
        (640, 360, 110),
        (854, 480, 180),
        (1280, 720, 290),
        (1920, 1080, 430),
    )
)
SMALL_RUNGS = 2
SOUND = 64_000
MINUTES = 10
TITLES = 10
SHORT_MINUTES = 4
SHORT_RUNG = 1
"""Of the catalogue: 360p, with its sound in the same file."""


LIBRARY = "/api/library"


@dataclass(frozen=True, slots=True)
class Grounds:
    """Folders below one."""

    root: Path

    @property
    def ladder(self) -> Path:
        return self.root / "ladder"

    @property
    def small(self) -> Path:
        return self.root / "small"

    @property
    def short(self) -> Path:
        return self.root / "short.mp4"

    def static(self, library: Path) -> Path:
        """A library's objects as files."""
        return self.root / f"static-{library.name}"


def make_media(grounds: Grounds, say: Say) -> None:
    """Make what is not there; all is on the disk when this returns."""
    if grounds.short.exists():  # it is made last
        return
    grounds.root.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=".making-", dir=grounds.root) as scratch:
        first = Path(scratch) / "ladder"
        first.mkdir()
        for rung in RUNGS:
            say(f"encoding {LOOP_SECONDS} s of {rung.height}p")
            loop = _encode(rung, Path(scratch) / "loop.mp4")
            turns = MINUTES * 60 // LOOP_SECONDS
            write_title(first / f"video-{rung.height}p.mp4", loop.only(MediaKind.VIDEO), turns)
            if rung is RUNGS[0]:
                write_title(first / "audio-en.mp4", loop.only(MediaKind.AUDIO), turns)
            if rung is RUNGS[SHORT_RUNG]:
                short = Path(scratch) / "short.mp4"
                write_title(short, loop, SHORT_MINUTES * 60 // LOOP_SECONDS)
        say(f"copying {TITLES} titles of {MINUTES} minutes")
        for folder, files in (
            (grounds.ladder, sorted(first.iterdir())),
            (grounds.small, [first / name for name in _small_files()]),
        ):
            shutil.rmtree(folder, ignore_errors=True)
            for number in range(1, TITLES + 1):
                title = folder / f"film-{number:02}"
                title.mkdir(parents=True)
                for file in files:
                    shutil.copy2(file, title / file.name)
        short.rename(grounds.short)
    os.sync()


def _small_files() -> list[str]:
    return ["audio-en.mp4", *(f"video-{rung.height}p.mp4" for rung in RUNGS[:SMALL_RUNGS])]


def _encode(video: Video, path: Path) -> Loop:
    sound = Audio(tone.play(tone.CITY_EN, LOOP_SECONDS + 1), "eng", bitrate=SOUND)
    write_interleaved(path, video, sound, LOOP_SECONDS, lambda time: None)
    return Loop.read(path, LOOP_SECONDS)


def make_catalogue(grounds: Grounds, folder: Path, titles: int) -> list[str]:
    """The short title by so many names; where each is played from."""
    for number in range(titles):
        (folder / f"title-{number:05}.mp4").hardlink_to(grounds.short)
    return [f"/v/title-{number:05}/master.m3u8" for number in range(titles)]


def lay_out(server: Server, root: Path, say: Say) -> None:
    """Every object that viewers may ask for, as a file below ``root``."""
    say(f"fetching all objects of {TITLES} titles, as files for nginx")
    with reading(server) as reader:
        listed = reader.get(LIBRARY)
        _keep(root, LIBRARY, listed)
        for title in json.loads(listed)["titles"]:
            for path in (title["hls"], title["dash"]):
                for wanted in _objects(reader, root, urlsplit(path).path):
                    _keep(root, wanted, reader.get(wanted))
    os.sync()


def _objects(reader: Reader, root: Path, manifest: str) -> list[str]:
    """Inits and segments of a title by its manifest; playlists are kept at once."""
    document = reader.get(manifest)
    _keep(root, manifest, document)
    parse = dash.parse_mpd if manifest.endswith(".mpd") else hls.parse_multivariant
    presentation = parse(document)
    found: dict[str, None] = {}
    for rung in (*presentation.main, *presentation.sound):
        media, base = rung.media, manifest
        if media is None:
            base = resolve(manifest, rung.playlist)
            listed = reader.get(base)
            _keep(root, base, listed)
            media = hls.parse_media(listed)
        pieces = media.segments if media.init is None else (media.init, *media.segments)
        found |= dict.fromkeys(resolve(base, piece.uri) for piece in pieces)
    return [path for path in found if not (root / path.lstrip("/")).exists()]


def _keep(root: Path, path: str, body: bytes) -> None:
    file = root / path.lstrip("/")
    file.parent.mkdir(parents=True, exist_ok=True)
    file.write_bytes(body)
