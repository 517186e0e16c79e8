from __future__ import annotations

import sys
from collections.abc import Iterator, Sequence
from contextlib import AbstractContextManager, contextmanager
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks import parts
from benchmarks.contests import Ground
from benchmarks.drain import LoadError
from benchmarks.effort import FULL, QUICK
from benchmarks.findings import Findings
from benchmarks.parts import NAMES, PARTS, Part, Run, plan, run_parts
from benchmarks.progress import Progress
from benchmarks.servers import Server, ServerFailed
from benchmarks.workloads import WORKLOADS, Workload


def test_every_workload_has_its_part() -> None:
    assert {workload.name for workload in WORKLOADS} <= set(NAMES)
    assert len(NAMES) == len(set(NAMES))


def test_a_full_run_fits_into_ten_minutes_even_if_every_round_is_needed() -> None:
    longest = replace(FULL, clean=FULL.most)
    assert sum(plan(longest, (), quick=False).values()) < 600
    assert list(plan(FULL, (), quick=False)) == list(NAMES)


def test_a_quick_run_leaves_out_what_is_not_named() -> None:
    quick = plan(QUICK, (), quick=True)
    assert "hd" in quick
    assert "tls-hd" not in quick
    assert list(plan(QUICK, ("tls-hd", "micro"), quick=True)) == ["tls-hd", "micro"]


def run(tmp_path: Path) -> Run:
    return Run(Ground(tmp_path, tmp_path, tmp_path), QUICK, Progress({}))


def test_a_part_that_fails_takes_nothing_with_it(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    def fail(run: Run, names: object) -> Iterator[Findings]:
        yield Findings(notes=["half"])
        raise LoadError("not a 200")

    def note(run: Run, names: object) -> Iterator[Findings]:
        yield Findings(notes=[f"ran {names}"])

    fake = [
        Part(("a", "b"), lambda name, effort: 1.0, fail),
        Part(("c",), lambda name, effort: 1.0, note),
        Part(("d",), lambda name, effort: 1.0, note),
    ]
    monkeypatch.setattr(parts, "PARTS", fake)
    found = run_parts(run(tmp_path), ["b", "c"])
    assert found.failures == ("b: not a 200",)
    assert found.notes == ("half", "ran ['c']")


def test_a_contest_goes_on_with_new_servers_behind_a_failure(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    raced: list[tuple[str, int]] = []
    started = 0

    @contextmanager
    def start() -> Iterator[Server]:
        nonlocal started
        started += 1
        yield Server("ours", "", "127.0.0.1", started, None)

    def contest(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
        yield start()

    def race(workload: Workload, servers: Sequence[Server], run: Run) -> Findings:
        raced.append((workload.name, servers[0].port))
        if workload.name == "sd":
            raise LoadError("not a 200")
        return Findings(notes=[workload.name])

    monkeypatch.setattr(parts, "race", race)
    chosen = WORKLOADS[:4]
    names = [workload.name for workload in chosen if workload.name != "hd"]
    pieces = list(parts.run_contest(contest, chosen, run(tmp_path), names))
    assert raced == [("playlist", 1), ("sd", 1), ("mix", 2)]
    assert [note for piece in pieces for note in piece.notes] == ["playlist", "mix"]
    assert [f for piece in pieces for f in piece.failures] == ["sd: not a 200"]


def test_a_contest_that_cannot_start_is_a_failure_of_all_in_it(tmp_path: Path) -> None:
    def contest(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
        raise ServerFailed("no")
        yield

    pieces = parts.run_contest(contest, WORKLOADS[:2], run(tmp_path), ["playlist", "sd"])
    assert [piece.failures for piece in pieces] == [["playlist: no"], ["sd: no"]]


@pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux")
def test_indexes_of_every_length(library: Path, tmp_path: Path) -> None:
    brief = replace(run(tmp_path), effort=replace(QUICK, micro=0.01))
    brief = replace(brief, ground=replace(brief.ground, library=library))
    (part,) = (part for part in PARTS if part.names == ("lengths",))
    figures = [f for found in part.run(brief, part.names) for f in found.figures]
    assert [f.row for f in figures[::2]] == ["10 min", "1 h", "2 h", "5 h", "10 h"]
    assert [f.column for f in figures[:2]] == ["one track", "interleaved"]
    assert all(f.value > 0 for f in figures)
