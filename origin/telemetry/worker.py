"""What one worker tells: every answer, and once a second how it is."""

from __future__ import annotations

import asyncio
import os
import sys
import time
from collections.abc import Callable, Iterable

from origin.telemetry.auth import DECISIONS, GRACE
from origin.telemetry.auth import FAMILIES as AUTH_FAMILIES
from origin.telemetry.board import Board, Counter, Gauge, Histogram
from origin.telemetry.http import FAMILIES as HTTP_FAMILIES
from origin.telemetry.http import HttpMetrics
from origin.telemetry.log import LAST_LINES_SECONDS, AccessLog
from origin.telemetry.qoe import FAMILIES as QOE_FAMILIES
from origin.telemetry.qoe import QoeMetrics
from origin.telemetry.remote import FAMILIES as REMOTE_FAMILIES
from origin.telemetry.remote import Count, Totals
from origin.telemetry.sessions import BREAKER, REJECTED
from origin.telemetry.sessions import FAMILIES as SESSION_FAMILIES

PULSE_SECONDS = 1.0

LAG = Histogram(
    "vod_event_loop_lag_seconds",
    "How much later than due a timer of the event loop ran.",
    (0.001, 0.0025, 0.005, 0.01, 0.02, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5),
)
STARTS = Counter("vod_worker_starts_total", "Workers started; more than there are: restarts.")
MEMORY = Gauge("vod_worker_resident_bytes", "Resident memory of each worker.")

FAMILIES = (
    *HTTP_FAMILIES,
    *REMOTE_FAMILIES,
    *QOE_FAMILIES,
    *AUTH_FAMILIES,
    *SESSION_FAMILIES,
    *(LAG, STARTS, MEMORY),
)
_COUNTED = (*REMOTE_FAMILIES, DECISIONS, GRACE, BREAKER, REJECTED)


class Telemetry:
    """``log_every``: one of how many good answers is logged; 0 for none at all."""

    def __init__(self, board: Board, worker: int, log_every: int) -> None:
        self.board = board
        self.worker = worker
        self.qoe = QoeMetrics(board, worker)
        self._metrics = HttpMetrics(board, worker)
        self._totals = Totals(board, worker, _COUNTED)
        self._lag = board.distribution(worker, LAG)
        self._memory = board.cell(worker, MEMORY)
        self._log = AccessLog(_to_stdout, log_every, time.time) if log_every else None
        board.cell(worker, STARTS).inc()

    def observe(
        self, method: str, path: str, status: int, sent: int, seconds: float, aborted: bool
    ) -> None:
        self._metrics.observe(method, path, status, sent, seconds, aborted)
        if self._log is not None:
            self._log.observe(method, path, status, sent, seconds, aborted)

    def shed(self) -> None:
        self._metrics.shed.inc()

    async def pulse(
        self, connections: Callable[[], int], counts: Callable[[], Iterable[Count]]
    ) -> None:
        """Until cancelled: lag, memory, connections, the library's counts, the log's lines."""
        loop = asyncio.get_running_loop()
        try:
            while True:
                due = loop.time() + PULSE_SECONDS
                await asyncio.sleep(PULSE_SECONDS)
                self._lag.observe(max(loop.time() - due, 0.0))
                self._memory.set(_resident_bytes())
                self._metrics.connections.set(connections())
                self._totals.note(counts())
                if self._log is not None:
                    self._log.flush()
        finally:
            if self._log is not None:
                self._log.close(LAST_LINES_SECONDS)


def _to_stdout(data: bytes) -> None:
    """Past Python's buffer, whose lock a thread that is stuck would hold at the end."""
    while data:
        data = data[os.write(sys.stdout.fileno(), data) :]


def _resident_bytes() -> float:
    """Of this process, from /proc; 0 where there is none."""
    try:
        with open("/proc/self/statm", "rb") as statm:
            return float(statm.read().split()[1]) * 4096
    except OSError:
        return 0.0
