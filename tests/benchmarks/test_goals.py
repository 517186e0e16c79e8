from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.cold import WITH_SIDECAR
from benchmarks.cold_s3 import COLD_START, REQUESTS, ROUND_TRIPS
from benchmarks.crowds import CROWDS, MEMORY
from benchmarks.figures import Figure
from benchmarks.findings import Findings, Outcome
from benchmarks.goals import GOALS, NOTHING, Goal, Measured, goal_lines
from benchmarks.rounds import Target
from benchmarks.verdict import Round
from benchmarks.workloads import WORKLOADS

FAST = Round(
    requests_per_second=3000.0,
    bytes_per_second=2e9,
    p50=0.001,
    p99=0.004,
    server=1.0,
    client=0.5,
    others=0.0,
    stolen=0.0,
)
RATIO = Goal("r", 0.8, 1.0, "x", lambda findings: NOTHING)
TIME = Goal("t", 40, 20, "ms", lambda findings: NOTHING)


def outcome(name: str, first: Round, second: Round, other: str = "nginx") -> Outcome:
    workload = next(workload for workload in WORKLOADS if workload.name == name)
    return Outcome(Target(workload, ("/v/x",), 9000), {"ours": [first] * 3, other: [second] * 3})


def measured(what: str, findings: Findings) -> Measured:
    return next(goal for goal in GOALS if goal.what == what).measure(findings)


@pytest.mark.parametrize(
    ("goal", "found", "verdict"),
    [
        (RATIO, Measured("", 1.0), "goal"),
        (RATIO, Measured("", 0.9), "least"),
        (RATIO, Measured("", 0.7), "missed"),
        (RATIO, Measured("", 0.9, at_least=True), "least"),
        (RATIO, Measured("", 0.7, at_least=True), ""),
        (RATIO, Measured("", None), ""),
        (TIME, Measured("", 20.0), "goal"),
        (TIME, Measured("", 30.0), "least"),
        (TIME, Measured("", 41.0), "missed"),
    ],
)
def test_what_is_reached(goal: Goal, found: Measured, verdict: str) -> None:
    assert goal.verdict(found) == verdict


def test_rates_and_tails_beside_nginx() -> None:
    slow = replace(FAST, requests_per_second=2000.0, p99=0.003)
    found = Findings([outcome("sd", FAST, slow)])
    assert measured("360p segments, one track, nginx = 1", found).value == pytest.approx(1.5)
    assert measured("p99 of 360p segments, nginx's : ours", found).value == pytest.approx(0.75)
    assert measured("1080p segments, one track, nginx = 1", found) is NOTHING
    peer = Findings([outcome("sd", FAST, slow, "127.0.0.1:9000")])
    assert measured("360p segments, one track, nginx = 1", peer) is NOTHING


def test_a_bound_is_not_taken_for_more_than_it_is() -> None:
    held_back = replace(FAST, client=0.95)
    what = "360p segments, one track, nginx = 1"
    ours = measured(what, Findings([outcome("sd", held_back, FAST)]))
    assert ours == Measured("≥1.00x", 1.0, at_least=True)
    theirs = measured(what, Findings([outcome("sd", FAST, held_back)]))
    assert theirs == Measured("≤1.00x", None)
    disturbed = measured(what, Findings([outcome("sd", FAST, replace(FAST, others=0.5))]))
    assert disturbed == Measured("not comparable", None)


def test_two_workers_by_what_the_client_left_them_and_by_cpu() -> None:
    two = replace(FAST, requests_per_second=4500.0, server=1.5, squeezed=True)
    found = Findings([outcome("workers-sd", two, FAST, "one worker")])
    assert measured("two workers, one = 1, segments", found) == Measured("≥1.50x", 1.5, True)
    by_cpu = [goal for goal in GOALS if goal.what == "… by CPU time a request"][1].measure(found)
    assert by_cpu.value == pytest.approx(2.0)


def test_only_what_was_measured_has_a_line() -> None:
    assert list(goal_lines(Findings())) == []
    row = CROWDS[0].row(10_000)
    figure = Figure(MEMORY, row, "vod-origin", "KB", value=2.5, spread=0.0, runs=3)
    lines = list(goal_lines(Findings(figures=[figure])))
    assert lines[2:] == ["| memory of an idle connection | 8 KB | 2 KB | 2.5 KB | least |"]


def test_counts_of_requests_have_no_unit() -> None:
    figure = Figure(COLD_START, ROUND_TRIPS, WITH_SIDECAR, REQUESTS, value=3, spread=0.0, runs=3)
    lines = list(goal_lines(Findings(figures=[figure])))
    assert lines[2:] == ["| … requests to S3, one after the other | 4 | 3 | 3 | goal |"]
