"""Pictures as an encoder takes them (8-bit YCbCr 4:2:0, BT.709, limited range), and pasting.

Scenes paint their still parts once, in RGB at twice the size, and only copy planes per frame.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

Plane = NDArray[np.uint8]
Mask = NDArray[np.bool_]
Floats = NDArray[np.floating]
Rgb = Floats  # height x width x 3, 0 to 1
Colour = tuple[float, float, float]

OVERSAMPLING = 2
_LUMA = np.array([0.2126, 0.7152, 0.0722], np.float32)


@dataclass(frozen=True, slots=True, eq=False)
class Picture:
    """``packed`` holds the planes one after the other; ``y``, ``u`` and ``v`` are views of it."""

    packed: Plane
    y: Plane
    u: Plane
    v: Plane

    @property
    def planes(self) -> tuple[Plane, Plane, Plane]:
        return self.y, self.u, self.v


@dataclass(frozen=True, slots=True, eq=False)
class Sprite:
    """A picture with holes, to paste: for each plane its values and where they count."""

    planes: tuple[Plane, Plane, Plane]
    masks: tuple[Mask, Mask, Mask]


Scene = Callable[[float], Picture]  # what is seen at a time in seconds


def blank(width: int, height: int) -> Picture:
    """A picture of undefined content; ``width`` even, ``height`` a multiple of 4."""
    packed = np.empty((height * 3 // 2, width), np.uint8)
    chroma = (2, height // 2, width // 2)
    u, v = packed[height:].reshape(chroma)
    return Picture(packed, packed[:height], u, v)


def ycbcr(colour: Colour) -> tuple[int, int, int]:
    y, u, v = _convert(np.array(colour, np.float32))
    return round(float(y)), round(float(u)), round(float(v))


def sprite(rgb: Rgb, opaque: Mask) -> Sprite:
    """``rgb`` and ``opaque`` are painted twice the size; sides end at whole chroma samples."""
    height, width = (side // 4 * 4 for side in opaque.shape)
    opaque = opaque[:height, :width]
    full = _halve(rgb[:height, :width])
    half = _halve(full)
    y, (_, u, v) = _convert(full)[0], _convert(half)
    mask, half_mask = opaque[::2, ::2], opaque[::4, ::4]
    return Sprite((_bytes(y), _bytes(u), _bytes(v)), (mask, half_mask, half_mask))


def shapes(parts: Sequence[tuple[Mask, Colour]]) -> Sprite:
    """Flat shapes, each over those before it, on nothing."""
    opaque = np.logical_or.reduce([where for where, _ in parts])
    rgb = np.zeros((*opaque.shape, 3), np.float32)
    for where, colour in parts:
        rgb[where] = colour
    return sprite(rgb, opaque)


def still(rgb: Rgb) -> Picture:
    """A whole picture from its painting."""
    height, width = (side // OVERSAMPLING for side in rgb.shape[:2])
    picture = blank(width, height)
    paste(picture, sprite(rgb, np.ones(rgb.shape[:2], np.bool_)), 0, 0)
    return picture


def paste(picture: Picture, piece: Sprite, left: int, top: int) -> None:
    """Put ``piece`` on ``picture``, clipped; where it hangs out on the left or right it is cut."""
    for plane, values, mask, scale in zip(
        picture.planes, piece.planes, piece.masks, (1, 2, 2), strict=True
    ):
        x, y = left // scale, top // scale
        first, stop = max(-x, 0), min(values.shape[1], plane.shape[1] - x)
        if first < stop:
            columns = slice(first, stop)
            target = plane[y : y + len(values), x + first : x + stop]
            np.copyto(target, values[: len(target), columns], where=mask[: len(target), columns])


def grid(height: int, width: int, unit: int) -> tuple[Floats, Floats]:
    """The y and the x of each pixel, in lengths of ``unit`` pixels."""
    y, x = np.mgrid[0:height, 0:width].astype(np.float32) / unit
    return y, x


def gradient(height: int, width: int, stops: tuple[tuple[float, Colour], ...]) -> Rgb:
    """Colours from top (0) to bottom (1), with a fine grain so that they do not band."""
    places, colours = zip(*stops, strict=True)
    rows = np.linspace(0, 1, height)
    columns = [np.interp(rows, places, channel) for channel in zip(*colours, strict=True)]
    grain = np.random.default_rng(7).normal(0, 0.006, (height, width, 1))
    return (np.stack(columns, axis=-1)[:, np.newaxis, :] + grain).astype(np.float32)


def _halve(image: Rgb) -> Rgb:
    top, bottom = image[0::2], image[1::2]
    halved: Rgb = (top[:, 0::2] + top[:, 1::2] + bottom[:, 0::2] + bottom[:, 1::2]) / 4
    return halved


def _convert(rgb: Rgb) -> tuple[Floats, Floats, Floats]:
    luma = rgb @ _LUMA
    blue, red = (rgb[..., 2] - luma) / 1.8556, (rgb[..., 0] - luma) / 1.5748
    return 16 + 219 * luma, 128 + 224 * blue, 128 + 224 * red


def _bytes(plane: Floats) -> Plane:
    return np.clip(np.rint(plane), 0, 255).astype(np.uint8)
