"""The slate burnt into a picture: clock, rung and frame number say what is on the screen, and a
lamp is lit for the first tenth of each second, when the sound beeps."""

from __future__ import annotations

import numpy as np

from ingest.sample.lettering import Ink, text
from ingest.sample.picture import Picture

WHITE, GREY = 235, 128
LAMP_SECONDS = 0.1


def stamp(picture: Picture, time: float, frame: int) -> None:
    """Write the slate for frame number ``frame``, shown at ``time`` seconds, in the top left."""
    height = picture.y.shape[0]
    margin, big, small = (_even(height * part) for part in (0.045, 0.085, 0.045))
    clock = text(f"{int(time) // 60:02}:{int(time) % 60:02}.{int(time * 100 + 0.5) % 100:02}", big)
    caption = text(f"{height}p  FRAME {frame:04}", small)
    padding = big // 2
    width = _even(max(clock.shape[1] + 2 * big, caption.shape[1]) + 2 * padding)
    ink = np.zeros((_even(len(clock) + len(caption) + 1.6 * padding), width), np.float32)
    ink[padding : padding + len(clock), padding : padding + clock.shape[1]] = clock
    bottom = len(ink) - padding // 2
    ink[bottom - len(caption) : bottom, padding : padding + caption.shape[1]] = caption
    _lamp(ink, lit=time % 1 < LAMP_SECONDS, size=big, top=padding, right=width - padding)
    _blend(picture, ink, margin)


def _lamp(ink: Ink, *, lit: bool, size: int, top: int, right: int) -> None:
    y, x = np.mgrid[0:size, 0:size].astype(np.float32) - (size - 1) / 2
    disc = np.clip(0.46 * size - np.hypot(x, y) + 0.5, 0, 1)
    ring = disc * np.clip(np.hypot(x, y) - 0.36 * size + 0.5, 0, 1)
    ink[top : top + size, right - size : right] = disc if lit else ring


def _blend(picture: Picture, ink: Ink, margin: int) -> None:
    rows, columns = ink.shape
    area = picture.y[margin : margin + rows, margin : margin + columns]
    area[:] = (16 + (area - np.float32(16)) * 0.35) * (1 - ink) + WHITE * ink
    half = slice(margin // 2, (margin + rows) // 2), slice(margin // 2, (margin + columns) // 2)
    for plane in (picture.u, picture.v):
        plane[half] = GREY + (plane[half] - np.float32(GREY)) * 0.4 * (1 - ink[::2, ::2])


def _even(size: float) -> int:
    return round(size / 2) * 2
