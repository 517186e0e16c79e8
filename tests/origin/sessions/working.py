"""Sessions on a real Valkey, and a relay in front of it that may fail."""

from __future__ import annotations

import asyncio
import secrets
import socket
import ssl
import struct
import time
from collections.abc import AsyncIterator, Awaitable, Callable
from contextlib import AsyncExitStack, asynccontextmanager, suppress
from dataclasses import dataclass, field
from typing import Any, TypeVar

from redis.asyncio import Redis

from origin.errors import StoreAway
from origin.sessions import Playback, Sessions, bind

T = TypeVar("T")

UNHURRIED = 5.0
"""For tests that are not about time, on a machine that has other things to do."""
RECOVERY_SECONDS = 2.0


class Workers(AsyncExitStack):
    """Each with sessions of its own."""

    async def open(self, url: str, **options: Any) -> Sessions:
        options = {"patience": UNHURRIED, **options}
        opened = await Sessions.open(url, **options)
        self.push_async_callback(opened.aclose)
        return opened


def account() -> str:
    return secrets.token_hex(8)


def playback(of: str, title: str = "film", device: str = "device", **others: Any) -> Playback:
    sid = secrets.token_bytes(16)
    now = int(time.time())
    names = ("profile", title, title, bind(sid, device), "Chrome on Linux", "standard")
    return Playback(sid, of, *names, began=now, expiry=others.pop("expiry", now + 3600), **others)


async def until(check: Callable[[], Awaitable[bool]], seconds: float = 30.0) -> None:
    async with asyncio.timeout(seconds):
        while True:
            if await check():
                return
            await asyncio.sleep(0.01)


async def answered(ask: Callable[[], Awaitable[T]], seconds: float = RECOVERY_SECONDS) -> T:
    """The first answer that is not ``StoreAway``."""
    async with asyncio.timeout(seconds):
        while True:
            with suppress(StoreAway):
                return await ask()
            await asyncio.sleep(0.01)


async def subscribed(url: str, least: int) -> bool:
    """Whether so many listen to the news."""
    async with asking(url) as redis:
        [(_, count)] = await redis.pubsub_numsub("vod:news")
    return int(count) >= least


@asynccontextmanager
async def asking(url: str, decoded: bool = True) -> AsyncIterator[Redis]:
    """A client to look behind."""
    redis: Redis = Redis.from_url(url, decode_responses=decoded)
    try:
        yield redis
    finally:
        await redis.aclose()


@dataclass
class Relay:
    """To the Unix socket of a server. ``url``: where it listens."""

    path: str
    url: str = ""
    deaf: bool = False
    """Who subscribes is thrown out."""
    reset_after: int | None = None
    """So many bytes of replies come, then a reset."""
    _open: set[asyncio.StreamWriter] = field(default_factory=set)
    _serving: set[asyncio.Task[None]] = field(default_factory=set)

    def cut(self) -> None:
        """All connections that there are."""
        for writer in list(self._open):
            _reset(writer)

    async def end(self) -> None:
        self.cut()
        if self._serving:
            await asyncio.wait(self._serving)

    def accept(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        serving = asyncio.create_task(self._serve(reader, writer))
        self._serving.add(serving)
        serving.add_done_callback(self._serving.discard)

    async def _serve(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        try:
            theirs = await asyncio.open_unix_connection(self.path)
        except OSError:
            _reset(writer)
            return
        self._open.add(writer)
        ways = [
            asyncio.create_task(self._questions(reader, theirs[1])),
            asyncio.create_task(self._answers(theirs[0], writer)),
        ]
        await asyncio.wait(ways, return_when=asyncio.FIRST_COMPLETED)
        for way in ways:
            way.cancel()
        await asyncio.wait(ways)
        self._open.discard(writer)
        for side in (writer, theirs[1]):
            side.transport.abort()

    async def _questions(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.deaf and b"SUBSCRIBE" in data:
                    return
                writer.write(data)

    async def _answers(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        with suppress(ConnectionError):
            while data := await reader.read(65_536):
                if self.reset_after is not None and len(data) > self.reset_after:
                    writer.write(data[: self.reset_after])
                    _reset(writer)
                    return
                writer.write(data)


@asynccontextmanager
async def relay(url: str, tls: ssl.SSLContext | None = None) -> AsyncIterator[Relay]:
    between = Relay(url.removeprefix("unix://"))
    server = await asyncio.start_server(between.accept, "127.0.0.1", 0, ssl=tls)
    between.url = f"redis{'s' if tls else ''}://127.0.0.1:{server.sockets[0].getsockname()[1]}/0"
    try:
        yield between
    finally:
        server.close()
        await between.end()
        await server.wait_closed()


def _reset(writer: asyncio.StreamWriter) -> None:
    raw = writer.get_extra_info("socket")
    if raw is not None and not writer.transport.is_closing():
        with suppress(OSError):
            raw.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    writer.transport.abort()
