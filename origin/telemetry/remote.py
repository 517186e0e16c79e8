"""Metrics of a library that is far away: what was asked of it, and what of that was kept.

The storage and the media count for themselves (``Counts``), as often as they like; once a second
what has been added since goes to the board.
"""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple

from origin.telemetry.board import Board, Cell, Counter, Labels

BUCKETS = ("first", "second")
REASONS = ("queue", "connect", "timeout", "reset", "stall", "bad-reply", "busy", "beaten", "server")
RESULTS = ("hit", "miss", "shared", "ahead")

READS = Counter(
    "vod_storage_reads_total",
    "What was wanted of a bucket: ranges of objects, and listings.",
    ("bucket",),
    tuple((bucket,) for bucket in BUCKETS),
)
REQUESTS = Counter(
    "vod_storage_requests_total",
    "Requests for them; more than reads: asked again.",
    ("bucket",),
    tuple((bucket,) for bucket in BUCKETS),
)
BYTES = Counter(
    "vod_storage_read_bytes_total",
    "Bytes of objects that came.",
    ("bucket",),
    tuple((bucket,) for bucket in BUCKETS),
)
RETRIES = Counter(
    "vod_storage_retries_total",
    "Requests that were made again after a failure.",
    ("bucket",),
    tuple((bucket,) for bucket in BUCKETS),
)
HEDGES = Counter(
    "vod_storage_hedges_total",
    "Second requests for what was late; won: they were the quicker.",
    ("bucket", "won"),
    tuple((bucket, won) for bucket in BUCKETS for won in "01"),
)
FAILURES = Counter(
    "vod_storage_failures_total",
    "Requests that failed and might not have.",
    ("bucket", "reason"),
    tuple((bucket, reason) for bucket in BUCKETS for reason in REASONS),
)
SEGMENTS = Counter(
    "vod_cache_segments_total",
    "Segments of a far library: kept here (hit), fetched (miss), on their way for another viewer"
    " (shared), fetched before anyone asked (ahead).",
    ("result",),
    tuple((result,) for result in RESULTS),
)

FAMILIES = (READS, REQUESTS, BYTES, RETRIES, HEDGES, FAILURES, SEGMENTS)


class Count(NamedTuple):
    """``total``: of a child of ``family``, since the worker's start."""

    family: Counter
    child: Labels
    total: float


class Totals:
    """One worker's, of ``families`` whose parts count for themselves."""

    def __init__(self, board: Board, worker: int, families: Iterable[Counter]) -> None:
        self._cells: dict[tuple[str, Labels], Cell] = {
            (family.name, child): board.cell(worker, family, child)
            for family in families
            for child in family.children
        }
        self._noted: dict[tuple[str, Labels], float] = {}

    def note(self, counts: Iterable[Count]) -> None:
        for family, child, total in counts:
            key = family.name, child
            self._cells[key].inc(total - self._noted.get(key, 0.0))
            self._noted[key] = total
