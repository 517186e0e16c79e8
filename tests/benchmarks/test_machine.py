from __future__ import annotations

import os
import sys
from pathlib import Path

import pytest

from benchmarks import machine

pytestmark = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")

TICK = 1 / os.sysconf("SC_CLK_TCK")


@pytest.fixture
def proc(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    monkeypatch.setattr(machine, "PROC", tmp_path)
    return tmp_path


def add_process(proc: Path, pid: int, name: str, times: str, children: dict[int, str]) -> None:
    (proc / str(pid)).mkdir()
    (proc / str(pid) / "stat").write_text(f"{pid} ({name}) S 1 1 1 0 -1 0 0 0 0 0 {times} 20 0\n")
    for thread, pids in children.items():
        (proc / str(pid) / "task" / str(thread)).mkdir(parents=True)
        (proc / str(pid) / "task" / str(thread) / "children").write_text(pids)


def test_time_of_a_process_is_its_own_and_its_childrens(proc: Path) -> None:
    add_process(proc, 10, "a (b) c 7 7", "1 2 30 40", {10: "11 ", 12: "13"})
    add_process(proc, 11, "x", "100 0 0 0", {11: ""})
    add_process(proc, 13, "y", "0 500 0 0", {13: ""})
    assert machine.process_time(10) == pytest.approx(673 * TICK)
    assert machine.process_time(11) == pytest.approx(100 * TICK)


def test_busy_is_what_is_not_idle_and_not_stolen(proc: Path) -> None:
    (proc / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        "cpu0 1 2 3 1000 1000 4 5 6 0 0\n"
        "cpu1 9 9 9 9 9 9 9 9 9 9\n"
        "cpu2 10 20 30 1000 1000 40 50 60 0 0\n"
        "intr 1\n"
    )
    time = machine.core_time({0, 2})
    assert time.busy == pytest.approx(165 * TICK)
    assert time.stolen == pytest.approx(66 * TICK)


def test_memory_and_file_limit_are_of_a_process_and_its_children(proc: Path) -> None:
    for pid, children, kilobytes, files in ((10, "11", 300, 20_000), (11, "", 20, 1024)):
        add_process(proc, pid, "x", "0 0 0 0", {pid: children})
        (proc / str(pid) / "smaps_rollup").write_text(
            f"0-1 ---p 0 00:00 0 [rollup]\nRss: 9999 kB\nPss: {kilobytes:8} kB\nPss_Anon: 7 kB\n"
        )
        (proc / str(pid) / "limits").write_text(
            f"Limit Soft Limit Hard Limit Units\nMax open files            {files}   20000 files\n"
        )
    assert machine.memory(10) == 320 * 1024
    assert machine.file_limit(10) == 1024


def test_this_process_can_have_its_own_read() -> None:
    assert machine.memory(os.getpid()) > 1_000_000
    assert machine.raise_file_limit() == machine.file_limit(os.getpid()) > 0


@pytest.mark.parametrize(
    ("allowed", "one", "two"),
    [
        ({3}, (3, 3), (3,)),
        ({0, 1}, (0, 1), (0, 1)),
        ({0, 2, 5}, (0, 2), (0, 5)),
        ({0, 1, 2, 3}, (0, 1), (0, 2)),
    ],
)
def test_two_workers_leave_the_client_its_core_where_there_is_a_third(
    allowed: set[int], one: tuple[int, ...], two: tuple[int, ...], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(os, "sched_getaffinity", lambda pid: allowed)
    assert machine.cores.__wrapped__() == one
    assert machine.two_cores.__wrapped__() == two


def test_a_thread_comes_back_from_its_core() -> None:
    before = os.sched_getaffinity(0)
    with machine.on_cores({machine.cores()[0]}):
        assert os.sched_getaffinity(0) == {machine.cores()[0]}
    assert os.sched_getaffinity(0) == before
