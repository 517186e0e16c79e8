"""Reports of players come in here, and what they add up to is shown.

POST /cmcd      reports in event mode (CMCD 2), or as JSON; pages of any origin may send them
GET  /qoe       a page that shows what viewers see, and looks again every two seconds
GET  /api/qoe   its figures, of all workers, since the server's start
"""

from __future__ import annotations

import asyncio
import hashlib
import re
from base64 import b64encode
from collections.abc import Iterator, Sequence
from itertools import islice
from pathlib import Path

import orjson
from aiohttp import web

from origin.cmcd.inbox import BATCH, Inbox
from origin.cmcd.parse import read_body
from origin.cmcd.report import Report
from origin.errors import BadReport
from origin.telemetry import qoe
from origin.telemetry.board import Board

PAGE = Path(__file__).parent / "qoe.html"

_PREFLIGHT = {
    "Access-Control-Allow-Origin": "*",
    "Access-Control-Allow-Methods": "POST",
    "Access-Control-Allow-Headers": "Content-Type",
    "Access-Control-Max-Age": "86400",
}
_TAKEN = {"Access-Control-Allow-Origin": "*", "Cache-Control": "no-store"}


class Qoe:
    """``board``: of all workers."""

    def __init__(self, inbox: Inbox, board: Board) -> None:
        self._inbox = inbox
        self._board = board
        self._page = PAGE.read_bytes()
        self._headers = _page_headers(self._page.decode())

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/cmcd", self.take)
        router.add_options("/cmcd", self.preflight)
        router.add_get("/qoe", self.page)
        router.add_get("/api/qoe", self.figures)

    async def take(self, request: web.Request) -> web.Response:
        """204 if at least one report of the body can be read."""
        self._inbox.allow()
        reports = read_body(await request.read(), request.content_type)
        some_good, last_bad = False, BadReport("no report")
        while batch := list(islice(reports, BATCH)):
            self._inbox.take(batch)
            some_good |= any(isinstance(report, Report) for report in batch)
            last_bad = next((bad for bad in batch if isinstance(bad, BadReport)), last_bad)
            await asyncio.sleep(0)  # others have their turn between batches
        if not some_good:
            raise last_bad
        return web.Response(status=204, headers=_TAKEN)

    async def preflight(self, _: web.Request) -> web.Response:
        return web.Response(status=204, headers=_PREFLIGHT)

    async def page(self, _: web.Request) -> web.Response:
        return web.Response(body=self._page, headers=self._headers)

    async def figures(self, _: web.Request) -> web.Response:
        return web.Response(
            body=orjson.dumps(figures(self._board)),
            content_type="application/json",
            headers={"Cache-Control": "no-store"},
        )


def figures(board: Board) -> dict[str, object]:
    """What the page shows; seconds, and counts."""
    waited, played = board.totals(qoe.REBUFFER)[0], board.totals(qoe.PLAY)[0]
    sessions = {
        outcome.replace("-", "_"): int(board.totals(qoe.SESSIONS, (outcome,))[0])
        for outcome in qoe.OUTCOMES
    }
    return {
        "startup": {
            source: _distribution(board.totals(qoe.STARTUP, (source,))) for source in qoe.SOURCES
        },
        "rebuffer": {
            "seconds": waited,
            "play_seconds": played,
            "ratio": waited / (waited + played) if waited + played else None,
        },
        "sessions": {"active": int(board.totals(qoe.ACTIVE)[0]), **sessions},
        "reports": {
            result: int(sum(board.totals(qoe.REPORTS, child)[0] for child in _reports(result)))
            for result in qoe.RESULTS
        },
    }


def _reports(result: str) -> Iterator[tuple[str, ...]]:
    return (child for child in qoe.REPORTS.children if child[-1] == result)


def _distribution(columns: Sequence[float]) -> dict[str, object]:
    *counts, total = columns
    bounds = qoe.STARTUP.buckets
    count = sum(counts)
    return {
        "bounds": bounds,
        "counts": [int(number) for number in counts],
        "count": int(count),
        "mean": total / count if count else None,
        "p50": quantile(bounds, counts, 0.50),
        "p95": quantile(bounds, counts, 0.95),
    }


def quantile(bounds: Sequence[float], counts: Sequence[float], share: float) -> float | None:
    """As Prometheus' histogram_quantile: even within a bucket, and the last bound for what is above
    it. None of nothing."""
    wanted, below, lower = sum(counts) * share, 0.0, 0.0
    if not wanted:
        return None
    for upper, count in zip(bounds, counts, strict=False):
        if count and below + count >= wanted:
            return lower + (upper - lower) * (wanted - below) / count
        below, lower = below + count, upper
    return bounds[-1]


def _page_headers(page: str) -> dict[str, str]:
    """The page's one script and one style are allowed by their digests, and nothing else is."""
    (style,) = re.findall(r"<style>(.*?)</style>", page, re.DOTALL)
    (script,) = re.findall(r"<script>(.*?)</script>", page, re.DOTALL)
    return {
        "Content-Type": "text/html; charset=utf-8",
        "Cache-Control": "no-cache",
        "Content-Security-Policy": (
            f"default-src 'none'; connect-src 'self'; img-src 'self'; style-src {_digest(style)}; "
            f"script-src {_digest(script)}; base-uri 'none'; frame-ancestors 'none'"
        ),
        "X-Content-Type-Options": "nosniff",
        "Referrer-Policy": "same-origin",
    }


def _digest(text: str) -> str:
    return f"'sha256-{b64encode(hashlib.sha256(text.encode()).digest()).decode()}'"
