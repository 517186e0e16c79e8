"""What does not move is given up, and what moves slowly is not."""

from __future__ import annotations

import asyncio
from dataclasses import replace

import pytest

from origin.delivery.limits import Limits, Patience, Waiting
from origin.delivery.resource import Resource
from tests.origin.delivery.library import noise, resource
from tests.origin.delivery.serving import Serving, request, until

LONG = 60.0
PATIENT = Limits(
    idle_seconds=LONG, head_seconds=LONG, body_seconds=LONG, stall_seconds=LONG, linger_seconds=LONG
)
SHORT = 0.2
TEXT = noise(500)


def impatient(**seconds: float) -> Serving:
    serving = Serving(replace(PATIENT, **seconds))  # type: ignore[arg-type]
    serving.resources["/v/a"] = resource(TEXT)
    serving.resources["/v/large"] = resource(noise(6_000_000))
    return serving


async def test_a_head_that_never_ends() -> None:
    async with impatient(head_seconds=SHORT) as serving:
        wire = await serving.connect()
        await wire.send(request("/v/a")[:-2])
        reply = await wire.reply()
        assert reply.status == 408
        assert reply.headers["connection"] == "close"
        assert await wire.is_closed()


@pytest.mark.parametrize("before", [0, 1, 3])
async def test_a_head_that_drips(before: int) -> None:
    """Bytes do not buy time; the answers before it do not lose any."""
    async with impatient(head_seconds=SHORT) as serving:
        wire = await serving.connect()
        for _ in range(before):
            assert (await wire.get("/v/a")).status == 200
        await wire.send(request("/v/a") * before + request("/v/a")[:-2])

        async def drip() -> None:
            while True:
                wire.writer.write(b"X: y\r\n")
                await asyncio.sleep(0.02)

        dripping = asyncio.ensure_future(drip())
        for _ in range(before):
            assert (await wire.reply()).status == 200
        assert (await wire.reply()).status == 408
        dripping.cancel()


async def test_a_body_that_never_ends() -> None:
    async with impatient(body_seconds=SHORT) as serving:
        wire = await serving.connect()
        await wire.send(request("/echo", "Content-Length: 5", method="POST") + b"hell")
        assert (await wire.reply()).status == 408
        assert await wire.is_closed()


async def test_an_idle_connection() -> None:
    async with impatient(idle_seconds=SHORT) as serving:
        fresh, used = await serving.connect(), await serving.connect()
        assert (await used.get("/v/a")).status == 200
        assert await fresh.is_closed()
        assert await used.is_closed()


async def test_empty_lines_are_no_request() -> None:
    async with impatient(idle_seconds=SHORT) as serving:
        wire = await serving.connect()

        async def drip() -> None:
            while True:
                wire.writer.write(b"\r\n")
                await asyncio.sleep(0.02)

        dripping = asyncio.ensure_future(drip())
        assert await wire.is_closed()
        dripping.cancel()


async def test_requests_keep_a_connection_alive() -> None:
    async with impatient(idle_seconds=SHORT, head_seconds=SHORT) as serving:
        wire = await serving.connect()
        for _ in range(10):
            assert (await wire.get("/v/a")).body == TEXT
            await asyncio.sleep(SHORT / 4)


@pytest.mark.parametrize("path", ["/v/large", "/large"])
async def test_a_reader_that_stops(path: str) -> None:
    async with impatient(stall_seconds=SHORT) as serving:
        wire = await serving.connect(receive=4096)
        await wire.send(request(path))
        await until(lambda: bool(serving.observed))
        [observed] = serving.observed
        assert observed[-1]


async def test_a_reader_that_stops_while_answers_wait_in_the_transport() -> None:
    async with impatient(stall_seconds=SHORT) as serving:
        serving.resources["/v/text"] = resource(noise(60_000))
        wire = await serving.connect(receive=4096)
        wire.writer.write(request("/v/text") * 200)
        await until(lambda: bool(serving.observed) and not serving.server.connections)
        assert len(serving.observed) < 200


@pytest.mark.parametrize("path", ["/v/large", "/large"])
async def test_a_slow_reader_is_no_stalled_one(path: str) -> None:
    async with impatient(stall_seconds=1.0) as serving:
        wire = await serving.connect(receive=100_000)
        await wire.send(request(path, "Connection: close"))
        received = 0
        while data := await wire.reader.read(300_000):
            received += len(data)
            await asyncio.sleep(0.05)
        assert received > 6_000_000


async def test_a_load_takes_the_time_it_takes() -> None:
    async with impatient(
        idle_seconds=SHORT, head_seconds=SHORT, stall_seconds=SHORT, body_seconds=SHORT
    ) as serving:

        async def load() -> Resource:
            await asyncio.sleep(SHORT * 4)
            return serving.resources["/v/a"]

        serving.loads["/v/load"] = load
        wire = await serving.connect()
        assert (await wire.get("/v/load")).body == TEXT


async def test_a_peer_that_does_not_close_after_the_last_answer() -> None:
    async with impatient(linger_seconds=SHORT) as serving:
        wire = await serving.connect()
        await wire.send(request("/v/a", "Connection: close"))
        assert (await wire.reply()).body == TEXT
        assert await wire.is_closed()
        # Our side was shut, so the client has seen the end; now the server lets go of it too.
        async with asyncio.timeout(LONG):
            while serving.server.connections:
                wire.writer.write(b"x")
                await asyncio.sleep(0.02)


def test_patience_ends_where_nothing_moves() -> None:
    patience = Patience(Limits(stall_seconds=1.0))
    seen = [patience.is_over(Waiting.STALL, 7, 100, now / 4) for now in range(40, 48)]
    assert seen == [False] * 4 + [True] * 4


def test_patience_is_renewed_by_what_is_taken() -> None:
    patience = Patience(Limits(stall_seconds=1.0))
    now = 0.0
    for left in range(100, 0, -1):
        now += 0.9
        assert not patience.is_over(Waiting.STALL, 7, left, now)
    for sent in range(8, 100):
        now += 0.9
        assert not patience.is_over(Waiting.STALL, sent, 0, now)
    growing = [patience.is_over(Waiting.STALL, 99, size, now + size) for size in range(3)]
    assert growing == [False, True, True], "a buffer that grows is no sign of life"


def test_each_wait_has_its_own_time() -> None:
    patience = Patience(Limits(idle_seconds=60, head_seconds=10))
    assert not patience.is_over(Waiting.IDLE, 1, 0, 0.0)
    assert not patience.is_over(Waiting.IDLE, 1, 0, 50.0)
    assert not patience.is_over(Waiting.HEAD, 1, 0, 59.0)
    assert not patience.is_over(Waiting.HEAD, 1, 0, 68.0)
    assert patience.is_over(Waiting.HEAD, 1, 0, 69.0)
    assert not patience.is_over(Waiting.HEAD, 2, 0, 70.0)


def test_patience_for_an_answer_has_no_end() -> None:
    patience = Patience(Limits())
    assert not any(patience.is_over(Waiting.ANSWER, 1, 0, now) for now in range(10_000))
