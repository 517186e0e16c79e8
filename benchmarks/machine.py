"""What the machine is, and what it was doing: read from /proc."""

from __future__ import annotations

import os
import platform
import re
import resource
from collections.abc import Collection, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from functools import cache
from pathlib import Path

PROC = Path("/proc")
MANY_FILES = 65_536
"""Where nothing limits them."""
_TICKS = os.sysconf("SC_CLK_TCK")


@cache
def cores() -> tuple[int, int]:
    """One core for the server and one for its client: the same where there is no other."""
    allowed = _allowed()
    return allowed[0], allowed[min(1, len(allowed) - 1)]


@cache
def two_cores() -> tuple[int, ...]:
    """For a server of two workers: with the client's own, where there is no third."""
    allowed = _allowed()
    return (allowed[0], allowed[2]) if len(allowed) > 2 else tuple(allowed)


def _allowed() -> list[int]:
    return sorted(os.sched_getaffinity(0))


@contextmanager
def on_cores(chosen: Collection[int]) -> Iterator[None]:
    """This thread on these cores, and with it the processes it starts, for good."""
    before = os.sched_getaffinity(0)
    os.sched_setaffinity(0, chosen)
    try:
        yield
    finally:
        os.sched_setaffinity(0, before)


@dataclass(frozen=True, slots=True)
class CoreTime:
    """Seconds since the start of the machine, summed over some cores: ``busy`` with whatever,
    and ``stolen`` by the host for other machines."""

    busy: float
    stolen: float

    def __sub__(self, earlier: CoreTime) -> CoreTime:
        return CoreTime(self.busy - earlier.busy, self.stolen - earlier.stolen)


def core_time(chosen: Collection[int]) -> CoreTime:
    wanted = {f"cpu{core}" for core in chosen}
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


def memory(pid: int) -> int:
    """Bytes of a process and its children; what several share counts once (PSS)."""
    rollup = (PROC / str(pid) / "smaps_rollup").read_text()
    found = re.search(r"^Pss: +(\d+) kB$", rollup, re.MULTILINE)
    own = int(found[1]) * 1024 if found else 0
    return own + sum(memory(child) for child in _children(pid))


def file_limit(pid: int) -> int:
    """How many files a process, or the child that may open the fewest, may have open."""
    limits = (PROC / str(pid) / "limits").read_text()
    found = re.search(r"^Max open files +(\d+)", limits, re.MULTILINE)
    own = int(found[1]) if found else 0
    return min([own, *(file_limit(child) for child in _children(pid))])


def raise_file_limit() -> int:
    """Let this process, and those it starts, have as many files open as they may; how many."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    wanted = MANY_FILES if hard == resource.RLIM_INFINITY else hard
    resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
    return wanted


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
