from __future__ import annotations

import sys

import pytest

from benchmarks import connections, crowds
from benchmarks.connections import affordable
from benchmarks.contests import Ground
from benchmarks.crowds import CROWDS, MEMORY, Crowd, run_crowd
from benchmarks.effort import Effort
from benchmarks.nginx import nginx_program
from benchmarks.servers import Server

ONCE = Effort(clean=1, most=1, seconds=0.1, micro=0.1, starts=1, scale=1)
SERVER = Server("ours", "", "127.0.0.1", 1, 10)


@pytest.mark.parametrize(
    ("mine", "theirs", "wanted", "given"),
    [
        (20_000, 20_000, 10_000, 10_000),
        (1_024, 20_000, 10_000, 824),
        (20_000, 1_024, 10_000, 824),
        (1_024, 1_024, 500, 500),
        (100, 100, 500, 1),
    ],
)
def test_no_more_connections_than_files_may_be_open(
    mine: int, theirs: int, wanted: int, given: int, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(connections, "raise_file_limit", lambda: mine)
    monkeypatch.setattr(connections, "file_limit", lambda pid: theirs)
    assert affordable(wanted, SERVER) == given


linux = pytest.mark.skipif(sys.platform != "linux", reason="there is no /proc")
beside = pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")


@linux
@beside
@pytest.mark.parametrize("crowd", CROWDS, ids=lambda crowd: crowd.workload.name)
def test_a_crowd_is_gathered_at_each_server(crowd: Crowd, ground: Ground) -> None:
    small = Crowd(crowd.workload, 50, stalled=crowd.stalled)
    found = run_crowd(small, ground, ONCE, lambda message: None)
    assert [(f.part, f.row, f.column) for f in found.figures] == [
        (MEMORY, f"{crowd.workload.meaning}, of 50", "vod-origin"),
        (MEMORY, f"{crowd.workload.meaning}, of 50", "nginx"),
    ]
    assert found.notes == []


@linux
@beside
def test_fewer_than_wanted_is_said(ground: Ground, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(crowds, "affordable", lambda wanted, server: 3)
    found = run_crowd(CROWDS[0], ground, ONCE, lambda message: None)
    assert found.figures[0].row.endswith("of 3")
    assert "3 connections and not 10,000" in found.notes[0]
