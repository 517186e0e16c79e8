from __future__ import annotations

import asyncio
import random
from collections.abc import Awaitable

import pytest

from origin.breaker import Breaker
from origin.errors import Archived, ObjectChanged, StorageError
from origin.storage.s3.client import S3Client, _Get, _Race
from origin.storage.s3.connection import Head
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.options import Limits
from origin.storage.s3.replies import Wanted
from origin.storage.s3.restraint import FirstBytes
from tests.origin.s3.asking import HASTE, KEY, client_of, read
from tests.support.descriptors import needs_proc, open_sockets
from tests.support.s3_server import Fault, S3Server

FILM = random.Random(4).randbytes(400_000)
PASSING = {
    Fault.HANG: Reason.TIMEOUT,
    Fault.RESET: Reason.RESET,
    Fault.RESET_IN_BODY: Reason.RESET,
    Fault.SHORT: Reason.RESET,
    Fault.DRIP: Reason.STALL,
    Fault.WHOLE: Reason.BAD_REPLY,
    Fault.WRONG_RANGE: Reason.BAD_REPLY,
    Fault.SHORT_RANGE: Reason.BAD_REPLY,
    Fault.NO_LENGTH: Reason.BAD_REPLY,
    Fault.SLOW_DOWN: Reason.BUSY,
    Fault.INTERNAL: Reason.SERVER,
    Fault.GARBAGE: Reason.BAD_REPLY,
}
PATIENT = Limits(progress_bytes=1024)
WHATEVER = [*PASSING, Fault.PLAIN_200]


def expect_haste(client: S3Client) -> None:
    """As after many answers that came at once."""
    for _ in range(FirstBytes.KEPT):
        client._first_bytes.add(0.0)


@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_passes_is_not_noticed(fault: Fault, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.append(fault)
        assert await read(client, 1, 300_001, film.etag) == FILM[1:300_001]
        assert client.tally.failures == {PASSING[fault]: 1}
        assert client.tally.retries == 1
        assert await read(client, 5, 9, film.etag) == FILM[5:9]


@pytest.mark.parametrize("fault", PASSING)
async def test_a_fault_that_stays_is_an_error(fault: Fault, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.extend([fault] * (1 + HASTE.retries))
        with pytest.raises(Passing) as failed:
            await read(client, 1, 300_001, film.etag)
        assert failed.value.reason is PASSING[fault]
        assert not s3.faults
        assert await read(client, 5, 9, film.etag) == FILM[5:9]


async def test_no_byte_is_wrong_whatever_befalls_a_fifth_of_requests(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    chance = random.Random(11)
    failed = 0

    async def viewer(client: S3Client) -> None:
        nonlocal failed
        for _ in range(30):
            start = chance.randrange(len(FILM))
            stop = min(start + chance.choice([1, 500, 70_000, 300_000]), len(FILM))
            if len(s3.faults) < 16:
                faulty = [
                    chance.choice(WHATEVER) if chance.random() < 0.2 else None for _ in "x" * 64
                ]
                s3.faults.extend(faulty)
            body = bytearray()
            try:
                await client.get_range(KEY, start, stop, film.etag, body.extend)
            except StorageError:
                failed += 1
                assert bytes(body) == FILM[start : start + len(body)]
            else:
                assert bytes(body) == FILM[start:stop]

    async with client_of(s3) as client:
        await asyncio.gather(*[viewer(client) for _ in range(16)])
        assert client.tally.requests <= 1.35 * client.tally.gets
    assert failed < 480 / 2


@pytest.mark.parametrize("fault", [Fault.SHORT, Fault.RESET_IN_BODY, Fault.DRIP])
async def test_a_body_goes_on_from_where_it_stopped(fault: Fault, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.append(fault)
        assert await read(client, 0, 300_000, film.etag) == FILM[:300_000]
        assert client.tally.bytes == 300_000  # none came twice


@pytest.mark.parametrize("versioned", [False, True])
async def test_a_body_never_goes_on_in_another_version(versioned: bool, s3: S3Server) -> None:
    s3.versioned = versioned
    film = s3.put(KEY, FILM)
    body = bytearray()

    def sink(piece: memoryview) -> None:
        if not body:
            s3.put(KEY, FILM[::-1])
        body.extend(piece)

    async with client_of(s3) as client:
        s3.faults.append(Fault.SHORT)
        if versioned:
            assert film.version_id is not None
            await client.get_range(KEY, 0, 300_000, film.version_id, sink)
            assert bytes(body) == FILM[:300_000]
        else:
            with pytest.raises(ObjectChanged, match="has changed"):
                await client.get_range(KEY, 0, 300_000, film.etag, sink)
            assert bytes(body) == FILM[: len(body)]


async def test_an_object_replaced_all_the_time_is_never_mixed(s3: S3Server) -> None:
    versions = [bytes([number]) * 200_000 for number in range(20)]
    etags = [s3.put(f"{number}", body).etag for number, body in enumerate(versions)]
    mixed, changed = 0, 0

    async def viewer(client: S3Client) -> None:
        nonlocal mixed, changed
        for _ in range(40):
            number = current
            try:
                body = await read(client, 1000, 190_000, etags[number])
            except ObjectChanged:
                changed += 1
            else:
                mixed += body != versions[number][1000:190_000]

    current = 0
    s3.put(KEY, versions[0])
    async with client_of(s3) as client:
        viewers = asyncio.gather(*[viewer(client) for _ in range(8)])
        while not viewers.done():
            current = (current + 1) % len(versions)
            s3.put(KEY, versions[current])
            s3.faults.extend([Fault.SHORT, None, None])
            await asyncio.sleep(0.005)
        await viewers
    assert mixed == 0
    assert changed > 0


@pytest.mark.parametrize("fault", [Fault.CHANGED, Fault.IGNORED_MATCH])
async def test_another_version_is_not_the_object(fault: Fault, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.append(fault)
        with pytest.raises(ObjectChanged, match=r"title/film\.mp4 has changed"):
            await read(client, 0, 10, film.etag)
        assert client.tally.retries == 0


async def test_nothing_of_another_version_is_sent(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    s3.put(KEY, FILM[::-1])
    async with client_of(s3) as client:
        with pytest.raises(ObjectChanged):
            await read(client, 0, 10, film.etag)
    assert s3.refusals == ["PreconditionFailed"]


async def test_what_is_not_there_is_not_the_object(s3: S3Server) -> None:
    s3.versioned = True
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        for version in ('"another"', "v.99"):
            with pytest.raises(ObjectChanged):
                await read(client, 0, 10, version)
        with pytest.raises(ObjectChanged, match="has changed"):
            await read(client, len(FILM) + 5, len(FILM) + 10, film.etag)
        s3.remove(KEY)
        with pytest.raises(ObjectChanged, match="is gone"):
            await read(client, 0, 10, film.etag)
        with pytest.raises(ObjectChanged, match="no name"):
            await client.peek("no\udcff.mp4", 10)


async def test_rclones_200_is_as_good(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.extend([Fault.PLAIN_200, Fault.WHOLE])
        assert await read(client, 5, 10, film.etag) == FILM[5:10]
        assert await read(client, 0, len(FILM), film.etag) == FILM  # a 200 of exactly that
        assert client.tally.retries == 0


async def test_an_archived_object(s3: S3Server) -> None:
    film = s3.put(KEY, FILM, archived=True)
    async with client_of(s3) as client:
        with pytest.raises(Archived, match="is archived"):
            await read(client, 0, 10, film.etag)


async def test_a_peek_says_what_there_is(s3: S3Server) -> None:
    s3.versioned = True
    s3.put(KEY, b"older")
    film = s3.put(KEY, FILM)
    small = s3.put("small", b"abc")
    s3.put("empty", b"")
    async with client_of(s3) as client:
        assert await client.peek(KEY, 100) == (
            (len(FILM), film.etag, film.version_id),
            FILM[:100],
        )
        assert await client.peek("small", 100) == ((3, small.etag, small.version_id), b"abc")
        s3.faults.append(Fault.WHOLE)
        assert (await client.peek("small", 100))[1] == b"abc"
        with pytest.raises(ObjectChanged):
            await client.peek("empty", 100)
        with pytest.raises(ObjectChanged):
            await client.peek(KEY, 100, '"another"')


async def test_a_peek_that_is_cut_goes_on_in_the_same_version(s3: S3Server) -> None:
    s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.append(Fault.SHORT)
        peek = asyncio.create_task(client.peek(KEY, 300_000))
        while not client.tally.bytes:  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0)
        s3.put(KEY, FILM[::-1])
        with pytest.raises(ObjectChanged):
            await peek


async def test_no_byte_needs_no_request(s3: S3Server) -> None:
    async with client_of(s3) as client:
        assert await read(client, 7, 7, '"a"') == b""
    assert not s3.seen


async def test_a_late_answer_is_asked_for_twice(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3, PATIENT) as client:
        expect_haste(client)
        s3.faults.extend([Fault.HANG, None])
        assert await read(client, 10, 300_000, film.etag) == FILM[10:300_000]
        assert (client.tally.hedges, client.tally.hedges_won) == (1, 1)
        assert client.tally.retries == 0
        assert client.tally.bytes == 299_990
        assert await read(client, 0, 10, film.etag) == FILM[:10]


async def test_of_two_requests_the_one_that_works_counts(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3, PATIENT) as client:
        expect_haste(client)
        for second in (Fault.RESET, Fault.SLOW_DOWN, Fault.GARBAGE, Fault.WRONG_RANGE):
            s3.faults.extend([Fault.LATE, second])
            assert await read(client, 1, 30_000, film.etag) == FILM[1:30_000]
        assert client.tally.hedges == 4
        assert client.tally.hedges_won == 0


async def test_a_second_request_that_is_cut_is_retried(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3, PATIENT) as client:
        expect_haste(client)
        s3.faults.extend([Fault.HANG, Fault.SHORT, None])
        assert await read(client, 1, 300_000, film.etag) == FILM[1:300_000]
        assert client.tally.bytes == 299_999


async def test_a_race_that_is_over_touches_no_other_request(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3, PATIENT) as client:
        expect_haste(client)
        s3.delay = 0.1
        s3.faults.append(Fault.SLOW_DOWN)
        race = asyncio.create_task(read(client, 0, 10, film.etag))
        while not client.tally.hedges:  # noqa: ASYNC110 (nothing tells when)
            await asyncio.sleep(0)
        while not client._pool._kept:  # noqa: ASYNC110
            await asyncio.sleep(0)
        # On the connection of the first, which S3 declined, while the second is under way.
        assert await read(client, 5, 20, film.etag) == FILM[5:20]
        assert await race == FILM[:10]
        assert not client.tally.failures


async def test_a_reply_that_comes_second_is_not_taken(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    reply = Head(
        b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n"
        b"Content-Range: bytes 0-4/400000\r\nETag: %b\r\n\r\n" % film.etag.encode()
    )
    async with client_of(s3) as client:
        race = _Race(client, _Get(Wanted(KEY, 0, 5, film.etag), bytearray().extend, 0.0), b"")
        race._win(reply, is_second=True)
        with pytest.raises(Passing, match="quicker"):
            race._win(reply, is_second=False)


async def test_a_connection_closed_while_idle_is_replaced_and_no_retry(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        await read(client, 0, 10, film.etag)
        s3.faults.append(Fault.RESET)
        assert await read(client, 0, 10, film.etag) == FILM[:10]
        assert client.tally.retries == 0


async def test_a_thousand_reads_share_few_connections(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3, Limits(connections=8)) as client:
        starts = [random.randrange(len(FILM) - 1000) for _ in range(1000)]
        bodies = await asyncio.gather(
            *[read(client, start, start + 1000, film.etag) for start in starts]
        )
        assert bodies == [FILM[start : start + 1000] for start in starts]
        assert len(client._pool._open) <= 8


@pytest.mark.parametrize("at", ["connecting", "waiting", "reading", "queueing"])
@needs_proc
async def test_whoever_leaves_leaves_nothing_open(at: str, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    limits = Limits(connections=1)
    before = open_sockets()
    async with client_of(s3, limits) as client:
        if at != "connecting":
            await read(client, 0, 10, film.etag)
        started = asyncio.Event()

        def sink(_: memoryview) -> Awaitable[None]:
            started.set()
            return asyncio.Event().wait()  # type: ignore[return-value]

        s3.faults.append(Fault.HANG if at in ("waiting", "queueing") else None)
        gets = [asyncio.create_task(client.get_range(KEY, 0, 300_000, film.etag, sink))]
        if at == "queueing":
            gets.append(asyncio.create_task(client.get_range(KEY, 0, 10, film.etag, sink)))
        if at == "reading":
            await started.wait()
        elif at != "connecting":
            while len(s3.seen) < 2:  # noqa: ASYNC110 (nothing tells when)
                await asyncio.sleep(0)
        for get in reversed(gets):
            await asyncio.sleep(0)
            get.cancel()
        await asyncio.wait(gets)
        assert all(get.cancelled() for get in gets)
        assert await read(client, 3, 9, film.etag) == FILM[3:9]
    s3._closing.set()
    while open_sockets() > before:  # noqa: ASYNC110 (the server's own end)
        await asyncio.sleep(0)


async def test_a_bucket_that_fails_is_left_alone_for_a_moment(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.extend([Fault.INTERNAL] * Breaker.PATIENCE)
        for _ in range(Breaker.PATIENCE):
            with pytest.raises(StorageError):
                await read(client, 0, 10, film.etag)
        assert not s3.faults
        seen = len(s3.seen)
        with pytest.raises(StorageError, match="left alone"):
            await read(client, 0, 10, film.etag)
        assert len(s3.seen) == seen


async def test_a_bucket_that_is_asked_too_much_is_asked_less(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        before = client.concurrency
        s3.faults.append(Fault.SLOW_DOWN)
        assert await read(client, 0, 10, film.etag) == FILM[:10]
        assert client.concurrency < before


async def test_a_storm_of_failures_is_not_answered_by_one_of_retries(s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    async with client_of(s3) as client:
        s3.faults.extend([Fault.INTERNAL, None, None, None] * 1000)
        await asyncio.gather(
            *[read(client, 0, 10, film.etag) for _ in range(1000)], return_exceptions=True
        )
        assert client.tally.retries + client.tally.hedges <= 0.2 * 1000 + 10
