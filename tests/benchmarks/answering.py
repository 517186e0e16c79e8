"""A server whose every write is a choice of the test."""

from __future__ import annotations

import socket
import threading
from collections.abc import Callable, Iterator, Sequence
from contextlib import contextmanager

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
