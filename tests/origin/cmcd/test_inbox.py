"""The queue of what requests say, and what goes from worker to worker: bounded, and counted."""

from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from origin.cmcd import inbox as module
from origin.cmcd.inbox import MOST_WAITING, Exchange, Inbox
from origin.cmcd.parse import read_body
from origin.errors import TooManyReports
from origin.telemetry.board import Board
from origin.telemetry.qoe import FAMILIES, REPORTS, SESSIONS, QoeMetrics
from tests.origin.cmcd.asking import Asks
from tests.origin.delivery.serving import until

TWO = 2


class Workers:
    """Two in one process, with the board and the sockets that they would share."""

    def __init__(self) -> None:
        self.board = Board(FAMILIES, TWO)
        self.exchange = Exchange(TWO)
        self.asked: list[tuple[str, tuple[str, ...]]] = []
        self.inboxes = [
            Inbox(
                QoeMetrics(self.board, index),
                index,
                self.exchange,
                lambda path, references: self.asked.append((path, references)),
            )
            for index in range(TWO)
        ]

    def reports(self, result: str) -> int:
        children = (child for child in REPORTS.children if child[-1] == result)
        return int(sum(self.board.totals(REPORTS, child)[0] for child in children))


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    workers = Workers()
    yield workers
    for inbox in workers.inboxes:
        inbox.close()
    workers.exchange.close()


def asks(number: int, said: str = "") -> Asks:
    return Asks(headers={b"cmcd-session": f'sid="s{number}"{said}'.encode()})


async def test_whoever_is_told_a_session_is_kept_once(workers: Workers) -> None:
    for number in range(50):
        for inbox in workers.inboxes:
            inbox.note(asks(number, ",sn=1,sta=p,v=2"))
    await until(lambda: workers.reports("ok") + workers.reports("duplicate") == 100)
    assert (workers.reports("ok"), workers.reports("duplicate")) == (50, 50)
    assert workers.board.totals(SESSIONS, ("started",))[0] == 50


async def test_what_finds_the_queue_full_is_dropped_and_counted(workers: Workers) -> None:
    inbox, _ = workers.inboxes
    for number in range(MOST_WAITING + 10):
        inbox.note(asks(number % 100))
    assert workers.reports("dropped") == 10


async def test_a_worker_that_does_not_read_holds_nobody_up(workers: Workers) -> None:
    first, second = workers.inboxes
    second.close()  # as one whose loop stands still
    sent = 0
    while not workers.reports("dropped"):
        sent += 1
        assert sent < 20_000
        first.take(list(read_body(f'sid="x{sent}",sn={sent}'.encode(), "application/cmcd")))
    assert workers.reports("ok") > 0


async def test_a_request_that_says_nothing_costs_no_report(workers: Workers) -> None:
    inbox, _ = workers.inboxes
    inbox.note(Asks())
    inbox.note(Asks("a=b&cmcd=x&XCMCD=y"))
    inbox.note(Asks(tells=False))
    inbox.note(asks(1, ",su"))
    await until(lambda: workers.reports("ok") == 1)
    assert workers.reports("invalid") == 0


async def test_what_is_asked_for_next_is_told_on(workers: Workers) -> None:
    inbox, _ = workers.inboxes
    inbox.note(asks(1, ',nor="..%2Fvideo2%2F7.m4s"'))
    inbox.note(asks(2, ',nor=("8.m4s" "9.m4s";r="0-9" "10.m4s"),v=2'))
    await until(lambda: len(workers.asked) == 2)
    path = Asks().path
    assert workers.asked == [(path, ("../video2/7.m4s",)), (path, ("8.m4s", "9.m4s"))]


async def test_bodies_are_allowed_again_after_a_while(monkeypatch: pytest.MonkeyPatch) -> None:
    now = 0.0
    inbox = Inbox(QoeMetrics(Board(FAMILIES, 1), 0), clock=lambda: now)
    monkeypatch.setattr(module, "REPORTS_PER_SECOND", 10.0)
    inbox.allow()
    for number in range(10):
        inbox.take(list(read_body(f'sid="x",sn={number}'.encode(), "application/cmcd")))
    with pytest.raises(TooManyReports):
        inbox.allow()
    now = 0.5
    inbox.allow()
    inbox.close()
