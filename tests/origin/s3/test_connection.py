from __future__ import annotations

import asyncio
from collections.abc import Awaitable

import pytest
from httptools import HttpParserError, HttpParserUpgrade
from hypothesis import given
from hypothesis import strategies as st

from origin.errors import StorageError
from origin.storage.s3.connection import HEAD_BYTES, Head, Sink, Stale
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.options import Limits
from origin.storage.s3.pool import Pool
from tests.origin.s3.scripted import (
    HASTE,
    HEAD,
    REQUEST,
    Script,
    chunked,
    hang,
    in_pieces,
    playing,
    then_close,
)

BODY = bytes(range(256)) * 8


async def fetch(pool: Pool) -> tuple[Head, bytes]:
    heads: list[Head] = []
    body = bytearray()

    def answer(head: Head):  # type: ignore[no-untyped-def]
        heads.append(head)
        return body.extend

    await pool.fetch(await pool.take(), REQUEST, answer)
    return heads[0], bytes(body)


async def failing(pool: Pool) -> Passing:
    with pytest.raises(Passing) as failed:
        await fetch(pool)
    return failed.value


async def test_replies_follow_each_other_on_one_connection() -> None:
    script = Script(HEAD % 5 + b"first", HEAD % 0, HEAD % 6 + b"second")
    async with playing(script) as pool:
        assert [(await fetch(pool))[1] for _ in range(3)] == [b"first", b"", b"second"]
    assert script.connections == 1
    assert script.requests == [REQUEST] * 3


@pytest.mark.parametrize("size", [1, 2, 3, 7, 64])
async def test_a_reply_may_come_in_any_pieces(size: int) -> None:
    reply = b'HTTP/1.1 206 Partial Content\r\nETag: "a"\r\nContent-Length: 9\r\n\r\n\r\n\r\nbytes'
    script = Script(in_pieces(reply, size), in_pieces(chunked([b"some", b"thing"]), size))
    async with playing(script) as pool:
        head, body = await fetch(pool)
        assert (head.status, head.field(b"etag"), body) == (206, '"a"', b"\r\n\r\nbytes")
        assert (await fetch(pool))[1] == b"something"
    assert script.connections == 1


class Place:
    """Room for a body."""

    def __init__(self, size: int) -> None:
        self.data = bytearray(size)
        self.position = self.copied = 0

    def room(self) -> memoryview:
        return memoryview(self.data)[self.position :]

    def take(self, piece: memoryview) -> None:
        stop = self.position + len(piece)
        if piece.obj is not self.data:
            self.data[self.position : stop] = piece
            self.copied += len(piece)
        self.position = stop


async def fetch_into(pool: Pool, place: Place) -> bytes:
    await pool.fetch(await pool.take(), REQUEST, lambda head: place.take, place.room)
    return bytes(place.data[: place.position])


async def test_a_large_body_is_read_to_where_there_is_room() -> None:
    large, place = BODY * 1000, Place(len(BODY) * 1000)
    script = Script(*[in_pieces(HEAD % len(large) + large, 50_000)] * 2, HEAD % 5 + b"small")
    async with playing(script) as pool:
        assert await fetch_into(pool, place) == large
        assert 0 < place.copied < len(large) // 4
        assert (await fetch(pool))[1] == large, "and the next to where it is wanted"
        assert bytes(place.data) == large
        assert await fetch_into(pool, Place(5)) == b"small"
    assert script.connections == 1


async def test_room_that_is_short_or_missing_is_done_without() -> None:
    large, place = BODY * 1000, Place(len(BODY) * 1000)
    scarce = iter(range(10**9))

    def room() -> memoryview | None:
        return place.room()[: next(scarce) % 3 * 1000] or None

    async with playing(Script(HEAD % len(large) + large)) as pool:
        await pool.fetch(await pool.take(), REQUEST, lambda head: place.take, room)
    assert bytes(place.data) == large


async def test_only_what_was_asked_for_is_read_into_the_room() -> None:
    """Not what an error says, nor a body of unknown length."""
    large = BODY * 1000
    refusal = (HEAD % len(large)).replace(b"200 OK", b"503 Slow Down") + large
    script = Script(in_pieces(refusal, 50_000), in_pieces(chunked([large]), 50_000))
    async with playing(script) as pool:
        for _ in range(2):
            place, said = Place(len(large)), bytearray()

            def answer(head: Head, said: bytearray = said) -> Sink:
                return said.extend

            await pool.fetch(await pool.take(), REQUEST, answer, place.room)
            assert (bytes(said), any(place.data)) == (large, False)


async def test_a_body_in_a_room_that_is_longer_than_announced_is_refused() -> None:
    large, place = BODY * 1000, Place(len(BODY) * 1000)
    script = Script(HEAD % (len(large) - 1) + large)
    async with playing(script) as pool:
        with pytest.raises(Passing, match="longer than announced"):
            await fetch_into(pool, place)


async def test_a_large_body_comes_whole() -> None:
    large = BODY * 1000
    script = Script(HEAD % len(large) + large)
    async with playing(script) as pool:
        assert (await fetch(pool))[1] == large


@pytest.mark.parametrize(
    "reply",
    [
        b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\n\r\nuntil I close",
        b"HTTP/1.1 200 OK\r\nContent-Length: -1\r\n\r\n",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nContent-Length: 4\r\n\r\nabcd",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: gzip\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length: 3\r\n folded: no\r\n\r\nabc",
        b"HTTP/1.1 200 OK\r\nContent-Length : 3\r\n\r\nabc",
        b"HTTP/1.1 100 Continue\r\n\r\n",
        b"HTTP/1.1 101 Switching Protocols\r\nUpgrade: x\r\nConnection: upgrade\r\n\r\n",
        HEAD % 3 + b"four",
        chunked([b"abc"]) + HEAD % 0,
        b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\nno number\r\n",
        b"HTTP/1.1 200 OK\r\nX: " + b"y" * (HEAD_BYTES + 100),
    ],
)
async def test_what_is_no_reply_is_refused_and_the_connection_closed(reply: bytes) -> None:
    script = Script(reply, HEAD % 2 + b"ok")
    async with playing(script) as pool:
        assert (await failing(pool)).reason is Reason.BAD_REPLY
        assert (await fetch(pool))[1] == b"ok"
    assert script.connections == 2


@pytest.mark.parametrize(
    "reply", [HEAD[:-2], HEAD % 5, HEAD % 5 + b"four", chunked([b"abc"])[:-1], b"HTTP/1"]
)
async def test_a_reply_cut_short_is_an_error(reply: bytes) -> None:
    async with playing(Script(then_close(reply))) as pool:
        failed = await failing(pool)
        assert failed.reason is Reason.RESET
        assert not isinstance(failed, Stale)


async def test_what_comes_after_a_reply_makes_the_connection_useless() -> None:
    late = asyncio.Event()

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % 2 + b"ok")
        await late.wait()
        writer.write(b"more")

    script = Script(act, HEAD % 3 + b"new")
    async with playing(script) as pool:
        assert (await fetch(pool))[1] == b"ok"
        (kept,) = pool._kept
        late.set()
        while kept.reusable:  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0)
        assert (await fetch(pool))[1] == b"new"
    assert script.connections == 2


@pytest.mark.parametrize("line", [b"Connection: close", b"connection: Close"])
async def test_a_connection_that_its_server_ends_is_not_kept(line: bytes) -> None:
    ending = b"HTTP/1.1 200 OK\r\nContent-Length: 2\r\n" + line + b"\r\n\r\nok"
    script = Script(ending, HEAD % 3 + b"new")
    async with playing(script) as pool:
        assert (await fetch(pool))[1] == b"ok"
        assert (await fetch(pool))[1] == b"new"
    assert script.connections == 2


async def test_a_kept_connection_that_was_closed_is_said_to_be_stale() -> None:
    async def close(writer: asyncio.StreamWriter) -> None:
        writer.close()

    async with playing(Script(HEAD % 2 + b"ok", close)) as pool:
        await fetch(pool)
        assert isinstance(await failing(pool), Stale)


async def test_an_answer_that_does_not_come_is_given_up() -> None:
    async with playing(Script(hang)) as pool:
        assert (await failing(pool)).reason is Reason.TIMEOUT


async def test_a_head_that_drips_is_given_up() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 200 OK\r\n")
        while True:
            writer.write(b"X: y\r\n")
            await writer.drain()
            await asyncio.sleep(0.01)

    async with playing(Script(drip)) as pool:
        assert (await failing(pool)).reason is Reason.TIMEOUT


async def test_a_body_that_stops_or_drips_is_given_up() -> None:
    async def drip(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % 10_000 + b"some")
        while True:
            writer.write(b"x")
            await writer.drain()
            await asyncio.sleep(0.03)

    async with playing(Script(drip)) as pool:
        assert (await failing(pool)).reason is Reason.STALL


async def test_a_slow_body_that_moves_is_read_to_its_end() -> None:
    async def slow(writer: asyncio.StreamWriter) -> None:
        writer.write(HEAD % 400)
        for _ in range(20):
            writer.write(b"x" * 20)
            await asyncio.sleep(0.02)

    async with playing(Script(slow)) as pool:  # four times as long as a standstill may last
        assert (await fetch(pool))[1] == b"x" * 400


async def test_nothing_is_read_while_the_sink_is_busy() -> None:
    large = BODY * 2000
    script = Script(HEAD % len(large) + large)
    taken: list[int] = []
    busy: list[asyncio.Future[None]] = []

    def sink(piece: memoryview) -> Awaitable[None] | None:
        assert not busy or busy[-1].done(), "a piece came while the sink was busy"
        taken.append(len(piece))
        busy.append(asyncio.get_running_loop().create_future())
        asyncio.get_running_loop().call_later(0.001, busy[-1].set_result, None)
        return busy[-1]

    async with playing(script) as pool:
        await pool.fetch(await pool.take(), REQUEST, lambda _: sink)
        assert sum(taken) == len(large)
        assert busy[-1].done(), "a body is over when the sink is"
        assert len(pool._kept) == 1


async def test_a_busy_sink_is_no_standstill_of_the_server() -> None:
    def sink(_: memoryview) -> Awaitable[None]:
        return asyncio.sleep(HASTE.progress_seconds * 3)

    async with playing(Script(HEAD % 5 + b"bytes")) as pool:
        await pool.fetch(await pool.take(), REQUEST, lambda _: sink)


async def test_errors_of_a_sink_are_the_callers_and_close_the_connection() -> None:
    def full(_: memoryview) -> None:
        raise OSError("no space left")

    async def later() -> None:
        await asyncio.sleep(0)
        raise OSError("no space left")

    def answer(_: Head):  # type: ignore[no-untyped-def]
        raise StorageError("I did not want this")

    script = Script(*[HEAD % 4 + b"body"] * 3)
    async with playing(script) as pool:
        with pytest.raises(OSError, match="no space left"):
            await pool.fetch(await pool.take(), REQUEST, lambda _: full)
        with pytest.raises(OSError, match="no space left"):
            await pool.fetch(await pool.take(), REQUEST, lambda _: lambda _: later())
        with pytest.raises(StorageError, match="did not want"):
            await pool.fetch(await pool.take(), REQUEST, answer)
        assert not pool._kept
        assert pool.slots.taken == 0
    assert script.connections == 3


async def test_a_sink_that_is_cancelled_ends_the_reply() -> None:
    def sink(_: memoryview) -> Awaitable[None]:
        gone = asyncio.get_running_loop().create_future()
        gone.cancel()
        return gone

    async with playing(Script(HEAD % 4 + b"body")) as pool:
        with pytest.raises(StorageError, match="cannot be kept"):
            await pool.fetch(await pool.take(), REQUEST, lambda _: sink)


@pytest.mark.parametrize("sent", [b"", HEAD % 9, HEAD % 9 + b"some"])
async def test_a_reply_that_nobody_waits_for_is_closed(sent: bytes) -> None:
    asked = asyncio.Event()

    async def act(writer: asyncio.StreamWriter) -> None:
        writer.write(sent)
        await writer.drain()
        asked.set()

    script = Script(act, HEAD % 2 + b"ok")
    async with playing(script, Limits()) as pool:
        task = asyncio.create_task(fetch(pool))
        await asked.wait()
        await asyncio.sleep(0.01)
        task.cancel()
        with pytest.raises(asyncio.CancelledError):
            await task
        assert pool.slots.taken == 0
        assert (await fetch(pool))[1] == b"ok"
    assert script.connections == 2


async def test_a_server_that_refuses_connections() -> None:
    async with playing(Script()) as pool:
        pass
    failed = await failing(pool)
    assert failed.reason is Reason.CONNECT
    assert "refused" in str(failed)
    assert pool.slots.taken == 0


@given(st.binary(max_size=400))
def test_no_bytes_make_a_head_fail_in_another_way(data: bytes) -> None:
    try:
        head = Head(data + b"\r\n\r\n")
    except (HttpParserError, HttpParserUpgrade):
        return
    assert head.status >= 200
