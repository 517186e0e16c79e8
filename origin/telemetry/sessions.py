"""Metrics of sessions: how long their store takes, whether it is left alone, who was refused."""

from __future__ import annotations

from origin.telemetry.board import Board, Counter, Gauge, Histogram

OPS = (
    *("begin", "beat", "renew", "end", "get", "revoke", "poll", "purge"),
    *("sign-in", "login", "sign-out", "rate", "index"),
)
REASONS = ("streams", "rate", "ended", "device", "away")

SECONDS = Histogram(
    "vod_redis_seconds",
    "Time until Redis has answered, or is not waited for any longer.",
    (0.0005, 0.001, 0.0025, 0.005, 0.01, 0.025, 0.05),
    ("op",),
    tuple((op,) for op in OPS),
)
BREAKER = Gauge(
    "vod_breaker_state",
    "Whether something that others run is left alone, for it has failed.",
    ("dep",),
    (("redis",),),
)
REJECTED = Counter(
    "vod_sessions_rejected_total",
    "Sessions and requests that were refused: for all places are taken (streams), they come too"
    " often (rate), have ended, are another device's, or Redis is away.",
    ("reason",),
    tuple((reason,) for reason in REASONS),
)

FAMILIES = (SECONDS, BREAKER, REJECTED)


class RedisTimes:
    """One worker's."""

    def __init__(self, board: Board, worker: int) -> None:
        self._seconds = {op: board.distribution(worker, SECONDS, (op,)) for op in OPS}

    def observe(self, op: str, seconds: float) -> None:
        self._seconds[op].observe(seconds)
