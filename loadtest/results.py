"""A run as a file: ``results.json``. What it concludes, and the figures it concludes it from."""

from __future__ import annotations

import json
from collections.abc import Mapping, Sequence
from dataclasses import asdict, dataclass, field
from pathlib import Path
from typing import Any

from loadtest import thresholds
from loadtest.errors import BadResults
from loadtest.figures import Figures
from loadtest.scenario import Scenario
from loadtest.thresholds import Threshold, Verdict, measure

VERSION = 1
FILE = "results.json"
BUSY = 0.9
"""Share of a core above which a process of the load has no time left."""
LATE = 0.1
"""Seconds of lag of the load's own timers, at the 99th percentile, above which what it measured is
its own."""

HEADLINES = (
    "viewers.max",
    "starts.count",
    "failed_starts.count",
    "startup.p50",
    "startup.p99",
    "startup.max",
    "told_startup.count",
    "told_startup.mean",
    "told_startup.gap",
    "manifest.p50",
    "manifest.p99",
    "segment.p50",
    "segment.p99",
    "seek.p99",
    "rebuffer.count",
    "rebuffer.ratio",
    "stall.p99",
    "switches.count",
    "throughput.p50",
    "requests.count",
    "requests.rate",
    "traffic.rate",
    "failures.count",
    "failures.ratio",
    "generator.cpu",
    "lag.p99",
    "server.cpu",
    "server.lag",
)


@dataclass(frozen=True, slots=True)
class Results:
    """``began``: seconds since 1970; ``notes``: what a reader must know; ``limits``: why the load
    itself was the limit, if it was; ``carried``: viewers when a ramp was no longer good."""

    url: str
    scenario: str
    description: str
    began: int
    seconds: float
    figures: Figures
    verdicts: tuple[Verdict, ...]
    limits: tuple[str, ...] = ()
    notes: tuple[str, ...] = ()
    carried: int | None = None
    headlines: Mapping[str, float | None] = field(default_factory=dict)

    @property
    def met(self) -> bool:
        return all(verdict.met for verdict in self.verdicts)


def conclude(
    url: str,
    scenario: Scenario,
    began: int,
    seconds: float,
    figures: Figures,
    asked: Sequence[Threshold],
    notes: Sequence[str] = (),
    carried: int | None = None,
) -> Results:
    last = began + round(seconds)
    figures.seconds = {at: item for at, item in figures.seconds.items() if began <= at <= last}
    return Results(
        url=url,
        scenario=scenario.name,
        description=f"{scenario.description} ({scenario.numbers})",
        began=began,
        seconds=seconds,
        figures=figures,
        verdicts=tuple(threshold.verdict(figures) for threshold in asked),
        limits=tuple(generator_limits(figures)),
        notes=tuple(notes),
        carried=carried,
        headlines={name: measure(figures, name) for name in HEADLINES},
    )


def generator_limits(figures: Figures) -> list[str]:
    """Why the load, and not the server, may be what was measured."""
    found = []
    shares: dict[str, list[float]] = {}
    for at in sorted(figures.seconds):
        for name, value in figures.seconds[at].gauges.items():
            if name.startswith("cpu:"):
                shares.setdefault(name, []).append(value)
    for name, values in shares.items():
        busy = sorted(values)[len(values) // 2 :]
        if len(values) >= 5 and sum(busy) / len(busy) > BUSY:
            share = sum(busy) / len(busy)
            found.append(f"process {name.partition(':')[2]} of the load used {share:.0%} of a core")
    lag = measure(figures, "lag.p99")
    if lag is not None and lag > LATE:
        found.append(f"timers of the load ran {lag * 1000:.0f} ms late (99th percentile)")
    return found


def write(results: Results, folder: Path) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    data = {
        "version": VERSION,
        "url": results.url,
        "scenario": results.scenario,
        "description": results.description,
        "began": results.began,
        "seconds": round(results.seconds, 3),
        "headlines": dict(results.headlines),
        "verdicts": [asdict(verdict) for verdict in results.verdicts],
        "limits": list(results.limits),
        "notes": list(results.notes),
        "carried": results.carried,
        "figures": results.figures.as_json(),
    }
    (folder / FILE).write_text(json.dumps(data, indent=1) + "\n", encoding="utf-8")


def read(path: Path) -> Results:
    """A folder with results, or the file itself."""
    file = path / FILE if path.is_dir() else path
    try:
        data = json.loads(file.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise BadResults(f"{file}: {error}") from None
    try:
        return _from_json(data)
    except (KeyError, TypeError, ValueError, AttributeError) as error:
        raise BadResults(f"{file} holds no results of version {VERSION}: {error!r}") from None


def _from_json(data: Any) -> Results:
    if data["version"] != VERSION:
        raise ValueError(f"version {data['version']!r}")
    return Results(
        url=data["url"],
        scenario=data["scenario"],
        description=data["description"],
        began=int(data["began"]),
        seconds=float(data["seconds"]),
        figures=Figures.from_json(data["figures"]),
        verdicts=tuple(Verdict(**item) for item in data["verdicts"]),
        limits=tuple(data["limits"]),
        notes=tuple(data["notes"]),
        carried=data["carried"],
        headlines=dict(data["headlines"]),
    )


def show(name: str, value: float | None) -> str:
    """A figure for people, in the unit that suits it."""
    if value is None:
        return "-"
    unit = thresholds.unit_of(name)
    if unit == "s":
        return f"{value * 1000:.3g} ms" if value < 1 else f"{value:.2f} s"
    if unit == "bit/s":
        return f"{value / 1e9:.2f} Gbit/s" if value >= 1e9 else f"{value / 1e6:.1f} Mbit/s"
    if name.endswith(".ratio"):
        return f"{value:.3%}"
    if name.endswith(".cpu"):
        return f"{value:.2f} cores"
    return f"{value:,.0f}"
