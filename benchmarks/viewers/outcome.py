"""What a run came to: ``results.json`` of the load test, looked at while all viewers are there."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path
from statistics import fmean

from benchmarks.servers import Server
from loadtest.figures import Second
from loadtest.results import Results, read
from loadtest.thresholds import measure

SETTLE = 2
"""Seconds left out at either end of the time in which all are there."""


@dataclass(frozen=True, slots=True)
class Outcome:
    """Rates, CPU (cores) and so on: means of the seconds in which all viewers are there; start-ups
    and counts: of the whole run. Seconds, bytes, bit/s. None: not known. ``segment``: bytes of one,
    on average over all answers. ``met``: all thresholds of the scenario; ``limits``: why the load
    was the limit, if it was."""

    run: str
    meaning: str
    server: str
    program: str
    viewers: int
    traffic: float
    requests: float
    failures: int
    failed_starts: int
    rebuffer_ratio: float | None
    startup_p50: float | None
    startup_p99: float | None
    startup_gap: float | None
    server_cpu: float | None
    server_memory: float | None
    load_cpu: float
    answer: float
    met: bool
    limits: Sequence[str]


def read_outcome(run: str, meaning: str, server: Server, folder: Path, join: float) -> Outcome:
    results = read(folder)
    figures = results.figures
    steady = _steady(results, join)
    span = max(1, len(steady))
    nbytes = sum(second.counts["bytes"] for second in steady)
    requests = sum(second.counts["requests"] for second in steady)
    return Outcome(
        run=run,
        meaning=meaning,
        server=server.name,
        program=server.program,
        viewers=round(results.headlines["viewers.max"] or 0),
        traffic=nbytes * 8 / span,
        requests=requests / span,
        failures=sum(figures.failures.values()),
        failed_starts=round(figures.counts["failed_starts"]),
        rebuffer_ratio=measure(figures, "rebuffer.ratio"),
        startup_p50=measure(figures, "startup.p50"),
        startup_p99=measure(figures, "startup.p99"),
        startup_gap=measure(figures, "told_startup.gap"),
        server_cpu=_mean(steady, "server:cpu"),
        server_memory=max(
            (s.gauges["server:memory"] for s in steady if "server:memory" in s.gauges),
            default=None,
        ),
        load_cpu=_mean(steady, "cpu:") or 0.0,
        answer=nbytes / max(1, requests),
        met=results.met,
        limits=results.limits,
    )


def _steady(results: Results, join: float) -> list[Second]:
    """From when all have come until the first leave."""
    first = results.began + round(join) + SETTLE
    last = results.began + round(results.seconds) - SETTLE
    return [second for at, second in results.figures.seconds.items() if first <= at < last]


def _mean(seconds: Sequence[Second], prefix: str) -> float | None:
    """Of what the processes' gauges make together."""
    sums = [
        sum(value for name, value in second.gauges.items() if name.startswith(prefix))
        for second in seconds
        if any(name.startswith(prefix) for name in second.gauges)
    ]
    return fmean(sums) if sums else None
