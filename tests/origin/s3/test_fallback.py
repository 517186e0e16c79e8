"""A library in two buckets, each at a server of its own, the first of which fails."""

from __future__ import annotations

import logging
import random
from collections.abc import AsyncIterator, Awaitable, Generator
from contextlib import AsyncExitStack
from dataclasses import dataclass

import pytest

from origin.breaker import Breaker
from origin.errors import Archived, ObjectChanged, StorageError
from origin.storage.s3.fallback import PATIENCE, QUIET_SECONDS, S3WithFallback
from origin.storage.s3.faults import Passing
from origin.storage.s3.options import S3Options
from origin.storage.s3.storage import S3Storage
from packager.ranges import ByteRange
from tests.origin.s3.asking import HASTE, options_of, source
from tests.support.s3_server import Fault, S3Server, s3_server

FILM = random.Random(9).randbytes(300_000)
OTHER = FILM[::-1]
ALWAYS = [Fault.RESET] * 100

Log = pytest.LogCaptureFixture


@dataclass
class Pair:
    first: S3Server
    second: S3Server
    storage: S3WithFallback
    now: float = 1000.0

    def put(self, key: str, body: bytes) -> str:
        """In both; its ETag."""
        self.second.put(f"there/{key}", body)
        return self.first.put(f"here/{key}", body).etag

    async def read(self, start: int, stop: int, version: str) -> bytes:
        body = bytearray()
        await self.storage.get_range("film.mp4", start, stop, version, body.extend)
        return bytes(body)


@pytest.fixture
async def pair(s3: S3Server) -> AsyncIterator[Pair]:
    async with s3_server() as second:
        storage = S3WithFallback(
            S3Storage(options_of(s3), "here/", source(), HASTE),
            S3Storage(options_of(second), "there/", source(), HASTE),
            lambda: made.now,
        )
        made = Pair(s3, second, storage)
        yield made
        await storage.aclose()


async def test_while_the_first_works_the_second_is_left_alone(pair: Pair) -> None:
    etag = pair.put("film.mp4", FILM)
    assert await pair.read(1000, 250_000, etag) == FILM[1000:250_000]
    assert await pair.storage.read("film.mp4", etag) == FILM
    assert [entry.key for entry in await pair.storage.list_prefix("film.")] == ["film.mp4"]
    assert (pair.second.seen, pair.storage.turns) == ([], 0)


@pytest.mark.parametrize("fault", [Fault.RESET_IN_BODY, Fault.SHORT], ids=lambda fault: fault.name)
async def test_a_body_that_stops_goes_on_in_the_other_bucket(pair: Pair, fault: Fault) -> None:
    etag = pair.put("film.mp4", FILM)
    came: list[int] = []

    def take(piece: memoryview) -> None:
        if not came:  # the first piece of the first's: of what follows none is whole
            pair.first.faults.extend(ALWAYS)
        came.append(len(piece))
        body.extend(piece)

    body = bytearray()
    pair.first.faults.append(fault)
    await pair.storage.get_range("film.mp4", 5, 299_990, etag, take)
    assert body == FILM[5:299_990], "each byte once, in order"
    assert pair.storage.turns == 1
    assert [key for _, key in pair.second.seen] == ["there/film.mp4"]


async def test_a_server_that_is_ended_in_the_middle_of_a_body(s3: S3Server) -> None:
    film = FILM * 100  # more than all buffers on the way hold
    etag = s3.put("there/film.mp4", film).etag
    body = bytearray()
    async with AsyncExitStack() as stack:
        first = await stack.enter_async_context(s3_server())
        first.put("here/film.mp4", film)
        storage = S3WithFallback(
            S3Storage(options_of(first), "here/", source(), HASTE),
            S3Storage(options_of(s3), "there/", source(), HASTE),
        )

        def take(piece: memoryview) -> Awaitable[None] | None:
            is_first = not body
            body.extend(piece)
            return stack.aclose() if is_first else None

        await storage.get_range("film.mp4", 7, len(film), etag, take)
        await storage.aclose()
    assert body == film[7:]
    assert storage.turns == 1


async def test_a_body_never_goes_on_in_another_object(pair: Pair) -> None:
    etag = pair.put("film.mp4", FILM)
    pair.second.put("there/film.mp4", OTHER)
    pair.first.faults.extend([Fault.RESET_IN_BODY, *ALWAYS])
    body = bytearray()
    with pytest.raises(Passing):
        await pair.storage.get_range("film.mp4", 0, len(FILM), etag, body.extend)
    assert FILM.startswith(body)
    assert 0 < len(body) < len(FILM)


@pytest.mark.parametrize(
    "fault", [Fault.RESET, Fault.SLOW_DOWN, Fault.INTERNAL, Fault.GARBAGE], ids=lambda f: f.name
)
async def test_any_failure_of_the_first_leads_to_the_second(pair: Pair, fault: Fault) -> None:
    etag = pair.put("film.mp4", FILM)
    pair.first.faults.extend([fault] * 100)
    assert await pair.read(0, 10, etag) == FILM[:10]


async def test_all_of_a_library_is_read_in_the_second_when_the_first_is_gone(
    pair: Pair, s3: S3Server
) -> None:
    etag = pair.put("film.mp4", FILM)
    gone = S3WithFallback(
        S3Storage(S3Options("films", endpoint="http://127.0.0.1:1"), "here/", source(), HASTE),
        S3Storage(options_of(pair.second), "there/", source(), HASTE),
    )

    def reader() -> Generator[ByteRange, bytes, bytes]:
        return (yield ByteRange(3, 4)) + (yield ByteRange(100_000, 100))

    for _ in range(12):  # enough for the first to be asked no more
        assert await gone.read("film.mp4", etag) == FILM
    assert await gone.read_latest("film.mp4") == FILM
    assert await gone.read_latest("nothing") is None
    assert await gone.drive("film.mp4", etag, reader()) == FILM[3:7] + FILM[100_000:100_100]
    assert [entry.version for entry in await gone.list_prefix("film")] == [etag]
    assert [entry.version for entry in await gone.list_folder("")] == [etag]
    assert [entry.size for entry in await gone.stat(["film.mp4", "nothing"])] == [len(FILM)]
    await gone.check()
    with pytest.raises(StorageError):
        await gone.write("new", b"new")
    assert s3.seen == []
    await gone.aclose()


@pytest.mark.parametrize("fault", ["changed", "gone", "archived", "forbidden"])
async def test_what_the_first_says_is_believed(pair: Pair, fault: str) -> None:
    etag = pair.put("film.mp4", FILM)
    expected: type[StorageError] = ObjectChanged
    match fault:
        case "changed":
            pair.first.put("here/film.mp4", OTHER)
        case "gone":
            pair.first.remove("here/film.mp4")
        case "archived":
            pair.first.put("here/film.mp4", FILM, archived=True)
            expected = Archived
        case "forbidden":
            pair.first.keys.clear()
            expected = StorageError
    with pytest.raises(expected):
        await pair.read(0, 10, etag)
    assert pair.second.seen == []


async def test_the_error_of_the_first_is_told_if_both_fail(pair: Pair, caplog: Log) -> None:
    etag = pair.put("film.mp4", FILM)
    pair.first.faults.extend([Fault.SLOW_DOWN] * 100)
    pair.second.remove("there/film.mp4")
    for _ in range(2):
        with pytest.raises(Passing, match="503 SlowDown"):
            await pair.read(0, 10, etag)
    first, second = caplog.messages
    assert "SlowDown" in first
    assert "is gone" in second


async def test_an_outage_is_told_once(pair: Pair, caplog: Log) -> None:
    etag = pair.put("film.mp4", FILM)
    pair.first.faults.extend(ALWAYS)
    with caplog.at_level(logging.WARNING, "origin"):
        for seconds in (0, 1, QUIET_SECONDS - 1, QUIET_SECONDS - 1):
            pair.now += seconds
            await pair.read(0, 10, etag)
        assert len(caplog.messages) == 1
        pair.now += QUIET_SECONDS + 1
        await pair.read(0, 10, etag)
        assert len(caplog.messages) == 2
    assert pair.storage.turns == 5
    assert caplog.messages[0].startswith("the library fails, VOD_S3_FALLBACK is read instead: ")


async def test_a_first_that_fails_is_soon_left_alone(pair: Pair) -> None:
    etag = pair.put("film.mp4", FILM)
    breaker = Breaker(lambda: pair.now, PATIENCE)
    storage = S3WithFallback(
        S3Storage(options_of(pair.first), "here/", source(), HASTE, breaker),
        S3Storage(options_of(pair.second), "there/", source(), HASTE),
    )
    pair.first.faults.extend(ALWAYS)
    for _ in range(20):
        assert await storage.read("film.mp4", etag) == FILM
    assert len(pair.first.seen) == PATIENCE
    pair.first.faults.clear()
    pair.now += Breaker.SHORTEST
    for _ in range(20):
        assert await storage.read("film.mp4", etag) == FILM
    assert len(pair.first.seen) == PATIENCE + 20
    await storage.aclose()


async def test_pages_of_titles_are_of_the_bucket_that_gave_the_first(pair: Pair) -> None:
    keys = [f"{number}.mp4" for number in range(6)]
    for key in keys:
        pair.put(key, FILM[:10])
    near = await pair.storage.list_top(None, 2)
    gone = S3WithFallback(
        S3Storage(S3Options("films", endpoint="http://127.0.0.1:1"), "here/", source(), HASTE),
        S3Storage(options_of(pair.second), "there/", source(), HASTE),
    )
    with pytest.raises(StorageError):
        await gone.list_top(near.next, 2)
    found, token, pages = [], None, 0
    while pages == 0 or token is not None:
        page = await gone.list_top(token, 2)
        found += [entry.key for entry in page.entries]
        token, pages = page.next, pages + 1
    assert (found, pages) == (keys, 3)
    await gone.aclose()


async def test_what_is_archived_is_restored_in_the_first(pair: Pair) -> None:
    for server, key in ((pair.first, "here/film.mp4"), (pair.second, "there/film.mp4")):
        server.put(key, FILM, archived=True)
    assert await pair.storage.restore("film.mp4", days=7, tier="Standard")
    assert ("POST", "here/film.mp4") in pair.first.seen
    assert pair.second.seen == []


async def test_where_the_first_is_gone_it_is_restored_in_the_second(pair: Pair) -> None:
    pair.second.put("there/film.mp4", FILM, archived=True)
    gone = S3WithFallback(
        S3Storage(S3Options("films", endpoint="http://127.0.0.1:1"), "here/", source(), HASTE),
        S3Storage(options_of(pair.second), "there/", source(), HASTE),
    )
    assert not await gone.is_readable("film.mp4", "")
    assert await gone.restore("film.mp4", days=7, tier="Standard")
    assert not await gone.restore("film.mp4", days=7, tier="Standard"), "it is under way"
    assert ("POST", "there/film.mp4") in pair.second.seen
    await gone.aclose()
