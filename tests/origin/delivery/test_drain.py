"""Stopping: nothing new is accepted, what is in flight ends, what does not is cut."""

from __future__ import annotations

import asyncio
import contextlib
import gc
import socket
from pathlib import Path

import pytest

from origin.delivery.connection import DeliveryProtocol
from origin.delivery.resource import FileSpan, Resource
from tests.origin.delivery.library import noise, open_file, resource
from tests.origin.delivery.serving import Serving, Wire, request, until

BODY = noise(6_000_000)


@pytest.fixture(autouse=True)
def titles(serving: Serving, tmp_path: Path) -> None:
    file = open_file(tmp_path / "file", BODY)
    serving.resources["/v/a"] = resource(b"media")
    serving.resources["/v/large"] = resource(FileSpan(file, 0, len(BODY)))


async def start(serving: Serving, path: str) -> Wire:
    """A connection in the middle of an answer."""
    wire = await serving.connect(receive=4096)
    await wire.send(request(path) + request("/v/a"))
    await wire.reader.readuntil(b"\r\n\r\n")
    return wire


async def test_idle_connections_are_closed(serving: Serving) -> None:
    fresh, used = await serving.connect(), await serving.connect()
    assert (await used.get("/v/a")).status == 200
    await serving.server.close(grace=10)
    assert await fresh.is_closed()
    assert await used.is_closed()
    with pytest.raises(OSError, match=r"refused|Connect call failed"):
        await serving.connect()


async def test_a_download_ends(serving: Serving) -> None:
    media = await start(serving, "/v/large")
    control = await start(serving, "/large")
    closing = asyncio.ensure_future(serving.server.close(grace=20))
    await asyncio.sleep(0.05)
    assert not closing.done()
    assert await media.rest() == BODY
    assert await control.rest() == b"x" * 8_000_000
    await media.close()
    await control.close()
    await closing
    assert {seen[1] for seen in serving.observed} == {"/v/large", "/large"}
    assert not any(seen[-1] for seen in serving.observed)


async def test_a_load_ends_with_a_word_of_the_end(serving: Serving) -> None:
    release: asyncio.Future[Resource] = asyncio.get_running_loop().create_future()
    serving.loads["/v/load"] = lambda: release
    wire = await serving.connect()
    await wire.send(request("/v/load"))
    await until(lambda: serving.server.connections == 1)
    await asyncio.sleep(0.02)
    closing = asyncio.ensure_future(serving.server.close(grace=20))
    await asyncio.sleep(0.02)
    release.set_result(serving.resources["/v/a"])
    assert (await wire.reply()).body == b"media"
    assert await wire.is_closed()
    await wire.close()
    await closing


async def test_a_head_under_way_is_answered(serving: Serving) -> None:
    wire = await serving.connect()
    whole = request("/v/a")
    await wire.send(whole[:-2])
    await until(lambda: serving.server.connections == 1)
    await asyncio.sleep(0.02)
    closing = asyncio.ensure_future(serving.server.close(grace=20))
    await asyncio.sleep(0.02)
    await wire.send(whole[-2:])
    reply = await wire.reply()
    assert reply.body == b"media"
    assert reply.headers["connection"] == "close"
    assert await wire.is_closed()
    await wire.close()
    await closing


async def test_what_does_not_end_is_cut(serving: Serving) -> None:
    media = await start(serving, "/v/large")
    control = await start(serving, "/large")
    await serving.server.close(grace=0.1)
    assert serving.server.connections == 0
    for wire in (media, control):
        with contextlib.suppress(ConnectionError):
            assert len(await wire.rest()) < 6_000_000
    assert all(seen[-1] for seen in serving.observed)


async def test_what_has_come_before_the_close_is_answered(serving: Serving) -> None:
    """The kernel has it, the server has not seen it yet; closing the socket would reset it."""
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", serving.port)) as late:
        late.sendall(request("/v/a"))
        late.setblocking(False)
        await serving.server.close(grace=20)
        assert (await loop.sock_recv(late, 12)) == b"HTTP/1.1 200"


async def test_closing_twice(serving: Serving) -> None:
    await serving.server.close(grace=1)
    await serving.server.close(grace=1)


async def test_draining_says_close_and_goes_on_accepting(serving: Serving) -> None:
    wire = await serving.connect()
    assert "connection" not in (await wire.get("/v/a")).headers
    serving.server.drain()
    for path in ("/v/a", "/echo"):
        wire = await serving.connect()
        reply = await wire.get(path)
        assert reply.status == 200
        assert reply.headers["connection"] == "close"
        assert await wire.is_closed()


@pytest.mark.parametrize("rounds", range(6))
async def test_a_connection_that_comes_with_the_close(serving: Serving, rounds: int) -> None:
    """Whether it is still in the backlog or just being accepted: nobody waits for it."""
    loop = asyncio.get_running_loop()
    with socket.create_connection(("127.0.0.1", serving.port)) as late:
        late.setblocking(False)
        for _ in range(rounds):
            await asyncio.sleep(0)
        async with asyncio.timeout(10):
            await serving.server.close(grace=60)
            with contextlib.suppress(ConnectionError):
                assert await loop.sock_recv(late, 1) == b""


async def test_a_connection_goes_with_its_end(serving: Serving) -> None:
    """Without the garbage collector, whose full collections hold up everybody."""
    gc.collect()
    gc.disable()
    try:
        for asked in (
            request("/v/a"),
            request("/v/large"),
            request("/v/none") + request("/v/a"),
            request("/echo"),
            request("/v/a", "Connection: close"),
            b"nonsense\r\n\r\n",
            request("/v/a")[:-2],
        ):
            wire = await serving.connect()
            await wire.send(asked)
            if asked[-4:] == b"\r\n\r\n":
                await wire.reader.readuntil(b"\r\n\r\n")
            wire.reset()
        await until(lambda: serving.server.connections == 0)
        await until(
            lambda: not any(isinstance(kept, DeliveryProtocol) for kept in gc.get_objects())
        )
    finally:
        gc.enable()
