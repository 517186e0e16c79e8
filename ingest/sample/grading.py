"""Another light on a scene: darker or bluer, by looking each sample up in a table."""

from __future__ import annotations

from collections.abc import Callable

import numpy as np

from ingest.sample.picture import Picture, Scene, blank

BLACK, NEUTRAL = 16, 128  # of luma, of chroma


def graded(
    scene: Callable[[int, int], Scene], *, light: float, blue: float, red: float
) -> Callable[[int, int], Scene]:
    """``scene`` with its luma times ``light``, and ``blue`` and ``red`` added to its chroma."""
    levels = np.arange(256, dtype=np.float32)
    luma = _table(BLACK + (levels - BLACK) * light, 235)
    chroma = [_table(NEUTRAL + (levels - NEUTRAL) * 0.8 + shift, 240) for shift in (blue, red)]

    def make(width: int, height: int) -> Scene:
        draw = scene(width, height)
        picture = blank(width, height)

        def redraw(time: float) -> Picture:
            drawn = draw(time)
            for plane, source, table in zip(
                picture.planes, drawn.planes, (luma, *chroma), strict=True
            ):
                np.take(table, source, out=plane)
            return picture

        return redraw

    return make


def _table(values: np.typing.NDArray[np.float32], top: int) -> np.typing.NDArray[np.uint8]:
    return np.clip(np.rint(values), BLACK, top).astype(np.uint8)
