"""A music box from near: a brass drum whose pins pass a steel comb. Lengths are in heights of the
picture. Nothing moves: the title is sound alone, and this is its artwork."""

from __future__ import annotations

import numpy as np

from ingest.sample.picture import (
    OVERSAMPLING,
    Colour,
    Floats,
    Mask,
    Rgb,
    Scene,
    gradient,
    grid,
    still,
)

ROOM = (
    (0.0, (0.13, 0.05, 0.12)),
    (0.45, (0.34, 0.12, 0.17)),
    (0.75, (0.52, 0.23, 0.17)),
    (1.0, (0.20, 0.08, 0.08)),
)
BRASS: Colour = (0.96, 0.73, 0.34)
STEEL: Colour = (0.72, 0.76, 0.82)
LIGHT: Colour = (1.0, 0.86, 0.58)
DRUM = (0.60, 0.17)  # its axis from the top, and its radius
TOOTH = 0.052  # from one tooth of the comb to the next
NOTES = ((0.62, 0.16, 0.055), (0.88, 0.28, 0.075), (1.16, 0.13, 0.045), (1.34, 0.27, 0.06))


def music_box(width: int, height: int) -> Scene:
    picture = still(_painting(width, height))
    return lambda time: picture


def _painting(width: int, height: int) -> Rgb:
    rows, columns = height * OVERSAMPLING, width * OVERSAMPLING
    y, x = grid(rows, columns, rows)
    rgb = gradient(rows, columns, ROOM)
    halo = np.exp(-3.2 * np.hypot(x - 0.9, y - 0.35))[..., np.newaxis]
    rgb += 0.45 * halo * np.array(LIGHT, np.float32)
    _drum(rgb, y, x)
    _comb(rgb, y, x)
    for left, top, size in NOTES:
        rgb[_note(y, x - left, top, size)] = LIGHT
    return np.clip(rgb, 0, 1)


def _drum(rgb: Rgb, y: Floats, x: Floats) -> None:
    """Lit from above; each pin stands on a ring of its own, and throws a shadow."""
    axis, radius = DRUM
    across = (y - axis) / radius
    body = np.abs(across) < 1
    shade = 0.25 + 0.75 * np.sqrt(np.clip(1 - (across + 0.35) ** 2 / 1.85, 0, 1))
    shine = 0.5 * np.exp(-((across + 0.42) ** 2) * 40)
    lit = (shade + shine)[..., np.newaxis] * np.array(BRASS, np.float32)
    rgb[body] = lit[body]
    rng = np.random.default_rng(21)
    for ring in range(int(x.max() / TOOTH) + 1):
        for turn in rng.uniform(-1.3, 1.3, 3):
            _pin(rgb, (ring + 0.5) * TOOTH, axis + radius * np.sin(turn), np.cos(turn))


def _pin(rgb: Rgb, left: float, top: float, flatness: float) -> None:
    """One pin and its shadow, the flatter the nearer it is to the drum's edge."""
    unit = len(rgb)
    rows = slice(round((top - 0.02) * unit), round((top + 0.025) * unit))
    columns = slice(max(round((left - 0.02) * unit), 0), round((left + 0.025) * unit))
    near = rgb[rows, columns]
    y, x = grid(near.shape[0], near.shape[1], unit)
    y, x = y + rows.start / unit - top, x + columns.start / unit - left
    near[np.hypot(x - 0.006, y - 0.010) < 0.010] *= 0.55
    near[np.hypot(x, y / max(flatness, 0.25)) < 0.009] = LIGHT


def _comb(rgb: Rgb, y: Floats, x: Floats) -> None:
    """Teeth that reach up to the drum, longer on the left where the notes are low."""
    top = 0.735 + 0.02 * x
    tooth = (np.abs(x % TOOTH - TOOTH / 2) < 0.016) & (y > top) & (y < 0.90)
    plate = y >= 0.86
    sheen = (0.55 + 0.45 * np.clip(1 - (y - 0.73) * 3, 0, 1))[..., np.newaxis]
    steel = sheen * np.array(STEEL, np.float32)
    rgb[tooth | plate] = steel[tooth | plate]
    rgb[plate & (y < 0.866)] = (0.92, 0.95, 1.0)
    for screw in (0.35, 0.9, 1.45):
        distance = np.hypot(x - screw, y - 0.935)
        rgb[distance < 0.028] = BRASS
        rgb[(distance < 0.024) & (np.abs(y - 0.935 - 0.5 * (x - screw)) < 0.004)] = (0.3, 0.2, 0.1)


def _note(y: Floats, x: Floats, top: float, size: float) -> Mask:
    """A quaver: its head, its stem and its flag."""
    head = np.hypot((x + 0.2 * (y - top)) / 1.25, y - top) < 0.42 * size
    stem = (np.abs(x - 0.46 * size) < 0.05 * size) & (y < top) & (y > top - 1.6 * size)
    along = (y - top) / size + 1.6
    flag = (np.abs(x / size - 0.46 - 0.55 * along) < 0.10) & (along > 0) & (along < 0.8)
    mask: Mask = head | stem | flag
    return mask
