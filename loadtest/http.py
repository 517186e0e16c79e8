"""An HTTP/1.1 client that costs little more than the system calls, so that one process is thousands
of viewers.

Bodies nobody looks at are taken off the socket with ``MSG_TRUNC`` (tcp(7)): received and
acknowledged, but never copied. A slow network is a reader that waits: behind a small receive buffer
the server is slowed by TCP itself. What is not HTTP as RFC 9112 has it is a ``Failure``, and so is
what ends early. A name is resolved once a minute for all viewers of a process.
"""

from __future__ import annotations

import re
import socket
import ssl
import time
import zlib
from dataclasses import dataclass
from functools import lru_cache
from typing import Any
from urllib.parse import urlsplit

from loadtest.clock import Clock
from loadtest.errors import Failure
from loadtest.links import Link, open_link

SINK = memoryview(bytearray(16 << 20))
"""Where bytes go that nobody reads: nowhere, so it takes no memory. Only over TLS they are
written."""
MAX_HEAD = 32 << 10
MAX_DOCUMENT = 16 << 20
PATIENCE = 10.0
"""Seconds without a byte after which a request has failed."""
SLICES = 10
"""A rate is kept by reading at most that part of a second's bytes, then waiting."""
RESOLVED_SECONDS = 60.0
STRONG = b'"'
"""What an entity tag begins with that stands for the very same bytes."""

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


class Reply:
    """``first_byte`` and ``seconds``: from asking to the head, and to the last byte; ``sent``: the
    body as it came, None where it was drained."""

    __slots__ = ("_body", "fields", "first_byte", "length", "seconds", "sent", "status")

    def __init__(
        self,
        status: int,
        fields: dict[bytes, bytes],
        length: int,
        sent: bytes | None,
        first_byte: float,
        seconds: float,
    ) -> None:
        self.status = status
        self.fields = fields
        self.length = length
        self.sent = sent
        self.first_byte = first_byte
        self.seconds = seconds
        self._body: bytes | None = None

    @property
    def etag(self) -> bytes | None:
        return self.fields.get(b"etag")

    @property
    def coding(self) -> bytes:
        return self.fields.get(b"content-encoding", b"")

    @property
    def body(self) -> bytes | None:
        """Decoded; ``Failure`` where that cannot be."""
        if self.sent is None or not self.coding:
            return self.sent
        if self._body is None:
            self._body = _decode(self.coding, self.sent)
        return self._body


@lru_cache(maxsize=1 << 15)
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

    __slots__ = ("_clock", "_host", "_link", "_piece", "_rate", "_rest", "_trunc", "place")

    def __init__(self, place: Place, clock: Clock, rate: int = 0) -> None:
        self.place = place
        self._clock = clock
        self._host = f" HTTP/1.1\r\nHost: {place.authority}\r\n"
        self._rate = rate
        self._piece = min(max(4096, rate // SLICES), len(SINK)) if rate else len(SINK)
        self._link: Link | None = None
        self._rest = b""
        self._trunc = 0 if place.secure else getattr(socket, "MSG_TRUNC", 0)

    def close(self) -> None:
        if self._link is not None:
            self._link.close()
        self._link, self._rest = None, b""

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
        if method == "GET":
            head = f"GET {target}{self._host}{fields}\r\n".encode()
        else:
            length = f"Content-Length: {len(content)}\r\n\r\n"
            head = f"{method} {target}{self._host}{fields}{length}".encode() + content
        try:
            begun = self._ask(head, retry=method in ("GET", "HEAD"))
            return self._receive(asked, begun, keep)
        except Failure:
            self.close()
            raise
        except TimeoutError:
            self.close()
            raise Failure("timeout", f"{target}: nothing for {PATIENCE:.0f} s") from None
        except OSError as error:
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
        again = self._link is not None and retry
        try:
            link = self._link or self._connect()
            link.send(head)
            begun = link.recv(4096)
        except ConnectionError:
            if not again:
                raise
            begun = b""
        if not begun and again:
            self.close()
            link = self._connect()
            link.send(head)
            begun = link.recv(4096)
        if not begun:
            raise Failure("closed", "the connection was closed before an answer")
        return begun

    def _connect(self) -> Link:
        buffer = max(16384, self._piece) if self._rate else 0
        context = _tls() if self.place.secure else None
        failed: OSError | None = None
        try:
            for family, address in _addresses(self.place):
                try:
                    made = open_link(family, address, PATIENCE, buffer, context, self.place.host)
                except OSError as error:
                    failed = error
                else:
                    self._link = made
                    return made
        except OSError as error:  # the name has no address
            failed = error
        _resolved.pop(self.place, None)
        if isinstance(failed, TimeoutError):
            raise Failure("timeout", f"no connection within {PATIENCE:.0f} s")
        raise Failure("connect", str(failed))

    def _receive(self, asked: float, begun: bytes, keep: bool) -> Reply:
        link = self._link
        assert link is not None
        end = begun.find(b"\r\n\r\n")
        while end < 0:
            piece = link.recv(4096)
            if not piece:
                raise Failure("closed", "the connection was closed within a head")
            begun += piece
            if len(begun) > MAX_HEAD:
                raise Failure("head", f"a head of more than {MAX_HEAD} bytes")
            end = begun.find(b"\r\n\r\n")
        first_byte = self._clock.now() - asked
        status, fields = parse_head(begun[:end])
        self._rest = begun[end + 4 :]
        keep = keep or status not in (200, 206)
        if status in (204, 304):
            length, body = 0, b""
        elif b"transfer-encoding" in fields:
            length, body = self._chunked(link, fields)
        else:
            length, body = self._identity(link, fields, keep)
        if self._rest:
            raise Failure("length", f"{len(self._rest)} bytes follow the end of an answer")
        if fields.get(b"connection", b"").lower() == b"close":
            self.close()
        taken = self._clock.now() - asked
        return Reply(status, fields, length, body if keep else None, first_byte, taken)

    def _identity(self, link: Link, fields: dict[bytes, bytes], keep: bool) -> tuple[int, bytes]:
        raw = fields.get(b"content-length")
        if raw is None or not raw.isdigit() or len(raw) > 15:
            raise Failure("head", f"no length that can be used: {raw!r}")
        length = int(raw)
        if keep and length > MAX_DOCUMENT:
            raise Failure("length", f"{length} bytes are more than a viewer looks at")
        early, self._rest = self._rest[:length], self._rest[length:]
        if len(early) == length:
            return length, early if keep else b""
        left = length - len(early)
        body = bytearray(length) if keep else bytearray()
        body[: len(early)] = early if keep else b""
        due = self._clock.now() if self._rate else 0.0
        flags = 0 if keep else self._trunc
        while left:
            place = memoryview(body)[length - left :] if keep else SINK
            got = link.recv_into(place, min(left, self._piece), flags)
            if got == 0:
                raise Failure("truncated", f"{left} of {length} bytes did not come")
            left -= got
            if self._rate:
                due = self._pace(due, got)
        return length, bytes(body)

    def _pace(self, due: float, got: int) -> float:
        due += got / self._rate
        late = self._clock.now()
        if due > late:
            self._clock.sleep(due - late)
        return due

    def _chunked(self, link: Link, fields: dict[bytes, bytes]) -> tuple[int, bytes]:
        """RFC 9112 7.1. Read whole: it is for manifests, and for servers that do not know
        lengths."""
        if fields[b"transfer-encoding"].lower() != b"chunked" or b"content-length" in fields:
            raise Failure("head", "a transfer coding that is not chunked, or a length beside it")
        body = bytearray()
        while True:
            line = self._line(link)
            raw = line.partition(b";")[0].strip()
            if not re.fullmatch(rb"[0-9A-Fa-f]{1,8}", raw):
                raise Failure("head", f"no size of a chunk: {line[:40]!r}")
            size = int(raw, 16)
            if len(body) + size > MAX_DOCUMENT:
                raise Failure("length", f"more than {MAX_DOCUMENT} bytes in chunks")
            if size == 0:
                while self._line(link):
                    pass
                return len(body), bytes(body)
            body += self._exactly(link, size)
            if self._line(link):
                raise Failure("head", "a chunk that is longer than it says")

    def _line(self, link: Link) -> bytes:
        while b"\r\n" not in self._rest:
            if len(self._rest) > 4096:
                raise Failure("head", "a line of more than 4096 bytes between chunks")
            self._more(link)
        line, _, self._rest = self._rest.partition(b"\r\n")
        return line

    def _exactly(self, link: Link, size: int) -> bytes:
        while len(self._rest) < size:
            self._more(link)
        taken, self._rest = self._rest[:size], self._rest[size:]
        return taken

    def _more(self, link: Link) -> None:
        piece = link.recv(65536)
        if not piece:
            raise Failure("truncated", "the connection was closed within a chunk")
        self._rest += piece


_resolved: dict[Place, tuple[float, list[tuple[int, Any]]]] = {}


def _addresses(place: Place) -> list[tuple[int, Any]]:
    """Families and addresses, kept for a while: under gevent each look goes through a thread."""
    until, found = _resolved.get(place, (0.0, []))
    if time.monotonic() >= until:
        listed = socket.getaddrinfo(place.host, place.port, type=socket.SOCK_STREAM)
        found = [(family, address) for family, _, _, _, address in listed]
        _resolved[place] = time.monotonic() + RESOLVED_SECONDS, found
    return found


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
    try:
        plain = reader.decompress(body, MAX_DOCUMENT)
    except zlib.error as error:
        raise Failure("truncated", f"no gzip: {error}") from None
    if not reader.eof:
        raise Failure("truncated", "a gzip that ends early, or is too long")
    return plain


_contexts: list[ssl.SSLContext] = []


def _tls() -> ssl.SSLContext:
    """One for the process: making it reads all certificates of the system."""
    if not _contexts:
        _contexts.append(ssl.create_default_context())
    return _contexts[0]
