"""Bars as SVG, by hand: a plotting library would be the heaviest thing in the project."""

from __future__ import annotations

from collections.abc import Iterator, Sequence
from dataclasses import dataclass
from html import escape

WIDTH = 760
LABELS = 250
BEHIND = 130
BAR = 16
GAP = 12
TITLE = 34
COLOURS = ("#2563eb", "#94a3b8", "#f59e0b", "#10b981")


@dataclass(frozen=True, slots=True)
class Bar:
    """``text`` is what is written behind the bar."""

    series: str
    value: float
    text: str


Group = tuple[str, Sequence[Bar]]
"""Bars with what is written in front of them."""


@dataclass(frozen=True, slots=True)
class Panel:
    """Groups of bars on one scale from zero."""

    title: str
    groups: Sequence[Group]

    @property
    def height(self) -> int:
        return TITLE + sum(len(bars) * BAR + GAP for _, bars in self.groups)


def draw(panels: Sequence[Panel]) -> str:
    series = list(dict.fromkeys(bar.series for p in panels for _, bars in p.groups for bar in bars))
    colours = {name: COLOURS[place % len(COLOURS)] for place, name in enumerate(series)}
    height = 40 + sum(panel.height for panel in panels) + GAP
    parts = list(_legend(colours))
    top = 40
    for panel in panels:
        parts += _panel(panel, top, colours)
        top += panel.height
    return (
        f'<svg xmlns="http://www.w3.org/2000/svg" viewBox="0 0 {WIDTH} {height}" '
        'font-family="system-ui, sans-serif" font-size="12" fill="#0f172a">\n'
        f'<rect width="{WIDTH}" height="{height}" fill="#ffffff"/>\n'
        + "\n".join(parts)
        + "\n</svg>\n"
    )


def _legend(colours: dict[str, str]) -> Iterator[str]:
    left = LABELS
    for name, colour in colours.items():
        yield f'<rect x="{left}" y="14" width="12" height="12" rx="2" fill="{colour}"/>'
        yield _text(left + 18, 24, name)
        left += 30 + 8 * len(name)


def _panel(panel: Panel, top: int, colours: dict[str, str]) -> Iterator[str]:
    longest = max((bar.value for _, bars in panel.groups for bar in bars), default=0) or 1
    scale = (WIDTH - LABELS - BEHIND) / longest
    yield _text(16, top + 18, panel.title, 'font-weight="600"')
    y = top + TITLE
    for label, bars in panel.groups:
        yield _text(LABELS - 10, y + len(bars) * BAR / 2 + 4, label, 'text-anchor="end"')
        for bar in bars:
            width = max(1.0, bar.value * scale)
            yield (
                f'<rect x="{LABELS}" y="{y + 1}" width="{width:.1f}" height="{BAR - 2}" '
                f'rx="2" fill="{colours[bar.series]}"/>'
            )
            yield _text(LABELS + width + 6, y + BAR - 4, bar.text)
            y += BAR
        y += GAP


def _text(x: float, y: float, content: str, style: str = "") -> str:
    return f'<text x="{x:.1f}" y="{y:.1f}" {style}>{escape(content)}</text>'
