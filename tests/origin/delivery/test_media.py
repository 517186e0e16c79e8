"""Media over real sockets: heads, methods, keep-alive, errors."""

from __future__ import annotations

import asyncio

import aiohttp
import orjson
import pytest

from origin.delivery.resource import Resource
from tests.origin.delivery.library import noise, resource
from tests.origin.delivery.serving import Missing, Serving, request, until

TEXT = noise(3000)
PATH = "/v/title/master.m3u8"


@pytest.fixture(autouse=True)
def text(serving: Serving) -> Resource:
    made = resource(TEXT, media_type="application/vnd.apple.mpegurl", multipart=False)
    serving.resources[PATH] = made
    return made


async def test_the_whole(serving: Serving) -> None:
    wire = await serving.connect()
    reply = await wire.get(PATH)
    assert reply.status == 200
    assert reply.body == TEXT
    assert reply.headers["server"] == "vod-origin"
    assert reply.headers["date"].endswith(" GMT")
    assert reply.headers["content-type"] == "application/vnd.apple.mpegurl"
    assert reply.headers["accept-ranges"] == "bytes"
    assert reply.headers["etag"] == '"r1"'
    assert reply.headers["access-control-allow-origin"] == "*"
    assert "connection" not in reply.headers


async def test_byte_by_byte(serving: Serving) -> None:
    wire = await serving.connect()
    for _ in range(2):
        await wire.drip(request(PATH, "Range: bytes=10-19"))
        reply = await wire.reply()
        assert reply.status == 206
        assert reply.body == TEXT[10:20]


async def test_one_connection_for_all_kinds_of_answers(serving: Serving) -> None:
    wire = await serving.connect()
    assert (await wire.get(PATH)).status == 200
    assert (await wire.get(PATH, 'If-None-Match: "r1"')).status == 304
    assert (await wire.get(PATH, "Range: bytes=5000-")).status == 416
    assert (await wire.get("/v/nothing")).status == 404
    assert (await wire.get(PATH, method="POST")).status == 405
    assert (await wire.get(PATH, method="DELETE")).status == 405
    assert (await wire.get(PATH, method="OPTIONS")).status == 204
    assert (await wire.get("*", method="OPTIONS")).status == 204
    assert (await wire.get(PATH, 'If-Match: "old"')).status == 412
    assert (await wire.get(PATH, method="HEAD")).status == 200
    assert (await wire.get("/v/nothing", method="HEAD")).status == 404
    assert (await wire.get(PATH, "Range: bytes=0-1")).body == TEXT[:2]
    assert serving.server.connections == 1


async def test_head_has_the_fields_of_get(serving: Serving) -> None:
    wire = await serving.connect()
    for path in (PATH, "/v/nothing"):
        got, head = await wire.get(path), await wire.get(path, method="HEAD")
        assert head.status == got.status
        assert head.headers | {"date": ""} == got.headers | {"date": ""}


async def test_an_error_is_a_problem(serving: Serving) -> None:
    wire = await serving.connect()
    reply = await wire.get("/v/nothing")
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "public, max-age=60"
    assert orjson.loads(reply.body)["code"] == "not-found"
    refused = await wire.get(PATH, method="PUT")
    assert refused.headers["allow"] == "GET, HEAD, OPTIONS"
    assert refused.headers["cache-control"] == "no-store"


async def test_a_preflight(serving: Serving) -> None:
    async with aiohttp.ClientSession(serving.url) as session:
        asked = {"Origin": "https://x.test", "Access-Control-Request-Headers": "range"}
        async with session.options(PATH, headers=asked) as response:
            assert response.status == 204
            assert await response.read() == b""
            assert "range" in response.headers["Access-Control-Allow-Headers"].lower()
            assert response.headers["Access-Control-Allow-Origin"] == "*"


async def test_nothing_of_the_request_comes_back(serving: Serving) -> None:
    wire = await serving.connect()
    canary = "canary-7f3a"
    lines = (f"X-{canary}: {canary}", f"Origin: https://{canary}", f"If-Match: {canary}")
    for path in (f"{PATH}?{canary}", f"/v/{canary}"):
        await wire.send(request(path, *lines, "Connection: close"))
        assert canary.encode() not in await wire.rest()
        wire = await serving.connect()


async def test_a_query_changes_nothing(serving: Serving) -> None:
    wire = await serving.connect()
    assert (await wire.get(f"{PATH}?CMCD=br%3D3200")).body == TEXT
    assert (await wire.get(f"http://elsewhere{PATH}?x")).body == TEXT


async def test_what_must_be_loaded(serving: Serving, text: Resource) -> None:
    async def load() -> Resource:
        await asyncio.sleep(0.01)
        return text

    async def fail() -> Resource:
        await asyncio.sleep(0.01)
        raise Missing("after a look")

    async def cancel() -> Resource:
        raise asyncio.CancelledError

    serving.loads |= {"/v/load": load, "/v/fail": fail, "/v/cancel": cancel}
    wire = await serving.connect()
    assert (await wire.get("/v/load")).body == TEXT
    assert (await wire.get("/v/fail")).status == 404
    assert (await wire.get("/v/cancel")).status == 500
    assert (await wire.get("/v/load", method="HEAD")).headers["content-length"] == "3000"


async def test_a_viewer_that_leaves_does_not_end_the_load(
    serving: Serving, text: Resource, caplog: pytest.LogCaptureFixture
) -> None:
    shared: asyncio.Future[Resource] = asyncio.get_running_loop().create_future()
    failing: asyncio.Future[Resource] = asyncio.get_running_loop().create_future()
    serving.loads |= {"/v/load": lambda: shared, "/v/fail": lambda: failing}
    leaving = [await serving.connect() for _ in range(2)]
    await leaving[0].send(request("/v/load"))
    await leaving[1].send(request("/v/fail"))
    staying = await serving.connect()
    await staying.send(request("/v/load"))
    await until(lambda: serving.server.connections == 3)
    await asyncio.sleep(0.05)
    for wire in leaving:
        wire.reset()
    await until(lambda: serving.server.connections == 1)
    assert not shared.cancelled()
    failing.set_exception(Missing("nobody waits"))
    shared.set_result(text)
    assert (await staying.reply()).body == TEXT
    dropped = [seen for seen in serving.observed if seen[-1]]
    assert sorted((path, status) for _, path, status, *_ in dropped) == [
        ("/v/fail", 499),
        ("/v/load", 499),
    ]
    assert not caplog.records


async def test_http_1_0(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(f"GET {PATH} HTTP/1.0\r\nConnection: keep-alive\r\n\r\n".encode())
    reply = await wire.reply()
    assert reply.headers["connection"] == "keep-alive"
    assert reply.body == TEXT
    await wire.send(f"GET {PATH} HTTP/1.0\r\n\r\n".encode())
    reply = await wire.reply()
    assert reply.headers["connection"] == "close"
    assert reply.body == TEXT
    assert await wire.is_closed()


async def test_close_when_asked(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(request(PATH, "Connection: close") + request(PATH) * 3)
    reply = await wire.reply()
    assert reply.headers["connection"] == "close"
    assert reply.body == TEXT
    assert await wire.is_closed()


async def test_a_client_that_has_said_all(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(request(PATH) * 2)
    wire.writer.write_eof()
    assert (await wire.reply()).body == TEXT
    assert (await wire.reply()).body == TEXT
    assert await wire.is_closed()


async def test_an_end_in_the_middle_of_a_head(serving: Serving) -> None:
    wire = await serving.connect()
    await wire.send(request(PATH)[:-5])
    wire.writer.write_eof()
    assert await wire.is_closed()


@pytest.mark.parametrize(
    ("data", "status"),
    [
        (b"GET / HTTP/1.1\r\n\r\n", 400),
        (b"GET /v/x HTTP/1.1\r\nHost: a\r\nHost: b\r\n\r\n", 400),
        (b"GET /v/x HTTP/1.1\r\nHost: a\r\nX: b\r\n c\r\n\r\n", 400),
        (b"GET /v/x HTTP/1.1\nHost: a\n\n", 400),
        (b"GET /v/x HTTP/2.0\r\nHost: a\r\n\r\n", 505),
        (b"GET /v/x HTTP/1.1\r\nHost: a\r\nContent-Length: 3000000\r\n\r\n" + b"x" * 300_000, 400),
        (b"POST /v/x HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, 405),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nContent-Length: 300000\r\n\r\n" + b"x" * 300_000, 413),
        (b"POST /echo HTTP/1.1\r\nHost: a\r\nTransfer-Encoding: chunked\r\n\r\nzz\r\n", 400),
        (b"GET /v/" + b"x" * 300_000 + b" HTTP/1.1\r\nHost: a\r\n\r\n", 414),
        (b"GET /v/x HTTP/1.1\r\nHost: a\r\nX: " + b"x" * 300_000 + b"\r\n\r\n", 431),
        (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03" + b"\x80" * 400, 400),
    ],
    ids=lambda v: repr(v)[:70],
)
async def test_a_refusal_reaches_the_client_and_ends_the_connection(
    serving: Serving, data: bytes, status: int
) -> None:
    wire = await serving.connect()
    await wire.send(request(PATH) + data + request(PATH))
    assert (await wire.reply()).status == 200
    reply = await wire.reply()
    assert reply.status == status
    assert reply.headers["connection"] == "close"
    assert reply.headers["cache-control"] == "no-store"
    if status == 405:
        assert "allow" in reply.headers
    assert await wire.is_closed()


async def test_expect_on_media_gets_its_answer_at_once(serving: Serving) -> None:
    wire = await serving.connect()
    assert (await wire.get(PATH, "Expect: 100-continue")).body == TEXT
    reply = await wire.get(PATH, "Expect: 100-continue", "Content-Length: 10")
    assert reply.status == 400
    assert await wire.is_closed()


async def test_what_is_observed(serving: Serving) -> None:
    wire = await serving.connect()
    replies = [
        await wire.get(PATH),
        await wire.get(PATH, "Range: bytes=0-9"),
        await wire.get("/v/nothing", method="HEAD"),
        await wire.get("/echo"),
        await wire.get(PATH, "Host: two"),
    ]
    assert [seen[:3] for seen in serving.observed] == [
        ("GET", PATH, 200),
        ("GET", PATH, 206),
        ("HEAD", "/v/nothing", 404),
        ("GET", "/echo", 200),
        ("GET", PATH, 400),
    ]
    for reply, (*_, sent, seconds, aborted) in zip(replies, serving.observed, strict=True):
        assert len(reply.body) < sent < len(reply.body) + 1000
        assert 0 <= seconds < 60
        assert not aborted


async def test_aiohttp_as_a_client(serving: Serving) -> None:
    async with aiohttp.ClientSession(serving.url) as session:
        for _ in range(3):
            async with session.get(PATH) as response:
                assert response.status == 200
                assert await response.read() == TEXT
            async with session.get(PATH, headers={"Range": "bytes=-7"}) as response:
                assert response.status == 206
                assert response.headers["Content-Range"] == "bytes 2993-2999/3000"
                assert await response.read() == TEXT[-7:]
            async with session.head(PATH) as response:
                assert response.content_length == 3000
            async with session.get(PATH, headers={"If-None-Match": '"r1"'}) as response:
                assert response.status == 304
    assert serving.server.connections <= 1


async def test_five_hundred_connections(serving: Serving) -> None:
    wires = [await serving.connect() for _ in range(500)]
    for _ in range(3):
        replies = await asyncio.gather(*(wire.get(PATH) for wire in wires))
        assert {(reply.status, reply.body) for reply in replies} == {(200, TEXT)}
    assert serving.server.connections == 500
