"""Everything that is not media: answered by the control plane, in its place on the connection."""

from __future__ import annotations

import asyncio
from pathlib import Path

import aiohttp
import pytest
from aiohttp import web

from origin.delivery.limits import Limits
from origin.delivery.site import CUT_SHORT
from tests.origin.delivery.library import noise, resource
from tests.origin.delivery.serving import Serving, control_app, request, until


@pytest.fixture(autouse=True)
def text(serving: Serving) -> None:
    serving.resources["/v/a"] = resource(b"media")


async def test_a_control_answer_leaves_the_connection_open(serving: Serving) -> None:
    wire = await serving.connect()
    for _ in range(3):
        reply = await wire.get("/echo?a=b")
        assert reply.status == 200
        assert reply.body == b"GET /echo?a=b "
        assert "connection" not in reply.headers
        assert (await wire.get("/v/a")).body == b"media"


@pytest.mark.parametrize(
    ("path", "status", "body"),
    [
        ("/chunked", 200, b"piece 0\npiece 1\npiece 2\n"),
        ("/slow", 200, b"slow"),
        ("/fail", 503, b"not now"),
        ("/nothing", 404, b"404: Not Found"),
        ("/empty", 204, b""),
        ("/large", 200, b"x" * 8_000_000),
        ("/close", 200, b"closing"),
        ("*not/a/path", 400, None),
    ],
)
async def test_answers(serving: Serving, path: str, status: int, body: bytes | None) -> None:
    wire = await serving.connect()
    reply = await wire.get(path)
    assert reply.status == status
    if body is not None:
        assert reply.body == body
        assert (await wire.get("/v/a")).body == b"media"


async def test_head(serving: Serving) -> None:
    wire = await serving.connect()
    for path in ("/echo", "/chunked", "/nothing", "/large"):
        await wire.send(request(path, method="HEAD") + request("/v/a"))
        assert (await wire.reply(head_only=True)).body == b""
        assert (await wire.reply()).body == b"media"


@pytest.mark.parametrize("method", ["POST", "PUT", "PATCH", "DELETE", "OPTIONS"])
async def test_methods_and_bodies(serving: Serving, method: str) -> None:
    wire = await serving.connect()
    await wire.send(request("/echo", method=method, body=b"hello") + request("/v/a"))
    assert (await wire.reply()).body == f"{method} /echo hello".encode()
    assert (await wire.reply()).body == b"media"
    await wire.send(request("/echo", method=method) + request("/v/a"))
    assert (await wire.reply()).body == f"{method} /echo ".encode()
    assert (await wire.reply()).body == b"media"


async def test_a_body_in_any_pieces(serving: Serving) -> None:
    wire = await serving.connect()
    chunked = b"4\r\nhell\r\n1;x=y\r\no\r\n0\r\nTrailer: x\r\n\r\n"
    head = request("/echo", "Transfer-Encoding: chunked", method="POST")
    await wire.drip(head + chunked + request("/v/a"))
    reply = await wire.reply()
    assert reply.body == b"POST /echo hello"
    assert "trailer" not in reply.headers["x-seen"]
    assert "transfer-encoding" not in reply.headers["x-seen"]
    assert (await wire.reply()).body == b"media"


async def test_what_is_of_the_connection_stays_out(serving: Serving) -> None:
    wire = await serving.connect()
    lines = (
        "Connection: keep-alive, X-Secret, Upgrade",
        "Keep-Alive: timeout=5",
        "X-Secret: kept",
        "TE: trailers",
        "Proxy-Connection: keep-alive",
        "Upgrade: websocket",
        "Cookie: a=b",
        "Cookie: c=d",
    )
    reply = await wire.get("/echo", *lines)
    # A field is not lost because a client names it in Connection: it may be what guards a route.
    assert reply.headers["x-seen"] == "connection, cookie, host, x-secret"
    assert (await wire.get("/v/a")).body == b"media"


@pytest.mark.parametrize("path", ["/short", "/broken"])
async def test_an_answer_cut_short_ends_the_connection(serving: Serving, path: str) -> None:
    wire = await serving.connect()
    await wire.send(request(path) + request("/v/a"))
    seen = await wire.rest()
    assert b"media" not in seen
    assert seen.startswith(b"HTTP/1.1 200")
    [observed] = serving.observed
    assert observed[1:3] == (path, CUT_SHORT)
    assert observed[-1], "it counts as aborted"


async def test_no_answer_at_all(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(request("/vanish") + request("/v/a"))
    reply = await wire.reply()
    assert reply.status == 500
    assert reply.headers["connection"] == "close"
    assert reply.headers["content-type"] == "application/problem+json"
    assert await wire.is_closed()


async def test_a_body_nobody_reads(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(request("/unread", method="POST", body=b"x" * 60_000) + request("/v/a"))
    assert (await wire.reply()).status == 403
    assert (await wire.reply()).body == b"media"


async def test_the_limit_of_a_body(serving: Serving) -> None:
    wire = await serving.connect()
    largest = b"x" * serving.limits.control_body_bytes
    await wire.send(request("/echo", method="POST", body=largest))
    assert (await wire.reply()).body == b"POST /echo " + largest
    await wire.send(request("/echo", method="POST", body=largest + b"y"))
    reply = await wire.reply()
    assert reply.status == 413
    assert await wire.is_closed()


async def test_expect_continue(serving: Serving) -> None:
    wire = await serving.connect()
    head = request("/echo", "Expect: 100-continue", "Content-Length: 5", method="POST")
    await wire.send(request("/slow") + head)
    assert (await wire.reply()).body == b"slow"
    assert (await wire.reply()).status == 100
    await wire.send(b"hello")
    assert (await wire.reply()).body == b"POST /echo hello"
    await wire.send(head + b"again")
    reply = await wire.reply()
    assert (await wire.reply() if reply.status == 100 else reply).body == b"POST /echo again"


async def test_too_much_is_refused_before_it_is_sent(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(
        request("/echo", "Expect: 100-continue", "Content-Length: 5000000", method="POST")
    )
    assert (await wire.reply()).status == 413
    assert await wire.is_closed()


async def test_http_1_0(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(b"GET /echo HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    reply = await wire.reply()
    assert reply.headers["connection"] == "keep-alive"
    await wire.send(b"GET /chunked HTTP/1.0\r\nConnection: keep-alive\r\n\r\n")
    reply = await wire.reply()
    assert "transfer-encoding" not in reply.headers
    assert reply.headers["connection"] == "close"
    assert reply.body == b"piece 0\npiece 1\npiece 2\n"
    assert await wire.is_closed()


async def test_close_when_asked(serving: Serving) -> None:
    for path in ("/echo", "/chunked", "/empty"):
        wire = await serving.connect()
        await wire.send(request(path, "Connection: close"))
        assert (await wire.reply()).headers["connection"] == "close"
        assert await wire.is_closed()


async def test_a_slow_reader_of_a_large_answer(serving: Serving) -> None:
    wire = await serving.connect(receive=8192)
    await wire.send(request("/large") + request("/v/a"))
    await asyncio.sleep(0.2)
    assert not serving.observed, "back pressure reaches the control plane"
    assert (await wire.reply()).body == b"x" * 8_000_000
    assert (await wire.reply()).body == b"media"


async def test_a_client_that_leaves(serving: Serving) -> None:
    wire = await serving.connect(receive=8192)
    await wire.send(request("/large"))
    await asyncio.sleep(0.1)
    wire.reset()
    await until(lambda: serving.server.connections == 0)
    [observed] = serving.observed
    assert observed[-1]


async def test_a_websocket_is_declined(serving: Serving) -> None:
    app = control_app()

    async def websocket(request: web.Request) -> web.StreamResponse:
        response = web.WebSocketResponse()
        await response.prepare(request)
        return response

    app.router.add_get("/ws", websocket)
    async with Serving(app=app) as other, aiohttp.ClientSession(other.url) as session:
        with pytest.raises(aiohttp.WSServerHandshakeError) as refused:
            await session.ws_connect("/ws")
        assert refused.value.status == 400


async def test_files_of_the_control_plane(tmp_path: Path) -> None:
    page = noise(700_000)
    (tmp_path / "page.bin").write_bytes(page)
    app = web.Application()
    app.router.add_static("/", tmp_path)
    async with Serving(app=app) as serving:
        serving.resources["/v/a"] = resource(b"media")
        wire = await serving.connect()
        for _ in range(2):
            assert (await wire.get("/page.bin")).body == page
            assert (await wire.get("/v/a")).body == b"media"


async def test_the_peer_is_known(serving: Serving) -> None:
    app = web.Application()

    async def peer(request: web.Request) -> web.Response:
        assert request.transport is not None
        assert request.transport.get_extra_info("socket") is None
        return web.Response(text=str(request.remote))

    app.router.add_get("/peer", peer)
    async with Serving(app=app) as other:
        wire = await other.connect()
        assert (await wire.get("/peer")).body == b"127.0.0.1"


async def test_aiohttp_as_a_client(serving: Serving) -> None:
    async with aiohttp.ClientSession(serving.url) as session:
        for _ in range(5):
            async with session.post("/echo", data=b"hello") as response:
                assert await response.text() == "POST /echo hello"
            async with session.get("/chunked") as response:
                assert await response.text() == "piece 0\npiece 1\npiece 2\n"
            async with session.get("/v/a") as response:
                assert await response.read() == b"media"
        assert serving.server.connections == 1


async def test_limits_of_bodies_are_settings() -> None:
    async with Serving(Limits(control_body_bytes=4)) as serving:
        wire = await serving.connect()
        await wire.send(request("/echo", method="POST", body=b"hell"))
        assert (await wire.reply()).status == 200
        await wire.send(request("/echo", method="POST", body=b"hello"))
        assert (await wire.reply()).status == 413
