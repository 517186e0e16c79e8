"""Lettering without a font file: each glyph is a few strokes of a round pen.

A stroke is a polyline on a grid 4 wide and 6 high, y down, written as digit pairs: "00 40" goes
from the top left corner to the top right one. Ink is drawn from the distance to the nearest
stroke, so it is smooth at every size.
"""

from __future__ import annotations

from functools import lru_cache
from itertools import pairwise

import numpy as np
from numpy.typing import NDArray

Ink = NDArray[np.floating]

PEN = 0.42
ADVANCE = 5.8
_NARROW = {":": 2.8, ".": 2.8, " ": 3.4, "I": 4.0}

_GLYPHS: dict[str, tuple[str, ...]] = {
    "0": ("10 30 41 45 36 16 05 01 10",),
    "1": ("12 30 36",),
    "2": ("01 10 30 41 42 05 06 46",),
    "3": ("01 10 30 41 42 33 13", "33 44 45 36 16 05"),
    "4": ("36 30 04 44",),
    "5": ("40 00 02 32 43 45 36 16 05",),
    "6": ("40 20 02 05 16 36 45 44 33 03",),
    "7": ("00 40 41 16",),
    "8": ("10 30 41 42 33 13 02 01 10", "13 04 05 16 36 45 44 33"),
    "9": ("43 13 02 01 10 30 41 44 26 06",),
    ":": ("12 12", "15 15"),
    ".": ("16 16",),
    "p": ("02 08", "03 12 32 43 45 36 16 05"),
    "A": ("06 03 20 43 46", "04 44"),
    "B": ("00 06 36 45 44 33 42 41 30 00", "03 33"),
    "C": ("41 30 10 01 05 16 36 45",),
    "D": ("00 06 26 44 42 20 00",),
    "E": ("40 00 06 46", "03 33"),
    "F": ("40 00 06", "03 33"),
    "G": ("41 30 10 01 05 16 36 45 43 23",),
    "H": ("00 06", "40 46", "03 43"),
    "I": ("10 16",),
    "K": ("00 06", "40 03 46"),
    "L": ("00 06 46",),
    "M": ("06 00 23 40 46",),
    "N": ("06 00 46 40",),
    "O": ("10 30 41 45 36 16 05 01 10",),
    "P": ("06 00 30 41 42 33 03",),
    "R": ("06 00 30 41 42 33 03", "23 46"),
    "S": ("41 30 10 01 02 13 33 44 45 36 16 05",),
    "T": ("00 40", "20 26"),
    "U": ("00 05 16 36 45 40",),
    "V": ("00 26 40",),
    "W": ("00 16 23 36 40",),
    "Y": ("00 23 40", "23 26"),
    " ": (),
}


@lru_cache(maxsize=512)
def glyph(character: str, height: int) -> Ink:
    """The ink, 0 to 1, of one character whose digits are ``height`` pixels high."""
    unit = height / (6 + 2 * PEN)
    width = round(_NARROW.get(character, ADVANCE) * unit)
    rows = round(height + 2.2 * unit)
    y, x = np.mgrid[0:rows, 0:width].astype(np.float32)
    distance = np.full((rows, width), np.inf, np.float32)
    for stroke in _GLYPHS[character]:
        points = [(int(pair[0]), int(pair[1])) for pair in stroke.split()]
        corners = [((px + 2 * PEN) * unit, (py + PEN) * unit) for px, py in points]
        for start, end in pairwise(corners):
            np.minimum(distance, _distance_to_segment(x, y, start, end), out=distance)
    ink: Ink = np.clip(PEN * unit - distance + 0.5, 0, 1)
    ink.setflags(write=False)
    return ink


def text(line: str, height: int) -> Ink:
    return np.hstack([glyph(character, height) for character in line])


def _distance_to_segment(
    x: Ink, y: Ink, start: tuple[float, float], end: tuple[float, float]
) -> Ink:
    (x0, y0), (dx, dy) = start, (end[0] - start[0], end[1] - start[1])
    length = dx * dx + dy * dy
    along = np.clip(((x - x0) * dx + (y - y0) * dy) / length, 0, 1) if length else 0
    distance: Ink = np.hypot(x - x0 - along * dx, y - y0 - along * dy)
    return distance
