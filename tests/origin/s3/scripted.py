"""A server that says what a test has written down, byte for byte."""

from __future__ import annotations

import asyncio
import contextlib
import ssl
from collections.abc import AsyncIterator, Awaitable, Callable, Sequence

from origin.storage.s3.options import Endpoint, Limits
from origin.storage.s3.pool import Pool

HEAD = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\n\r\n"
REQUEST = b"GET /key HTTP/1.1\r\nhost: s3\r\n\r\n"
HASTE = Limits(connect_seconds=5.0, first_byte_seconds=0.2, progress_seconds=0.1, progress_bytes=8)

Act = Callable[[asyncio.StreamWriter], Awaitable[None]]


class Script:
    """``acts``: what is done for each request, over all connections; ``requests``: their heads."""

    def __init__(self, *acts: bytes | Act) -> None:
        self._acts = list(acts)
        self.requests: list[bytes] = []
        self.connections = 0
        self.open = 0

    async def serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.connections += 1
        self.open += 1
        try:
            while True:
                self.requests.append(await reader.readuntil(b"\r\n\r\n"))
                act = self._acts.pop(0)
                if isinstance(act, bytes):
                    writer.write(act)
                else:
                    await act(writer)
        except (asyncio.IncompleteReadError, ConnectionError):
            pass  # the client has left
        finally:
            self.open -= 1
            writer.close()
            with contextlib.suppress(ConnectionError):
                await writer.wait_closed()


@contextlib.asynccontextmanager
async def playing(
    script: Script,
    limits: Limits = HASTE,
    tls: tuple[ssl.SSLContext, ssl.SSLContext] | tuple[None, None] = (None, None),
) -> AsyncIterator[Pool]:
    """A pool of connections to a server that plays ``script``; ``tls``: of server and client."""
    ours, theirs = tls
    server = await asyncio.start_server(script.serve, "127.0.0.1", 0, ssl=ours)
    host, port = server.sockets[0].getsockname()
    pool = Pool(Endpoint(ours is not None, host, port, f"{host}:{port}", ""), limits, theirs)
    try:
        yield pool
    finally:
        await pool.aclose()
        server.close()
        await server.wait_closed()
        while script.open:  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0)


def in_pieces(data: bytes, size: int = 1) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        for at in range(0, len(data), size):
            writer.write(data[at : at + size])
            await asyncio.sleep(0)

    return act


def then_close(data: bytes) -> Act:
    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(data)
        writer.close()

    return act


async def hang(writer: asyncio.StreamWriter) -> None:
    """Say nothing more."""


def chunked(pieces: Sequence[bytes], status: bytes = b"200 OK") -> bytes:
    head = b"HTTP/1.1 " + status + b"\r\nTransfer-Encoding: chunked\r\n\r\n"
    body = b"".join(b"%x\r\n%b\r\n" % (len(piece), piece) for piece in pieces)
    return head + body + b"0\r\n\r\n"
