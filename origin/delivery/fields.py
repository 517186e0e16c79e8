"""The bytes of a response head: what never changes, and a status line that knows the time."""

from __future__ import annotations

import re
import time
from collections.abc import Callable, Iterable
from email.utils import formatdate
from http import HTTPStatus

CLOSE = b"Connection: close\r\n"
KEEP_ALIVE = b"Connection: keep-alive\r\n"

METHODS = "GET, HEAD, OPTIONS"

# Constant, so that one cached copy is right for every page that plays it: a reflected Origin
# would need Vary and split the cache.
SHARED = (
    b"Access-Control-Allow-Origin: *\r\n"
    b"Access-Control-Expose-Headers: Content-Length, Content-Range, ETag, Date,"
    b" CMSD-Static, CMSD-Dynamic\r\n"
    b"Timing-Allow-Origin: *\r\n"
    b"X-Content-Type-Options: nosniff\r\n"
)

# A preflight is asked for what is not CORS-safelisted; players also send CMCD as headers.
PREFLIGHT = (
    b"Allow: GET, HEAD, OPTIONS\r\n"
    b"Access-Control-Allow-Methods: GET, HEAD, OPTIONS\r\n"
    b"Access-Control-Allow-Headers: Range, If-Range, If-Match, If-None-Match,"
    b" CMCD-Request, CMCD-Object, CMCD-Status, CMCD-Session\r\n"
    b"Access-Control-Max-Age: 86400\r\n"
)

_TEXT = re.compile(r"[\t\x20-\x7e]*")


def block(fields: Iterable[tuple[str, str]]) -> bytes:
    """Field lines; a value that could end its line (RFC 9110 section 5.5) is a ValueError."""
    lines = []
    for name, value in fields:
        if not _TEXT.fullmatch(value):
            raise ValueError(f"a control or non-ASCII character in {name}: {value!r}")
        lines.append(f"{name}: {value}\r\n")
    return "".join(lines).encode("ascii")


class Preambles(dict[tuple[int, bytes], bytes]):
    """Status line, Server, Date and Connection of an answer by status and connection, which is
    ``CLOSE``, ``KEEP_ALIVE`` or nothing: as they are now from each ``renew`` to the next."""

    def __init__(self, clock: Callable[[], float] = time.time) -> None:
        self._clock = clock
        self._date = ""

    def renew(self) -> float:
        """To be called again after so many seconds, when the next one begins."""
        now = self._clock()
        self._date = formatdate(now, usegmt=True)
        self.clear()
        return 1.0 - now % 1.0

    def __missing__(self, kind: tuple[int, bytes]) -> bytes:
        status, connection = kind
        lines = (
            f"HTTP/1.1 {status} {HTTPStatus(status).phrase}\r\n"
            f"Server: vod-origin\r\nDate: {self._date}\r\n"
        )
        made = self[kind] = lines.encode("ascii") + connection
        return made
