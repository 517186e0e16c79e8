"""An HTTP/1.1 client that costs little more than the system calls, so that one process is thousands
of viewers.

Bodies nobody looks at are taken off the socket with ``MSG_TRUNC`` (tcp(7)): received and
acknowledged, but never copied. A slow network is a reader that waits: behind a small receive buffer
the server is slowed by TCP itself. What is not HTTP as RFC 9112 has it is a ``Failure``, and so is
what ends early.
"""

from __future__ import annotations

import re
import socket
import ssl
import zlib
from dataclasses import dataclass
from functools import lru_cache
from urllib.parse import urlsplit

from loadtest.clock import Clock
from loadtest.errors import Failure

SINK = memoryview(bytearray(16 << 20))
"""Where bytes go that nobody reads: nowhere, so it takes no memory. Only over TLS they are
written."""
MAX_HEAD = 32 << 10
MAX_DOCUMENT = 16 << 20
PATIENCE = 10.0
"""Seconds without a byte after which a request has failed."""
SLICES = 10
"""A rate is kept by reading at most that part of a second's bytes, then waiting."""

_TOKEN = rb"[!#$%&'*+.^_`|~0-9A-Za-z-]+"
_HEAD = re.compile(
    rb"HTTP/1\.[01] ([1-5][0-9]{2})(?: [^\r\n\0]*)?(?:\r\n" + _TOKEN + rb":[^\r\n\0]*)*"
)
_WANTED = re.compile(
    rb"\r\n(content-length|transfer-encoding|content-encoding|etag|connection|set-cookie):"
    rb"[ \t]*([^\r\n]*)",
    re.IGNORECASE,
)
_ONCE = (b"content-length", b"transfer-encoding", b"etag")


@dataclass(frozen=True, slots=True)
class Place:
    """Where a connection leads."""

    host: str
    port: int
    secure: bool

    @property
    def authority(self) -> str:
        host = f"[{self.host}]" if ":" in self.host else self.host
        return host if self.port == (443 if self.secure else 80) else f"{host}:{self.port}"


@dataclass(frozen=True, slots=True)
class Reply:
    """``first_byte`` and ``seconds``: from asking to the head, and to the last byte; ``body`` is
    None where it was drained."""

    status: int
    fields: dict[bytes, bytes]
    length: int
    body: bytes | None
    first_byte: float
    seconds: float

    @property
    def etag(self) -> bytes | None:
        return self.fields.get(b"etag")


def place_of(url: str) -> tuple[Place, str]:
    """Place and target (path and query) of an absolute URL; ``ValueError`` if it is none."""
    at = url.find("/", url.find("//") + 2)
    if at < 0:
        return _place(url), "/"
    return _place(url[:at]), url[at:].partition("#")[0]


@lru_cache(maxsize=1024)
def _place(origin: str) -> Place:
    parts = urlsplit(origin)
    if parts.scheme not in ("http", "https") or not parts.hostname:
        raise ValueError(f"{origin!r} begins no http or https URL")
    secure = parts.scheme == "https"
    return Place(parts.hostname, parts.port or (443 if secure else 80), secure)


class Connection:
    """One after the other, kept alive; opened again where the server closed it in between.

    ``rate``: bytes/s, 0 for as fast as they come.
    """

    __slots__ = ("_clock", "_piece", "_rate", "_rest", "_socket", "_trunc", "place")

    def __init__(self, place: Place, clock: Clock, rate: int = 0) -> None:
        self.place = place
        self._clock = clock
        self._rate = rate
        self._piece = max(4096, rate // SLICES) if rate else 1 << 30
        self._socket: socket.socket | None = None
        self._rest = b""
        self._trunc = 0 if place.secure else getattr(socket, "MSG_TRUNC", 0)

    def close(self) -> None:
        if self._socket is not None:
            self._socket.close()
        self._socket, self._rest = None, b""

    def request(
        self,
        target: str,
        fields: str = "",
        *,
        keep: bool,
        method: str = "GET",
        content: bytes = b"",
    ) -> Reply:
        """``keep``: the body, else it is drained. ``fields``: lines, each with its CRLF."""
        asked = self._clock.now()
        head = (
            f"{method} {target} HTTP/1.1\r\nHost: {self.place.authority}\r\n{fields}"
            + (f"Content-Length: {len(content)}\r\n" if method != "GET" else "")
            + "\r\n"
        ).encode() + content
        try:
            begun = self._ask(head, retry=method in ("GET", "HEAD"))
            return self._receive(asked, begun, keep)
        except Failure:
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise Failure("timeout", f"{target}: nothing for {PATIENCE:.0f} s") from None
        except (OSError, zlib.error) as error:
            self.close()
            raise Failure("closed", f"{target}: {error}") from None
        except (
            BaseException
        ):  # the viewer was ended within an answer: what follows would be its rest
            self.close()
            raise

    def _ask(self, head: bytes, retry: bool) -> bytes:
        """The first bytes of the answer. An old connection may have been closed by the server just
        now, so that is tried once more on a new one (RFC 9112 9.3.1)."""
        again = self._socket is not None and retry
        try:
            sock = self._socket or self._connect()
            _send(sock, head)
            begun = sock.recv(4096)
        except ConnectionError:
            if not again:
                raise
            begun = b""
        if not begun and again:
            self.close()
            sock = self._connect()
            _send(sock, head)
            begun = sock.recv(4096)
        if not begun:
            raise Failure("closed", "the connection was closed before an answer")
        return begun

    def _connect(self) -> socket.socket:
        try:
            made = socket.create_connection((self.place.host, self.place.port), PATIENCE)
            made.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            if self._rate:
                made.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, max(16384, self._piece))
            if self.place.secure:
                made = _tls().wrap_socket(made, server_hostname=self.place.host)
        except TimeoutError:
            raise Failure("timeout", f"no connection within {PATIENCE:.0f} s") from None
        except OSError as error:
            raise Failure("connect", str(error)) from None
        self._socket = made
        return made

    def _receive(self, asked: float, begun: bytes, keep: bool) -> Reply:
        sock = self._socket
        assert sock is not None
        end = begun.find(b"\r\n\r\n")
        while end < 0:
            piece = sock.recv(4096)
            if not piece:
                raise Failure("closed", "the connection was closed within a head")
            begun += piece
            if len(begun) > MAX_HEAD:
                raise Failure("head", f"a head of more than {MAX_HEAD} bytes")
            end = begun.find(b"\r\n\r\n")
        first_byte = self._clock.now() - asked
        status, fields = parse_head(begun[:end])
        self._rest = begun[end + 4 :]
        coding = fields.get(b"content-encoding", b"")
        keep = keep or status not in (200, 206)
        if status in (204, 304):
            length, body = 0, b""
        elif b"transfer-encoding" in fields:
            length, body = self._chunked(sock, fields)
        else:
            length, body = self._identity(sock, fields, keep)
        if self._rest:
            raise Failure("length", f"{len(self._rest)} bytes follow the end of an answer")
        if fields.get(b"connection", b"").lower() == b"close":
            self.close()
        if keep and coding:
            body = _decode(coding, body)
        taken = self._clock.now() - asked
        return Reply(status, fields, length, body if keep else None, first_byte, taken)

    def _identity(
        self, sock: socket.socket, fields: dict[bytes, bytes], keep: bool
    ) -> tuple[int, bytes]:
        raw = fields.get(b"content-length")
        if raw is None or not raw.isdigit() or len(raw) > 15:
            raise Failure("head", f"no length that can be used: {raw!r}")
        length = int(raw)
        if keep and length > MAX_DOCUMENT:
            raise Failure("length", f"{length} bytes are more than a viewer looks at")
        early, self._rest = self._rest[:length], self._rest[length:]
        left = length - len(early)
        due = self._clock.now()
        body = bytearray(length) if keep else bytearray()
        body[: len(early)] = early if keep else b""
        while left:
            wanted = min(left, self._piece)
            if keep:
                got = sock.recv_into(memoryview(body)[length - left :], wanted)
            elif self._trunc:
                got = sock.recv_into(SINK, min(wanted, len(SINK)), self._trunc)
            else:
                got = sock.recv_into(SINK, min(wanted, len(SINK)))
            if got == 0:
                raise Failure("truncated", f"{left} of {length} bytes did not come")
            left -= got
            due = self._pace(due, got)
        return length, bytes(body)

    def _pace(self, due: float, got: int) -> float:
        if not self._rate:
            return due
        due += got / self._rate
        late = self._clock.now()
        if due > late:
            self._clock.sleep(due - late)
        return due

    def _chunked(self, sock: socket.socket, fields: dict[bytes, bytes]) -> tuple[int, bytes]:
        """RFC 9112 7.1. Read whole: it is for manifests, and for servers that do not know
        lengths."""
        if fields[b"transfer-encoding"].lower() != b"chunked" or b"content-length" in fields:
            raise Failure("head", "a transfer coding that is not chunked, or a length beside it")
        body = bytearray()
        while True:
            line = self._line(sock)
            raw = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", raw):
                raise Failure("head", f"no size of a chunk: {line[:40]!r}")
            size = int(raw, 16)
            if len(body) + size > MAX_DOCUMENT:
                raise Failure("length", f"more than {MAX_DOCUMENT} bytes in chunks")
            if size == 0:
                while self._line(sock):
                    pass
                return len(body), bytes(body)
            body += self._exactly(sock, size)
            if self._line(sock):
                raise Failure("head", "a chunk that is longer than it says")

    def _line(self, sock: socket.socket) -> bytes:
        while b"\r\n" not in self._rest:
            if len(self._rest) > 4096:
                raise Failure("head", "a line of more than 4096 bytes between chunks")
            self._more(sock)
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _exactly(self, sock: socket.socket, size: int) -> bytes:
        while len(self._rest) < size:
            self._more(sock)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _more(self, sock: socket.socket) -> None:
        piece = sock.recv(65536)
        if not piece:
            raise Failure("truncated", "the connection was closed within a chunk")
        self._rest += piece


def _send(sock: socket.socket, head: bytes) -> None:
    """It nearly always goes at once, and then is not worth gevent's loop around it."""
    sent = sock.send(head)
    if sent < len(head):
        sock.sendall(head[sent:])


def parse_head(head: bytes) -> tuple[int, dict[bytes, bytes]]:
    """Status, and the fields a viewer looks at, names in lower case; ``Failure`` for what RFC 9112
    has no place for. Two searches for all of it: field by field is what a request costs most."""
    found = _HEAD.fullmatch(head)
    if found is None:
        raise Failure("head", f"no head of an answer: {head[:120]!r}")
    fields: dict[bytes, bytes] = {}
    for raw, value in _WANTED.findall(head):
        name = raw.lower()
        if name in fields and name in _ONCE:
            raise Failure("head", f"{name.decode()} twice")
        fields[name] = value.rstrip(b" \t")
    return int(found[1]), fields


def _decode(coding: bytes, body: bytes) -> bytes:
    if coding.lower() != b"gzip":
        raise Failure("unsupported", f"content coding {coding[:20]!r}")
    reader = zlib.decompressobj(wbits=31)
    plain = reader.decompress(body, MAX_DOCUMENT)
    if not reader.eof:
        raise Failure("truncated", "a gzip that ends early, or is too long")
    return plain


_contexts: list[ssl.SSLContext] = []


def _tls() -> ssl.SSLContext:
    """One for the process: making it reads all certificates of the system."""
    if not _contexts:
        _contexts.append(ssl.create_default_context())
    return _contexts[0]
