"""Results as JSON for machines and, between two markers of a page, as tables for people."""

from __future__ import annotations

import json
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import asdict, dataclass
from itertools import groupby
from pathlib import Path

from benchmarks.effort import Effort
from benchmarks.figures import Figure
from benchmarks.findings import Findings, Outcome
from benchmarks.goals import goal_lines
from benchmarks.verdict import Summary

BEGIN, END = "<!-- results begin -->", "<!-- results end -->"
FORMAT = 2
"""Raise it when results of before can no longer be compared with those of now."""


@dataclass(frozen=True, slots=True)
class Results:
    """``machine``: name and value of what the figures depend on; ``seconds``: that it took."""

    machine: Mapping[str, str]
    effort: Effort
    findings: Findings
    seconds: float


def write_json(results: Results, path: Path) -> None:
    found = results.findings
    document = {
        "format": FORMAT,
        "machine": dict(results.machine),
        "programs": list(found.programs),
        "effort": asdict(results.effort),
        "seconds": round(results.seconds, 1),
        "notes": list(found.notes),
        "failures": list(found.failures),
        "macro": [_outcome_json(outcome) for outcome in found.outcomes],
        "figures": [asdict(item) | {"trouble": item.trouble} for item in found.figures],
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
                "client_bound": summary.client_bound,
                "rounds": [asdict(r) | {"disturbed": r.disturbed} for r in outcome.rounds[server]],
            }
            for server, summary in outcome.summaries.items()
        },
        "ratios": {server: asdict(ratio) for server, ratio in outcome.ratios.items()},
    }


def tables(results: Results) -> str:
    """Markdown."""
    found = results.findings
    machine = [f"{name} {value}" for name, value in results.machine.items()]
    lines = [
        f"Measured on: {', '.join((*machine, *found.programs))}, "
        f"in {results.seconds / 60:.1f} minutes.",
        "",
    ]
    if goals := list(goal_lines(found)):
        lines += [*goals, ""]
    if found.outcomes:
        lines += [*_outcome_lines(found.outcomes), ""]
    for _, figures in groupby(found.figures, key=lambda item: item.part):
        lines += [*_figure_lines(list(figures)), ""]
    lines += [f"- {note}" for note in _notes(found)]
    return "\n".join(lines).rstrip() + "\n"


def _outcome_lines(outcomes: Sequence[Outcome]) -> Iterator[str]:
    yield (
        "| workload | server | requests/s | Gbit/s | p50 ms | p99 ms | CPU s/GB | CPU µs/request "
        "| ratio |"
    )
    yield "|---|---|--:|--:|--:|--:|--:|--:|--:|"
    for outcome in outcomes:
        for server, s in outcome.summaries.items():
            ratio = str(outcome.ratios[server]) if server in outcome.ratios else ""
            yield (
                f"| {outcome.target.workload.meaning} | {server} | {s.requests_per_second:,.0f} "
                f"| {s.gbits_per_second:.1f} | {s.p50_ms:.2f} | {s.p99_ms:.2f} "
                f"| {_cpu(s.cpu_seconds_per_gb, '.2f')} | {_cpu(s.cpu_us_per_request, ',.1f')} "
                f"| {ratio} |"
            )


def _cpu(value: float | None, form: str) -> str:
    return "" if value is None else format(value, form)


def _figure_lines(figures: Sequence[Figure]) -> Iterator[str]:
    """One part: a line a row, a cell a column."""
    columns = dict.fromkeys((item.column, item.unit) for item in figures)
    yield f"| {figures[0].part} | {' | '.join(f'{name}, {unit}' for name, unit in columns)} |"
    yield f"|---|{'--:|' * len(columns)}"
    for row in dict.fromkeys(item.row for item in figures):
        cells = {(item.column, item.unit): item for item in figures if item.row == row}
        texts = [number(cells[place].value) if place in cells else "" for place in columns]
        yield f"| {row} | {' | '.join(texts)} |"


def number(value: float) -> str:
    """Three digits that count, and no exponent."""
    return f"{value:,.0f}" if abs(value) >= 100 else f"{value:.3g}"


def _notes(found: Findings) -> Iterator[str]:
    yield from (f"FAILED: {failure}" for failure in found.failures)
    yield from found.notes
    for outcome in found.outcomes:
        name = outcome.target.workload.meaning
        for server, summary in outcome.summaries.items():
            if summary.client_bound:
                yield f"{name}, {server}: {_client_limit(summary)}"
        for server, ratio in outcome.ratios.items():
            if ratio.refused:
                yield f"{name}: not compared with {server}, {ratio.refused}."
    for item in found.figures:
        if item.trouble:
            yield f"{item.part}, {item.row}, {item.column}: {item.trouble}."


def _client_limit(summary: Summary) -> str:
    if summary.squeezed:
        return "the client had no core of its own, and took what it needs of the server's."
    used = "" if summary.server is None else f"; the server used {summary.server:.0%} of its own"
    return f"the client was the limit, at {summary.client:.0%} of its core{used}."


def put_between_markers(page: Path, content: str, first: str = BEGIN, last: str = END) -> None:
    text = page.read_text(encoding="utf-8")
    before, begin, rest = text.partition(first)
    _, end, after = rest.partition(last)
    if not begin or not end:
        raise ValueError(f"{page} does not hold {first} … {last}")
    page.write_text(f"{before}{begin}\n{content}{end}{after}", encoding="utf-8")
