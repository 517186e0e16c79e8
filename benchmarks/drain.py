"""A client that costs little more than the system calls: so many connections, each asking for one
body after another, and the bodies thrown away by the kernel.

``MSG_TRUNC`` on TCP takes bytes off the socket without copying them (tcp(7)), so that one Python
process drains more than a server sends. It runs as a process of its own, on a core of its own:
a ``Load`` as JSON on standard input, its ``Tally`` on standard output.
"""

from __future__ import annotations

import json
import mmap
import random
import re
import select
import socket
import sys
import time
from collections.abc import Iterator, Mapping, Sequence
from contextlib import ExitStack, closing, contextmanager
from dataclasses import asdict, dataclass
from itertools import cycle
from math import ceil

HEAD_PIECE = 1024
MAX_HEAD = 16 * 1024
PATIENCE = 10.0
"""So many seconds more for a first answer."""
SINK = 64 << 20
"""The most that one call drains. Never written to, so it takes no memory."""

LENGTH = re.compile(rb"\r\ncontent-length: *([0-9]+)", re.IGNORECASE)


class LoadError(Exception):
    """The server did not answer as it must: what is measured would mean nothing."""


@dataclass(frozen=True, slots=True)
class Load:
    """``fields``: header field lines that every request carries, Host not among them; ``status``:
    of every answer; ``apart``: no path is asked for on two connections."""

    host: str
    port: int
    paths: Sequence[str]
    fields: Sequence[str]
    connections: int
    seconds: float
    status: int = 200
    apart: bool = False

    def of(self, connection: int) -> Sequence[str]:
        """What one connection asks for, counted from 0."""
        return self.paths[connection :: self.connections] if self.apart else self.paths


@dataclass(frozen=True, slots=True)
class Tally:
    """``requests``: whole answers; ``nbytes``: of bodies; ``p50``, ``p99``: seconds from asking
    to the last byte."""

    requests: int
    nbytes: int
    seconds: float
    p50: float
    p99: float


def percentile(ordered: Sequence[float], share: float) -> float:
    """The smallest value that at least ``share`` of ``ordered`` does not exceed (nearest rank)."""
    if not ordered:
        raise ValueError("no values")
    return ordered[max(0, ceil(share * len(ordered)) - 1)]


def drive(load: Load) -> Tally:
    latencies: list[float] = []
    with _connected(load, latencies) as (poll, viewers):
        seconds = _watch(poll, viewers, load.seconds, latencies)
        nbytes = sum(viewer.received for viewer in viewers.values())
    if not latencies:
        raise LoadError(f"not one whole answer in {seconds:.1f} s")
    return _tally(latencies, nbytes, seconds)


def ask_once(load: Load) -> Tally:
    """Each connection asks at the same moment, for one path; ``load.seconds`` is how long they may
    wait."""
    latencies: list[float] = []
    with _connected(load, latencies) as (poll, viewers):
        start = time.perf_counter()
        for viewer in viewers.values():
            viewer.ask()
        waiting = len(viewers)
        while waiting:
            left = start + load.seconds - time.perf_counter()
            if left <= 0:
                raise LoadError(f"{waiting} are without an answer after {load.seconds:.1f} s")
            waiting -= sum(viewers[fd].receive() for fd, _ in poll.poll(left))
        seconds = time.perf_counter() - start
        nbytes = sum(viewer.received for viewer in viewers.values())
    return _tally(latencies, nbytes, seconds)


@contextmanager
def _connected(
    load: Load, latencies: list[float]
) -> Iterator[tuple[select.epoll, Mapping[int, _Viewer]]]:
    with ExitStack() as stack:
        sink = stack.enter_context(closing(mmap.mmap(-1, SINK)))
        poll = stack.enter_context(closing(select.epoll()))
        viewers: dict[int, _Viewer] = {}
        for number in range(load.connections):
            viewer = _Viewer(load, number, sink, latencies)
            stack.callback(viewer.close)
            viewers[viewer.fileno()] = viewer
            poll.register(viewer.fileno(), select.EPOLLIN)
        yield poll, viewers


def _tally(latencies: list[float], nbytes: int, seconds: float) -> Tally:
    latencies.sort()
    p50, p99 = (percentile(latencies, share) for share in (0.5, 0.99))
    return Tally(len(latencies), nbytes, seconds, p50, p99)


def _watch(
    poll: select.epoll, viewers: Mapping[int, _Viewer], seconds: float, done: Sequence[float]
) -> float:
    """Have all viewers ask and receive for ``seconds``, or until the first answer is ``done`` if
    that takes longer; how long it was."""
    start = time.perf_counter()
    end = start + seconds
    for viewer in viewers.values():
        viewer.ask()
    while (now := time.perf_counter()) < end or (not done and now < end + PATIENCE):
        for fd, _ in poll.poll(max(0.0, end - now) or PATIENCE):
            if viewers[fd].receive():
                viewers[fd].ask()
    return now - start


class _Viewer:
    """One connection, one answer at a time; ``received`` counts bytes of bodies."""

    __slots__ = ("_asked", "_begin", "_head", "_latencies", "_left", "_requests", "_sink",
                 "_socket", "received")  # fmt: skip

    def __init__(self, load: Load, number: int, sink: mmap.mmap, latencies: list[float]) -> None:
        self._requests = _requests(load, number)
        self._begin = b"HTTP/1.1 %d " % load.status
        self._sink = sink
        self._latencies = latencies
        self._head = b""
        self._left = 0
        self.received = 0
        self._socket = socket.create_connection((load.host, load.port))
        self._socket.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
        self._socket.setblocking(False)

    def fileno(self) -> int:
        return self._socket.fileno()

    def close(self) -> None:
        self._socket.close()

    def ask(self) -> None:
        self._asked = time.perf_counter()
        self._socket.sendall(next(self._requests))

    def receive(self) -> bool:
        """Whether that was the last of the answer."""
        if self._left:
            wanted = min(self._left, len(self._sink))
            count = self._socket.recv_into(self._sink, wanted, socket.MSG_TRUNC)
            if count == 0:
                raise LoadError(f"the server closed {self._left} bytes before the end of a body")
            self.received += count
            self._left -= count
        elif not self._receive_head():
            return False
        if self._left == 0:
            self._latencies.append(time.perf_counter() - self._asked)
        return self._left == 0

    def _receive_head(self) -> bool:
        """Whether it is whole now; what came behind it is the beginning of the body."""
        piece = self._socket.recv(HEAD_PIECE)
        self._head += piece
        end = self._head.find(b"\r\n\r\n")
        if end < 0:
            if not piece or len(self._head) > MAX_HEAD:
                raise LoadError(f"no end of a head: {self._head[:200]!r}")
            return False
        length = LENGTH.search(self._head, 0, end)
        if length is None or not self._head.startswith(self._begin):
            raise LoadError(f"not {self._begin.decode()}of known length: {self._head[:200]!r}")
        early = len(self._head) - end - 4
        self.received += early
        self._left = int(length[1]) - early
        self._head = b""
        return True


def _requests(load: Load, number: int) -> Iterator[bytes]:
    """All paths of a connection over and over, in an order of its own."""
    lines = "".join(f"{line}\r\n" for line in (f"Host: {load.host}", *load.fields))
    mine = load.of(number)
    paths = random.Random(number).sample(mine, len(mine))
    return cycle([f"GET {path} HTTP/1.1\r\n{lines}\r\n".encode() for path in paths])


def main() -> int:
    try:
        tally = drive(Load(**json.load(sys.stdin)))
    except (LoadError, OSError) as error:
        print(error, file=sys.stderr)
        return 1
    json.dump(asdict(tally), sys.stdout)
    return 0


if __name__ == "__main__":
    sys.exit(main())
