"""Results as JSON for machines and, between two markers of a page, as a table for people."""

from __future__ import annotations

import json
from collections.abc import Callable, Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from pathlib import Path

from benchmarks.chart import Bar, Panel, draw
from benchmarks.micro import Timing
from benchmarks.rounds import Effort, Target
from benchmarks.verdict import Ratio, Round, Summary, compare, summarise
from benchmarks.workloads import Asks

BEGIN, END = "<!-- results begin -->", "<!-- results end -->"
FORMAT = 1
"""Raise it when results of before can no longer be compared with those of now."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """A workload's rounds by server; the first server is ours, the others are compared to it."""

    target: Target
    rounds: Mapping[str, Sequence[Round]]

    @property
    def summaries(self) -> dict[str, Summary]:
        return {server: summarise(rounds) for server, rounds in self.rounds.items()}

    @property
    def ratios(self) -> dict[str, Ratio]:
        ours, *others = self.summaries.items()
        return {server: compare(ours[1], summary) for server, summary in others}


@dataclass(frozen=True, slots=True)
class Results:
    """``machine``: name and value of what the figures depend on; ``notes``: what is missing."""

    machine: Mapping[str, str]
    effort: Effort
    timings: Sequence[Timing]
    outcomes: Sequence[Outcome]
    notes: Sequence[str]


def write_json(results: Results, path: Path) -> None:
    document = {
        "format": FORMAT,
        "machine": dict(results.machine),
        "effort": asdict(results.effort),
        "notes": list(results.notes),
        "micro": [asdict(timing) for timing in results.timings],
        "macro": [_outcome_json(outcome) for outcome in results.outcomes],
    }
    path.write_text(json.dumps(document, indent=1) + "\n", encoding="utf-8")


def _outcome_json(outcome: Outcome) -> dict[str, object]:
    workload = outcome.target.workload
    return {
        "name": workload.name,
        "meaning": workload.meaning,
        "connections": workload.connections,
        "bodies": len(outcome.target.paths),
        "bytes": outcome.target.nbytes,
        "servers": {
            server: {
                "summary": asdict(summary),
                "trouble": summary.trouble,
                "rounds": [asdict(item) for item in outcome.rounds[server]],
            }
            for server, summary in outcome.summaries.items()
        },
        "ratios": {server: asdict(ratio) for server, ratio in outcome.ratios.items()},
    }


def table(results: Results) -> str:
    """Markdown."""
    machine = ", ".join(f"{name} {value}" for name, value in results.machine.items())
    lines = [f"Measured on: {machine}.", ""]
    lines += [*_macro_lines(results.outcomes), ""] if results.outcomes else []
    lines += [*_micro_lines(results.timings), ""] if results.timings else []
    lines += [f"- {note}" for note in _notes(results)]
    return "\n".join(lines).rstrip() + "\n"


def _macro_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield (
        "| workload | server | requests/s | Gbit/s | p50 ms | p99 ms | CPU s/GB | CPU µs/request "
        "| vod-origin : it |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for outcome in outcomes:
        for server, s in outcome.summaries.items():
            ratio = str(outcome.ratios[server]) if server in outcome.ratios else ""
            yield (
                f"| {outcome.target.workload.meaning} | {server} | {s.requests_per_second:,.0f} "
                f"| {s.gbits_per_second:.1f} | {s.p50_ms:.2f} | {s.p99_ms:.2f} "
                f"| {s.cpu_seconds_per_gb:.2f} | {s.cpu_us_per_request:,.1f} | {ratio} |"
            )


def _micro_lines(timings: Sequence[Timing]) -> Iterator[str]:
    yield "| the packager alone | ms | runs |"
    yield "|---|--:|--:|"
    for timing in timings:
        yield f"| {timing.meaning} | {timing.milliseconds:.3g} | {timing.runs} |"


def _notes(results: Results) -> Iterator[str]:
    yield from results.notes
    for outcome in results.outcomes:
        name = outcome.target.workload.meaning
        for server, summary in outcome.summaries.items():
            if summary.client_bound:
                yield (
                    f"{name}, {server}: the client was the limit, at {summary.client:.0%} of its "
                    f"core; the server used {summary.server:.0%} of its own."
                )
        for server, ratio in outcome.ratios.items():
            if ratio.refused:
                yield f"{name}: not compared with {server}, {ratio.refused}."


def plot(outcomes: Sequence[Outcome]) -> str:
    """SVG: segments by bytes, manifests by requests."""
    segments = [o for o in outcomes if o.target.workload.asks is Asks.SEGMENTS]
    playlists = [o for o in outcomes if o.target.workload.asks is Asks.PLAYLIST]
    panels = []
    if playlists:
        panels.append(_panel("Thousand requests/s on one core", playlists, _thousands))
    if segments:
        panels.append(_panel("Gbit/s on one core", segments, _gbits))
    return draw(panels)


def _panel(title: str, outcomes: Sequence[Outcome], value: Callable[[Summary], float]) -> Panel:
    return Panel(
        title,
        [
            (
                outcome.target.workload.meaning,
                [
                    Bar(server, value(summary), f"{value(summary):.1f}{_mark(summary)}")
                    for server, summary in outcome.summaries.items()
                ],
            )
            for outcome in outcomes
        ],
    )


def _mark(summary: Summary) -> str:
    if summary.trouble:
        return f" ({summary.trouble.partition(':')[0]})"
    return " or more" if summary.client_bound else ""


def _thousands(summary: Summary) -> float:
    return summary.requests_per_second / 1e3


def _gbits(summary: Summary) -> float:
    return summary.gbits_per_second


def put_between_markers(page: Path, content: str) -> None:
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(BEGIN)
    _, end, after = rest.partition(END)
    if not begin or not end:
        raise ValueError(f"{page} does not hold {BEGIN} … {END}")
    page.write_text(f"{before}{begin}\n{content}{end}{after}", encoding="utf-8")
