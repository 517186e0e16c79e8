"""The draining client against a server whose every write is a choice of the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

import pytest

from benchmarks.drain import Load, LoadError, drive
from benchmarks.load import run_drain

Answer = Callable[[str], Sequence[bytes]]
"""From a path to the pieces that are written, one send each."""


@contextmanager
def serving(answer: Answer) -> Iterator[tuple[int, list[bytes]]]:
    """The port, and the request heads as they come."""
    heads: list[bytes] = []
    listener = socket.create_server(("127.0.0.1", 0))

    def accept() -> None:
        while True:
            try:
                connection, _ = listener.accept()
            except OSError:
                return
            threading.Thread(target=converse, args=(connection,), daemon=True).start()

    def converse(connection: socket.socket) -> None:
        with connection:
            connection.setsockopt(socket.IPPROTO_TCP, socket.TCP_NODELAY, 1)
            try:
                while head := read_head(connection):
                    heads.append(head)
                    for piece in answer(head.split(b" ")[1].decode()):
                        if not piece:
                            return
                        connection.sendall(piece)
            except OSError:
                return  # the client has what it wanted

    accepting = threading.Thread(target=accept)
    accepting.start()
    try:
        yield listener.getsockname()[1], heads
    finally:
        listener.shutdown(socket.SHUT_RDWR)
        listener.close()
        accepting.join()


def read_head(connection: socket.socket) -> bytes:
    head = b""
    while not head.endswith(b"\r\n\r\n"):
        piece = connection.recv(4096)
        if not piece:
            return b""
        head += piece
    return head


def ok(body: bytes) -> bytes:
    return b"HTTP/1.1 200 OK\r\nServer: x\r\ncontent-length: %d\r\n\r\n%b" % (len(body), body)


def load(port: int, *paths: str, connections: int = 3) -> Load:
    return Load("127.0.0.1", port, paths or ("/a",), ("X-From: test",), connections, 0.2)


def test_bodies_are_counted_and_every_path_is_asked_for() -> None:
    bodies = {"/a": bytes(300_000), "/b": b"b", "/c": b""}
    with serving(lambda path: [ok(bodies[path])]) as (port, heads):
        tally = drive(load(port, *bodies))
    assert {head.split(b" ")[1] for head in heads} == {b"/a", b"/b", b"/c"}
    assert all(head.endswith(b"\r\nX-From: test\r\n\r\n") for head in heads)
    assert 3 <= tally.requests <= len(heads)
    # Of the last answers on each connection only a part may have come.
    assert abs(tally.nbytes - tally.requests * 100_000) < 6 * 300_000
    assert 0 < tally.p50 <= tally.p99 <= tally.seconds


def test_a_head_may_come_in_pieces() -> None:
    whole = ok(bytes(50_000))
    pieces = [whole[:7], whole[7:40], whole[40:1000], whole[1000:]]
    with serving(lambda path: pieces) as (port, _):
        tally = drive(load(port, connections=1))
    assert tally.nbytes >= tally.requests * 50_000 > 0


@pytest.mark.parametrize(
    ("pieces", "complaint"),
    [
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], "404"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], "known length"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b""], "4 bytes before the end"),
        ([b"HTTP/1.1 200 OK\r\nConte", b""], "no end of a head"),
        ([b"x" * 20_000], "no end of a head"),
    ],
)
def test_an_answer_that_is_not_one_ends_it(pieces: list[bytes], complaint: str) -> None:
    with serving(lambda path: pieces) as (port, _), pytest.raises(LoadError, match=complaint):
        drive(load(port))


def test_a_server_that_never_answers_is_an_error() -> None:
    with serving(lambda path: [b"H"]) as (port, _), pytest.raises(LoadError, match="not one"):
        drive(load(port))


def test_it_runs_as_a_process_of_its_own() -> None:
    with serving(lambda path: [ok(bytes(1000))]) as (port, _):
        tally = run_drain(load(port))
    assert tally.requests > 0


def test_the_process_says_why_it_failed() -> None:
    answer = [b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"]
    with serving(lambda path: answer) as (port, _), pytest.raises(LoadError, match="500 Oh"):
        run_drain(load(port))
