"""Metrics of the delivery path: what each answer adds.

Requests are counted by route (the kind of address), method, status and whether the answer counts
towards the service level: client faults do not, our own do. All children are bound when the worker
starts, so an answer costs a few additions.
"""

from __future__ import annotations

from itertools import product

from origin.telemetry.board import Board, Cell, Counter, Distribution, Gauge, Histogram

ROUTES = ("multivariant", "mpd", "media", "iframes", "init", "segment", "text", "control", "other")
METHODS = ("GET", "HEAD", "OPTIONS", "other")
CODES = (
    "200", "204", "206", "301", "302", "304", "400", "401", "403", "404", "405", "408", "409",
    "412", "413", "414", "416", "422", "429", "431", "499", "500", "502", "503", "504", "other",
)  # fmt: skip
_CLIENT_FAULTS = frozenset(code for code in CODES if code.startswith("4"))
_SECONDS = (0.001, 0.0025, 0.005, 0.01, 0.025, 0.05, 0.1, 0.25, 0.5, 1.0, 2.5, 5.0, 10.0, 30.0)

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

FAMILIES = (REQUESTS, ABORTED, BYTES, DURATION, CONNECTIONS)

_BY_ENDING = {
    "aster.m3u8": "multivariant",
    "nifest.mpd": "mpd",
    "media.m3u8": "media",
    "rames.m3u8": "iframes",
    "/init.mp4": "init",
    ".m4s": "segment",
    ".vtt": "text",
}


def route_of(path: str) -> str:
    """The kind of address by the path's last characters; media paths only."""
    if path.endswith(".m4s"):
        return "segment"
    return next((name for end, name in _BY_ENDING.items() if path.endswith(end)), "other")


class HttpMetrics:
    """One worker's; ``observe`` is called by the data plane for each answer."""

    def __init__(self, board: Board, worker: int) -> None:
        self._requests: dict[tuple[str, str, str], Cell] = {
            (route, method, code): board.cell(worker, REQUESTS, (route, method, code, slo))
            for route, method, code, slo in REQUESTS.children
        }
        self._aborted = {route: board.cell(worker, ABORTED, (route,)) for route in ROUTES}
        self._bytes = {route: board.cell(worker, BYTES, (route,)) for route in ROUTES}
        self._seconds: dict[str, Distribution] = {
            route: board.distribution(worker, DURATION, (route,)) for route in ROUTES
        }
        self._codes = {int(code): code for code in CODES if code.isdigit()}
        self.connections = board.cell(worker, CONNECTIONS)

    def observe(
        self, method: str, path: str, status: int, sent: int, seconds: float, aborted: bool
    ) -> None:
        route = route_of(path) if path.startswith(("/v/", "/t/")) else "control"
        code = self._codes.get(status, "other")
        self._requests[route, method if method in METHODS else "other", code].inc()
        if aborted:
            self._aborted[route].inc()
        self._bytes[route].inc(sent)
        self._seconds[route].observe(seconds)
