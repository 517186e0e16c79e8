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


def test_busy_is_what_is_not_idle_and_not_stolen(
    proc: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(machine, "cores", lambda: (0, 2))
    (proc / "stat").write_text(
        "cpu  9 9 9 9 9 9 9 9 9 9\n"
        "cpu0 1 2 3 1000 1000 4 5 6 0 0\n"
        "cpu1 9 9 9 9 9 9 9 9 9 9\n"
        "cpu2 10 20 30 1000 1000 40 50 60 0 0\n"
        "intr 1\n"
    )
    time = machine.core_time()
    assert time.busy == pytest.approx(165 * TICK)
    assert time.stolen == pytest.approx(66 * TICK)


def test_a_thread_comes_back_from_its_core() -> None:
    before = os.sched_getaffinity(0)
    with machine.on_core(machine.cores()[0]):
        assert os.sched_getaffinity(0) == {machine.cores()[0]}
    assert os.sched_getaffinity(0) == before
