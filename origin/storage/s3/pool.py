"""Connections to one server: kept, handed out again, closed.

The one used last is handed out first, so that what is not needed is closed by the server for being
idle. Whoever has one has one of the ``slots``, and gives back both.
"""

from __future__ import annotations

import asyncio
import os
import socket
import ssl
from functools import partial

from origin.errors import StorageError
from origin.storage.s3.connection import SCRATCH_BYTES, Answer, Connection, Room
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.options import Endpoint, Limits
from origin.storage.s3.restraint import Slots


class Pool:
    """Of one loop. ``tls``: None for plain TCP."""

    def __init__(self, endpoint: Endpoint, limits: Limits, tls: ssl.SSLContext | None) -> None:
        self._endpoint = endpoint
        self._limits = limits
        self._tls = tls
        self.slots = Slots(limits.connections, limits.patience_seconds)
        self._scratch = bytearray(SCRATCH_BYTES)
        self._kept: list[Connection] = []
        self._open: set[Connection] = set()
        self._none_open = asyncio.Event()

    async def take(self, *, new: bool = False) -> Connection:
        """A kept connection, if there is one and none that is ``new`` is asked for."""
        await self.slots.take()
        try:
            while self._kept and not new:
                connection = self._kept.pop()
                if connection.reusable:
                    return connection
            return await self._connect()
        except BaseException:
            self.slots.release()
            raise

    async def fetch(
        self, connection: Connection, request: bytes, answer: Answer, room: Room | None = None
    ) -> None:
        """As the connection's own; then takes it back."""
        try:
            await connection.fetch(request, answer, room)
        finally:
            if connection.reusable:
                self._kept.append(connection)
            else:
                connection.close()
            self.slots.release()

    async def aclose(self) -> None:
        self._kept.clear()
        for connection in self._open:
            connection.close()
        if self._open:
            await self._none_open.wait()

    async def _connect(self) -> Connection:
        make = partial(Connection, self._scratch, self._limits, self._lost)
        place = self._endpoint
        connect = asyncio.get_running_loop().create_connection
        try:
            async with asyncio.timeout(self._limits.connect_seconds):
                _, connection = await connect(make, place.host, place.port, ssl=self._tls)
        except ssl.SSLCertVerificationError as error:
            raise StorageError(
                f"the storage's certificate is not trusted: {error.verify_message}"
            ) from error
        except TimeoutError:
            seconds = self._limits.connect_seconds
            raise Passing(
                Reason.CONNECT, f"no connection to the storage within {seconds:g} s"
            ) from None
        except OSError as error:
            raise Passing(Reason.CONNECT, f"no connection to the storage: {_why(error)}") from error
        self._open.add(connection)
        self._none_open.clear()
        return connection

    def _lost(self, connection: Connection) -> None:
        self._open.discard(connection)
        if not self._open:
            self._none_open.set()


def _why(error: OSError) -> str:
    """Without the address, which asyncio puts in."""
    if isinstance(error, ssl.SSLError | socket.gaierror) or not error.errno:
        return error.strerror or type(error).__name__
    return os.strerror(error.errno)
