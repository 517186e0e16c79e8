"""A city at night, seen across a river: three skylines pass at their own pace, a train crosses
the viaduct, and at each full second a firework goes off.

Lengths are in heights of the picture, so that every size shows the same city.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

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
    sprite,
    still,
    ycbcr,
)

WATERLINE = 0.82
BANK = 0.02  # what stands at the water goes on below it, so that no sky shows through
SKY = (
    (0.0, (0.02, 0.03, 0.11)),
    (0.35, (0.10, 0.08, 0.27)),
    (0.55, (0.36, 0.15, 0.36)),
    (0.68, (0.72, 0.30, 0.32)),
    (0.80, (0.95, 0.55, 0.32)),
    (1.0, (0.95, 0.55, 0.32)),
)
WINDOW: Colour = (1.0, 0.82, 0.45)
SPARKS: tuple[Colour, ...] = (
    (1.0, 0.78, 0.35),
    (1.0, 0.42, 0.55),
    (0.45, 0.85, 1.0),
    (0.62, 1.0, 0.55),
    (0.85, 0.60, 1.0),
)


@dataclass(frozen=True, slots=True)
class Skyline:
    """``wall``: its colour; ``low`` to ``high``: what its houses measure above the water;
    ``lit``: the share of windows with light; ``pace``: heights a second."""

    seed: int
    wall: Colour
    low: float
    high: float
    lit: float
    pace: float


SKYLINES = (
    Skyline(11, (0.24, 0.12, 0.30), 0.18, 0.46, 0.12, 0.010),
    Skyline(12, (0.13, 0.08, 0.21), 0.10, 0.36, 0.28, 0.025),
    Skyline(13, (0.05, 0.04, 0.10), 0.04, 0.23, 0.40, 0.060),
)
PERIOD = 2.5  # heights after which a skyline repeats: more than a picture shows at once


def city(width: int, height: int) -> Scene:
    """The scene in one size: a function from seconds to a picture (the same one, redrawn)."""
    sky = still(_sky(width, height))
    skylines = [(line, _paint_skyline(line, width, height)) for line in SKYLINES]
    viaduct, train = _viaduct(width, height), _train(height)
    glow = _glow(height)
    picture = blank(width, height)

    def draw(time: float) -> Picture:
        np.copyto(picture.packed, sky.packed)
        for second in range(max(int(time) - 1, 0), int(time) + 1):
            _firework(picture, second, time - second, glow)
        for line, piece in skylines:
            passed = round(line.pace * time * height) % round(PERIOD * height)
            paste(picture, piece, -passed, round((WATERLINE - line.high) * height))
        run = (time * 0.33) % 3.4 - 1.3
        paste(picture, train, round(run * height), round(0.733 * height))
        paste(picture, viaduct, 0, round(0.76 * height))
        _reflect(picture, time)
        return picture

    return draw


def _sky(width: int, height: int) -> Rgb:
    rows, columns = height * OVERSAMPLING, width * OVERSAMPLING
    rgb = gradient(rows, columns, SKY)
    rng = np.random.default_rng(5)
    for x, y, light in rng.random((150, 3)):
        row, column = int(y * 0.55 * rows), int(x * columns)
        dot = max(rows // 700, 1)
        rgb[row : row + dot, column : column + dot] += 0.2 + 0.7 * light * (1 - y)
    y, x = grid(rows, columns, rows)
    distance = np.hypot(x - 1.50, y - 0.17)[..., np.newaxis]
    bitten = np.hypot(x - 1.47, y - 0.155)[..., np.newaxis]
    rgb += 0.20 * np.exp(-distance * 9) * np.array([0.8, 0.8, 1.0], np.float32)
    moon = np.clip((0.055 - distance) * rows, 0, 1) * np.clip((bitten - 0.052) * rows, 0, 1)
    return rgb + moon * np.array([0.95, 0.93, 0.85], np.float32)


def _paint_skyline(line: Skyline, width: int, height: int) -> Sprite:
    """One period of houses, and the start of the next to fill a picture."""
    unit = height * OVERSAMPLING
    rows, period = round((line.high + BANK) * unit), round(PERIOD * unit)
    rgb = np.full((rows, period, 3), line.wall, np.float32)
    opaque = np.zeros((rows, period), np.bool_)
    rng = np.random.default_rng(line.seed)
    x = 0.0
    while x < PERIOD:
        wide = rng.uniform(0.07, 0.16)
        tall = rng.uniform(line.low, line.high)
        left, right = round(x * unit), round((x + wide) * unit)
        top = round((line.high - tall) * unit)
        rgb[top:, left:right] = np.array(line.wall) * rng.uniform(0.85, 1.2)
        opaque[top:, left:right] = True
        _light_windows(rgb, line, rng, unit, (left, right, top))
        x += wide + rng.choice([0.0, 0.012])
    extra = width * OVERSAMPLING
    return sprite(np.hstack([rgb, rgb[:, :extra]]), np.hstack([opaque, opaque[:, :extra]]))


def _light_windows(
    rgb: Rgb,
    line: Skyline,
    rng: np.random.Generator,
    unit: int,
    house: tuple[int, int, int],
) -> None:
    left, right, top = house
    step, wide, tall = round(0.019 * unit), round(0.009 * unit), round(0.011 * unit)
    for row in range(top + step, len(rgb) - step, round(0.022 * unit)):
        for column in range(left + step // 2, right - wide - step // 3, step):
            bright = rng.uniform(0.35, 1.0)
            if rng.random() < line.lit:
                mixed = np.array(WINDOW) * bright + np.array(line.wall) * (1 - bright)
                rgb[row : row + tall, column : column + wide] = mixed


def _viaduct(width: int, height: int) -> Sprite:
    unit = height * OVERSAMPLING
    shape = (round((WATERLINE + BANK - 0.76) * unit), width * OVERSAMPLING)
    rgb = np.full((*shape, 3), (0.07, 0.06, 0.11), np.float32)
    opaque = np.zeros(shape, np.bool_)
    opaque[: round(0.018 * unit)] = True
    for x in range(0, shape[1], round(0.16 * unit)):
        opaque[:, x : x + round(0.02 * unit)] = True
    rgb[: round(0.004 * unit)] = (0.30, 0.22, 0.30)
    return sprite(rgb, opaque)


def _train(height: int) -> Sprite:
    unit = height * OVERSAMPLING
    tall, coach, gap = round(0.028 * unit), round(0.20 * unit), round(0.006 * unit)
    rgb = np.full((tall, 4 * coach, 3), (0.55, 0.12, 0.16), np.float32)
    opaque = np.ones((tall, 4 * coach), np.bool_)
    top, bottom = round(0.25 * tall), round(0.65 * tall)
    for start in range(0, 4 * coach, coach):
        opaque[:, start : start + gap] = False
        for x in range(start + 3 * gap, start + coach - 2 * gap, 4 * gap):
            rgb[top:bottom, x : x + 3 * gap] = (1.0, 0.93, 0.70)
    return sprite(rgb, opaque)


def _glow(height: int) -> Floats:
    reach = round(0.22 * height)
    y, x = grid(2 * reach, 2 * reach, reach)
    distance = np.hypot(x - 1, y - 1)
    return 200 * np.exp(-6 * distance) * (distance < 1)


def _firework(picture: Picture, second: int, age: float, glow: Floats) -> None:
    """The burst of one full second: a flash on the beep, then sparks that fly, sink and fade."""
    rng = np.random.default_rng(1000 + second)
    height, width = picture.y.shape
    x, y = rng.uniform(1.0, 1.6), rng.uniform(0.14, 0.34)
    colour = ycbcr(SPARKS[second % len(SPARKS)])
    angle, speed = rng.uniform(0, 2 * np.pi, 110), rng.uniform(0.25, 1, 110)
    if age < 0.2:
        _flash(picture, round(x * height), round(y * height), glow * (1 - age / 0.2))
    for lag in (0.20, 0.15, 0.10, 0.05, 0.0):
        then = age - lag
        if then < 0:
            continue
        reach = 0.21 * speed * (1 - np.exp(-3.2 * then))
        rows = ((y + reach * np.sin(angle) + 0.035 * then * then) * height).astype(np.int64)
        columns = ((x + reach * np.cos(angle)) * height).astype(np.int64)
        light = min(1.6 - 0.8 * age, 1) * (1 - 4 * lag)
        inside = (rows >= 0) & (rows < 0.78 * height) & (columns >= 0) & (columns < width - 4)
        _sparks(picture, rows[inside], columns[inside], colour, light)


def _flash(picture: Picture, x: int, y: int, light: Floats) -> None:
    reach = len(light) // 2
    top, left = max(y - reach, 0), x - reach
    target = picture.y[top : y + reach, left : x + reach]
    lit = target + light[top - y + reach :, : target.shape[1]]
    np.copyto(target, np.minimum(lit, 235).astype(np.uint8))


def _sparks(
    picture: Picture,
    rows: NDArray[np.int64],
    columns: NDArray[np.int64],
    colour: tuple[int, int, int],
    light: float,
) -> None:
    side = max(picture.y.shape[0] // 240, 1)
    value = np.uint8(16 + (colour[0] - 16) * light)
    for dy in range(side):
        for dx in range(side):
            at = rows + dy, columns + dx
            picture.y[at] = np.maximum(picture.y[at], value)
    at = rows // 2, columns // 2
    for plane, target in ((picture.u, colour[1]), (picture.v, colour[2])):
        plane[at] = plane[at] * (1 - light) + target * light


def _reflect(picture: Picture, time: float) -> None:
    """Below the waterline, three rows of the city to one of water, with ripples."""
    for plane, gain, base in ((picture.y, 0.6, 10), (picture.u, 0.8, 30), (picture.v, 0.7, 36)):
        height = len(plane)
        line = round(WATERLINE * height)
        depth = np.arange(height - line)
        ripple = np.sin(depth * (150 / height) + time * 5) * np.sqrt(depth / height) * 0.05 * height
        rows = np.clip(line - 1 - 3 * depth + ripple, 0, line - 1).astype(np.int64)
        plane[line:] = (plane[rows] * np.float32(gain) + np.float32(base)).astype(np.uint8)
