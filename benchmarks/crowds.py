"""Crowds of connections that do nothing, as values, and what each costs each server."""

from __future__ import annotations

from dataclasses import dataclass

from benchmarks.connections import affordable, bytes_each
from benchmarks.contests import Ground, crowded
from benchmarks.effort import Effort
from benchmarks.figures import figure
from benchmarks.findings import Findings
from benchmarks.library import EPISODE, HD_SINGLE, Say
from benchmarks.targets import copy, find_paths, reading
from benchmarks.workloads import Asks, Workload

MEMORY = "memory of a connection"
START_SECONDS = 2.0
CONNECTIONS_A_SECOND = 3_000


@dataclass(frozen=True, slots=True)
class Crowd:
    """``size`` connections that ask once. ``stalled``: and take no more of the answer than fits
    into the kernel's buffers; else they have it all, and are idle."""

    workload: Workload
    size: int
    stalled: bool

    def row(self, size: int) -> str:
        return f"{self.workload.meaning}, of {size:,}"


CROWDS = (
    Crowd(Workload("idle", "idle, kept alive", Asks.PLAYLIST, EPISODE), 10_000, stalled=False),
    Crowd(
        Workload("stalled", "stalled in a 4 MB body", Asks.SEGMENTS, HD_SINGLE), 500, stalled=True
    ),
)


def crowd_seconds(crowd: Crowd, effort: Effort) -> float:
    each = START_SECONDS + crowd.size * effort.scale / CONNECTIONS_A_SECOND
    return START_SECONDS + 2 * effort.starts * each


def run_crowd(crowd: Crowd, ground: Ground, effort: Effort, say: Say) -> Findings:
    """Each server started anew for each crowd: memory that was freed is used again, and would not
    be seen."""
    wanted = round(crowd.size * effort.scale)
    with next(crowded(ground, wanted)) as ours, reading(ours) as reader:
        paths = find_paths(crowd.workload, reader)
        copy(paths, reader, ground.static)
        size = affordable(wanted, ours)
    kilobytes: dict[str, list[float]] = {}
    for _ in range(effort.starts):
        for starting in crowded(ground, size):
            with starting as server:
                each = bytes_each(server, paths, size, stalled=crowd.stalled) / 1024
            say(f"{size:,} at {server.name}: {each:.2f} KB each")
            kilobytes.setdefault(server.name, []).append(each)
    figures = [
        figure(MEMORY, crowd.row(size), server, "KB", values)
        for server, values in kilobytes.items()
    ]
    return Findings(figures=figures, notes=_limits(crowd, wanted, size))


def _limits(crowd: Crowd, wanted: int, size: int) -> list[str]:
    if size == wanted:
        return []
    return [
        f"{crowd.workload.meaning}: {size:,} connections and not {wanted:,}, for a process may "
        "not have more files open here (ulimit -Hn)."
    ]
