"""A library with one title for each fault, written from tables; codes by title."""

from __future__ import annotations

from collections.abc import Sequence
from pathlib import Path

from tests.support.movies import Recording, Row, plain_movie

SECONDS = 24
RATE = 25

NOTES = {"again", "mixed"}
"""Titles that play as they should."""

EXPECTED = {
    "again": {"not-needed"},
    "clean": set[str](),
    "gaps": {"key-frames"},
    "heavy": {"peak"},
    "late": {"length"},
    "mixed": {"interleaved"},
    "odd": {"left-out"},
    "primed": {"priming"},
    "scales": {"timescale"},
    "torn": {"left-out"},
    "wreck": {"unplayable"},
}


def pictures(
    *,
    timescale: int = 12_800,
    key_frame_every: int = 2 * RATE,
    sizes: Sequence[int] = (40,),
    first_key_frame: int = 0,
) -> Recording:
    rows = [
        Row(
            size=sizes[number * len(sizes) // (SECONDS * RATE)],
            duration=timescale // RATE,
            sync=number == 0 or (number - first_key_frame) % key_frame_every == 0,
        )
        for number in range(SECONDS * RATE)
    ]
    return Recording("video", timescale, rows)


def sound(*, seconds: int = SECONDS, priming: int = 0) -> Recording:
    rows = [Row(duration=1024)] * (seconds * 48_000 // 1024)
    return Recording("audio", 48_000, rows, edits=[(seconds * 1000, priming)] if priming else [])


def make_library(folder: Path) -> None:
    whole, music = plain_movie(pictures(), chunk=1000), plain_movie(sound(), chunk=2000)
    titles: dict[str, dict[str, bytes]] = {
        "again": {
            "a.mp4": plain_movie(pictures(), sound(), chunk=2000),
            "b.mp4": plain_movie(pictures(), sound(), chunk=2000),
        },
        "clean": {"video.mp4": whole, "audio.mp4": music},
        "gaps": {"video.mp4": plain_movie(pictures(key_frame_every=10 * RATE), chunk=1000)},
        "heavy": {"video.mp4": plain_movie(pictures(sizes=(40, 40, 900, 40)), chunk=1000)},
        "late": {"video.mp4": whole, "audio.mp4": plain_movie(sound(seconds=27), chunk=2000)},
        "mixed": {"film.mp4": plain_movie(pictures(), sound(), chunk=1)},
        "odd": {
            "a.mp4": whole,
            "b.mp4": whole,
            "odd.mp4": plain_movie(pictures(first_key_frame=13), chunk=1000),
        },
        "primed": {
            "video.mp4": whole,
            "audio-en.mp4": music,
            "audio-es.mp4": plain_movie(sound(priming=1024), chunk=2000),
        },
        "scales": {
            "a.mp4": whole,
            "b.mp4": plain_movie(pictures(timescale=90_000), chunk=1000),
        },
        "torn": {"video.mp4": whole, "audio.mp4": music[:500]},
        "wreck": {"video.mp4": whole[:500]},
    }
    for title, files in titles.items():
        (folder / title).mkdir(parents=True)
        for name, content in files.items():
            (folder / title / name).write_bytes(content)
    (folder / "artwork").mkdir()
