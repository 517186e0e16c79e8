"""Sound for the sample library: chords and plucked notes, and a beep on each full second."""

from __future__ import annotations

from dataclasses import dataclass
from functools import cache

import numpy as np
from numpy.typing import NDArray

SAMPLE_RATE = 48_000
BEAT = 0.5  # seconds
BEEP_HERTZ = 1000
BEEP_SECONDS = 0.1

Signal = NDArray[np.floating]


@dataclass(frozen=True, slots=True)
class Tune:
    """``chords``: MIDI notes held for two seconds each; ``melody``: one note a beat, 0 a rest."""

    chords: tuple[tuple[int, ...], ...]
    melody: tuple[int, ...]


CITY_EN = Tune(
    chords=((45, 52, 60, 64), (41, 48, 57, 60), (48, 52, 55, 64), (43, 50, 59, 62)),
    melody=(76, 72, 69, 72, 77, 72, 69, 65, 79, 76, 72, 67, 74, 71, 67, 71),
)
CITY_ES = Tune(
    chords=((50, 57, 62, 65), (48, 55, 60, 64), (46, 53, 58, 62), (45, 52, 57, 61)),
    melody=(74, 77, 81, 77, 76, 79, 76, 72, 74, 77, 74, 70, 73, 76, 81, 0),
)
SEA = Tune(
    chords=((43, 50, 55, 59), (40, 47, 55, 59), (48, 52, 55, 60), (50, 54, 57, 62)),
    melody=(74, 0, 71, 0, 67, 0, 71, 74, 76, 0, 72, 0, 74, 0, 69, 0),
)
MUSIC_BOX = Tune(
    chords=((60, 67), (57, 64), (65, 69), (67, 71)),
    melody=(84, 79, 88, 79, 81, 76, 84, 76, 81, 77, 89, 84, 83, 79, 86, 91),
)


def play(tune: Tune, seconds: float, *, beep: bool = True) -> Signal:
    """Two channels, as rows, of the tune over and over."""
    signal = np.zeros((2, round(seconds * SAMPLE_RATE)), np.float32)
    for number in range(int(np.ceil(seconds / 2))):
        for place, note in enumerate(tune.chords[number % len(tune.chords)]):
            _mix(signal, _pad(note), 2.0 * number, 0.35 + 0.1 * place)
    for number in range(int(np.ceil(seconds / BEAT))):
        if note := tune.melody[number % len(tune.melody)]:
            _mix(signal, _pluck(note), BEAT * number, 0.65 if number % 2 else 0.4)
    if beep:
        for second in range(int(np.ceil(seconds))):
            _mix(signal, _beep(), second, 0.5)
    return signal


def _mix(signal: Signal, sound: Signal, start: float, right: float) -> None:
    """Add ``sound`` from ``start`` on; ``right`` is its place from 0, the left, to 1."""
    first = round(start * SAMPLE_RATE)
    room = signal[:, first : first + len(sound)]
    room += np.sqrt([[1 - right], [right]]) * sound[: room.shape[1]]


def _seconds(length: float) -> Signal:
    return np.arange(round(length * SAMPLE_RATE), dtype=np.float32) / SAMPLE_RATE


def _hertz(note: int) -> float:
    return float(440 * 2 ** ((note - 69) / 12))


@cache
def _pad(note: int) -> Signal:
    """A soft chord note: two seconds, and a tail that runs into the next."""
    t = _seconds(2.4)
    swell = np.minimum(1, np.minimum(t / 0.3, (2.4 - t) / 0.5))
    phase = 2 * np.pi * _hertz(note) * t
    return 0.055 * swell * (np.sin(phase) + 0.4 * np.sin(2.003 * phase))


@cache
def _pluck(note: int) -> Signal:
    t = _seconds(1.2)
    phase = 2 * np.pi * _hertz(note) * t
    ring = np.minimum(t / 0.004, 1) * np.exp(-4.5 * t)
    return 0.14 * ring * (np.sin(phase) + 0.25 * np.exp(-9 * t) * np.sin(4 * phase))


@cache
def _beep() -> Signal:
    t = _seconds(BEEP_SECONDS)
    edges = np.minimum(1, np.minimum(t, BEEP_SECONDS - t) / 0.004)
    return 0.25 * edges * np.sin(2 * np.pi * BEEP_HERTZ * t)
