"""One control request, answered in its place by a protocol that believes it has a connection.

The control plane is any asyncio protocol that speaks HTTP/1.1, such as an aiohttp server's. For
each request it gets a connection of its own, an ``Exchange``: the request with a fresh head that
asks for ``Connection: close``, so that it closes when it has answered. What it writes goes on to
the real transport, but for the Connection field, which is the real connection's affair. Whether
the answer was whole is read off its framing (RFC 9112 section 6.3), never trusted: one that ends
early must end the real connection too, or the peer would take the next answer for the rest of it.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from enum import Enum, auto
from typing import Any

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from origin.delivery import fields
from origin.delivery.request import Request

_BLANK_LINE = b"\r\n\r\n"
_MAX_HEAD = 64 * 1024
# Of one connection, not of the request (RFC 9110 section 7.6.1); framing is written anew.
_OWN = frozenset(
    b"connection content-length expect keep-alive proxy-connection te trailer transfer-encoding"
    b" upgrade".split()
)


class Ending(Enum):
    WHOLE = auto()
    BY_CLOSE = auto()
    """Whole as far as one can tell: only the end of the connection marks its end."""
    CUT = auto()
    NOTHING = auto()
    """Not a byte was answered."""


class Exchange(asyncio.Transport):
    """The virtual connection; ``ended`` is called once, with how the answer ended.

    ``connection`` is the field line the answer carries: ``fields.CLOSE``, ``KEEP_ALIVE`` or none.
    """

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        real: asyncio.Transport,
        request: Request,
        connection: bytes,
        ended: Callable[[Ending], None],
    ) -> None:
        super().__init__()
        self.status = 0
        self.sent = 0
        self._loop = loop
        self._real = real
        self._request = request
        self._connection = connection
        self._ended: Callable[[Ending], None] | None = ended
        self._protocol: asyncio.Protocol | None = None
        self._head = bytearray()
        self._framing = _Framing(request.method)

    def begin(self, control: Callable[[], asyncio.Protocol]) -> None:
        protocol = self._protocol = control()
        protocol.connection_made(self)
        protocol.data_received(_serialise(self._request))

    def lose(self, error: Exception | None) -> None:
        """The real connection is gone."""
        self._ended = None
        self._leave(error)

    def pause(self) -> None:
        if self._protocol is not None:
            self._protocol.pause_writing()

    def resume(self) -> None:
        if self._protocol is not None:
            self._protocol.resume_writing()

    # What the protocol calls.

    def write(self, data: bytes | bytearray | memoryview) -> None:
        if self._ended is None:
            return
        if self._framing.head_seen:
            self._relay(data)
            return
        self._head += data
        end = self._head.find(_BLANK_LINE)
        if end >= 0:
            self._relay_head(bytes(self._head[: end + 2]), bytes(self._head[end + 4 :]))
        elif len(self._head) > _MAX_HEAD:
            self._end(Ending.CUT)

    def close(self) -> None:
        framing = self._framing
        if framing.complete:
            self._end(Ending.WHOLE)
        elif framing.by_close:
            self._end(Ending.BY_CLOSE)
        else:
            self._end(Ending.CUT if framing.head_seen or self._head else Ending.NOTHING)

    def abort(self) -> None:
        self.close()

    def is_closing(self) -> bool:
        return self._protocol is None or self._ended is None

    def get_extra_info(self, name: str, default: Any = None) -> Any:
        """Of the real connection, but for its socket: nothing may pass this transport by."""
        return default if name == "socket" else self._real.get_extra_info(name, default)

    def get_write_buffer_size(self) -> int:
        return self._real.get_write_buffer_size()

    def pause_reading(self) -> None:
        """Nothing to pause: the request was handed over whole."""

    def resume_reading(self) -> None:
        """As ``pause_reading``."""

    @property
    def _sendfile_compatible(self) -> Any:
        # asyncio's loop.sendfile asks for this, and says RuntimeError of a transport without it;
        # aiohttp copies when it hears NotImplementedError, as it does of uvloop.
        raise NotImplementedError

    def _relay_head(self, lines: bytes, rest: bytes) -> None:
        """``lines``: of the head, each with its CRLF."""
        self._head.clear()
        if not self._framing.feed(lines + b"\r\n") or self._framing.status < 200:
            self._end(Ending.CUT)
            return
        self.status = self._framing.status
        if self._framing.by_close:
            self._connection = fields.CLOSE
        kept = [line for line in lines.splitlines(keepends=True) if not _is_connection(line)]
        head = b"".join((*kept, self._connection, b"\r\n"))
        self.sent += len(head)
        self._real.write(head)
        if rest:
            self._relay(rest)

    def _relay(self, data: bytes | bytearray | memoryview) -> None:
        if self._framing.bodiless:
            return  # aiohttp writes what a handler of HEAD streams
        self.sent += len(data)
        self._real.write(data)
        if not self._framing.feed(data):
            self._end(Ending.CUT)

    def _end(self, ending: Ending) -> None:
        """Let both sides know, though not from within a call of the protocol's."""
        ended, self._ended = self._ended, None
        if ended is not None:
            self._loop.call_soon(self._leave, None)
            self._loop.call_soon(ended, ending)

    def _leave(self, error: Exception | None) -> None:
        protocol, self._protocol = self._protocol, None
        if protocol is not None:
            protocol.connection_lost(error)


class _Framing:
    """Follows where a response is; ``complete`` once its last byte has been seen."""

    def __init__(self, method: str) -> None:
        self.status = 0
        self.head_seen = False
        self.complete = False
        self.bodiless = False
        self.by_close = False
        self._head_only = method == "HEAD"
        self._framed = False
        self._parser = HttpResponseParser(self)

    def feed(self, data: bytes | bytearray | memoryview) -> bool:
        """False for what is no part of a response."""
        if self.complete:
            return False
        try:
            self._parser.feed_data(data)
        except (HttpParserError, HttpParserUpgrade):
            return False
        return True

    def on_header(self, name: bytes, value: bytes) -> None:
        if name.lower() in (b"content-length", b"transfer-encoding"):
            self._framed = True

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.head_seen = True
        self.bodiless = self.complete = self._head_only or self.status in (204, 304)
        self.by_close = not self.bodiless and not self._framed

    def on_message_complete(self) -> None:
        self.complete = True


def _is_connection(line: bytes) -> bool:
    return line.partition(b":")[0].lower() in (b"connection", b"keep-alive")


def _serialise(request: Request) -> bytes:
    lines = [b"%b %b HTTP/%b" % (request.method.encode(), request.target, request.version.encode())]
    lines += [b"%b: %b" % item for item in request.headers.items() if item[0] not in _OWN]
    body = request.body
    if body is not None:
        lines.append(b"content-length: %d" % len(body))
    lines.append(b"connection: close\r\n\r\n")
    return b"\r\n".join(lines) + (body or b"")
