"""Both kinds of sockets, at a server in a thread of its own."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator
from contextlib import contextmanager

import gevent
import pytest

from loadtest.links import GreenLink, Link, PlainLink

LONG = bytes(range(256)) * 40_000
"""More than a socket's buffers hold."""
TRUNC = getattr(socket, "MSG_TRUNC", 0)

Make = Callable[[socket.socket, float], Link]


def plain(sock: socket.socket, patience: float) -> Link:
    sock.settimeout(patience)
    return PlainLink(sock)


both = pytest.mark.parametrize("make", [plain, GreenLink])


@contextmanager
def linked(
    make: Make, serve: Callable[[socket.socket], None], patience: float = 60.0
) -> Iterator[Link]:
    with socket.create_server(("127.0.0.1", 0)) as listener:
        sock = socket.create_connection(listener.getsockname())
        other, _ = listener.accept()
        thread = threading.Thread(target=serve, args=(other,))
        thread.start()
        link = make(sock, patience)
        try:
            yield link
        finally:
            link.close()
            thread.join()
            other.close()


def exactly(sock: socket.socket, count: int) -> bytes:
    data = b""
    while len(data) < count:
        data += sock.recv(1 << 20)
    return data


@both
def test_all_that_is_sent_arrives_and_all_that_comes_is_read(make: Make) -> None:
    seen: list[bytes] = []

    def serve(sock: socket.socket) -> None:
        seen.append(exactly(sock, len(LONG)))
        sock.sendall(LONG)
        sock.shutdown(socket.SHUT_WR)

    with linked(make, serve) as link:
        link.send(LONG)
        got = link.recv(1000)
        place = bytearray(len(LONG) - len(got))
        filled = 0
        while filled < len(place):
            filled += link.recv_into(memoryview(place)[filled:], len(place) - filled, 0)
        assert link.recv(1) == b""
        assert link.recv_into(memoryview(bytearray(1)), 1, 0) == 0
    assert seen == [LONG]
    assert got + place == LONG


@both
@pytest.mark.skipif(not TRUNC, reason="Linux alone throws bytes away for us")
def test_what_nobody_reads_is_counted_and_not_written(make: Make) -> None:
    place = memoryview(bytearray(1 << 20))
    with linked(make, lambda sock: sock.sendall(LONG)) as link:
        left = len(LONG)
        while left:
            left -= link.recv_into(place, min(left, len(place)), TRUNC)
    assert not any(place[:: 1 << 10])


@both
def test_an_answer_that_does_not_come_is_a_timeout(make: Make) -> None:
    done = threading.Event()

    def serve(sock: socket.socket) -> None:
        done.wait()

    with linked(make, serve, patience=0.01) as link:
        try:
            with pytest.raises(TimeoutError):
                link.recv(1)
        finally:
            done.set()


def test_two_at_a_time_are_told_so() -> None:
    done = threading.Event()

    def serve(sock: socket.socket) -> None:
        done.wait()
        sock.sendall(b"x")

    with linked(GreenLink, serve) as link:
        first = gevent.spawn(link.recv, 1)
        gevent.sleep(0)
        try:
            with pytest.raises(RuntimeError):
                link.recv(1)
        finally:
            done.set()
        assert first.get() == b"x"


@both
def test_a_server_that_takes_nothing_is_a_timeout(make: Make) -> None:
    done = threading.Event()

    def serve(sock: socket.socket) -> None:
        done.wait()

    with linked(make, serve, patience=0.01) as link:
        try:
            with pytest.raises(TimeoutError):
                link.send(LONG * 4)
        finally:
            done.set()
