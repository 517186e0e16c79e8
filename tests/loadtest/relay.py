"""A relay in front of a server that lets each answer wait."""

from __future__ import annotations

import socket
import threading
import time
from collections.abc import Iterator
from contextlib import contextmanager, suppress

PIECE = 1 << 16


@contextmanager
def slowed(port: int, seconds: float) -> Iterator[str]:
    """Its URL. What the server sends at ``port`` of this machine begins so many seconds late after
    each request."""
    sockets: list[socket.socket] = []
    threads: list[threading.Thread] = []

    def start(target: object, *args: object) -> None:
        thread = threading.Thread(target=target, args=args)  # type: ignore[arg-type]
        threads.append(thread)
        thread.start()

    def accept() -> None:
        while True:
            try:
                near, _ = listener.accept()
            except OSError:
                return
            far = socket.create_connection(("127.0.0.1", port))
            sockets.extend((near, far))
            start(_copy, near, far, seconds)
            start(_copy, far, near, 0.0)

    with socket.create_server(("127.0.0.1", 0)) as listener:
        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield f"http://127.0.0.1:{listener.getsockname()[1]}"
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for one in sockets:
                _shut(one)
            for thread in threads:
                thread.join()
            for one in sockets:
                one.close()


def _copy(source: socket.socket, target: socket.socket, seconds: float) -> None:
    with suppress(OSError):
        while piece := source.recv(PIECE):
            time.sleep(seconds)
            target.sendall(piece)
    _shut(source)
    _shut(target)


def _shut(one: socket.socket) -> None:
    with suppress(OSError):
        one.shutdown(socket.SHUT_RDWR)
