"""Lines and distributions as SVG, by hand. Colours are names that the page's style gives values, so
one drawing serves light and dark."""

from __future__ import annotations

import math
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH, HEIGHT = 560, 200
LEFT, RIGHT, TOP, BOTTOM = 64, 12, 14, 26
GRID = 4

Point = tuple[float, float]


@dataclass(frozen=True, slots=True)
class Line:
    """``points`` in rising x."""

    name: str
    points: Sequence[Point]


@dataclass(frozen=True, slots=True)
class Axis:
    """``low`` above 0 where it is logarithmic."""

    low: float
    high: float
    logarithmic: bool = False

    def place(self, value: float) -> float:
        """From 0 to 1."""
        if not self.logarithmic:
            return (value - self.low) / ((self.high - self.low) or 1)
        value = max(value, self.low)
        return math.log(value / self.low) / (math.log(self.high / self.low) or 1)

    def marks(self) -> list[float]:
        if self.logarithmic:
            first, last = math.floor(math.log10(self.low)), math.ceil(math.log10(self.high))
            return [v for v in (10.0**p for p in range(first, last + 1)) if self._has(v)]
        step = _round_step((self.high - self.low) / GRID)
        first = math.ceil(self.low / step)
        return [step * n for n in range(first, first + 4 * GRID) if self._has(step * n)]

    def _has(self, value: float) -> bool:
        return self.low * (1 - 1e-9) <= value <= self.high * (1 + 1e-9)


def _round_step(rough: float) -> float:
    if rough <= 0:
        return 1.0
    power = 10.0 ** math.floor(math.log10(rough))
    return next(factor * power for factor in (1, 2, 5, 10) if factor * power >= rough)


def timeline(title: str, lines: Sequence[Line], show: Callable[[float], str]) -> str:
    """Over seconds of the run; '' where there is nothing to be drawn."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    high = max(y for line in drawn for _, y in line.points)
    last = max(line.points[-1][0] for line in drawn)
    return _chart(
        title, drawn, Axis(0, last or 1), Axis(0, high * 1.05 or 1), lambda x: f"{x:g} s", show
    )


def distribution(title: str, lines: Sequence[Line], show: Callable[[float], str]) -> str:
    """Share of values up to x, x logarithmic."""
    drawn = [line for line in lines if line.points]
    if not drawn:
        return ""
    low = max(1e-6, min(line.points[0][0] for line in drawn))
    high = max(max(line.points[-1][0] for line in drawn), low * 10)
    return _chart(title, drawn, Axis(low, high, True), Axis(0, 1), show, lambda y: f"{y:.0%}")


def _chart(
    title: str,
    lines: Sequence[Line],
    across: Axis,
    up: Axis,
    show_x: Callable[[float], str],
    show_y: Callable[[float], str],
) -> str:
    body = [*_grid(across, up, show_x, show_y)]
    for number, line in enumerate(lines):
        body.append(_path(line, across, up, number))
    legend = "".join(
        f'<span><i class="c{number % 4}"></i>{escape(line.name)}</span>'
        for number, line in enumerate(lines)
    )
    return (
        f"<figure><figcaption>{escape(title)}<small>{legend}</small></figcaption>"
        f'<svg viewBox="0 0 {WIDTH} {HEIGHT}" role="img" aria-label="{escape(title)}">'
        + "".join(body)
        + "</svg></figure>"
    )


def _grid(
    across: Axis, up: Axis, show_x: Callable[[float], str], show_y: Callable[[float], str]
) -> Iterator[str]:
    for value in up.marks():
        y = _y(up, value)
        yield f'<path class="g" d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}"/>'
        yield _text(LEFT - 6, y + 4, "end", show_y(value))
    for value in across.marks():
        yield _text(_x(across, value), HEIGHT - 8, "middle", show_x(value))


def _text(x: float, y: float, anchor: str, content: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def _path(line: Line, across: Axis, up: Axis, number: int) -> str:
    points = " ".join(f"{_x(across, x):.1f},{_y(up, y):.1f}" for x, y in line.points)
    return f'<polyline class="s{number % 4}" points="{points}"/>'


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)
