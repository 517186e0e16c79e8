"""What the product holds itself to, and what was measured of it."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from dataclasses import dataclass

from benchmarks.cold import FIRST_ANSWERS, NO_SIDECAR, WITH_SIDECAR, manifest_row
from benchmarks.cold_s3 import (
    ALL_OF_IT,
    AT_ONCE,
    COLD_SEGMENT,
    COLD_START,
    FIRST_BYTE,
    GETS,
    LATER,
    OURS,
    REQUESTS,
    ROUND_TRIPS,
    WHOLE,
)
from benchmarks.contests import ONE_WORKER
from benchmarks.crowds import MEMORY
from benchmarks.distant import FROM_FILES
from benchmarks.findings import Findings
from benchmarks.micro import INTERLEAVED, ONE_TRACK
from benchmarks.relays import PROXY
from benchmarks.verdict import Ratio, Summary


@dataclass(frozen=True, slots=True)
class Measured:
    """``value`` is None where nothing can be said; ``at_least``: it may be more."""

    text: str
    value: float | None
    at_least: bool = False


NGINX = "nginx"
NOTHING = Measured("not measured", None)


@dataclass(frozen=True, slots=True)
class Goal:
    """``unit``: 'x' for a ratio, more of which is better; of all else less is; '' for a count."""

    what: str
    least: float
    goal: float
    unit: str
    measure: Callable[[Findings], Measured]

    def verdict(self, measured: Measured) -> str:
        if measured.value is None:
            return ""
        if self._is_reached(self.goal, measured.value):
            return "goal"
        if self._is_reached(self.least, measured.value):
            return "least"
        return "" if measured.at_least else "missed"

    def _is_reached(self, mark: float, value: float) -> bool:
        return value >= mark if self.unit == "x" else value <= mark

    def mark(self, value: float) -> str:
        return f"{value:g}x" if self.unit == "x" else f"{value:g} {self.unit}".rstrip()


def goal_lines(findings: Findings) -> Iterator[str]:
    """A table of those that were measured."""
    measured = [(goal, goal.measure(findings)) for goal in GOALS]
    rows = [(goal, found) for goal, found in measured if found is not NOTHING]
    if not rows:
        return
    yield "| what we hold it to | least | goal | measured | reached |"
    yield "|---|--:|--:|--:|---|"
    for goal, found in rows:
        yield (
            f"| {goal.what} | {goal.mark(goal.least)} | {goal.mark(goal.goal)} "
            f"| {found.text} | {goal.verdict(found)} |"
        )


def _rate(workload: str, other: str = NGINX) -> Callable[[Findings], Measured]:
    return _ratio(workload, other, lambda ours, theirs, ratio: ratio)


def _tail(workload: str) -> Callable[[Findings], Measured]:
    """Their p99 for each of ours."""
    return _ratio(workload, NGINX, lambda ours, theirs, _: Ratio(theirs.p99_ms / ours.p99_ms))


def _cores(workload: str) -> Callable[[Findings], Measured]:
    """What two workers would do on two cores of their own, if CPU time is what a request costs."""

    def capacity(two: Summary, one: Summary, _: Ratio) -> Ratio:
        return Ratio(2 * (one.cpu_us_per_request or 0) / (two.cpu_us_per_request or 1))

    return _ratio(workload, ONE_WORKER, capacity)


def _ratio(
    workload: str, other: str, of: Callable[[Summary, Summary, Ratio], Ratio]
) -> Callable[[Findings], Measured]:
    """Of the first server to ``other``; nothing if these two may not be compared."""

    def measure(findings: Findings) -> Measured:
        for outcome in findings.outcomes:
            if outcome.target.workload.name == workload and other in outcome.ratios:
                ours, theirs = next(iter(outcome.summaries.values())), outcome.summaries[other]
                if ours.trouble or theirs.trouble:
                    return Measured("not comparable", None)
                ratio = of(ours, theirs, outcome.ratios[other])
                value = None if ratio.bound == "≤" else ratio.value
                return Measured(str(ratio), value, at_least=ratio.bound == "≥")
        return NOTHING

    return measure


def _figure(part: str, row: str, column: str) -> Callable[[Findings], Measured]:
    """``row``: what its name begins with."""

    def measure(findings: Findings) -> Measured:
        for item in findings.figures:
            if (item.part, item.column) == (part, column) and item.row.startswith(row):
                unit = "" if item.unit == REQUESTS else f" {item.unit}"
                return Measured(f"{item.value:.3g}{unit}", item.value)
        return NOTHING

    return measure


GOALS = (
    Goal("manifests, nginx = 1", 0.5, 1.0, "x", _rate("playlist")),
    Goal("360p segments, one track, nginx = 1", 0.8, 1.0, "x", _rate("sd")),
    Goal("1080p segments, one track, nginx = 1", 0.8, 1.0, "x", _rate("hd")),
    Goal("p99 of 360p segments, nginx's : ours", 0.8, 1.0, "x", _tail("sd")),
    Goal("p99 of 1080p segments, nginx's : ours", 0.8, 1.0, "x", _tail("hd")),
    Goal("360p segments, interleaved, nginx = 1", 0.6, 0.95, "x", _rate("sd-interleaved")),
    Goal("1080p segments, interleaved, nginx = 1", 0.6, 0.95, "x", _rate("hd-interleaved")),
    Goal("memory of an idle connection", 8, 2, "KB", _figure(MEMORY, "idle", "vod-origin")),
    Goal("memory of a stalled one", 64, 16, "KB", _figure(MEMORY, "stalled", "vod-origin")),
    Goal("two workers, one = 1, manifests", 1.6, 1.9, "x", _rate("workers-playlist", ONE_WORKER)),
    Goal("… by CPU time a request", 1.6, 1.9, "x", _cores("workers-playlist")),
    Goal("two workers, one = 1, segments", 1.6, 1.9, "x", _rate("workers-sd", ONE_WORKER)),
    Goal("… by CPU time a request", 1.6, 1.9, "x", _cores("workers-sd")),
    *(
        Goal(
            f"first manifest of 2 hours, {layout}, {how}",
            least,
            goal,
            "ms",
            _figure(FIRST_ANSWERS, manifest_row(layout), how),
        )
        for how, least, goal in ((NO_SIDECAR, 40, 20), (WITH_SIDECAR, 5, 2))
        for layout in (ONE_TRACK, INTERLEAVED)
    ),
    Goal(
        "2 hours in S3, 6 renditions, from manifest to first segment",
        120,
        90,
        "ms",
        _figure(COLD_START, ALL_OF_IT, WITH_SIDECAR),
    ),
    Goal(
        "… requests to S3, one after the other",
        4,
        3,
        "",
        _figure(COLD_START, ROUND_TRIPS, WITH_SIDECAR),
    ),
    Goal(
        "segment in S3, first byte after S3's", 5, 3, "ms", _figure(COLD_SEGMENT, LATER, FIRST_BYTE)
    ),
    Goal("… last byte", 60, 40, "ms", _figure(COLD_SEGMENT, OURS, WHOLE)),
    Goal("… GETs", 1, 1, "", _figure(COLD_SEGMENT, OURS, GETS)),
    Goal("… GETs for all who want it at once", 1, 1, "", _figure(AT_ONCE, "", GETS)),
    Goal("1080p segments from S3, nginx proxy_pass = 1", 0.5, 0.8, "x", _rate("s3-relay", PROXY)),
    Goal("… kept, from files = 1", 0.9, 1.0, "x", _rate("s3-warm", FROM_FILES)),
)
