"""Servers in turn, round after round, so that what slows the machine slows them alike."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass
from math import ceil

from benchmarks.drain import Load, Tally
from benchmarks.effort import Effort
from benchmarks.library import Say
from benchmarks.load import has_wrk, run_drain, run_wrk
from benchmarks.machine import core_time, cores, on_cores, process_time
from benchmarks.servers import Server
from benchmarks.targets import fields_for, status_for
from benchmarks.verdict import Round
from benchmarks.workloads import Client, Workload

OVERHEAD_SECONDS = 0.25
"""What a round takes beside its load: the start and the end of the client."""


@dataclass(frozen=True, slots=True)
class Target:
    """``paths`` to ask for, whose answers have ``nbytes`` in all."""

    workload: Workload
    paths: Sequence[str]
    nbytes: int


def seconds_of(workload: Workload, effort: Effort) -> float:
    """How long ``alternate`` takes for one server if nothing is disturbed."""
    seconds = ceil(effort.seconds) if workload.client is Client.WRK else effort.seconds
    return effort.clean * (seconds + OVERHEAD_SECONDS)


def alternate(
    target: Target, servers: Sequence[Server], effort: Effort, say: Say
) -> dict[str, list[Round]]:
    """Rounds by name of server."""
    rounds: dict[str, list[Round]] = {server.name: [] for server in servers}
    for number in range(1, effort.most + 1):
        for server in servers:
            done = one_round(target, server, effort.seconds)
            rounds[server.name].append(done)
            say(
                f"{number}/{effort.most}: {server.name} {done.requests_per_second:,.0f} req/s"
                f"{', disturbed' if done.disturbed else ''}"
            )
        if all(_clean(done) >= effort.clean for done in rounds.values()):
            break
    return rounds


def _clean(rounds: Sequence[Round]) -> int:
    return sum(not done.disturbed for done in rounds)


def one_round(target: Target, server: Server, seconds: float) -> Round:
    workload = target.workload
    load = Load(
        host=server.host,
        port=server.port,
        paths=[server.address(path) for path in target.paths],
        fields=fields_for(workload.part),
        connections=workload.connections,
        seconds=seconds,
        status=status_for(workload.part),
        apart=workload.apart,
    )
    here, there = cores()[1], set(server.cores)
    watched = there | {here}
    began, core_before, own = time.perf_counter(), core_time(watched), time.process_time()
    client, served = _children_time() + _time_of(server.behind), _time_of(server.pid)
    tally = _run(target, load, server.scheme)
    elapsed = time.perf_counter() - began
    own = time.process_time() - own
    client = _children_time() + _time_of(server.behind) - client + own
    served = _time_of(server.pid) - served
    used = core_time(watched) - core_before
    known = server.pid is not None
    return Round(
        requests_per_second=tally.requests / tally.seconds,
        bytes_per_second=tally.nbytes / tally.seconds,
        p50=tally.p50,
        p99=tally.p99,
        server=served / tally.seconds if known else None,
        client=client / elapsed,
        others=max(0.0, used.busy - served - client) / elapsed if known else 0.0,
        stolen=used.stolen / elapsed,
        squeezed=here in there,
    )


def _run(target: Target, load: Load, scheme: str) -> Tally:
    with on_cores({cores()[1]}):
        if scheme == "http" and (target.workload.client is Client.DRAIN or not has_wrk()):
            return run_drain(load)
        return run_wrk(load, scheme, target.nbytes / len(target.paths))


def _time_of(pid: int | None) -> float:
    return process_time(pid) if pid is not None else 0.0


def _children_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
