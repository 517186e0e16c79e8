"""What viewers say in event mode, as the origin reads it."""

from __future__ import annotations

import pytest

from loadtest.reports import BATCH, Reports
from loadtest.viewer import Ground
from origin.cmcd.parse import read_body
from origin.cmcd.report import EVENT, Report
from origin.cmcd.sessions import Sessions
from tests.loadtest.grounds import ground, watch
from tests.loadtest.scripted import Answer, Scripted, Time, scripted, title

TAKEN = {"/cmcd": Answer(status=204)}


class Learnt:
    """What the origin makes of it."""

    def __init__(self) -> None:
        self.startups: list[float] = []
        self.waits = self.plays = 0.0
        self.outcomes: list[str] = []

    def started(self, seconds: float, *, estimated: bool) -> None:
        assert not estimated
        self.startups.append(seconds)

    def waited(self, seconds: float) -> None:
        self.waits += seconds

    def played(self, seconds: float) -> None:
        self.plays += seconds

    def began(self, outcome: str) -> None:
        self.outcomes.append(outcome)


def telling(server: Scripted, clock: Time, more: str = "", *, insist: bool = True) -> Ground:
    made = ground(server, clock, more)
    made.reports = Reports(server.address, clock, made.figures, insist=insist)
    return made


def told(server: Scripted) -> list[Report]:
    found = []
    for body in server.bodies:
        for report in read_body(body, "application/cmcd"):
            assert isinstance(report, Report)
            found.append(report)
    return found


def learnt(reports: list[Report]) -> Learnt:
    figures = Learnt()
    sessions = Sessions(figures)
    for report in reports:
        assert sessions.add(report, 0.0)
    return figures


def play(played: Ground) -> None:
    watch(played)
    assert played.reports is not None
    send(played.reports)


def send(reports: Reports) -> None:
    reports.send()
    reports.close()


def test_the_origin_learns_of_start_up_stalls_and_playing_what_the_viewer_saw() -> None:
    clock = Time()
    # Plays from 1 s to 9 s; the third segment comes at 12 s.
    script = title([1.0, 1.0, 10.0, 0.0, 0.0]) | TAKEN
    with scripted(script, clock) as server:
        played = telling(server, clock)
        play(played)
    reports = told(server)
    assert [report.state for report in reports] == ["s", "p", "r", "p", "e"]
    assert {report.mode for report in reports} == {EVENT}
    figures = learnt(reports)
    assert figures.startups == [1.0]
    assert figures.waits == pytest.approx(3.0, abs=0.002)
    assert figures.plays == pytest.approx(20.0, abs=0.005)
    assert figures.outcomes == ["started"]
    assert played.figures.counts["reports"] == 5


def test_a_failed_start_is_told() -> None:
    clock = Time()
    script = title([0.0]) | TAKEN | {"/film/low/0.m4s": Answer(b"no", status=503)}
    with scripted(script, clock) as server:
        play(telling(server, clock))
    assert [report.state for report in told(server)] == ["s", "f"]
    assert learnt(told(server)).outcomes == ["failed-start"]


def test_who_leaves_says_so_and_who_plays_on_says_so_now_and_then() -> None:
    clock = Time()
    with scripted(title([0.0] * 200) | TAKEN, clock) as server:
        played = telling(server, clock, "[watching]\nmean_seconds = 400")
        play(played)
    states = [report.state for report in told(server)]
    assert states[:2] == ["s", "p"]
    assert states[-1] == "q"
    seconds = played.figures.counts["play_seconds"]
    assert len(states) == pytest.approx(3 + seconds / 32, abs=3)
    assert learnt(told(server)).plays == pytest.approx(seconds, abs=0.1)


def test_pauses_and_seeks_are_no_playing() -> None:
    clock = Time()
    more = "[watching]\npauses_per_hour = 300\npause_seconds = 30\nseeks_per_hour = 100\n"
    with scripted(title([0.5] * 100) | TAKEN, clock) as server:
        played = telling(server, clock, more)
        play(played)
    assert {"a", "k", "p"} <= {report.state for report in told(server)}
    seconds = played.figures.counts["play_seconds"]
    assert learnt(told(server)).plays == pytest.approx(seconds, rel=0.02)


@pytest.mark.parametrize(
    ("insist", "failures"), [(False, {}), (True, {"cmcd: status": 1})], ids=["auto", "on"]
)
def test_a_server_that_reads_none_is_told_no_more(insist: bool, failures: dict[str, int]) -> None:
    clock = Time()
    with scripted(title([0.0, 0.0]) | {"/cmcd": Answer(status=405)}, clock) as server:
        played = telling(server, clock, insist=insist)
        play(played)
        assert played.figures.failures == failures
        play(played)
    asked = server.paths().count("/cmcd")
    assert asked == (2 if insist else 1)
    assert played.figures.counts["reports"] == 0


def test_a_server_that_has_had_too_many_is_told_a_second_later() -> None:
    clock = Time()
    script = title([0.0, 0.0]) | {"/cmcd": [Answer(status=429), Answer(status=204)]}
    with scripted(script, clock) as server:
        played = telling(server, clock)
        watch(played)
        assert played.reports is not None
        before = clock.now()
        send(played.reports)
    assert clock.now() - before == pytest.approx(1.0)
    assert server.bodies[0] == server.bodies[1]
    assert played.figures.failures == {}
    assert played.figures.counts["reports_lost"] == 0


def test_no_viewer_waits_for_what_it_tells() -> None:
    """All is told behind the playback, and then those of many go together."""
    clock = Time()
    with scripted(title([0.0, 0.0]) | {"/cmcd": Answer(status=204, seconds=5.0)}, clock) as server:
        played = telling(server, clock)
        for number in range(BATCH):
            watch(played, number)
        assert "/cmcd" not in server.paths()
        assert played.figures.counts["stalls"] == 0
        assert played.reports is not None
        lines = played.reports.waiting
        send(played.reports)
    assert lines == 3 * BATCH  # starts, plays, ends
    assert server.paths().count("/cmcd") == 3
    assert len(told(server)) == lines
