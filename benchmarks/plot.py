"""The results at one glance: which bars are drawn, and what is written behind them."""

from __future__ import annotations

from collections.abc import Callable, Iterator

from benchmarks.chart import Bar, Group, Panel, draw
from benchmarks.contests import beside_nginx, over_tls
from benchmarks.crowds import MEMORY
from benchmarks.distant import s3_relay
from benchmarks.figures import Figure
from benchmarks.findings import Findings, Outcome
from benchmarks.micro import LENGTH
from benchmarks.report import number
from benchmarks.verdict import Summary

LONG_BODY = 100_000
"""Answers of more bytes are counted in bits, others in requests."""
US = "vod-origin"
BESIDE_OTHERS = (beside_nginx, over_tls, s3_relay)


def plot(findings: Findings) -> str:
    """SVG."""
    return draw([panel for panel in _panels(findings) if panel.groups])


def _panels(findings: Findings) -> Iterator[Panel]:
    races = [o for o in findings.outcomes if o.target.workload.contest in BESIDE_OTHERS]
    long = [o for o in races if o.target.nbytes > LONG_BODY * len(o.target.paths)]
    short = [o for o in races if o not in long]
    with_itself = [o for o in findings.outcomes if o not in races]
    yield Panel("Thousand requests/s on one core", [_rates(o, _thousands) for o in short])
    yield Panel("Gbit/s on one core", [_rates(o, _gbits) for o in long])
    yield Panel(
        "Requests/s of vod-origin, without it = 1", [g for o in with_itself for g in _ratios(o)]
    )
    yield Panel("Memory of a connection, KB", _groups(findings, MEMORY, _server_bar))
    yield Panel("Index of a title by its length, ms", _groups(findings, LENGTH, _layout_bar))


def _rates(outcome: Outcome, value: Callable[[Summary], float]) -> Group:
    return (
        outcome.target.workload.meaning,
        [
            Bar(server, value(summary), f"{value(summary):.1f}{_mark(summary)}")
            for server, summary in outcome.summaries.items()
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


def _ratios(outcome: Outcome) -> Iterator[Group]:
    for ratio in outcome.ratios.values():
        if ratio.value is not None:
            yield outcome.target.workload.meaning, [Bar(US, ratio.value, str(ratio))]


def _groups(findings: Findings, part: str, bar: Callable[[Figure], Bar]) -> list[Group]:
    """One for each row of a part's table."""
    figures = [item for item in findings.figures if item.part == part]
    rows = dict.fromkeys(item.row for item in figures)
    return [(row, [bar(item) for item in figures if item.row == row]) for row in rows]


def _server_bar(item: Figure) -> Bar:
    return Bar(item.column, max(0.0, item.value), number(item.value))


def _layout_bar(item: Figure) -> Bar:
    return Bar(US, item.value, f"{number(item.value)}, {item.column}")
