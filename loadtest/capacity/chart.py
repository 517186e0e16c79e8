"""Curves and stacked bars as SVG that stands alone: one drawing serves pages and docs."""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from html import escape

from loadtest.plot import Axis, Point

WIDTH, HEIGHT = 760, 400
LEFT, RIGHT, TOP, BOTTOM = 78, 24, 82, 52
BAR, GAP = 30, 16
COLOURS = (
    *("#2563eb", "#ea580c", "#059669", "#9333ea", "#ca8a04"),
    *("#0891b2", "#be185d", "#64748b", "#78350f"),
)

Show = Callable[[float], str]


@dataclass(frozen=True, slots=True)
class Curve:
    """``dots``: points are marked and not joined, in the colour of the curve ``like`` it."""

    name: str
    points: Sequence[Point]
    like: int
    dots: bool = False


@dataclass(frozen=True, slots=True)
class Scale:
    """``marks``: where the axis' own do not do."""

    axis: Axis
    title: str
    show: Show
    marks: Sequence[float] = ()


def curves(title: str, drawn: Sequence[Curve], across: Scale, up: Scale) -> str:
    parts = [*_frame(title, [(c.name, COLOURS[c.like], c.dots) for c in drawn])]
    parts += _grid(across, up)
    for curve in drawn:
        places = [(_x(across.axis, x), _y(up.axis, y)) for x, y in curve.points]
        colour = COLOURS[curve.like]
        if curve.dots:
            parts += [_dot(x, y, colour) for x, y in places]
        else:
            line = " ".join(f"{x:.1f},{y:.1f}" for x, y in places)
            parts.append(
                f'<polyline points="{line}" fill="none" stroke="{colour}" stroke-width="2"/>'
            )
    return _svg(title, HEIGHT, parts)


@dataclass(frozen=True, slots=True)
class Bar:
    """``parts`` are in the order of the legend, 0 where there is none."""

    name: str
    parts: Sequence[float]
    text: str


def shares(title: str, names: Sequence[str], bars: Sequence[Bar]) -> str:
    """Each bar is as long as the others: what its parts are of the whole."""
    parts = [*_frame(title, [(name, COLOURS[n], False) for n, name in enumerate(names)])]
    behind = 110
    y = TOP
    for bar in bars:
        x = float(LEFT + 30)
        whole = sum(bar.parts) or 1
        parts.append(_text(x - 10, y + BAR / 2 + 4, "end", bar.name))
        for number, part in enumerate(bar.parts):
            width = part / whole * (WIDTH - LEFT - 30 - behind)
            parts.append(
                f'<rect x="{x:.1f}" y="{y}" width="{width:.1f}" height="{BAR}" '
                f'fill="{COLOURS[number]}"/>'
            )
            if width > 34:
                label = _text(x + width / 2, y + BAR / 2 + 4, "middle", f"{part / whole:.0%}")
                parts.append(label.replace("<text", '<text fill="#fff"', 1))
            x += width
        parts.append(_text(x + 10, y + BAR / 2 + 4, "start", bar.text))
        y += BAR + GAP
    return _svg(title, y + 4, parts)


def _frame(title: str, legend: Sequence[tuple[str, str, bool]]) -> Iterator[str]:
    yield f'<text x="16" y="24" font-size="15" font-weight="600">{escape(title)}</text>'
    x, y = 16, 46
    for name, colour, dots in legend:
        wide = 30 + 7 * len(name)
        if x + wide > WIDTH:
            x, y = 16, y + 18
        if dots:
            yield _dot(x + 6, y - 4, colour)
        else:
            yield f'<rect x="{x}" y="{y - 10}" width="12" height="12" rx="2" fill="{colour}"/>'
        yield _text(x + 18, y, "start", name)
        x += wide


def _grid(across: Scale, up: Scale) -> Iterator[str]:
    for value in up.marks or up.axis.marks():
        y = _y(up.axis, value)
        yield f'<path d="M{LEFT} {y:.1f}H{WIDTH - RIGHT}" stroke="#e2e8f0"/>'
        yield _text(LEFT - 8, y + 4, "end", up.show(value))
    for value in across.marks or across.axis.marks():
        x = _x(across.axis, value)
        yield f'<path d="M{x:.1f} {TOP}V{HEIGHT - BOTTOM}" stroke="#f1f5f9"/>'
        yield _text(x, HEIGHT - BOTTOM + 18, "middle", across.show(value))
    yield _text((LEFT + WIDTH - RIGHT) / 2, HEIGHT - 12, "middle", across.title)
    yield (
        f'<text transform="translate(16 {(TOP + HEIGHT - BOTTOM) / 2:.0f}) rotate(-90)" '
        f'text-anchor="middle">{escape(up.title)}</text>'
    )


def _svg(title: str, height: float, parts: Sequence[str]) -> str:
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height:g}" role="img" '
        f'aria-label="{escape(title)}" font-family="system-ui, sans-serif" font-size="12" '
        f'fill="#0f172a">\n<rect width="{WIDTH}" height="{height:g}" fill="#fff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _text(x: float, y: float, anchor: str, content: str) -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" text-anchor="{anchor}">{escape(content)}</text>'


def _dot(x: float, y: float, colour: str) -> str:
    return (
        f'<circle cx="{x:.1f}" cy="{y:.1f}" r="4.5" fill="#fff" stroke="{colour}" '
        'stroke-width="2"/>'
    )


def _x(axis: Axis, value: float) -> float:
    return LEFT + axis.place(value) * (WIDTH - LEFT - RIGHT)


def _y(axis: Axis, value: float) -> float:
    return HEIGHT - BOTTOM - axis.place(value) * (HEIGHT - TOP - BOTTOM)
