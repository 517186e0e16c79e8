"""What the machine is, and what it was doing: read from /proc."""

from __future__ import annotations

import os
import platform
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
_TICKS = os.sysconf("SC_CLK_TCK")


@cache
def cores() -> tuple[int, int]:
    """One core for the server and one for its client: the same where there is no other."""
    allowed = sorted(os.sched_getaffinity(0))
    return allowed[0], allowed[min(1, len(allowed) - 1)]


@contextmanager
def on_core(core: int) -> Iterator[None]:
    """This thread on one core, and with it the processes it starts, for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, {core})
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class CoreTime:
    """Seconds since the start of the machine, summed over the two cores: ``busy`` with whatever,
    and ``stolen`` by the host for other machines."""

    busy: float
    stolen: float

    def __sub__(self, earlier: CoreTime) -> CoreTime:
        return CoreTime(self.busy - earlier.busy, self.stolen - earlier.stolen)


def core_time() -> CoreTime:
    wanted = {f"cpu{core}" for core in cores()}
    busy = stolen = 0
    for line in (PROC / "stat").read_text().splitlines():
        name, *fields = line.split()
        if name in wanted:
            user, nice, system, _, _, irq, softirq, steal = map(int, fields[:8])
            busy += user + nice + system + irq + softirq
            stolen += steal
    return CoreTime(busy / _TICKS, stolen / _TICKS)


def process_time(pid: int) -> float:
    """Seconds of CPU that a process, its children and those it has waited for have used."""
    # The name in brackets may hold anything; the fields are counted behind it (proc(5)).
    fields = (PROC / str(pid) / "stat").read_text().rpartition(")")[2].split()
    own = sum(map(int, fields[11:15])) / _TICKS
    return own + sum(process_time(child) for child in _children(pid))


def _children(pid: int) -> list[int]:
    threads = (PROC / str(pid) / "task").iterdir()
    return [int(child) for t in threads for child in (t / "children").read_text().split()]


def describe() -> dict[str, str]:
    return {
        "processor": _processor(),
        "cores": str(os.cpu_count()),
        "kernel": platform.release(),
        "python": platform.python_version(),
    }


def _processor() -> str:
    for line in (PROC / "cpuinfo").read_text().splitlines():
        if line.startswith("model name"):
            return line.partition(":")[2].strip()
    return platform.machine()
