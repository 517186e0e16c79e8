"""Many requests on one connection: in order, bounded, whoever answers them."""

from __future__ import annotations

import asyncio
import random
from pathlib import Path

import pytest

from origin.delivery.limits import Limits
from origin.delivery.resource import FileSpan, Resource
from tests.origin.delivery.library import noise, open_file, resource
from tests.origin.delivery.serving import Serving, request, until

BODY = noise(400_000)


@pytest.fixture(autouse=True)
def titles(serving: Serving, tmp_path: Path) -> None:
    """A text in memory, a segment of a file, and one that must be loaded."""
    file = open_file(tmp_path / "file", BODY)
    for number in range(20):
        serving.resources[f"/v/{number}/text"] = resource(f"text {number}".encode())
        start = number * 1000
        serving.resources[f"/v/{number}/segment"] = resource(
            f"head {number}".encode(), FileSpan(file, start, 100_000)
        )

        async def load(path: str = f"/v/{number}/segment") -> Resource:
            await asyncio.sleep(0)
            return serving.resources[path]

        serving.loads[f"/v/{number}/loaded"] = load


def expected(path: str) -> bytes:
    _, _, number, kind = path.split("/")
    if kind == "text":
        return f"text {number}".encode()
    return f"head {number}".encode() + BODY[int(number) * 1000 :][:100_000]


@pytest.mark.parametrize("kinds", [("text",), ("segment",), ("text", "segment", "loaded")])
async def test_two_hundred_in_one_packet(serving: Serving, kinds: tuple[str, ...]) -> None:
    draw = random.Random(7)
    paths = [f"/v/{draw.randrange(20)}/{draw.choice(kinds)}" for _ in range(200)]
    wire = await serving.connect()
    wire.writer.write(b"".join(map(request, paths)))
    for path in paths:
        reply = await wire.reply()
        assert reply.status == 200
        assert reply.body == expected(path)
    assert [seen[1] for seen in serving.observed] == paths


async def test_media_and_control_in_any_order(serving: Serving) -> None:
    draw = random.Random(3)
    wire = await serving.connect()
    asked = []
    for number in range(120):
        kind = draw.choice(["text", "segment", "loaded", "echo", "chunked", "post", "empty"])
        asked.append(kind)
        match kind:
            case "echo" | "chunked" | "empty":
                wire.writer.write(request(f"/{kind}?{number}"))
            case "post":
                body = f"body {number}".encode()
                wire.writer.write(request("/echo", method="POST", body=body))
            case _:
                wire.writer.write(request(f"/v/{number % 20}/{kind}"))
    for number, kind in enumerate(asked):
        reply = await wire.reply()
        match kind:
            case "echo":
                assert reply.body == f"GET /echo?{number} ".encode()
            case "chunked":
                assert reply.body == b"piece 0\npiece 1\npiece 2\n"
            case "empty":
                assert reply.status == 204
            case "post":
                assert reply.body == f"POST /echo body {number}".encode()
            case _:
                assert reply.body == expected(f"/v/{number % 20}/{kind}")
    assert serving.server.connections == 1


@pytest.mark.parametrize("seed", range(8))
async def test_any_mix_in_any_pieces(serving: Serving, seed: int) -> None:
    """What arrives in which packet makes no difference to what is answered."""
    draw = random.Random(seed)
    asked = [
        draw.choice(
            [
                (request("/v/3/text"), 200, b"text 3"),
                (request("/v/3/text", method="HEAD"), 200, b""),
                (request("/v/3/text", 'If-None-Match: "r1"'), 304, b""),
                (request("/v/4/loaded", "Range: bytes=2-8"), 206, expected("/v/4/segment")[2:9]),
                (request("/v/5/segment"), 200, expected("/v/5/segment")),
                (request("/v/none"), 404, None),
                (request("/v/3/text", method="PUT"), 405, None),
                (request("/echo"), 200, b"GET /echo "),
                (request("/echo", method="HEAD"), 200, b""),
                (request("/echo", method="POST", body=b"hello"), 200, b"POST /echo hello"),
                (request("/empty", method="GET"), 204, b""),
            ]
        )
        for _ in range(40)
    ]
    stream = b"".join(data for data, *_ in asked)
    wire = await serving.connect()

    async def send() -> None:
        at = 0
        while at < len(stream):
            size = draw.choice([1, 2, 10, 100, 1000])
            wire.writer.write(stream[at : at + size])
            at += size
            await asyncio.sleep(0)

    sending = asyncio.ensure_future(send())
    for data, status, body in asked:
        reply = await wire.reply(head_only=data.startswith(b"HEAD"))
        assert reply.status == status
        assert body is None or reply.body == body
    await sending


async def test_a_flood_that_is_not_read_is_not_read_either(serving: Serving) -> None:
    """What the server holds of it is bounded; what it took is answered when the client reads."""
    wire = await serving.connect(receive=4096)
    wire.writer.transport.set_write_buffer_limits(high=0)
    flood = request("/v/1/segment") * 100
    sent = 0
    try:
        async with asyncio.timeout(0.5):
            while True:
                wire.writer.write(flood)
                await wire.writer.drain()
                sent += 100
    except TimeoutError:
        pass
    answered = len(serving.observed)
    # The socket's buffers hold some thousands of such requests; without a bound it goes on.
    assert sent < 200_000
    await asyncio.sleep(0.1)
    assert len(serving.observed) - answered < 10
    for _ in range(100):
        assert (await wire.reply()).body == expected("/v/1/segment")


async def test_the_others_have_their_turn(serving: Serving) -> None:
    flood, other = await serving.connect(), await serving.connect()
    flood.writer.write(request("/v/1/text") * 5000)
    reading = asyncio.ensure_future(_read(flood, 5000))
    for _ in range(20):
        assert (await other.get("/v/2/text")).body == b"text 2"
    assert await reading == {b"text 1"}


async def _read(wire: object, count: int) -> set[bytes]:
    return {(await wire.reply()).body for _ in range(count)}  # type: ignore[attr-defined]


async def test_a_loading_answer_bounds_what_is_read_ahead(serving: Serving) -> None:
    release: asyncio.Future[Resource] = asyncio.get_running_loop().create_future()
    serving.loads["/v/wait"] = lambda: release
    wire = await serving.connect()
    wire.writer.write(request("/v/wait") + request("/v/3/text") * 3000)
    await until(lambda: serving.server.connections == 1)
    await asyncio.sleep(0.05)
    release.set_result(serving.resources["/v/2/text"])
    assert (await wire.reply()).body == b"text 2"
    assert await _read(wire, 3000) == {b"text 3"}


async def test_one_request_at_a_time_is_enough() -> None:
    async with Serving(Limits(pipelined_requests=1)) as serving:
        serving.resources["/v/a"] = resource(b"a")
        wire = await serving.connect()
        wire.writer.write(request("/v/a") * 50 + request("/echo") * 50)
        for _ in range(50):
            assert (await wire.reply()).body == b"a"
        for _ in range(50):
            assert (await wire.reply()).body == b"GET /echo "


async def test_after_a_refusal_nothing_is_answered(serving: Serving) -> None:
    wire = await serving.connect()
    wire.writer.write(request("/v/1/segment") + b"GET\r\n\r\n" + request("/v/2/text") * 10)
    assert (await wire.reply()).body == expected("/v/1/segment")
    assert (await wire.reply()).status == 400
    assert await wire.is_closed()
    assert len(serving.observed) == 2
