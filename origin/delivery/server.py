"""The server: accepts on a listening socket, keeps the clock, and drains."""

from __future__ import annotations

import asyncio
import socket
import ssl
from collections.abc import Callable

from origin.delivery.connection import DeliveryProtocol, Handler, Observer, Site
from origin.delivery.limits import Limits
from origin.problem import Problem

MEDIA = ("/v/",)


class Server:
    """A running server; made by ``serve``."""

    def __init__(self, site: Site, listener: asyncio.Server) -> None:
        self._site = site
        self._listener = listener
        self._tick()

    @property
    def connections(self) -> int:
        return len(self._site.connections)

    def drain(self) -> None:
        """Go on accepting, but let every answer be the last of its connection."""
        self._site.draining = True

    async def close(self, grace: float) -> None:
        """Stop accepting, let what is in flight finish for ``grace`` seconds, abort the rest."""
        site = self._site
        self.drain()
        self._listener.close()
        for connection in tuple(site.connections):
            connection.drain()
        if not await self._emptied(grace):
            for connection in tuple(site.connections):
                connection.abort()
            await self._emptied(grace=1.0)
        self._clock.cancel()

    async def _emptied(self, grace: float) -> bool:
        site = self._site
        if not site.connections:
            return True
        done = asyncio.Event()
        site.emptied = done.set
        try:
            async with asyncio.timeout(grace):
                await done.wait()
        except TimeoutError:
            return False
        return True

    def _tick(self) -> None:
        """One timer for all connections: a request sets and cancels none."""
        for connection in tuple(self._site.connections):
            connection.tick()
        self._clock = self._site.loop.call_later(self._site.limits.tick_seconds, self._tick)


async def serve(
    sock: socket.socket,
    handler: Handler,
    control: Callable[[], asyncio.Protocol],
    describe: Callable[[BaseException], Problem],
    *,
    media: tuple[str, ...] = MEDIA,
    limits: Limits | None = None,
    observe: Observer | None = None,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Serve ``sock``, which is bound; paths that begin with one of ``media`` are ``handler``'s.

    ``control`` makes a protocol that speaks HTTP/1.1 for each other request, as an aiohttp
    ``web.AppRunner(app).server`` does.
    """
    loop = asyncio.get_running_loop()
    site = Site(loop, handler, control, describe, limits or Limits(), media, observe)
    listener = await loop.create_server(
        lambda: DeliveryProtocol(site), sock=sock, backlog=site.limits.backlog, ssl=tls
    )
    return Server(site, listener)
