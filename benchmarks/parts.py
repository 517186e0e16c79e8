"""The parts of a run: what each is picked by, how long it takes, and how it is run."""

from __future__ import annotations

import os
import subprocess
from collections.abc import Callable, Collection, Iterator, Sequence
from contextlib import ExitStack
from dataclasses import dataclass
from functools import partial

from benchmarks import cold, cold_s3, contests, distant, micro
from benchmarks.contests import Contest, Ground
from benchmarks.crowds import CROWDS, Crowd, crowd_seconds, run_crowd
from benchmarks.drain import LoadError
from benchmarks.effort import Effort
from benchmarks.figures import Figure
from benchmarks.findings import Findings, Outcome
from benchmarks.library import Say
from benchmarks.progress import Progress
from benchmarks.rounds import Target, alternate, seconds_of
from benchmarks.servers import Server, ServerFailed
from benchmarks.targets import NoAnswer, WrongAnswer, check_same, copy, find_paths, reading
from benchmarks.workloads import WORKLOADS, Workload

PREPARE_SECONDS = 2.5
"""Servers started, bodies laid out and compared."""


FAILURES = (LoadError, ServerFailed, WrongAnswer, OSError, subprocess.SubprocessError)


@dataclass(frozen=True, slots=True)
class Run:
    ground: Ground
    effort: Effort
    progress: Progress


@dataclass(frozen=True, slots=True)
class Part:
    """``names``: what it is picked by; ``run`` is told which of them are wanted, and hands back
    what it finds bit by bit. ``seconds``: that a name takes, about. ``quick``: whether a quick run
    has it unasked."""

    names: Sequence[str]
    seconds: Callable[[str, Effort], float]
    run: Callable[[Run, Collection[str]], Iterator[Findings]]
    quick: bool = True


def _contest(contest: Contest, *, servers: int = 2, quick: bool = False) -> Part:
    mine = [workload for workload in WORKLOADS if workload.contest is contest]
    by_name = {workload.name: workload for workload in mine}
    return Part(
        tuple(by_name),
        lambda name, effort: PREPARE_SECONDS + servers * seconds_of(by_name[name], effort),
        partial(run_contest, contest, mine),
        quick,
    )


def run_contest(
    contest: Contest, workloads: Sequence[Workload], run: Run, names: Collection[str]
) -> Iterator[Findings]:
    """One after the other with the same servers, or with new ones behind a failure."""
    waiting = [workload for workload in workloads if workload.name in names]
    while waiting:
        try:
            with ExitStack() as stack:
                servers = [stack.enter_context(server) for server in contest(run.ground)]
                yield Findings(programs=[server.program for server in servers if server.program])
                while waiting:
                    run.progress.begin(waiting[0].name)
                    yield race(waiting[0], servers, run)
                    del waiting[0]
        except FAILURES as error:
            yield Findings(failures=[f"{waiting.pop(0).name}: {error}"])


def race(workload: Workload, servers: Sequence[Server], run: Run) -> Findings:
    if not servers:
        return Findings(notes=[f"{workload.meaning}: not measured."])
    run.progress.say("laying out and comparing bodies")
    target, different, missing = prepare(workload, servers, run.ground)
    runners = [server for server in servers if server.name not in missing]
    rounds = alternate(target, runners, run.effort, run.progress.say)
    notes = [f"{workload.meaning}: {reason}." for reason in missing.values()]
    return Findings(outcomes=[Outcome(target, rounds, different)], notes=notes)


def prepare(
    workload: Workload, servers: Sequence[Server], ground: Ground
) -> tuple[Target, dict[str, str], dict[str, str]]:
    """Lay the files out, see that all servers answer with the same bytes, and warm them up.

    Behind the target, by name and with the reason: servers of others that answer with different
    bytes, and that do not answer. Of our own that is an error.
    """
    different: dict[str, str] = {}
    missing: dict[str, str] = {}
    ours, *others = servers
    with ExitStack() as stack:
        mine = stack.enter_context(reading(ours))
        paths = find_paths(workload, mine)
        copy(paths, mine, ground.static)
        nbytes = check_same(paths, mine, mine, workload.part)
        for server in others:
            theirs = stack.enter_context(reading(server))
            try:
                check_same(paths, mine, theirs, workload.part)
            except WrongAnswer as error:
                if server.pid is not None:
                    raise
                (missing if isinstance(error, NoAnswer) else different)[server.name] = str(error)
    os.sync()  # what was copied here and by the servers is not to be written in the rounds
    return Target(workload, paths, nbytes), different, missing


def _crowd(crowd: Crowd) -> Part:
    name = crowd.workload.name

    def run(run: Run, names: Collection[str]) -> Iterator[Findings]:
        run.progress.begin(name)
        yield run_crowd(crowd, run.ground, run.effort, run.progress.say)

    return Part((name,), lambda _, effort: crowd_seconds(crowd, effort), run)


def _figures(
    name: str,
    seconds: Callable[[Effort], float],
    measure: Callable[[Ground, Effort, Say], Iterator[Figure]],
) -> Part:
    """A part that is figures alone."""

    def run(run: Run, names: Collection[str]) -> Iterator[Findings]:
        run.progress.begin(name)
        for item in measure(run.ground, run.effort, run.progress.say):
            yield Findings(figures=[item])

    return Part((name,), lambda _, effort: seconds(effort), run)


PARTS = (
    _contest(contests.beside_nginx, quick=True),
    _contest(contests.over_tls),
    _contest(contests.token),
    _contest(contests.telemetry),
    _contest(contests.workers),
    _contest(distant.s3_relay, servers=3),
    _contest(distant.s3_warm),
    *(_crowd(crowd) for crowd in CROWDS),
    _figures("first-answers", cold.first_answers_seconds, cold.first_answers),
    _figures("libraries", cold.library_seconds, cold.library_sizes),
    _figures("s3-cold-start", cold_s3.start_seconds, cold_s3.first_answers),
    _figures("s3-cold-segment", cold_s3.segment_seconds, cold_s3.segments),
    _figures("s3-crowd", cold_s3.crowd_seconds, cold_s3.crowd),
    _figures("lengths", micro.lengths_seconds, micro.time_lengths),
    _figures("micro", micro.packager_seconds, micro.time_packager),
)
NAMES = tuple(name for part in PARTS for name in part.names)


def plan(effort: Effort, only: Collection[str], *, quick: bool) -> dict[str, float]:
    """Names to run, in order, each with the seconds that it takes."""
    return {
        name: part.seconds(name, effort)
        for part in PARTS
        for name in part.names
        if name in only or (not only and (part.quick or not quick))
    }


def run_parts(run: Run, names: Collection[str]) -> Findings:
    """One that fails does not take with it what others have found out in minutes."""
    found = Findings()
    for part in PARTS:
        wanted = [name for name in part.names if name in names]
        try:
            for more in part.run(run, wanted) if wanted else ():
                found += more
        except FAILURES as error:
            found += Findings(failures=[f"{', '.join(wanted)}: {error}"])
    return found
