from __future__ import annotations

import time

import pytest

from benchmarks.progress import Progress


@pytest.fixture
def clock(monkeypatch: pytest.MonkeyPatch) -> list[float]:
    now = [100.0]
    monkeypatch.setattr(time, "monotonic", lambda: now[0])
    return now


def test_what_is_left_is_what_is_planned_and_not_yet_done(
    clock: list[float], capsys: pytest.CaptureFixture[str]
) -> None:
    run = Progress({"a": 60.0, "b": 30.0})
    assert run.left == 90
    run.begin("a")
    clock[0] += 20
    assert (run.seconds, run.left) == (20, 70)
    clock[0] += 100  # longer than planned
    assert run.left == 30
    run.begin("b")
    run.say("not on a terminal")
    clock[0] += 10
    run.end()
    assert run.left == 0
    assert capsys.readouterr().err.splitlines() == [
        "[0:00, about 1:30 left] a",
        "[2:00, about 0:30 left] b",
        "[2:10, about 0:00 left] done",
    ]
