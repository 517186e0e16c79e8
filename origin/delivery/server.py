"""The server: accepts on a listening socket, keeps the clock, and drains.

It accepts by itself, not by ``loop.create_server``: so handshakes are counted, as those are that
fail, what has come is taken in before the socket is closed, and the socket can be left alone.

There are two bounds on what it takes in. Beyond ``Limits.connections`` a newcomer is taken in too,
and told 503 if it asks for media: at once, so that a CDN goes elsewhere, where one that waits in
the kernel's queue learns nothing. The control plane answers it as ever: a server is neither dead
nor out of sight because it is full. Beyond ``Limits.most_connections`` nothing is accepted;
newcomers wait for another worker, or for one of ours to go. So it is too when there are no
descriptors left.
"""

from __future__ import annotations

import asyncio
import logging
import socket
import ssl
from collections.abc import Awaitable, Callable
from contextlib import suppress
from dataclasses import replace
from functools import partial

from origin.delivery.connection import DeliveryProtocol
from origin.delivery.limits import Limits
from origin.delivery.request import Request
from origin.delivery.resource import Resource
from origin.delivery.site import Control, Describe, Handler, Observe, Site
from origin.problem import Problem

log = logging.getLogger(__name__)

MEDIA = ("/v/",)

ACCEPTED_AT_ONCE = 8
"""Connections, in a round of the loop: some 2 ms. Of a busy loop, whose rounds are long, one alone
would let in fewer than come."""
COMPLAINT_SECONDS = 60.0

_FULL = Problem(
    503,
    "too-many-connections",
    "The server has all the connections it may have.",
    retry_after=1,
    fields=(("CMSD-Dynamic", '"vod-origin";du'),),
)


class _NoRoom(Exception):
    """For media, on a connection beyond the limit."""


class Server:
    """Serves from ``start`` until ``close`` returns."""

    def __init__(
        self,
        site: Site,
        sock: socket.socket,
        tls: ssl.SSLContext | None = None,
        shed: Callable[[], None] | None = None,
    ) -> None:
        """``shed`` is called for each request that is refused for want of room."""
        self._tls = tls
        self._site = site
        self._overflow = replace(
            site,
            handler=self._handle_if_room,
            describe=self._describe,
            limits=replace(site.limits, idle_seconds=site.limits.head_seconds),
            draining=True,
        )
        self._shed = shed
        self._sock = sock
        self._polling = False
        self._complain_from = 0.0
        self._arriving: dict[DeliveryProtocol, asyncio.Task[None]] = {}
        self._connections: set[DeliveryProtocol] = set()
        self._closing = False
        self._empty = asyncio.Event()
        self._calls = self._joined, self._left  # bound once, not for each of many connections

    @property
    def connections(self) -> int:
        """All that were taken in, whether their handshakes are over or not."""
        return len(self._arriving) + len(self._connections)

    def start(self) -> None:
        self._sock.setblocking(False)
        self._sock.listen(self._site.limits.backlog)
        self._poll()
        self._tick()
        self._strike()

    def secure(self, tls: ssl.SSLContext) -> None:
        """Secure connections to come with ``tls``."""
        self._tls = tls

    def drain(self) -> None:
        """Go on accepting, but let each answer be the last of its connection."""
        self._site.draining = True

    async def close(self, grace: float) -> None:
        """Stop accepting, let what is in flight end for ``grace`` seconds, then abort it."""
        self.drain()
        if not self._closing:
            self._stop_accepting()
        if not await self._emptied(grace):
            for handshake in tuple(self._arriving.values()):
                handshake.cancel()
            for connection in tuple(self._connections):
                connection.abort()
            await self._emptied(1.0)
        self._clock.cancel()
        self._striking.cancel()

    # Taking in.

    def _stop_accepting(self) -> None:
        known = tuple(self._connections)
        while self._accept():
            continue  # closing the socket resets what is in its queue
        self._closing = True
        self._leave_alone()
        self._sock.close()
        for connection in known:  # those that have just come may have asked by the next tick
            connection.close_if_idle()

    def _poll(self) -> None:
        self._polling = True
        self._site.loop.add_reader(self._sock, self._accept_some)

    def _leave_alone(self) -> None:
        if self._polling:
            self._polling = False
            self._site.loop.remove_reader(self._sock)

    def _accept_some(self) -> None:
        """Those behind them are for the loop's next round, or for another worker."""
        for _ in range(ACCEPTED_AT_ONCE):
            if not self._accept():
                break

    def _accept(self) -> bool:
        """Take in one, and say so."""
        if self.connections >= self._site.limits.most_connections:
            self._leave_alone()  # until one goes
            return False
        try:
            sock, _ = self._sock.accept()
        except (BlockingIOError, ConnectionAbortedError):
            return False  # another worker was faster, or the peer has left
        except OSError as error:
            self._leave_alone()  # until one goes, or the clock ticks
            self._complain(error)
            return False
        self._take(sock)
        return True

    def _complain(self, error: OSError) -> None:
        now = self._site.loop.time()
        if now >= self._complain_from:
            self._complain_from = now + COMPLAINT_SECONDS
            log.error("cannot accept connections: %s (%d open)", error.strerror, self.connections)

    def _take(self, sock: socket.socket) -> None:
        full = self.connections >= self._site.limits.connections
        site = self._overflow if full else self._site
        connection = DeliveryProtocol(site, *self._calls)
        self._empty.clear()
        arriving = self._site.loop.create_task(self._connect(sock, connection))
        self._arriving[connection] = arriving
        arriving.add_done_callback(partial(self._arrived, connection))

    async def _connect(self, sock: socket.socket, connection: DeliveryProtocol) -> None:
        limits, tls = self._site.limits, self._tls
        with suppress(OSError):  # it has left, takes too long, or does not speak TLS
            await self._site.loop.connect_accepted_socket(
                lambda: connection,
                sock,
                ssl=tls,
                ssl_handshake_timeout=limits.head_seconds if tls else None,
                ssl_shutdown_timeout=limits.linger_seconds if tls else None,
            )

    def _joined(self, connection: DeliveryProtocol) -> None:
        self._arriving.pop(connection, None)
        self._connections.add(connection)

    def _arrived(self, connection: DeliveryProtocol, _: asyncio.Task[None]) -> None:
        self._arriving.pop(connection, None)
        self._freed()

    def _left(self, connection: DeliveryProtocol) -> None:
        self._connections.discard(connection)
        self._freed()

    def _freed(self) -> None:
        if not self.connections:
            self._empty.set()
        self._poll_if_room()

    def _poll_if_room(self) -> None:
        room = self.connections < self._site.limits.most_connections
        if room and not self._polling and not self._closing:
            self._poll()

    async def _emptied(self, grace: float) -> bool:
        if self.connections:
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
        self._poll_if_room()
        self._clock = loop.call_later(self._site.limits.tick_seconds, self._tick)

    def _strike(self) -> None:
        """Each second answers have another date."""
        seconds = self._site.preambles.renew()
        self._striking = self._site.loop.call_later(seconds, self._strike)

    # Beyond the limit.

    def _handle_if_room(self, request: Request) -> Resource | Awaitable[Resource]:
        """Others may have left since this one was taken in."""
        if self.connections > self._site.limits.connections:
            if self._shed is not None:
                self._shed()
            raise _NoRoom
        return self._site.handler(request)

    def _describe(self, error: BaseException) -> Problem:
        return _FULL if isinstance(error, _NoRoom) else self._site.describe(error)


async def serve(
    sock: socket.socket,
    handler: Handler,
    control: Control,
    describe: Describe,
    *,
    media: tuple[str, ...] = MEDIA,
    limits: Limits | None = None,
    observe: Observe | None = None,
    shed: Callable[[], None] | None = None,
    tls: ssl.SSLContext | None = None,
) -> Server:
    """Serve on ``sock``, which is bound.

    Paths that begin with one of ``media`` are ``handler``'s, what it raises is ``describe``'s, and
    all other paths are ``control``'s.
    """
    loop = asyncio.get_running_loop()
    limits = limits or Limits()
    if tls is not None:
        # The last of an answer lies encrypted in a transport that does not show how much it holds,
        # so lingering is not yet for the peer to close.
        limits = replace(limits, linger_seconds=limits.stall_seconds)
    site = Site(loop, handler, control, describe, media, limits, observe)
    server = Server(site, sock, tls, shed)
    server.start()
    return server
