"""What a connection costs a server in memory while it does nothing.

Counted is the memory of the server's processes, before and after so many connections; what the
kernel keeps for a socket is not in it.
"""

from __future__ import annotations

import socket
import struct
import time
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager

from benchmarks.drain import LENGTH
from benchmarks.machine import file_limit, memory, process_time, raise_file_limit
from benchmarks.servers import Server
from benchmarks.targets import NoAnswer, fields_for

OTHER_FILES = 200
"""That a server or this process has open besides: modules, logs, media."""
PORTS_AN_ADDRESS = 10_000
"""A third of those there are; others may linger from what was measured before."""
WARM_UP = 32
SMALL_WINDOW = 4096
SETTLE_SECONDS, STILL_SECONDS = 10.0, 0.3
RESET_ON_CLOSE = struct.pack("ii", 1, 0)
"""No thousands of sockets in TIME_WAIT."""


def affordable(wanted: int, server: Server) -> int:
    """As many of ``wanted`` as this process and the server may have files open for."""
    limit = min(raise_file_limit(), file_limit(_pid(server)))
    return max(1, min(wanted, limit - OTHER_FILES))


def bytes_each(server: Server, paths: Sequence[str], size: int, *, stalled: bool) -> float:
    """What the server's memory grows by for each of ``size`` connections."""
    pid = _pid(server)
    with _crowd(server, paths, WARM_UP, stalled=stalled):
        _settle(pid)
    before = memory(pid)
    with _crowd(server, paths, size, stalled=stalled):
        _settle(pid)
        return (memory(pid) - before) / size


def _pid(server: Server) -> int:
    if server.pid is None:
        raise ValueError(f"{server.name} is run by somebody else")
    return server.pid


@contextmanager
def _crowd(server: Server, paths: Sequence[str], size: int, *, stalled: bool) -> Iterator[None]:
    """So many connections, each of which has asked for one of ``paths``."""
    with ExitStack() as stack:
        for number in range(size):
            source = f"127.0.0.{1 + number // PORTS_AN_ADDRESS}"
            connection = stack.enter_context(_connect(server, source, stalled=stalled))
            path = paths[number % len(paths)]
            connection.sendall(_request(server, path))
            if not stalled:
                _take(connection, server, path)
        yield


@contextmanager
def _connect(server: Server, source: str, *, stalled: bool) -> Iterator[socket.socket]:
    with socket.socket(socket.AF_INET, socket.SOCK_STREAM) as connection:
        connection.settimeout(30)
        connection.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, RESET_ON_CLOSE)
        if stalled:
            connection.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, SMALL_WINDOW)
        connection.bind((source, 0))
        connection.connect((server.host, server.port))
        yield connection


def _request(server: Server, path: str) -> bytes:
    lines = "".join(f"{line}\r\n" for line in (f"Host: {server.host}", *fields_for(None)))
    return f"GET {server.address(path)} HTTP/1.1\r\n{lines}\r\n".encode()


def _take(connection: socket.socket, server: Server, path: str) -> None:
    """All of an answer, behind which the connection stays."""
    answer = b""
    while not _is_whole(answer):
        piece = connection.recv(64 * 1024)
        if not piece:
            raise NoAnswer(f"{server.name} closes a connection within its answer to {path}")
        answer += piece
    head = answer.partition(b"\r\n\r\n")[0].lower()
    if not head.startswith(b"http/1.1 200 ") or b"\r\nconnection: close" in head:
        raise NoAnswer(f"{server.name} does not keep a connection after {path}")


def _is_whole(answer: bytes) -> bool:
    head, end, body = answer.partition(b"\r\n\r\n")
    length = LENGTH.search(head)
    return bool(end) and (length is None or len(body) >= int(length[1]))


def _settle(pid: int) -> None:
    """Wait until the server has nothing left to do."""
    end = time.monotonic() + SETTLE_SECONDS
    before, now = -1.0, process_time(pid)
    while now != before and time.monotonic() < end:
        time.sleep(STILL_SECONDS)
        before, now = now, process_time(pid)
