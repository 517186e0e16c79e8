"""A server on loopback with a control plane of its own, and a client that hides nothing."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
import struct
from collections.abc import Awaitable, Callable
from types import TracebackType
from typing import NamedTuple, Self

from aiohttp import web

from origin.delivery.limits import Limits
from origin.delivery.resource import Resource
from origin.delivery.server import Server, serve
from origin.problem import Problem

PATIENCE = 20.0
"""Seconds after which a test no longer believes that something will happen."""


class Reply(NamedTuple):
    status: int
    headers: dict[str, str]
    body: bytes


class Missing(Exception):
    """What the tests' handler raises for a path it does not know."""


def describe(error: BaseException) -> Problem:
    if isinstance(error, Missing):
        return Problem(404, "not-found", str(error), "public, max-age=60")
    return Problem(500, "internal-error", repr(error))


class Wire:
    """One TCP connection, byte by byte."""

    def __init__(self, reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        self.reader = reader
        self.writer = writer

    async def send(self, data: bytes) -> None:
        self.writer.write(data)
        await self.writer.drain()

    async def drip(self, data: bytes) -> None:
        """Each byte in a packet of its own."""
        for byte in data:
            self.writer.write(bytes([byte]))
            await asyncio.sleep(0)

    async def get(self, path: str, *lines: str, method: str = "GET") -> Reply:
        await self.send(request(path, *lines, method=method))
        return await self.reply(head_only=method == "HEAD")

    async def reply(self, *, head_only: bool = False) -> Reply:
        """The next answer, framed as its head says."""
        async with asyncio.timeout(PATIENCE):
            head = await self.reader.readuntil(b"\r\n\r\n")
            status_line, *lines = head.decode("latin-1").rstrip("\r\n").split("\r\n")
            headers = {}
            for line in lines:
                name, _, value = line.partition(": ")
                assert name.lower() not in headers, f"{name} is there twice"
                headers[name.lower()] = value
            status = int(status_line.split(" ", 2)[1])
            body = b"" if head_only or status in (100, 204, 304) else await self._body(headers)
            return Reply(status, headers, body)

    async def _body(self, headers: dict[str, str]) -> bytes:
        if "content-length" in headers:
            return await self.reader.readexactly(int(headers["content-length"]))
        if headers.get("transfer-encoding") != "chunked":
            return await self.reader.read()
        body = b""
        while size := int(await self.reader.readuntil(b"\r\n"), 16):
            body += await self.reader.readexactly(size)
            assert await self.reader.readexactly(2) == b"\r\n"
        assert await self.reader.readexactly(2) == b"\r\n"
        return body

    async def rest(self) -> bytes:
        """All that comes before the server closes its side."""
        async with asyncio.timeout(PATIENCE):
            return await self.reader.read()

    async def is_closed(self) -> bool:
        """Whether the server closes without another byte."""
        try:
            return await self.rest() == b""
        except ConnectionError:
            return True

    def reset(self) -> None:
        """Leave as a player does that is killed: with RST, not FIN."""
        if self.writer.is_closing():
            return
        linger = struct.pack("ii", 1, 0)
        sock = self.writer.get_extra_info("socket")
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, linger)
        self.writer.transport.abort()

    async def close(self) -> None:
        self.writer.close()
        with contextlib.suppress(ConnectionError, ssl.SSLError):
            await self.writer.wait_closed()


def request(path: str, *lines: str, method: str = "GET", body: bytes = b"") -> bytes:
    head = [f"{method} {path} HTTP/1.1", "Host: test", *lines]
    if body:
        head.append(f"Content-Length: {len(body)}")
    return "\r\n".join((*head, "", "")).encode("latin-1") + body


class Serving:
    """``resources`` by path; ``loads`` by path are called for what is not at hand."""

    def __init__(
        self,
        limits: Limits | None = None,
        app: web.Application | None = None,
        tls: ssl.SSLContext | None = None,
    ) -> None:
        self.resources: dict[str, Resource] = {}
        self.loads: dict[str, Callable[[], Awaitable[Resource]]] = {}
        self.observed: list[tuple[str, str, int, int, float, bool]] = []
        self.shed = 0
        self.faults: list[dict[str, object]] = []
        self.limits = limits or Limits()
        self.app = app or control_app()
        self._tls = tls
        self._wires: list[Wire] = []

    async def __aenter__(self) -> Self:
        asyncio.get_running_loop().set_exception_handler(lambda _, seen: self.faults.append(seen))
        self._runner = web.AppRunner(self.app, access_log=None)
        await self._runner.setup()
        assert self._runner.server is not None
        self.socket = socket.create_server(("127.0.0.1", 0))
        self.port = self.socket.getsockname()[1]
        self.server: Server = await serve(
            self.socket,
            lambda request: self._handle(request.path),
            self._runner.server,
            describe,
            limits=self.limits,
            observe=lambda *seen: self.observed.append(seen),
            shed=self._count_shed,
            tls=self._tls,
        )
        return self

    async def __aexit__(
        self,
        kind: type[BaseException] | None,
        error: BaseException | None,
        trace: TracebackType | None,
    ) -> None:
        for wire in self._wires:
            wire.reset()
        await self.server.close(grace=PATIENCE)
        await self._runner.cleanup()
        assert self.server.connections == 0
        assert not self.faults, self.faults  # the loop would have logged them

    @property
    def url(self) -> str:
        return f"http://127.0.0.1:{self.port}"

    async def connect(self, *, tls: ssl.SSLContext | None = None, receive: int = 0) -> Wire:
        """A new connection; ``receive`` is the size of its kernel's receive buffer."""
        sock = socket.socket()
        if receive:
            sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, receive)
        sock.setblocking(False)
        try:
            await asyncio.get_running_loop().sock_connect(sock, ("127.0.0.1", self.port))
        except OSError:
            sock.close()
            raise
        limit = receive or 1 << 16
        name = "localhost" if tls else None
        wire = Wire(
            *await asyncio.open_connection(sock=sock, limit=limit, ssl=tls, server_hostname=name)
        )
        self._wires.append(wire)
        return wire

    def _count_shed(self) -> None:
        self.shed += 1

    def _handle(self, path: str) -> Resource | Awaitable[Resource]:
        if path in self.loads:
            return self.loads[path]()
        if path not in self.resources:
            raise Missing("nothing there")
        return self.resources[path]


async def until(condition: Callable[[], bool]) -> None:
    async with asyncio.timeout(PATIENCE):
        while not condition():  # noqa: ASYNC110 (what is waited for has no event)
            await asyncio.sleep(0.01)


def control_app() -> web.Application:
    """What the tests ask of a control plane: echo, stream, fail in several ways."""
    app = web.Application()
    app.router.add_route("*", "/echo", _echo)
    app.router.add_get("/chunked", _chunked)
    app.router.add_get("/slow", _slow)
    app.router.add_get("/fail", _fail)
    app.router.add_get("/short", _short)
    app.router.add_get("/broken", _broken)
    app.router.add_get("/vanish", _vanish)
    app.router.add_get("/large", _large)
    app.router.add_get("/medium", _medium)
    app.router.add_get("/empty", _empty)
    app.router.add_get("/close", _close)
    app.router.add_post("/unread", _unread)
    return app


async def _echo(request: web.Request) -> web.Response:
    body = await request.text()
    headers = {"X-Seen": ", ".join(sorted(name.lower() for name in request.headers))}
    return web.Response(text=f"{request.method} {request.raw_path} {body}", headers=headers)


async def _chunked(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    for number in range(3):
        await response.write(f"piece {number}\n".encode())
        await asyncio.sleep(0)
    return response


async def _slow(_: web.Request) -> web.Response:
    await asyncio.sleep(0.05)
    return web.Response(text="slow")


async def _fail(_: web.Request) -> web.Response:
    raise web.HTTPServiceUnavailable(text="not now")


async def _short(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse(headers={"Content-Length": "100"})
    await response.prepare(request)
    await response.write(b"only this")
    return response


async def _broken(request: web.Request) -> web.StreamResponse:
    response = web.StreamResponse()
    await response.prepare(request)
    # It ends as a chunked body does; only reading the framing tells that it is not over.
    await response.write(b"0\r\n")
    raise ConnectionError("mid-stream")


async def _vanish(request: web.Request) -> web.Response:
    assert request.transport is not None
    request.transport.close()
    return web.Response()


async def _large(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * 8_000_000)


async def _medium(_: web.Request) -> web.Response:
    return web.Response(body=b"x" * 60_000)


async def _empty(_: web.Request) -> web.Response:
    return web.Response(status=204)


async def _close(_: web.Request) -> web.Response:
    response = web.Response(text="closing")
    response.force_close()
    return response


async def _unread(_: web.Request) -> web.Response:
    return web.Response(status=403, text="no")
