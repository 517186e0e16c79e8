"""Reports off the hot path.

``note`` only looks whether a request says anything, and puts it into a queue of bounded length.
What is there is read a little later, a few at a time, so that the loop is never held up; what finds
the queue full is counted and dropped.

A session's reports come to any worker, and one of them has to add them up: the one that its id
names. The others send them there, in datagrams over sockets that were opened before the workers
were forked. They are never waited for: what does not fit is counted and dropped, too.
"""

from __future__ import annotations

import asyncio
import socket
import time
from collections import deque
from collections.abc import Callable
from contextlib import suppress
from zlib import crc32

import orjson

from origin.cmcd.parse import Asking, of_request, read_request
from origin.cmcd.report import EVENT, REQUEST, Report
from origin.cmcd.sessions import Sessions
from origin.errors import BadReport, TooManyReports
from origin.telemetry.qoe import QoeMetrics

MOST_WAITING = 4096
BATCH = 32
"""Reports read without a pause: some 2 ms."""
BATCH_SECONDS = 0.02
REPORTS_PER_SECOND = 2000.0
"""That a worker takes by POST, and as many at once after a rest."""
SWEEP_SECONDS = 1.0
_DATAGRAM_BYTES = 64 * 1024
_NEXT = Report._fields.index("next")  # the last: it is for where the report came

Next = Callable[[str, tuple[str, ...]], None]
"""Told the path of a request, and references to what its player will ask for next."""


class Exchange:
    """Between workers; made before they are forked."""

    def __init__(self, workers: int) -> None:
        self._pairs = [socket.socketpair(socket.AF_UNIX, socket.SOCK_DGRAM) for _ in range(workers)]
        for pair in self._pairs:
            for end in pair:
                end.setblocking(False)

    def keeper(self, sid: str) -> int:
        """Of a session: the index of a worker."""
        return crc32(sid.encode("utf-8", "replace")) % len(self._pairs)

    def send(self, worker: int, reports: list[Report]) -> bool:
        """False where there is no room for them."""
        try:
            self._pairs[worker][1].send(orjson.dumps([report[:_NEXT] for report in reports]))
        except OSError:
            return False
        return True

    def receive(self, worker: int) -> list[Report]:
        """The next that were sent; BlockingIOError where there are none."""
        return [Report(*told) for told in orjson.loads(self.inlet(worker).recv(_DATAGRAM_BYTES))]

    def inlet(self, worker: int) -> socket.socket:
        return self._pairs[worker][0]

    def close(self) -> None:
        for pair in self._pairs:
            for end in pair:
                end.close()


class Inbox:
    """One worker's, of which there is one in each loop; ``exchange``: None for the only one.
    ``on_next``: who is told what is asked for next, if anyone."""

    def __init__(
        self,
        metrics: QoeMetrics,
        worker: int = 0,
        exchange: Exchange | None = None,
        on_next: Next | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._loop = asyncio.get_running_loop()
        self._metrics = metrics
        self._worker = worker
        self._exchange = exchange
        self._on_next = on_next
        self._clock = clock
        self._sessions = Sessions(_Figures(metrics))
        self._waiting: deque[tuple[str, str]] = deque()
        self._reading: asyncio.TimerHandle | None = None
        self._allowed, self._allowed_at = REPORTS_PER_SECOND, clock()
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)
        if exchange is not None:
            self._loop.add_reader(exchange.inlet(worker), self._receive)

    def note(self, request: Asking) -> None:
        """What a media request says."""
        if not request.tells:
            return
        text = of_request(request)
        if text is None:
            return
        if len(self._waiting) >= MOST_WAITING:
            self._metrics.report(REQUEST, None, "dropped")
            return
        self._waiting.append((request.path, text))
        if self._reading is None:
            self._reading = self._loop.call_later(BATCH_SECONDS, self._read)

    def allow(self) -> None:
        """Another body; raises ``TooManyReports``."""
        now = self._clock()
        more = (now - self._allowed_at) * REPORTS_PER_SECOND
        self._allowed, self._allowed_at = min(self._allowed + more, REPORTS_PER_SECOND), now
        if self._allowed < 1:
            raise TooManyReports(f"more than {REPORTS_PER_SECOND:.0f} reports a second")

    def take(self, reports: list[Report | BadReport]) -> None:
        """Of one body, ``BATCH`` of them at most."""
        self._allowed -= len(reports)
        good = [report for report in reports if isinstance(report, Report)]
        if len(good) < len(reports):
            self._metrics.report(EVENT, None, "invalid", len(reports) - len(good))
        self._add(good)

    def close(self) -> None:
        self._sweeping.cancel()
        if self._reading is not None:
            self._reading.cancel()
        if self._exchange is not None:
            self._loop.remove_reader(self._exchange.inlet(self._worker))

    def _read(self) -> None:
        self._reading = None
        good: list[Report] = []
        for _ in range(min(BATCH, len(self._waiting))):
            path, text = self._waiting.popleft()
            try:
                report = read_request(text)
            except BadReport:
                self._metrics.report(REQUEST, None, "invalid")
                continue
            if report.next and self._on_next is not None:
                self._on_next(path, report.next)
            good.append(report)
        self._add(good)
        if self._waiting:
            self._reading = self._loop.call_later(BATCH_SECONDS, self._read)

    def _add(self, reports: list[Report]) -> None:
        """Each to its session, here or with another worker."""
        elsewhere: dict[int, list[Report]] = {}
        for report in reports:
            keeper = self._exchange.keeper(report.sid) if self._exchange else self._worker
            if keeper == self._worker:
                self._keep(report)
            else:
                elsewhere.setdefault(keeper, []).append(report)
        for keeper, theirs in elsewhere.items():
            if self._exchange is not None and not self._exchange.send(keeper, theirs):
                for report in theirs:
                    self._metrics.report(report.mode, report.version, "dropped")

    def _keep(self, report: Report) -> None:
        is_new = self._sessions.add(report, self._clock())
        self._metrics.report(report.mode, report.version, "ok" if is_new else "duplicate")
        self._metrics.active.set(self._sessions.active)

    def _receive(self) -> None:
        assert self._exchange is not None
        with suppress(BlockingIOError):
            for report in self._exchange.receive(self._worker):
                self._keep(report)

    def _sweep(self) -> None:
        self._sessions.sweep(self._clock())
        self._metrics.active.set(self._sessions.active)
        self._sweeping = self._loop.call_later(SWEEP_SECONDS, self._sweep)


class _Figures:
    """What sessions add up to, as metrics."""

    def __init__(self, metrics: QoeMetrics) -> None:
        self._metrics = metrics

    def started(self, seconds: float, *, estimated: bool) -> None:
        self._metrics.startup["estimated" if estimated else "player"].observe(seconds)

    def waited(self, seconds: float) -> None:
        self._metrics.rebuffer.inc(seconds)

    def played(self, seconds: float) -> None:
        self._metrics.play.inc(seconds)

    def began(self, outcome: str) -> None:
        self._metrics.sessions[outcome].inc()
