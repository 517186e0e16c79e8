"""Which files the sample library has, and making them on all cores."""

from __future__ import annotations

import os
import tempfile
import threading
from collections.abc import Callable
from concurrent.futures import ThreadPoolExecutor, as_completed
from dataclasses import dataclass
from pathlib import Path

from ingest.sample import tone
from ingest.sample.artwork import Artwork, write_backdrop, write_poster
from ingest.sample.city import city
from ingest.sample.encode import Audio, Tick, Video, write_audio, write_interleaved, write_video
from ingest.sample.grading import graded
from ingest.sample.lighthouse import lighthouse
from ingest.sample.metadata import documents
from ingest.sample.music_box import music_box
from ingest.sample.subtitles import cues, srt, webvtt

SECONDS = 30.0

Progress = Callable[[float, str | None], None]

LADDER = (
    Video(city, 1280, 720, rate=30, bitrate=3_000_000),
    Video(city, 960, 540, rate=30, bitrate=1_500_000),
    Video(city, 640, 360, rate=30, bitrate=700_000),
    Video(city, 320, 180, rate=30, bitrate=250_000),
)
SEA = Video(lighthouse, 640, 360, rate=25, bitrate=800_000)
NIGHT_SEA = graded(lighthouse, light=0.48, blue=20, red=-10)
LAST_LIGHT = graded(city, light=1.05, blue=-14, red=10)
EPISODES = (
    ("small-hours-1", Video(city, 640, 360, rate=25, bitrate=800_000), tone.CITY_EN),
    ("small-hours-2", Video(NIGHT_SEA, 640, 360, rate=25, bitrate=800_000), tone.SEA),
    ("small-hours-3", Video(LAST_LIGHT, 640, 360, rate=25, bitrate=800_000), tone.CITY_ES),
)
ARTWORK = {
    "city-lights/": Artwork(city, 7.35, 0.75),
    "lighthouse.": Artwork(lighthouse, 3.05, 0.98),
    "music-box.": Artwork(music_box, 0.0, 0.55),
    "small-hours.": Artwork(NIGHT_SEA, 9.5, 0.35),
    "small-hours-1.": Artwork(city, 4.3, 0.1),
    "small-hours-2.": Artwork(NIGHT_SEA, 6.02, 0.98),
    "small-hours-3.": Artwork(LAST_LIGHT, 7.35, 0.9),
}
ARTWORK_WORK = 25_000_000  # an image, in pixels of film that take as long
CITY_SOUND = (("en", "eng", tone.CITY_EN), ("es", "spa", tone.CITY_ES))
AUDIO_WORK = 1_500_000  # a second of sound, in pixels that take as long


class Cancelled(Exception):
    """The library is not being made any further."""


@dataclass(frozen=True, slots=True)
class Job:
    """One file; ``work`` is in pixels, and ``write`` reports seconds of content done."""

    path: str
    seconds: float
    work: float
    write: Callable[[Path, Tick], None]


def make_library(
    folder: Path, progress: Progress | None = None, *, seconds: float = SECONDS
) -> None:
    """Make the library as ``folder``, which must not exist, and which appears when it is whole.

    ``seconds`` is the length of the longest title. ``progress`` is called, from several threads
    but one at a time, with the share done and the path of a file when that is finished.
    """
    if folder.exists():
        raise FileExistsError(f"{folder} is there already")
    folder.parent.mkdir(parents=True, exist_ok=True)
    with tempfile.TemporaryDirectory(prefix=f".{folder.name}-", dir=folder.parent) as scratch:
        made = Path(scratch) / folder.name
        _run(_jobs(seconds), made, progress or (lambda share, path: None))
        made.rename(folder)


def _jobs(seconds: float) -> list[Job]:
    """The largest first, so that the cores finish together."""
    short, brief, episode = seconds * 2 / 3, seconds / 2, seconds / 3
    jobs = [_rung(video, seconds) for video in LADDER]
    jobs.append(_film("lighthouse.mp4", SEA, tone.SEA, short))
    jobs += [_film(f"{name}.mp4", video, tune, episode) for name, video, tune in EPISODES]
    jobs += [
        _sound(f"city-lights/audio-{tag}.mp4", code, tune, seconds)
        for tag, code, tune in CITY_SOUND
    ]
    jobs.append(_sound("music-box.mp4", "und", tone.MUSIC_BOX, brief))
    jobs += [
        _text("city-lights/subtitles.en.vtt", webvtt, "From {start:g} to {end:g} seconds", seconds),
        _text("city-lights/subtitles.es.srt", srt, "De {start:g} a {end:g} segundos", seconds),
    ]
    for place, artwork in ARTWORK.items():
        jobs.append(_image(f"{place}poster.jpg", write_poster, artwork))
        jobs.append(_image(f"{place}backdrop.jpg", write_backdrop, artwork))
    jobs += [_document(path, body) for path, body in documents().items()]
    return sorted(jobs, key=lambda job: job.work, reverse=True)


def _rung(video: Video, seconds: float) -> Job:
    return Job(
        f"city-lights/video-{video.height}p.mp4",
        seconds,
        video.pixels_a_second * seconds,
        lambda path, tick: write_video(path, video, seconds, tick),
    )


def _film(path: str, video: Video, tune: tone.Tune, seconds: float) -> Job:
    def write(path: Path, tick: Tick) -> None:
        write_interleaved(path, video, Audio(tone.play(tune, seconds), "eng"), seconds, tick)

    return Job(path, seconds, (video.pixels_a_second + AUDIO_WORK) * seconds, write)


def _sound(path: str, language: str, tune: tone.Tune, seconds: float) -> Job:
    def write(path: Path, tick: Tick) -> None:
        write_audio(path, Audio(tone.play(tune, seconds), language))

    return Job(path, seconds, AUDIO_WORK * seconds, write)


def _text(
    path: str, render: Callable[[list[tuple[float, float, str]]], str], words: str, seconds: float
) -> Job:
    def write(path: Path, tick: Tick) -> None:
        _write(path, render(cues(words, seconds)))

    return Job(path, seconds, 0, write)


def _image(path: str, draw: Callable[[Path, Artwork], None], artwork: Artwork) -> Job:
    return Job(path, 1, ARTWORK_WORK, lambda path, tick: draw(path, artwork))


def _document(path: str, body: str) -> Job:
    return Job(path, 1, 0, lambda path, tick: _write(path, body))


def _write(path: Path, body: str) -> None:
    path.write_text(body, encoding="utf-8")


def _run(jobs: list[Job], folder: Path, progress: Progress) -> None:
    """Write every job's file. The first failure, or an interrupt, ends the others at their next
    frame."""
    for parent in {(folder / job.path).parent for job in jobs}:
        parent.mkdir(parents=True, exist_ok=True)
    meter = _Meter(sum(job.work for job in jobs), progress)
    with ThreadPoolExecutor(os.cpu_count()) as pool:
        try:
            for future in as_completed([pool.submit(meter.follow, job, folder) for job in jobs]):
                future.result()
        except BaseException:
            meter.cancelled = True
            pool.shutdown(wait=False, cancel_futures=True)
            raise


class _Meter:
    """Adds up the work that the threads have done."""

    def __init__(self, total: float, progress: Progress) -> None:
        self.cancelled = False
        self._total = total
        self._done = 0.0
        self._progress = progress
        self._lock = threading.Lock()

    def follow(self, job: Job, folder: Path) -> None:
        reached = 0.0

        def tick(time: float) -> None:
            nonlocal reached
            share, reached = (time - reached) / job.seconds, time
            self._advance(job.work * share, None)

        job.write(folder / job.path, tick)
        self._advance(job.work * (job.seconds - reached) / job.seconds, job.path)

    def _advance(self, work: float, finished: str | None) -> None:
        if self.cancelled:
            raise Cancelled
        with self._lock:
            self._done += work
            self._progress(self._done / self._total, finished)
