"""Metrics of what viewers see, as their players tell it (``origin.cmcd``).

No label has a value that a player sends: sessions and titles never become series.
"""

from __future__ import annotations

from itertools import product

from origin.telemetry.board import Board, Counter, Gauge, Histogram

MODES = ("request", "event", "response")
VERSIONS = ("1", "2", "unknown")
RESULTS = ("ok", "duplicate", "invalid", "dropped")
SOURCES = ("player", "estimated")
OUTCOMES = ("started", "failed-start", "left-before-start", "unknown")

STARTUP = Histogram(
    "vod_qoe_startup_seconds",
    "From the wish to play to the first picture, once a session; source: the player measured it, or"
    " it is estimated from its requests.",
    (0.25, 0.5, 0.75, 1.0, 1.25, 1.5, 2.0, 2.5, 3.0, 4.0, 6.0, 10.0),
    ("source",),
    tuple((source,) for source in SOURCES),
)
REBUFFER = Counter(
    "vod_qoe_rebuffer_seconds_total", "Seconds that pictures stood still for want of data."
)
PLAY = Counter("vod_qoe_play_seconds_total", "Seconds of playing.")
SESSIONS = Counter(
    "vod_qoe_sessions_total",
    "Sessions by how they began; unknown: forgotten before that was told.",
    ("outcome",),
    tuple((outcome,) for outcome in OUTCOMES),
)
ACTIVE = Gauge("vod_qoe_sessions_active", "Sessions heard of within the last minute.")
REPORTS = Counter(
    "vod_cmcd_reports_total",
    "Reports of players; dropped: more than are read.",
    ("mode", "version", "result"),
    tuple(product(MODES, VERSIONS, RESULTS)),
)

FAMILIES = (STARTUP, REBUFFER, PLAY, SESSIONS, ACTIVE, REPORTS)


class QoeMetrics:
    """One worker's."""

    def __init__(self, board: Board, worker: int) -> None:
        self.startup = {
            source: board.distribution(worker, STARTUP, (source,)) for source in SOURCES
        }
        self.rebuffer = board.cell(worker, REBUFFER)
        self.play = board.cell(worker, PLAY)
        self.sessions = {outcome: board.cell(worker, SESSIONS, (outcome,)) for outcome in OUTCOMES}
        self.active = board.cell(worker, ACTIVE)
        self._reports = {child: board.cell(worker, REPORTS, child) for child in REPORTS.children}

    def report(self, mode: str, version: int | None, result: str, count: int = 1) -> None:
        """``version``: None where it was not read."""
        self._reports[mode, str(version or "unknown"), result].inc(count)
