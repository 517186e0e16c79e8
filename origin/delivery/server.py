"""The server: accepts on a listening socket, keeps the clock, and drains."""

from __future__ import annotations

import asyncio
import socket
import ssl

from origin.delivery.connection import DeliveryProtocol
from origin.delivery.limits import Limits
from origin.delivery.site import Control, Describe, Handler, Observe, Site

MEDIA = ("/v/",)


class Server:
    """Serves from ``start`` until ``close`` returns."""

    def __init__(self, site: Site) -> None:
        self._site = site
        self._connections: set[DeliveryProtocol] = set()
        self._closing = False
        self._closed = False
        self._empty = asyncio.Event()

    @property
    def connections(self) -> int:
        return len(self._connections)

    async def start(self, sock: socket.socket, tls: ssl.SSLContext | None) -> None:
        limits = self._site.limits
        self._listener = await self._site.loop.create_server(
            self._connect,
            sock=sock,
            backlog=limits.backlog,
            ssl=tls,
            ssl_handshake_timeout=limits.head_seconds if tls else None,
        )
        self._tick()

    def drain(self) -> None:
        """Go on accepting, but let each answer be the last of its connection."""
        self._site.draining = True

    async def close(self, grace: float) -> None:
        """Stop accepting, let what is in flight end for ``grace`` seconds, then abort it."""
        self.drain()
        self._closing = True
        self._listener.close()
        for connection in tuple(self._connections):
            connection.close_if_idle()
        if not await self._emptied(grace):
            for connection in tuple(self._connections):
                connection.abort()
            await self._emptied(1.0)
        self._clock.cancel()
        self._closed = True

    def _connect(self) -> DeliveryProtocol:
        return DeliveryProtocol(self._site, self._joined, self._left)

    def _joined(self, connection: DeliveryProtocol) -> None:
        self._connections.add(connection)
        self._empty.clear()
        if self._closed:
            connection.abort()  # it was being accepted when the listener was closed

    def _left(self, connection: DeliveryProtocol) -> None:
        self._connections.discard(connection)
        if not self._connections:
            self._empty.set()

    async def _emptied(self, grace: float) -> bool:
        if self._connections:
            try:
                async with asyncio.timeout(grace):
                    await self._empty.wait()
            except TimeoutError:
                return False
        return True

    def _tick(self) -> None:
        """One timer for all connections: no request sets or cancels one."""
        loop = self._site.loop
        now = loop.time()
        for connection in tuple(self._connections):
            if self._closing:
                connection.close_if_idle()  # it was accepted after the others were closed
            if connection.due <= now:
                connection.look(now)
        self._clock = loop.call_later(self._site.limits.tick_seconds, self._tick)


async def serve(
    sock: socket.socket,
    handler: Handler,
    control: Control,
    describe: Describe,
    *,
    media: tuple[str, ...] = MEDIA,
    limits: Limits | None = None,
    observe: Observe | None = None,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Serve on ``sock``, which is bound.

    Paths that begin with one of ``media`` are ``handler``'s, what it raises is ``describe``'s, and
    all other paths are ``control``'s.
    """
    loop = asyncio.get_running_loop()
    server = Server(Site(loop, handler, control, describe, media, limits or Limits(), observe))
    await server.start(sock, tls)
    return server
