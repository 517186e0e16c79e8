"""How a run goes, while it goes: redrawn in place on a terminal, now and then a line elsewhere."""

from __future__ import annotations

import json
from collections import deque
from collections.abc import Mapping
from typing import Any, TextIO

from loadtest.figures import Figures
from loadtest.results import BUSY, show
from loadtest.scenario import Scenario
from loadtest.thresholds import measure

EVERY = 10
"""Seconds between lines where there is no terminal."""
SPARKS = "▁▂▃▄▅▆▇█"
WIDTH = 40


class View:
    def __init__(self, out: TextIO, scenario: Scenario) -> None:
        self._out = out
        self._scenario = scenario
        self._terminal = out.isatty()
        self._drawn = 0
        self._next_line = 0.0
        self._history: deque[float] = deque(maxlen=WIDTH)

    def show(self, line: bytes) -> None:
        """One line of JSON from the process that counts; what is none is passed over."""
        try:
            data = json.loads(line)
            recent = Figures.from_json(data["recent"])
        except (ValueError, KeyError, TypeError):
            return
        if self._terminal:
            self._draw(self._lines(data, recent))
        elif data["elapsed"] >= self._next_line:
            self._next_line = data["elapsed"] + EVERY
            self._out.write(self._plain(data, recent) + "\n")
            self._out.flush()

    def end(self) -> None:
        self._drawn = 0

    def _draw(self, lines: list[str]) -> None:
        if self._drawn:
            self._out.write(f"\x1b[{self._drawn}A")
        self._out.write("".join(f"\x1b[K{line}\n" for line in lines))
        self._out.flush()
        self._drawn = len(lines)

    def _plain(self, data: Mapping[str, Any], recent: Figures) -> str:
        startup = show("startup.p99", measure(recent, "startup.p99"))
        return (
            f"{data['elapsed']:5.0f} s  {_total(data, 'viewers:'):,.0f} viewers, "
            f"{_rate(data, recent, 'bytes') * 8e-6:,.0f} Mbit/s, start-up p99 {startup}, "
            f"{data['failures']:,} failures, load {_most(data, 'cpu:'):.0%} of a core"
        )

    def _lines(self, data: Mapping[str, Any], recent: Figures) -> list[str]:
        viewers = _total(data, "viewers:")
        self._history.append(viewers)
        share = min(1.0, data["elapsed"] / self._scenario.seconds)
        bar = "█" * round(share * 30)
        startup = measure(recent, "startup.p99"), data["startup"]
        stalled = show("rebuffer.ratio", measure(recent, "rebuffer.ratio"))
        load = _most(data, "cpu:")
        gauges = data["gauges"]
        return [
            f"{self._scenario.name}  {bar:░<30} {data['elapsed']:.0f} s "
            f"of {self._scenario.seconds:.0f}",
            f"  viewers   {viewers:>10,.0f} of {self._scenario.viewers:,}   {self._spark()}",
            f"  start-up  {show('startup.p99', startup[0]):>10} p99 now, "
            f"{show('startup.p99', startup[1])} p99 so far, {data['starts']:,.0f} starts",
            f"  stalls    {stalled:>10} of the time now",
            f"  traffic   {_rate(data, recent, 'bytes') * 8e-6:>10,.0f} Mbit/s, "
            f"{_rate(data, recent, 'requests'):,.0f} requests/s",
            f"  failures  {data['failures']:>10,}, {data['failed_starts']:,.0f} failed starts",
            f"  server    {gauges.get('server:cpu', 0.0):>10.2f} cores, "
            f"{gauges.get('server:memory', 0.0) / 1e6:,.0f} MB",
            f"  load      {load:>10.0%} of a core in the busiest process"
            + ("  THE LOAD IS THE LIMIT" if load > BUSY else ""),
        ]

    def _spark(self) -> str:
        top = max(self._history) or 1
        return "".join(SPARKS[round(value / top * (len(SPARKS) - 1))] for value in self._history)


def _total(data: Mapping[str, Any], prefix: str) -> float:
    return sum(_gauges(data, prefix))


def _most(data: Mapping[str, Any], prefix: str) -> float:
    return max(_gauges(data, prefix), default=0.0)


def _gauges(data: Mapping[str, Any], prefix: str) -> list[float]:
    return [value for name, value in data["gauges"].items() if name.startswith(prefix)]


def _rate(data: Mapping[str, Any], recent: Figures, name: str) -> float:
    seconds = float(min(data["seconds"], data["elapsed"]))
    return recent.counts[name] / max(1.0, seconds)
