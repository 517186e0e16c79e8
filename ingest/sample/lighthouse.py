"""A lighthouse in the evening: waves roll before it, a boat rides them, and the lamp shines at each
full second. Lengths are in heights of the picture."""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np

from ingest.sample.picture import (
    OVERSAMPLING,
    Colour,
    Floats,
    Picture,
    Rgb,
    Scene,
    Sprite,
    blank,
    gradient,
    grid,
    paste,
    shapes,
    still,
    ycbcr,
)

SKY = (
    (0.0, (0.36, 0.62, 0.80)),
    (0.3, (0.62, 0.76, 0.80)),
    (0.5, (0.98, 0.82, 0.62)),
    (0.62, (1.0, 0.66, 0.45)),
    (1.0, (1.0, 0.66, 0.45)),
)
FOAM: Colour = (0.93, 0.97, 0.95)
TOWER = (1.30, 0.19)  # the middle of its foot, and the top of its lantern
BOAT = 0.62  # where it lies from the left


@dataclass(frozen=True, slots=True)
class Wave:
    """``level``: its height at rest; ``swell``: how far it rises; ``length``: crest to crest;
    ``pace``: heights a second."""

    colour: Colour
    level: float
    swell: float
    length: float
    pace: float

    def surface(self, x: Floats, time: float) -> Floats:
        phase = 2 * np.pi * (x - self.pace * time) / self.length
        return self.level - self.swell * (np.sin(phase) + 0.35 * np.sin(2.3 * phase + 1.3 * time))


WAVES = (
    Wave((0.55, 0.72, 0.72), 0.62, 0.004, 0.25, 0.03),
    Wave((0.30, 0.58, 0.64), 0.68, 0.008, 0.45, 0.06),
    Wave((0.16, 0.46, 0.56), 0.75, 0.014, 0.70, -0.09),
    Wave((0.09, 0.34, 0.47), 0.83, 0.020, 0.95, 0.14),
    Wave((0.05, 0.23, 0.36), 0.92, 0.026, 1.30, -0.20),
)


def lighthouse(width: int, height: int) -> Scene:
    """The scene in one size: a function from seconds to a picture (the same one, redrawn)."""
    sky, tower, boat = still(_sky(width, height)), _tower(height), _boat(height)
    x = np.arange(width, dtype=np.float32) / height
    beam = _beam(width, height)
    picture = blank(width, height)

    def draw(time: float) -> Picture:
        np.copyto(picture.packed, sky.packed)
        _shine(picture, beam, max(1 - time % 1 / 0.5, 0))
        paste(picture, tower, round((TOWER[0] - 0.16) * height), round(TOWER[1] * height))
        for wave in WAVES:
            _roll(picture, wave.colour, wave.surface(x, time) * height)
            if wave is WAVES[2]:
                afloat = wave.surface(np.array([BOAT + 0.02 * time], np.float32), time)[0]
                top = round((float(afloat) - 0.165) * height)
                paste(picture, boat, round((BOAT + 0.02 * time) * height), top)
        return picture

    return draw


def _roll(picture: Picture, colour: Colour, surface: Floats) -> None:
    """Fill from ``surface``, a row for each column, down; foam on the crest."""
    foam, water = ycbcr(FOAM), ycbcr(colour)
    thick = max(picture.y.shape[0] / 150, 1)
    for plane, scale, white, value in zip(picture.planes, (1, 2, 2), foam, water, strict=True):
        edge = surface[::scale] / scale
        first = max(int(edge.min()), 0)
        below = np.arange(first, len(plane), dtype=np.float32)[:, np.newaxis] - edge
        area = plane[first:]
        np.copyto(area, np.uint8(white), where=below > 0)
        np.copyto(area, np.uint8(value), where=below > thick / scale)


def _shine(picture: Picture, beam: Floats, strength: float) -> None:
    if strength:
        lit = picture.y + beam * strength
        np.copyto(picture.y, np.minimum(lit, 235).astype(np.uint8))


def _sky(width: int, height: int) -> Rgb:
    rows, columns = height * OVERSAMPLING, width * OVERSAMPLING
    rgb = gradient(rows, columns, SKY)
    y, x = grid(rows, columns, rows)
    distance = np.hypot(x - 0.42, y - 0.53)[..., np.newaxis]
    rgb += 0.35 * np.exp(-distance * 5) * np.array([1.0, 0.8, 0.4], np.float32)
    sun = np.clip((0.085 - distance) * rows, 0, 1)
    rgb = rgb * (1 - sun) + sun * np.array([1.0, 0.93, 0.72], np.float32)
    for left, top, size in ((0.95, 0.13, 0.07), (0.12, 0.33, 0.045), (1.48, 0.36, 0.05)):
        for dx, lift in ((-1.4, 0.5), (-0.5, 1.0), (0.6, 0.8), (1.5, 0.4)):
            cloud = np.hypot((x - left - dx * size) / 1.6, y - top) < lift * size
            cloud &= y < top + 0.2 * size
            rgb[cloud] = rgb[cloud] * 0.35 + 0.62
    return rgb


def _tower(height: int) -> Sprite:
    """A striped tower with a lantern, on a rock."""
    unit = height * OVERSAMPLING
    rows, columns = round(0.52 * unit), round(0.32 * unit)
    y, x = grid(rows, columns, unit)
    x -= 0.16
    return shapes(
        (
            (y > 0.385 + 2.4 * x * x + 0.010 * np.sin(60 * x), (0.25, 0.22, 0.25)),
            ((y > 0.09) & (y < 0.43) & (np.abs(x) < 0.028 + 0.06 * y), (0.96, 0.94, 0.90)),
            ((y > 0.155) & (y < 0.235) & (np.abs(x) < 0.028 + 0.06 * y), (0.80, 0.20, 0.18)),
            ((y > 0.315) & (y < 0.395) & (np.abs(x) < 0.028 + 0.06 * y), (0.80, 0.20, 0.18)),
            ((y > 0.085) & (y < 0.10) & (np.abs(x) < 0.048), (0.20, 0.18, 0.22)),
            ((y > 0.035) & (y < 0.085) & (np.abs(x) < 0.022), (1.0, 0.90, 0.50)),
            ((y < 0.038) & (np.abs(x) < 0.030 * (y / 0.038)), (0.80, 0.20, 0.18)),
        )
    )


def _boat(height: int) -> Sprite:
    unit = height * OVERSAMPLING
    rows, columns = round(0.19 * unit), round(0.20 * unit)
    y, x = grid(rows, columns, unit)
    return shapes(
        (
            ((y > 0.145) & (np.abs(x - 0.10) < 0.095 - 0.9 * (y - 0.145)), (0.45, 0.20, 0.16)),
            ((y > 0.01) & (np.abs(x - 0.10) < 0.0022), (0.30, 0.16, 0.14)),
            ((y > 0.015) & (y < 0.135) & (x > 0.106) & (x < 0.106 + 0.62 * (y - 0.015)), FOAM),
            (
                (y > 0.035) & (y < 0.135) & (x < 0.094) & (x > 0.094 - 0.75 * (y - 0.035)),
                (1, 0.72, 0.3),
            ),
        )
    )


def _beam(width: int, height: int) -> Floats:
    """What the lamp adds to the luma at full strength: a halo and two rays."""
    y, x = grid(height, width, height)
    x, y = x - TOWER[0], y - TOWER[1] - 0.06
    distance = np.hypot(x, y)
    halo = 150 * np.exp(-distance * 16)
    spread = np.abs(y + 0.06 * np.abs(x)) / (0.012 + 0.10 * np.abs(x))
    rays = 70 * np.clip(1 - spread, 0, 1) * np.exp(-distance * 1.4)
    return halo + rays
