"""What the first viewer waits for: titles that the server has not seen, in libraries of any size.

Titles are hard links of one file, so that a library of 100,000 is made in seconds.
"""

from __future__ import annotations

import os
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.contests import Ground
from benchmarks.effort import Effort
from benchmarks.figures import Figure, figure
from benchmarks.library import EPISODE, FILM_INTERLEAVED, FILM_SINGLE, Say
from benchmarks.machine import cores, memory, on_cores
from benchmarks.micro import INTERLEAVED, ONE_TRACK, forget
from benchmarks.origins import Variant, vod_origin, write_sidecars
from benchmarks.targets import Reader, media_playlists, reading

FIRST_ANSWERS = "first answers, a title of 2 hours from disk"
NO_SIDECAR, WITH_SIDECAR = "no sidecar", "with sidecar"
LIBRARY_SIZE = "size of the library"
LIBRARY_SIZES = (10, 1_000, 100_000)
LINKS_A_FILE = 10_000
"""File systems have a limit: 65,000 on ext4."""
WARM_UP = 2
OPEN = Variant("cold", token=False)


def first_answers_seconds(effort: Effort) -> float:
    return 4 * (2 + (WARM_UP + 5 * effort.starts) * 0.1)


def library_seconds(effort: Effort) -> float:
    return effort.starts * 2.5 * len(LIBRARY_SIZES) + 8 * effort.scale


def first_answers(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    for title, layout in ((FILM_SINGLE, ONE_TRACK), (FILM_INTERLEAVED, INTERLEAVED)):
        count = WARM_UP + 5 * effort.starts
        with linked_library(ground.library / title.file, count, ground.scratch) as folder:
            for how in (NO_SIDECAR, WITH_SIDECAR):
                say(f"{count} titles of 2 hours, {layout}, {how}")
                if how == WITH_SIDECAR:
                    write_sidecars(folder)
                manifests, playlists = _time_first(folder, count, ground.scratch)
                yield figure(FIRST_ANSWERS, manifest_row(layout), how, "ms", manifests)
                row = f"and media playlist, {layout}"
                yield figure(FIRST_ANSWERS, row, how, "ms", playlists)


def manifest_row(layout: str) -> str:
    return f"manifest, {layout}"


def _time_first(folder: Path, count: int, scratch: Path) -> tuple[list[float], list[float]]:
    """Milliseconds to each title's multivariant playlist, and until a media playlist is there
    too. None of the folder is in memory before."""
    manifests, playlists = [], []
    with vod_origin(folder, scratch, OPEN) as server, reading(server) as reader:
        for number in range(count):
            for file in folder.rglob(f"{_id(number)}.mp4*"):
                forget(file)
            with on_cores({cores()[1]}):
                start = time.perf_counter()
                (playlist,) = media_playlists(_id(number), reader)
                manifests.append((time.perf_counter() - start) * 1e3)
                reader.get(playlist)
                playlists.append((time.perf_counter() - start) * 1e3)
    return manifests[WARM_UP:], playlists[WARM_UP:]


def library_sizes(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    largest = max(LIBRARY_SIZES)
    for size in (size for size in LIBRARY_SIZES if size <= largest * effort.scale):
        say(f"{size:,} titles")
        with linked_library(ground.library / EPISODE.file, size, ground.scratch) as folder:
            starts = [_time_library(folder, size, ground.scratch) for _ in range(effort.starts)]
        manifest, page, grown = zip(*starts, strict=True)
        row = f"{size:,} titles"
        yield figure(LIBRARY_SIZE, row, "first manifest", "ms", manifest)
        yield figure(LIBRARY_SIZE, row, "first page of the list", "ms", page)
        yield figure(LIBRARY_SIZE, row, "memory then", "MB", grown)


def _time_library(folder: Path, size: int, scratch: Path) -> tuple[float, float, float]:
    """Of a server just started: milliseconds to its first manifest and then to its first page of
    titles, and its megabytes."""
    with vod_origin(folder, scratch, OPEN) as server, reading(server) as reader:
        manifest = _milliseconds(reader, f"/v/{_id(size // 2)}/master.m3u8")
        page = _milliseconds(reader, "/api/library")
        assert server.pid is not None
        return manifest, page, memory(server.pid) / 1e6


def _milliseconds(reader: Reader, path: str) -> float:
    with on_cores({cores()[1]}):
        start = time.perf_counter()
        reader.get(path)
        return (time.perf_counter() - start) * 1e3


def _id(number: int) -> str:
    return f"title-{number:06}"


@contextmanager
def linked_library(file: Path, count: int, scratch: Path) -> Iterator[Path]:
    """A folder of ``count`` titles with the content of ``file``, while the context lasts."""
    with tempfile.TemporaryDirectory(prefix="titles-", dir=scratch) as made:
        folder = Path(made)
        for number in range(count):
            path = folder / f"{_id(number)}.mp4"
            if number % LINKS_A_FILE == 0:
                source = path
                _copy_sparse(file, source)
            else:
                os.link(source, path)
        yield folder


def _copy_sparse(file: Path, target: Path) -> None:
    """A hollow title: what is in front of the hole, and the hole."""
    with file.open("rb") as source, target.open("wb") as copy:
        front = os.lseek(source.fileno(), 0, os.SEEK_HOLE)
        copy.write(os.pread(source.fileno(), front, 0))
        copy.truncate(file.stat().st_size)
        copy.flush()
        os.fsync(copy.fileno())  # or the kernel could not drop it from memory
