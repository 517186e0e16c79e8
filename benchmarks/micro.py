"""The packager alone, on one core: what a title costs before its first byte, and each answer."""

from __future__ import annotations

import os
import time
from collections.abc import Callable, Iterable, Iterator
from dataclasses import dataclass
from itertools import cycle
from pathlib import Path

from benchmarks.contests import Ground
from benchmarks.effort import Effort
from benchmarks.figures import Figure, figure
from benchmarks.library import FILM_INTERLEAVED, FILM_SINGLE, LENGTHS, Say, Title
from benchmarks.machine import cores, on_cores
from benchmarks.titles import index_file
from packager.address import MediaPlaylist, Mpd
from packager.manifests import render
from packager.model import Rendition
from packager.mux.fmp4 import plan_segment
from packager.presentation import Source, build_presentation

PACKAGER = "the packager alone, a title of 2 hours"
LENGTH = "index by length"
ONE_TRACK, INTERLEAVED = "one track", "interleaved"
FEWEST_RUNS = 5


@dataclass(frozen=True, slots=True)
class Micro:
    """``run`` is timed, ``prepare`` before each run is not."""

    part: str
    row: str
    column: str
    run: Callable[[], object]
    prepare: Callable[[], object] = lambda: None


def micros(library: Path) -> Iterator[Micro]:
    for title, layout in ((FILM_SINGLE, ONE_TRACK), (FILM_INTERLEAVED, INTERLEAVED)):
        yield from _of_title(title, library / title.file, layout)


def lengths(library: Path) -> Iterator[Micro]:
    for layouts in LENGTHS:
        for title, layout in zip(layouts, (ONE_TRACK, INTERLEAVED), strict=True):
            yield Micro(LENGTH, length(title), layout, _indexer(library / title.file))


def length(title: Title) -> str:
    hours, minutes = divmod(title.minutes, 60)
    return f"{hours} h" if hours else f"{minutes} min"


def packager_seconds(effort: Effort) -> float:
    return 3 + 12 * effort.micro


def lengths_seconds(effort: Effort) -> float:
    return 2 + 2 * len(LENGTHS) * max(effort.micro, 0.4)


def time_packager(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    return _time(micros(ground.library), effort, say)


def time_lengths(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    return _time(lengths(ground.library), effort, say)


def _time(chosen: Iterable[Micro], effort: Effort, say: Say) -> Iterator[Figure]:
    for micro in chosen:
        timed = measure(micro, effort.micro)
        say(f"{micro.row}, {micro.column}: {timed.value:.3g} ms")
        yield timed


def _of_title(title: Title, path: Path, layout: str) -> Iterator[Micro]:
    index = index_file(path)
    presentation = build_presentation(title.id, [Source(index)])
    video = presentation.video[0]
    playlist = MediaPlaylist(title.id, presentation.revision, video.name)

    def micro(
        row: str, run: Callable[[], object], prepare: Callable[[], object] = lambda: None
    ) -> Micro:
        return Micro(PACKAGER, row, layout, run, prepare)

    yield micro("index", _indexer(path))
    yield micro("index, file not in memory", _indexer(path), lambda: forget(path))
    yield micro("presentation", lambda: build_presentation(title.id, [Source(index)]))
    yield micro("plan of a segment", _planner(video))
    yield micro("HLS media playlist", lambda: render(presentation, playlist))
    yield micro("MPD", lambda: render(presentation, Mpd(title.id)))


def _indexer(path: Path) -> Callable[[], object]:
    return lambda: index_file(path)


def _planner(video: Rendition) -> Callable[[], object]:
    numbers = cycle(range(len(video.segments)))
    return lambda: plan_segment(video, next(numbers))


def forget(path: Path) -> None:
    """Have the kernel drop what it holds of a file in memory."""
    fd = os.open(path, os.O_RDONLY)
    try:
        os.posix_fadvise(fd, 0, 0, os.POSIX_FADV_DONTNEED)
    finally:
        os.close(fd)


def measure(micro: Micro, seconds: float) -> Figure:
    """Run it for ``seconds``, at least ``FEWEST_RUNS`` times, the first not counted."""
    times: list[float] = []
    with on_cores({cores()[0]}):
        micro.prepare()
        micro.run()
        end = time.perf_counter() + seconds
        while len(times) < FEWEST_RUNS or time.perf_counter() < end:
            micro.prepare()
            start = time.perf_counter()
            micro.run()
            times.append((time.perf_counter() - start) * 1e3)
    return figure(micro.part, micro.row, micro.column, "ms", times)
