"""What reports of one playback add up to."""

from __future__ import annotations

from dataclasses import dataclass, field

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.cmcd.report import EVENT, REQUEST, Report
from origin.cmcd.sessions import (
    FORGET_SECONDS,
    SILENT_SECONDS,
    TRUST_SECONDS,
    WINDOW,
    Sessions,
)

BLANK = Report(EVENT, 2, "a", None, "", None, None, 0.0, 0.0, "", False)


@dataclass
class Seen:
    startups: list[tuple[float, bool]] = field(default_factory=list)
    outcomes: list[str] = field(default_factory=list)
    waiting: float = 0.0
    playing: float = 0.0

    def started(self, seconds: float, *, estimated: bool) -> None:
        self.startups.append((seconds, estimated))

    def waited(self, seconds: float) -> None:
        assert seconds > 0
        self.waiting += seconds

    def played(self, seconds: float) -> None:
        assert seconds >= 0
        self.playing += seconds

    def began(self, outcome: str) -> None:
        self.outcomes.append(outcome)


class Told:
    """Sessions, and what came of them."""

    def __init__(self, most: int = 100) -> None:
        self.seen = Seen()
        self.sessions = Sessions(self.seen, most)

    def tell(self, now: float, **said: object) -> bool:
        return self.sessions.add(BLANK._replace(**said), now)  # type: ignore[arg-type]


def test_a_whole_session() -> None:
    told = Told()
    told.tell(0, number=0, state="s", time=100.0)
    told.tell(2, number=1, state="p", time=101.5, startup=1.5)
    told.tell(22, number=2, state="r", time=121.5)
    told.tell(23, number=3, state="p", time=122.5, waited=1.0)
    told.tell(53, number=4, state="p", time=152.5)
    told.tell(54, number=5, state="e", time=153.5)
    assert told.seen == Seen([(1.5, False)], ["started"], 1.0, 51.0)
    assert told.sessions.active == 0


def test_the_player_s_clock_counts_and_not_when_its_reports_come() -> None:
    told = Told()
    told.tell(0, state="p", time=10.0)
    told.tell(500, state="a", time=15.0)
    assert told.seen.playing == 5.0


def test_a_clock_that_jumps_adds_little() -> None:
    told = Told()
    for time in (0.0, 1e12, -1e12, 1e12):
        told.tell(0, state="p", time=time)
    assert told.seen.playing <= 1200


def test_without_a_clock_the_arrival_counts() -> None:
    told = Told()
    told.tell(0, mode=REQUEST, state="p")
    told.tell(3, mode=REQUEST)  # says nothing of its state
    told.tell(4, mode=REQUEST, state="p")
    assert told.seen.playing == 4.0


def test_a_start_up_counts_once_whichever_way_it_is_told() -> None:
    told = Told()
    told.tell(0, mode=REQUEST, number=1, startup=1.0)
    told.tell(0, mode=EVENT, number=1, startup=1.1)
    told.tell(1, mode=REQUEST, number=2, startup=1.0)
    assert told.seen.startups == [(1.0, False)]
    assert told.seen.outcomes == ["started"]


def test_waits_of_two_modes_are_the_same_waits() -> None:
    told = Told()
    told.tell(0, mode=EVENT, waited=1.0)
    told.tell(0, mode=REQUEST, waited=1.0)
    assert told.seen.waiting == 1.0
    told.tell(1, mode=REQUEST, waited=0.5)
    assert told.seen.waiting == 1.5
    told.tell(2, waited_in_all=1.25)
    assert told.seen.waiting == 1.5
    told.tell(3, waited_in_all=4.0)
    assert told.seen.waiting == 4.0


@pytest.mark.parametrize(
    ("states", "outcome"),
    [
        ("sp", "started"),
        ("sf", "failed-start"),
        ("f", "failed-start"),
        ("sq", "left-before-start"),
        ("se", "left-before-start"),
        ("spf", "started"),
        ("sfp", "failed-start"),
    ],
)
def test_how_it_began(states: str, outcome: str) -> None:
    told = Told()
    for state in states:
        told.tell(0, state=state)
    assert told.seen.outcomes == [outcome]


def test_who_falls_silent_before_the_start_has_left() -> None:
    told = Told()
    told.tell(0, state="s")
    told.sessions.sweep(SILENT_SECONDS - 1)
    assert (told.sessions.active, told.seen.outcomes) == (1, [])
    told.sessions.sweep(SILENT_SECONDS)
    assert (told.sessions.active, told.seen.outcomes) == (0, ["left-before-start"])
    told.sessions.sweep(FORGET_SECONDS)
    assert told.seen.outcomes == ["left-before-start"]


def test_a_session_that_comes_back_is_the_same() -> None:
    told = Told()
    told.tell(0, number=0, state="p", startup=1.0)
    told.sessions.sweep(SILENT_SECONDS)
    assert told.sessions.active == 0
    assert not told.tell(100, number=0, state="p", startup=1.0)
    assert told.tell(100, number=1, startup=2.0)
    assert told.sessions.active == 1
    assert told.seen.startups == [(1.0, False)]


def version_1(told: Told, now: float, kind: str, *, su: bool) -> None:
    told.tell(now, mode=REQUEST, version=1, object_type=kind, in_startup=su)


def test_the_start_up_of_version_1_is_estimated() -> None:
    told = Told()
    version_1(told, 10.0, "m", su=False)
    version_1(told, 10.2, "v", su=True)
    version_1(told, 10.4, "a", su=True)
    version_1(told, 11.5, "v", su=False)
    assert told.seen.outcomes == ["started"]
    assert told.seen.startups == []  # the player may have measured it
    version_1(told, 11.5 + TRUST_SECONDS, "v", su=False)
    version_1(told, 40, "v", su=False)
    assert told.seen.startups == [(1.5, True)]


def test_what_the_player_measured_is_better_than_an_estimate() -> None:
    told = Told()
    for now, kind, su in ((0.0, "m", False), (0.1, "v", True), (1.0, "v", False)):
        version_1(told, now, kind, su=su)
    told.tell(1.5, startup=0.7)
    version_1(told, 60, "v", su=False)
    assert told.seen.startups == [(0.7, False)]


def test_an_estimate_is_kept_where_the_session_is_over() -> None:
    told = Told()
    for now, kind, su in ((0.0, "m", False), (0.1, "v", True), (1.0, "v", False)):
        version_1(told, now, kind, su=su)
    told.sessions.sweep(1 + SILENT_SECONDS)
    assert told.seen.startups == [(1.0, True)]


def test_only_the_last_sessions_are_kept() -> None:
    told = Told(most=10)
    for number in range(50):
        told.tell(number / 10, sid=f"s{number}", state="s")
    assert told.sessions.active == 10
    assert told.seen.outcomes == ["unknown"] * 40
    told.tell(6, sid="s49", state="p")
    assert told.seen.outcomes == ["unknown"] * 40 + ["started"]


@given(st.lists(st.integers(0, 200), max_size=60), st.randoms())
def test_a_number_counts_once(numbers: list[int], random: object) -> None:
    told = Told()
    taken = [number for number in numbers if told.tell(0, number=number)]
    assert len(taken) == len(set(taken))
    near = [n for at, n in enumerate(numbers) if n > max(numbers[:at], default=0) - WINDOW]
    assert set(near) <= set(taken)


def test_numbers_of_any_size_take_no_room() -> None:
    told = Told()
    assert told.tell(0, number=10**300)
    assert not told.tell(0, number=10**300)
    assert not told.tell(0, number=0)
    assert told.tell(0, number=0, mode=REQUEST)


def test_a_request_that_is_read_late_wakes_nobody_who_has_left() -> None:
    sessions = Sessions(Seen())
    sessions.add(BLANK._replace(state="p", time=1.0), 1.0)
    sessions.add(BLANK._replace(state="q", time=2.0), 2.0)
    sessions.add(BLANK._replace(mode=REQUEST, state="p"), 2.1)
    assert sessions.active == 0
    sessions.add(BLANK._replace(state="p", time=9.0), 9.0)
    assert sessions.active == 1
