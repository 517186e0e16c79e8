"""What the server says of itself beside the load: its ``/metrics`` once a second, and its processes
in ``/proc`` if it runs on this machine. Either may be missing."""

from __future__ import annotations

import os
import re
import threading
from pathlib import Path

from loadtest.clock import Clock
from loadtest.errors import Failure
from loadtest.http import Connection, place_of

Sample = dict[str, float]
STARTUP = "vod_qoe_startup_seconds"
"""Histogram of start-ups as players told them."""
_LINE = re.compile(rb"^([a-zA-Z_:][a-zA-Z0-9_:]*)(?:\{([^}]*)\})? ([0-9.eE+-]+|NaN|[+-]Inf)", re.M)
_TICKS = os.sysconf("SC_CLK_TCK")
_PAGE = os.sysconf("SC_PAGE_SIZE")


class Exposition:
    """One scrape: series of a family added up."""

    def __init__(self, text: bytes) -> None:
        self.totals: dict[str, float] = {}
        self.lag: dict[float, float] = {}
        self.told: dict[str, float] = {}
        for name, labels, raw in _LINE.findall(text):
            value = float(raw)
            family = name.decode()
            self.totals[family] = self.totals.get(family, 0.0) + value
            if family.startswith(STARTUP) and b'source="player"' in labels:
                self.told[family] = self.told.get(family, 0.0) + value
            if family == "vod_event_loop_lag_seconds_bucket":
                found = re.search(rb'le="([^"]+)"', labels)
                bound = float(found[1]) if found else float("inf")
                self.lag[bound] = self.lag.get(bound, 0.0) + value


class Watch:
    """Gauges of the server, from one look to the next. ``metrics``: a URL or '', ``pid``: of a
    process or 0."""

    def __init__(self, metrics: str, pid: int, clock: Clock) -> None:
        self._connection: Connection | None = None
        if metrics:
            place, self._target = place_of(metrics)
            self._connection = Connection(place, clock)
        self._clock = clock
        self._pid = pid
        self._first: Exposition | None = None
        self._before: Exposition | None = None
        self._cpu_before = 0.0
        self._at = 0.0
        self._looking = threading.Lock()
        self.missing = ""

    def look(self) -> Sample:
        """One at a time: the last look of a run may come while another is under way."""
        with self._looking:
            return self._look()

    def _look(self) -> Sample:
        now = self._clock.now()
        seconds, self._at = now - self._at, now
        sample = self._scrape(self._connection, seconds) if self._connection else {}
        if self._pid:
            sample |= self._processes(self._pid, seconds)
        return sample

    def told_startup(self) -> tuple[float, float]:
        """How many start-ups the server has learnt of since the first look, and their sum in
        seconds."""
        first, last = self._first, self._before
        if first is None or last is None:
            return 0.0, 0.0
        count, total = (
            last.told.get(STARTUP + end, 0.0) - first.told.get(STARTUP + end, 0.0)
            for end in ("_count", "_sum")
        )
        return count, total

    def close(self) -> None:
        if self._connection is not None:
            self._connection.close()

    def _scrape(self, connection: Connection, seconds: float) -> Sample:
        try:
            reply = connection.request(self._target, keep=True)
        except Failure as failure:
            self.missing = str(failure)
            return {}
        if reply.status != 200:
            self.missing = f"{self._target}: {reply.status}"
            return {}
        now, before = Exposition(reply.body or b""), self._before
        self._before = now
        self._first = self._first or now
        return {} if before is None else _between(before, now, seconds)

    def _processes(self, pid: int, seconds: float) -> Sample:
        """The process and its children: CPU in cores, resident bytes."""
        cpu = memory = 0.0
        for one in (pid, *_children(pid)):
            try:
                stat = Path(f"/proc/{one}/stat").read_text(encoding="ascii", errors="replace")
            except OSError:
                continue
            parts = stat.rpartition(")")[2].split()
            cpu += (int(parts[11]) + int(parts[12])) / _TICKS
            memory += int(parts[21]) * _PAGE
        before, self._cpu_before = self._cpu_before, cpu
        sample = {"server:memory": memory}
        if before:
            sample["server:cpu"] = max(0.0, cpu - before) / seconds
        return sample


def _children(pid: int) -> list[int]:
    try:
        text = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii")
    except OSError:
        return []
    return [int(child) for child in text.split()]


def _between(before: Exposition, now: Exposition, seconds: float) -> Sample:
    sample: Sample = {}
    for name, family in (
        ("server:cpu", "process_cpu_seconds_total"),
        ("server:requests", "vod_http_requests_total"),
        ("server:bytes", "vod_http_response_bytes_total"),
    ):
        if family in now.totals and now.totals[family] >= before.totals.get(family, 0.0):
            sample[name] = (now.totals[family] - before.totals.get(family, 0.0)) / seconds
    memory = now.totals.get("vod_worker_resident_bytes")
    memory = memory or now.totals.get("process_resident_memory_bytes")
    if memory:
        sample["server:memory"] = memory
    if "vod_http_connections" in now.totals:
        sample["server:connections"] = now.totals["vod_http_connections"]
    lag = _worst(before.lag, now.lag)
    if lag is not None:
        sample["server:lag"] = lag
    return sample


def _worst(before: dict[float, float], now: dict[float, float]) -> float | None:
    """Upper bound of the highest bucket that something was added to, in seconds; for the last one,
    which has none, the greatest bound there is."""
    bounds, lower, found = sorted(now), 0.0, None
    for bound in bounds:
        grown = now[bound] - before.get(bound, 0.0)
        if grown > lower:
            found = bound
        lower = grown
    finite = [bound for bound in bounds if bound != float("inf")]
    if found == float("inf"):
        return finite[-1] if finite else None
    return found
