"""Thresholds as code: ``startup.p99<2s``, ``rebuffer.ratio<0.1%``, ``failures.count==0``.

``METRIC.STAT OP VALUE[UNIT]``. A figure that has no value, because nothing was seen of it, meets no
threshold: a run without one start says nothing good of starts.
"""

from __future__ import annotations

import operator
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass

from loadtest.errors import BadThreshold
from loadtest.figures import RATES, SECONDS, Figures

OPERATORS: Mapping[str, Callable[[float, float], bool]] = {
    "<=": operator.le,
    ">=": operator.ge,
    "==": operator.eq,
    "<": operator.lt,
    ">": operator.gt,
}
UNITS: Mapping[str, tuple[str, int, int]] = {
    "": ("", 1, 1),
    "%": ("", 1, 100),
    "s": ("s", 1, 1),
    "ms": ("s", 1, 1000),
    "us": ("s", 1, 1_000_000),
    "kbit/s": ("bit/s", 1000, 1),
    "Mbit/s": ("bit/s", 1_000_000, 1),
    "Gbit/s": ("bit/s", 1_000_000_000, 1),
}
"""What it measures, and what it multiplies and divides by: 100 ms and 0.1 s are then the same
number, which 100 * 0.001 is not."""
PERCENTILES = {"p50": 0.5, "p90": 0.9, "p95": 0.95, "p99": 0.99, "p99.9": 0.999}
STATS = (*PERCENTILES, "min", "mean", "max", "count")
_FORM = re.compile(r"([a-z_]+)\.([a-z0-9_.]+)\s*(<=|>=|==|<|>)\s*([0-9]+(?:\.[0-9]+)?)\s*(\S*)")


@dataclass(frozen=True, slots=True)
class Plain:
    """A figure that is no histogram's. ``unit``: what its value is in, '' for a number or share."""

    unit: str
    value: Callable[[Figures], float | None]


def _share(part: str, *whole: str) -> Callable[[Figures], float | None]:
    def value(figures: Figures) -> float | None:
        total = sum(figures.counts[name] for name in whole)
        return figures.counts[part] / total if total else None

    return value


def _count(name: str) -> Callable[[Figures], float | None]:
    return lambda figures: figures.counts[name]


def _greatest(
    prefix: str, of: Callable[[list[float]], float] = max
) -> Callable[[Figures], float | None]:
    """The greatest second; ``of``: what the processes' gauges make together."""

    def value(figures: Figures) -> float | None:
        seconds = (
            [amount for name, amount in second.gauges.items() if name.startswith(prefix)]
            for second in figures.seconds.values()
        )
        return max((of(amounts) for amounts in seconds if amounts), default=None)

    return value


def _failures(figures: Figures) -> float:
    return sum(figures.failures.values())


def _failure_ratio(figures: Figures) -> float | None:
    requests = figures.counts["requests"]
    return _failures(figures) / requests if requests else None


def _traffic(figures: Figures) -> float | None:
    return figures.counts["bytes"] * 8 / len(figures.seconds) if figures.seconds else None


def _requests(figures: Figures) -> float | None:
    return figures.counts["requests"] / len(figures.seconds) if figures.seconds else None


def _told_mean(figures: Figures) -> float | None:
    count = figures.counts["told_starts"]
    return figures.counts["told_startup_seconds"] / count if count else None


def _told_gap(figures: Figures) -> float | None:
    """How far what the server has learnt is from what viewers have measured."""
    told, measured = _told_mean(figures), figures.histogram("startup").mean()
    return None if told is None or measured is None else abs(told - measured / 1e6)


PLAIN: Mapping[str, Plain] = {
    "failures.count": Plain("", _failures),
    "failures.ratio": Plain("", _failure_ratio),
    "starts.count": Plain("", _count("starts")),
    "failed_starts.count": Plain("", _count("failed_starts")),
    "failed_starts.ratio": Plain("", _share("failed_starts", "starts", "failed_starts")),
    "rebuffer.ratio": Plain("", _share("rebuffer_seconds", "play_seconds", "rebuffer_seconds")),
    "rebuffer.count": Plain("", _count("stalls")),
    "switches.count": Plain("", _count("switches")),
    "requests.count": Plain("", _count("requests")),
    "requests.rate": Plain("", _requests),
    "traffic.rate": Plain("bit/s", _traffic),
    "viewers.max": Plain("", _greatest("viewers:", sum)),
    "generator.cpu": Plain("", _greatest("cpu:")),
    "told_startup.count": Plain("", lambda figures: figures.counts["told_starts"] or None),
    "told_startup.mean": Plain("s", _told_mean),
    "told_startup.gap": Plain("s", _told_gap),
    "server.cpu": Plain("", _greatest("server:cpu")),
    "server.lag": Plain("s", _greatest("server:lag")),
}
"""Shares of time are of 1; CPU is in cores."""


@dataclass(frozen=True, slots=True)
class Threshold:
    """``limit`` is in seconds, bit/s, or a number."""

    text: str
    name: str
    operation: str
    limit: float

    def verdict(self, figures: Figures) -> Verdict:
        value = measure(figures, self.name)
        met = value is not None and OPERATORS[self.operation](value, self.limit)
        return Verdict(self.text, value, met)


@dataclass(frozen=True, slots=True)
class Verdict:
    text: str
    value: float | None
    met: bool


def parse(text: str) -> Threshold:
    found = _FORM.fullmatch(text.strip())
    if found is None:
        raise BadThreshold(f"threshold {text!r}: not of the form startup.p99<2s")
    metric, stat, operation, number, unit = found.groups()
    name = f"{metric}.{stat}"
    if unit not in UNITS:
        raise BadThreshold(f"threshold {text!r}: no unit {unit!r}; there are {_list(UNITS)}")
    dimension, times, per = UNITS[unit]
    wanted = _dimension(text, metric, stat)
    if dimension != wanted:
        raise BadThreshold(f"threshold {text!r}: {name} is {_in(wanted)}, not {_in(dimension)}")
    return Threshold(text, name, operation, float(number) * times / per)


def measure(figures: Figures, name: str) -> float | None:
    """The value of ``startup.p99`` and the like, in seconds, bit/s, or a number."""
    plain = PLAIN.get(name)
    if plain is not None:
        return plain.value(figures)
    metric, _, stat = name.partition(".")
    histogram = figures.histogram(metric)
    if stat == "count":
        return histogram.count
    if not histogram.count:
        return None
    per = 1_000_000 if metric in SECONDS else 1 / 1000
    values = {"min": histogram.least, "max": histogram.greatest, "mean": histogram.mean()}
    found = values[stat] if stat in values else histogram.percentile(PERCENTILES[stat])
    return None if found is None else found / per


def unit_of(name: str) -> str:
    """'s', 'bit/s', or '' for a number; of a figure there is."""
    if name in PLAIN:
        return PLAIN[name].unit
    metric, _, stat = name.partition(".")
    if stat == "count":
        return ""
    return "s" if metric in SECONDS else "bit/s"


def _dimension(text: str, metric: str, stat: str) -> str:
    name = f"{metric}.{stat}"
    if name in PLAIN:
        return unit_of(name)
    if metric not in (*SECONDS, *RATES):
        known = sorted({*SECONDS, *RATES, *(key.partition(".")[0] for key in PLAIN)})
        raise BadThreshold(f"threshold {text!r}: no figure {metric!r}; there are {_list(known)}")
    if stat not in STATS:
        raise BadThreshold(f"threshold {text!r}: no {stat!r} of it; there are {_list(STATS)}")
    return unit_of(name)


def _list(names: object) -> str:
    return ", ".join(name for name in names if name)  # type: ignore[attr-defined]


def _in(dimension: str) -> str:
    return f"in {dimension}" if dimension else "a number"
