"""How many connections a server takes in, and what it tells those it has no room for."""

from __future__ import annotations

import asyncio
import os
import resource as process
import socket
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import orjson
import pytest

from origin.delivery.limits import Limits
from origin.tls import make_context
from tests.origin.delivery.library import noise, resource
from tests.origin.delivery.serving import Serving, Wire, request, until
from tests.support.certificates import trusting, write_pair

SMALL = Limits(connections=3)
OVERFLOW = SMALL.most_connections - SMALL.connections
SHORT = 0.2


@pytest.fixture
async def small() -> AsyncIterator[Serving]:
    async with roomy(SMALL) as running:
        yield running


def roomy(limits: Limits, tls: ssl.SSLContext | None = None) -> Serving:
    serving = Serving(limits, tls=tls)
    serving.resources["/v/a"] = resource(b"media")
    serving.resources["/v/large"] = resource(noise(6_000_000))
    return serving


async def taken_in(serving: Serving, count: int) -> list[Wire]:
    """So many more connections that say nothing."""
    before = serving.server.connections
    wires = [await serving.connect() for _ in range(count)]
    await until(lambda: serving.server.connections == before + count)
    return wires


async def test_media_is_refused_at_once_beyond_the_limit(small: Serving) -> None:
    held = await taken_in(small, 3)
    [late] = await taken_in(small, 1)
    await late.send(request("/v/a") * 2)
    reply = await late.reply()
    assert reply.status == 503
    assert reply.headers["retry-after"] == "1"
    assert reply.headers["connection"] == "close"
    assert reply.headers["cache-control"] == "no-store"
    assert orjson.loads(reply.body)["code"] == "too-many-connections"
    assert await late.is_closed()
    assert small.shed == 1
    for wire in held:
        reply = await wire.get("/v/a")
        assert (reply.status, reply.body) == (200, b"media")
        assert "connection" not in reply.headers


async def test_the_control_plane_answers_a_full_server(small: Serving) -> None:
    await taken_in(small, 3)
    for _ in range(2 * OVERFLOW):
        wire = await small.connect()
        reply = await wire.get("/echo")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        await wire.close()
    assert small.shed == 0


async def test_media_is_answered_once_there_is_room(small: Serving) -> None:
    first, *_ = await taken_in(small, 3)
    [late] = await taken_in(small, 1)
    await first.close()
    await until(lambda: small.server.connections == 3)
    reply = await late.get("/v/a")
    assert (reply.status, reply.body) == (200, b"media")


async def test_whoever_is_beyond_the_limit_does_not_stay_long() -> None:
    async with roomy(Limits(connections=1, head_seconds=SHORT)) as serving:
        first, late = await taken_in(serving, 2)
        assert await late.is_closed()
        assert (await first.get("/v/a")).body == b"media"


async def test_nothing_is_accepted_beyond_what_may_be_refused(small: Serving) -> None:
    held = await taken_in(small, SMALL.most_connections)
    waiting = await small.connect()
    await waiting.send(request("/echo"))
    await asyncio.sleep(0.05)
    assert small.server.connections == SMALL.most_connections
    await held[0].close()
    assert (await waiting.reply()).body == b"GET /echo "


async def test_many_more_than_there_is_room_for_are_answered_in_the_end(small: Serving) -> None:
    async def ask() -> int:
        wire = await small.connect()
        reply = await wire.get("/v/a", "Connection: close")
        await wire.close()
        return reply.status

    statuses = await asyncio.gather(*(ask() for _ in range(20 * SMALL.most_connections)))
    assert set(statuses) <= {200, 503}
    assert 200 in statuses
    assert statuses.count(503) == small.shed


async def test_handshakes_count(tmp_path: Path) -> None:
    tls = make_context(*write_pair(tmp_path))
    async with roomy(Limits(connections=2), tls) as serving:
        silent = await taken_in(serving, 2)
        late = await serving.connect(tls=trusting())
        assert (await late.get("/v/a")).status == 503
        for wire in silent:
            await wire.close()
        await until(lambda: serving.server.connections == 0)
        again = await serving.connect(tls=trusting())
        assert (await again.get("/v/a")).status == 200


async def test_out_of_descriptors(
    monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    """Newcomers wait for one; meanwhile nothing is tried over and over, and it is said once."""
    tries = 0
    accept = socket.socket.accept

    def counted(self: socket.socket) -> tuple[socket.socket, object]:
        nonlocal tries
        tries += 1
        return accept(self)

    async with roomy(Limits()) as serving:
        warm = await serving.connect()
        assert (await warm.get("/v/a")).status == 200
        loop = asyncio.get_running_loop()
        socks = [socket.socket() for _ in range(8)]
        soft, hard = process.getrlimit(process.RLIMIT_NOFILE)
        free = os.dup(0)
        os.close(free)
        monkeypatch.setattr(socket.socket, "accept", counted)
        process.setrlimit(process.RLIMIT_NOFILE, (free, hard))
        try:
            for sock in socks:
                sock.setblocking(False)
                await loop.sock_connect(sock, ("127.0.0.1", serving.port))
                await loop.sock_sendall(sock, request("/v/a"))
            await asyncio.sleep(0.3)
            assert serving.server.connections == 1
            assert 1 <= tries < 10
            assert (await warm.get("/v/a")).status == 200
        finally:
            process.setrlimit(process.RLIMIT_NOFILE, (soft, hard))
        for sock in socks:
            assert (await loop.sock_recv(sock, 12)) == b"HTTP/1.1 200"
            sock.close()
    complaints = [line for line in caplog.messages if "cannot accept" in line]
    assert complaints == ["cannot accept connections: Too many open files (1 open)"]
