"""Metrics of the delivery path: what each answer adds.

Requests are counted by route (the kind of address), method, status and whether the answer counts
towards the service level: client faults do not, our own do, and so do answers that we cut short.
All children are bound when the worker starts, so an answer costs a few additions.
"""

from __future__ import annotations

from array import array
from bisect import bisect_left
from collections.abc import Sequence
from itertools import product

from origin.native import NATIVE, Places
from origin.telemetry.board import Board, Counter, Gauge, Histogram

ROUTES = ("multivariant", "mpd", "media", "iframes", "init", "segment", "text", "control", "other")
METHODS = ("GET", "HEAD", "OPTIONS", "other")
CODES = (
    "200", "204", "206", "301", "302", "304", "400", "401", "403", "404", "405", "408", "409",
    "412", "413", "414", "416", "422", "429", "431", "499", "500", "502", "503", "504", "abort",
    "other",
)  # fmt: skip
_NAMES = {"abort": 0, "other": -1}
"""Codes that are no status: of an answer that we ended early, and of what has no name here."""
_MEDIA = ("/v/", "/t/")
_CLIENT_FAULTS = frozenset(code for code in CODES if code.startswith("4"))
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)
_BOUNDS = array("d", _SECONDS)

REQUESTS = Counter(
    "vod_http_requests_total",
    "Answers on the port; slo: counts towards availability.",
    ("route", "method", "code", "slo"),
    tuple(
        (route, method, code, "0" if code in _CLIENT_FAULTS else "1")
        for route, method, code in product(ROUTES, METHODS, CODES)
    ),
)
ABORTED = Counter(
    "vod_http_aborted_total",
    "Answers that ended before their last byte: the viewer left, or what was sent had changed.",
    ("route",),
    tuple((route,) for route in ROUTES),
)
BYTES = Counter(
    "vod_http_response_bytes_total",
    "Bytes of answers sent, heads included.",
    ("route",),
    tuple((route,) for route in ROUTES),
)
DURATION = Histogram(
    "vod_http_request_duration_seconds",
    "From the end of a request's head to the last byte handed to the kernel.",
    _SECONDS,
    ("route",),
    tuple((route,) for route in ROUTES),
)
CONNECTIONS = Gauge("vod_http_connections", "Connections open now.")
SHED = Counter(
    "vod_shed_total",
    "Requests refused for want of room.",
    ("reason",),
    (("connections",),),
)

FAMILIES = (REQUESTS, ABORTED, BYTES, DURATION, CONNECTIONS, SHED)

_BY_ENDING = {
    ".m4s": "segment",
    ".mp4": "init",
    ".vtt": "text",
    ".mpd": "mpd",
}
_PLAYLISTS = {
    "aster.m3u8": "multivariant",
    "media.m3u8": "media",
    "rames.m3u8": "iframes",
}


def route_of(path: str) -> str:
    """The kind of address by the path's last characters; media paths only."""
    return _BY_ENDING.get(path[-4:]) or _PLAYLISTS.get(path[-10:], "other")


def count_in_python(
    row: memoryview[float],
    places: Places,
    bounds: Sequence[float],
    sent: int,
    seconds: float,
    aborted: bool,
) -> None:
    """An answer into a worker's ``row``; ``bounds``: of the histogram."""
    requests, aborts, nbytes, spent = places
    row[requests] += 1.0
    row[nbytes] += sent
    row[spent + bisect_left(bounds, seconds)] += 1.0
    row[spent + len(bounds) + 1] += seconds
    if aborted:
        row[aborts] += 1.0


_count = NATIVE.count if NATIVE else count_in_python


class HttpMetrics:
    """One worker's; ``observe`` is called by the data plane for each answer."""

    def __init__(self, board: Board, worker: int) -> None:
        self._places: dict[tuple[str, str, int], Places] = {
            (route, method, int(code) if code.isdigit() else _NAMES[code]): (
                board.place(REQUESTS, (route, method, code, slo)),
                board.place(ABORTED, (route,)),
                board.place(BYTES, (route,)),
                board.place(DURATION, (route,)),
            )
            for route, method, code, slo in REQUESTS.children
        }
        self._row = board.row(worker)
        self.connections = board.cell(worker, CONNECTIONS)
        self.shed = board.cell(worker, SHED, ("connections",))

    def observe(
        self, method: str, path: str, status: int, sent: int, seconds: float, aborted: bool
    ) -> None:
        route = route_of(path) if path.startswith(_MEDIA) else "control"
        places = self._places.get((route, method, status)) or self._other(route, method, status)
        # At once what Cell and Distribution do one by one: it is done for every answer.
        _count(self._row, places, _BOUNDS, sent, seconds, aborted)

    def _other(self, route: str, method: str, status: int) -> Places:
        """Of a method or a status that has no name here."""
        method = method if method in METHODS else "other"
        other = self._places[route, method, _NAMES["other"]]
        return self._places.get((route, method, status), other)
