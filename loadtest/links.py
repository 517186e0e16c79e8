"""Sockets as a viewer uses them: whole requests out, pieces of answers in, neither for ever.

Under Locust gevent's own sockets would do, but each wait of theirs begins with a read in vain and
sets up a timer. A ``GreenLink`` waits first, and whoever has waited too long is found by one look a
second over all of them. TLS, and whatever runs without gevent, is left to the system's sockets.
"""

from __future__ import annotations

import math
import socket
import ssl
import time
from contextlib import suppress
from typing import Any, Protocol

LOOK_SECONDS = 1.0
"""Between two looks for those that have waited too long."""


class Link(Protocol):
    """A connection. ``TimeoutError`` where nothing moves for as long as was said."""

    def send(self, data: bytes) -> None:
        """All of it."""

    def recv(self, count: int) -> bytes:
        """Some of what comes; nothing at the end."""

    def recv_into(self, place: memoryview, count: int, flags: int) -> int:
        """Up to ``count`` bytes, for which there is room; 0 at the end."""

    def close(self) -> None: ...


def open_link(
    family: int,
    address: tuple[Any, ...],
    patience: float,
    buffer: int = 0,
    tls: ssl.SSLContext | None = None,
    name: str = "",
) -> Link:
    """``buffer``: bytes the kernel may receive ahead, 0 for what it thinks right; ``name``: whose
    certificate it must be."""
    sock = socket.socket(family, socket.SOCK_STREAM)
    try:
        sock.settimeout(patience)
        if buffer:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, buffer)
        sock.connect(address)
        sock.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        if tls is not None:
            sock = tls.wrap_socket(sock, server_hostname=name)
        elif _is_green():
            return GreenLink(sock, patience)
    except BaseException:
        sock.close()
        raise
    return PlainLink(sock)


def _is_green() -> bool:
    from gevent import monkey

    return bool(monkey.is_module_patched("socket"))


class PlainLink:
    """The system's socket, which knows its patience."""

    __slots__ = ("_socket", "close", "recv", "recv_into", "send")

    def __init__(self, sock: socket.socket) -> None:
        self._socket = sock
        self.send = sock.sendall
        self.recv = sock.recv
        self.recv_into = sock.recv_into
        self.close = sock.close


class GreenLink:
    """Over what ``sock`` has connected, which is taken over. ``patience``: seconds of waiting."""

    __slots__ = ("_hub", "_overdue", "_patience", "_readable", "_since", "_socket")

    def __init__(self, sock: socket.socket, patience: float) -> None:
        from gevent import get_hub, monkey

        plain = monkey.get_original("socket", "socket")
        self._socket = plain(fileno=sock.detach())
        self._socket.setblocking(False)
        self._hub = get_hub()
        self._readable = self._hub.loop.io(self._socket.fileno(), 1)
        self._patience = patience
        self._since = math.inf
        self._overdue = False
        _watch(self)

    def send(self, data: bytes) -> None:
        """It nearly always goes at once."""
        while data:
            try:
                data = data[self._socket.send(data) :]
            except BlockingIOError:
                self._wait_writable()

    def recv(self, count: int) -> bytes:
        """Of an answer that cannot be there yet: it is waited for before it is looked for."""
        while True:
            self._wait(self._readable)
            try:
                data: bytes = self._socket.recv(count)
            except BlockingIOError:
                continue
            return data if data else self._end()

    def recv_into(self, place: memoryview, count: int, flags: int) -> int:
        while True:
            try:
                got: int = self._socket.recv_into(place, count, flags)
            except BlockingIOError:
                self._wait(self._readable)
                continue
            return got or len(self._end())

    def close(self) -> None:
        _waiting.discard(self)
        self._readable.close()
        self._socket.close()

    def _wait(self, watcher: Any) -> None:
        if self._since != math.inf:  # the first to wait would never be woken
            raise RuntimeError("a connection is used by two at a time")
        self._since = time.monotonic()
        try:
            self._hub.wait(watcher)
        finally:
            self._since = math.inf

    def _wait_writable(self) -> None:
        writable = self._hub.loop.io(self._socket.fileno(), 2)
        try:
            self._wait(writable)
        finally:
            writable.close()
        self._end()

    def _end(self) -> bytes:
        """Nothing more comes: because the server ended it, or because we did."""
        if self._overdue:
            raise TimeoutError
        return b""

    def look(self, now: float) -> None:
        """Whoever has waited too long is woken by the end of the connection."""
        if now - self._since > self._patience:
            self._overdue = True
            with suppress(OSError):  # it may have ended by itself
                self._socket.shutdown(socket.SHUT_RDWR)


_waiting: set[GreenLink] = set()
_looking: list[Any] = []


def _watch(link: GreenLink) -> None:
    _waiting.add(link)
    if not _looking:
        import gevent

        _looking.append(gevent.spawn(_look))


def _look() -> None:
    """For ever."""
    import gevent

    while True:
        gevent.sleep(LOOK_SECONDS)
        now = time.monotonic()
        for link in tuple(_waiting):
            link.look(now)
