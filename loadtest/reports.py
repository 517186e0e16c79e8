"""What viewers tell beside their requests: CMCD 2 in event mode, as the player of our page does.

A viewer only leaves a line here, so that no playback waits for a report. One thread of the process
sends what is there; lines that wait together go in one POST, so telling costs little however many
watch. A server that answers that it reads no reports is told no more.
"""

from __future__ import annotations

import math
import time
from collections import deque
from itertools import islice
from typing import Protocol
from urllib.parse import urljoin

from loadtest import cmcd
from loadtest.clock import Clock
from loadtest.errors import Failure
from loadtest.http import Connection, place_of
from loadtest.playback import PLAYING, STALLED, STARTING, Playback

TARGET = "/cmcd"
BATCH = 32
"""Lines in one POST."""
MOST_WAITING = 50_000
EVERY = 30.0
"""Seconds of playing after which a viewer says that it still does."""
ATTEMPTS = 10
RETRY_SECONDS = 1.0
"""Where the server has had too many for now (429)."""
PAUSE = 0.05
_FIELDS = "Content-Type: application/cmcd\r\n"


class Counts(Protocol):
    """Where it is counted: ``loadtest.figures.Figures``."""

    def count(self, name: str, amount: float = 1) -> None: ...
    def fail(self, what: str, kind: str, text: str) -> None: ...


class Reports:
    """Those of one process. ``url``: of the server; ``insist``: that nobody reads them there is a
    failure."""

    def __init__(self, url: str, clock: Clock, counts: Counts, *, insist: bool) -> None:
        place, self._target = place_of(urljoin(url, TARGET))
        self._connection = Connection(place, clock)
        self._clock = clock
        self._counts = counts
        self._insist = insist
        self._since_1970 = time.time() - clock.now()
        self._waiting: deque[str] = deque()
        self._anybody = True

    @property
    def waiting(self) -> int:
        """Lines that were not sent yet, or are being sent."""
        return len(self._waiting)

    def milliseconds(self, now: float) -> int:
        """Since 1970, as ``ts`` has it."""
        return round((self._since_1970 + now) * 1000)

    def put(self, line: str) -> None:
        if not self._anybody:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._counts.count("reports_lost")
            return
        self._waiting.append(line)

    def work(self) -> None:
        """For ever."""
        while True:
            self.send()
            self._clock.sleep(PAUSE)

    def close(self) -> None:
        self._connection.close()

    def send(self) -> None:
        """All that waits."""
        while self._waiting:
            lines = list(islice(self._waiting, BATCH))
            self._send(lines)
            for _ in lines:
                self._waiting.popleft()

    def _send(self, lines: list[str]) -> None:
        body = "\n".join(lines).encode()
        for _ in range(ATTEMPTS if self._anybody else 0):
            try:
                status = self._post(body)
            except Failure as failure:
                self._counts.fail("cmcd", failure.kind, str(failure))
                break
            if 200 <= status < 300:
                self._counts.count("reports", len(lines))
                return
            if status != 429:
                self._refused(status)
                break
            self._clock.sleep(RETRY_SECONDS)
        self._counts.count("reports_lost", len(lines) if self._anybody else 0)

    def _post(self, body: bytes) -> int:
        return self._connection.request(
            self._target, _FIELDS, keep=True, method="POST", content=body
        ).status

    def _refused(self, status: int) -> None:
        if 400 <= status < 500 and not self._insist:
            self._anybody = False
        else:
            self._counts.fail("cmcd", "status", f"{self._target}: {status}")


class Account:
    """What one session has told so far: ``ps`` where its state changes, ``t`` while it plays on."""

    __slots__ = ("_due", "_number", "_reports", "_sid", "_stalls", "_state")

    def __init__(self, reports: Reports, sid: str, now: float) -> None:
        self._reports = reports
        self._sid = sid
        self._number = 0
        self._stalls = 0
        self._due = math.inf
        self._state = ""
        self._become(STARTING.value, now)

    def look(self, playback: Playback, now: float, startup: float | None = None) -> None:
        """Tell what is new of it. A stall is told when it is over, with the times it had.
        ``startup``: seconds, once."""
        if len(playback.stalls) > self._stalls:
            self._tell_stalls(playback, now)
        state = playback.state
        if state is STALLED:
            return
        if state.value != self._state:
            told = {} if startup is None else {"msd": round(startup * 1000)}
            self._become(state.value, now, **told)
        elif now >= self._due:
            self._say("t", now)

    def end(self, state: str, now: float, playback: Playback | None) -> None:
        """``state``: ended ``e``, failed ``f`` or quit ``q``."""
        if playback is not None:
            self._tell_stalls(playback, now)
        if state != self._state:
            self._become(state, now)

    def _tell_stalls(self, playback: Playback, now: float) -> None:
        for stall in playback.stalls[self._stalls :]:
            self._become(STALLED.value, now - stall)
            self._become(PLAYING.value, now, bsd=round(stall * 1000))
        self._stalls = len(playback.stalls)

    def _become(self, state: str, now: float, **values: int) -> None:
        self._state = state
        self._say("ps", now, **values)

    def _say(self, event: str, now: float, **values: int) -> None:
        told: dict[str, cmcd.Value] = {
            "e": event,
            "sid": self._sid,
            "sn": self._number,
            "sta": self._state,
            "ts": self._reports.milliseconds(now),
            **values,
        }
        self._number += 1
        self._due = now + EVERY if self._state == PLAYING.value else math.inf
        self._reports.put(cmcd.as_event(told))
