"""What was measured, as a table and a plot."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict
from pathlib import Path

from benchmarks.chart import Bar, Panel, draw
from benchmarks.viewers.media import RUNGS, SMALL_RUNGS, SOUND
from benchmarks.viewers.outcome import Outcome
from benchmarks.viewers.runs import Load

BEGIN, END = "<!-- viewers begin -->", "<!-- viewers end -->"
IMAGE = "images/viewers.svg"
COLUMNS = (
    "server",
    "viewers",
    "Mbit/s",
    "requests/s",
    "an answer, KB",
    "failures",
    "failed starts",
    "rebuffer ratio",
    "start-up p50, ms",
    "p99, ms",
    "server's figure apart, ms",
    "server, cores",
    "memory, MB",
    "load, cores",
    "the limit",
)


def write_json(outcomes: Sequence[Outcome], machine: Mapping[str, str], path: Path) -> None:
    document = {"machine": dict(machine), "runs": [asdict(outcome) for outcome in outcomes]}
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def table(outcomes: Sequence[Outcome], machine: Mapping[str, str], load: Load) -> str:
    """Markdown."""
    programs = dict.fromkeys(outcome.program for outcome in outcomes)
    described = ", ".join([*(f"{name} {value}" for name, value in machine.items()), *programs])
    lines = [
        f"Measured on: {described}; {load.minutes:g} minutes in real time, behind the ramp.",
        "",
        f"Ladder: {_ladder(0, len(RUNGS))}. Small segments: {_ladder(0, SMALL_RUNGS)}.",
        "",
        f"| run | {' | '.join(COLUMNS)} |",
        f"|---|---|{'--:|' * (len(COLUMNS) - 2)}---|",
        *(f"| {outcome.meaning} | {' | '.join(_cells(outcome))} |" for outcome in outcomes),
    ]
    limits = [
        f"- {outcome.meaning}, {outcome.server}: the load was the limit, {limit}."
        for outcome in outcomes
        for limit in outcome.limits
    ]
    return "\n".join([*lines, *([""] if limits else []), *limits]) + "\n"


def _ladder(first: int, last: int) -> str:
    rungs = [f"{rung.height}p {rung.bitrate // 1000}" for rung in RUNGS[first:last]]
    return f"{', '.join(rungs)} and sound {SOUND // 1000} kbit/s"


def _cells(outcome: Outcome) -> Iterator[str]:
    yield outcome.server
    yield f"{outcome.viewers:,}"
    yield f"{outcome.traffic / 1e6:,.0f}"
    yield f"{outcome.requests:,.0f}"
    yield f"{outcome.answer / 1e3:,.0f}"
    yield f"{outcome.failures:,}"
    yield f"{outcome.failed_starts:,}"
    yield _or_nothing(outcome.rebuffer_ratio, lambda value: f"{value:.3%}")
    for seconds in (outcome.startup_p50, outcome.startup_p99, outcome.startup_gap):
        yield _or_nothing(seconds, lambda value: f"{value * 1e3:,.1f}")
    yield _or_nothing(outcome.server_cpu, lambda value: f"{value:.2f}")
    yield _or_nothing(outcome.server_memory, lambda value: f"{value / 1e6:,.0f}")
    yield f"{outcome.load_cpu:.2f}"
    yield "the load" if outcome.limits else ""


def _or_nothing(value: float | None, show: Callable[[float], str]) -> str:
    return "" if value is None else show(value)


def plot(outcomes: Sequence[Outcome]) -> str:
    """SVG."""
    panels = (
        _panel("Start-up, 99 of 100 wait less, ms", outcomes, lambda o: _ms(o.startup_p99)),
        _panel("CPU of the server, cores", outcomes, lambda o: o.server_cpu),
        _panel("CPU of the load, cores", outcomes, lambda o: o.load_cpu),
        _panel("Mbit/s to all viewers", outcomes, lambda o: o.traffic / 1e6),
    )
    return draw([panel for panel in panels if panel.groups])


def _ms(seconds: float | None) -> float | None:
    return None if seconds is None else seconds * 1e3


def _panel(
    title: str, outcomes: Sequence[Outcome], value: Callable[[Outcome], float | None]
) -> Panel:
    groups = []
    for meaning in dict.fromkeys(outcome.meaning for outcome in outcomes):
        mine = [(o, value(o)) for o in outcomes if o.meaning == meaning]
        bars = [Bar(o.server, v, _number(v, o)) for o, v in mine if v is not None]
        if bars:
            groups.append((meaning, bars))
    return Panel(title, groups)


def _number(value: float, outcome: Outcome) -> str:
    shown = f"{value:,.0f}" if value >= 100 else f"{value:.3g}"
    return f"{shown} (the load was the limit)" if outcome.limits else shown
