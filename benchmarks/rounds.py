"""Servers in turn, round after round, so that what slows the machine slows them alike."""

from __future__ import annotations

import resource
import time
from collections.abc import Sequence
from dataclasses import dataclass

from benchmarks.drain import Load, Tally
from benchmarks.library import Say
from benchmarks.load import CDN_FIELDS, has_wrk, run_drain, run_wrk
from benchmarks.machine import core_time, cores, on_core, process_time
from benchmarks.servers import Server
from benchmarks.verdict import Round
from benchmarks.workloads import Asks, Workload


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of ``seconds`` until each server has ``clean`` undisturbed ones, but no more than
    ``most``; ``micro``: seconds for each of the small benchmarks."""

    clean: int
    most: int
    seconds: int
    micro: float


FULL = Effort(clean=7, most=12, seconds=2, micro=2.0)
QUICK = Effort(clean=3, most=4, seconds=1, micro=0.2)


@dataclass(frozen=True, slots=True)
class Target:
    """``paths`` to ask for, whose bodies have ``nbytes`` in all."""

    workload: Workload
    paths: Sequence[str]
    nbytes: int


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
                f"{target.workload.name} {number}/{effort.most}: {server.name} "
                f"{done.requests_per_second:,.0f} req/s"
                f"{', disturbed' if done.disturbed else ''}"
            )
        if all(_clean(done) >= effort.clean for done in rounds.values()):
            break
    return rounds


def _clean(rounds: Sequence[Round]) -> int:
    return sum(not done.disturbed for done in rounds)


def one_round(target: Target, server: Server, seconds: float) -> Round:
    load = Load(
        host=server.host,
        port=server.port,
        paths=target.paths,
        fields=CDN_FIELDS,
        connections=target.workload.connections,
        seconds=seconds,
    )
    began, core_before, own = time.perf_counter(), core_time(), time.process_time()
    client, served = _children_time(), process_time(server.pid)
    tally = _run(target, load)
    elapsed = time.perf_counter() - began
    client = _children_time() - client + time.process_time() - own
    served = process_time(server.pid) - served
    cores_used = core_time() - core_before
    return Round(
        requests_per_second=tally.requests / tally.seconds,
        bytes_per_second=tally.nbytes / tally.seconds,
        p50=tally.p50,
        p99=tally.p99,
        server=served / tally.seconds,
        client=client / elapsed,
        others=max(0.0, cores_used.busy - served - client) / elapsed,
        stolen=cores_used.stolen / elapsed,
    )


def _run(target: Target, load: Load) -> Tally:
    with on_core(cores()[1]):
        if target.workload.asks is Asks.PLAYLIST and has_wrk():
            return run_wrk(load, target.nbytes)
        return run_drain(load)


def _children_time() -> float:
    used = resource.getrusage(resource.RUSAGE_CHILDREN)
    return used.ru_utime + used.ru_stime
