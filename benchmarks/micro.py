"""The packager alone, on one core: what a title costs before its first byte, and each answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path
from statistics import median

from benchmarks.library import FILM, FILM_SINGLE, Title
from benchmarks.machine import cores, on_core
from benchmarks.titles import index_file
from benchmarks.verdict import spread
from packager.address import MediaPlaylist, Mpd
from packager.manifests import render
from packager.model import Rendition
from packager.mux.fmp4 import plan_segment
from packager.presentation import Source, build_presentation

FEWEST_RUNS = 5


@dataclass(frozen=True, slots=True)
class Micro:
    """``run`` is timed, ``prepare`` before each run is not."""

    name: str
    meaning: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


@dataclass(frozen=True, slots=True)
class Timing:
    """``spread``: half of the runs lie within that share of the median."""

    name: str
    meaning: str
    runs: int
    milliseconds: float
    spread: float


def micros(library: Path) -> Iterator[Micro]:
    for title, layout in ((FILM, "interleaved with its sound"), (FILM_SINGLE, "one track")):
        yield from _of_title(title, library / title.file, f"2 hours, {layout}")


def _of_title(title: Title, path: Path, which: str) -> Iterator[Micro]:
    index = index_file(path)
    presentation = build_presentation(title.id, [Source(index)])
    video = presentation.video[0]
    playlist = MediaPlaylist(title.id, presentation.revision, video.name)
    yield Micro(f"index {title.id}", f"index, {which}", lambda: index_file(path))
    yield Micro(
        f"index {title.id} from disk",
        f"index, {which}, file not in the page cache",
        lambda: index_file(path),
        lambda: _forget(path),
    )
    yield Micro(
        f"present {title.id}",
        f"presentation from the index, {which}",
        lambda: build_presentation(title.id, [Source(index)]),
    )
    yield Micro(f"plan {title.id}", f"plan one segment, {which}", _planner(video))
    yield Micro(
        f"playlist {title.id}",
        f"HLS media playlist, {which}",
        lambda: render(presentation, playlist),
    )
    yield Micro(f"mpd {title.id}", f"MPD, {which}", lambda: render(presentation, Mpd(title.id)))


def _planner(video: Rendition) -> Callable[[], object]:
    numbers = cycle(range(len(video.segments)))
    return lambda: plan_segment(video, next(numbers))


def _forget(path: Path) -> None:
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def measure(micro: Micro, seconds: float) -> Timing:
    """Run it for ``seconds``, at least ``FEWEST_RUNS`` times, the first not counted."""
    times: list[float] = []
    with on_core(cores()[0]):
        micro.prepare()
        micro.run()
        end = time.perf_counter() + seconds
        while len(times) < FEWEST_RUNS or time.perf_counter() < end:
            micro.prepare()
            start = time.perf_counter()
            micro.run()
            times.append(time.perf_counter() - start)
    return Timing(micro.name, micro.meaning, len(times), median(times) * 1e3, spread(times))
