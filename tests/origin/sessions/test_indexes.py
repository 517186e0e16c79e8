"""Indexes that nodes keep for each other in Redis."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Callable
from contextlib import AsyncExitStack
from pathlib import Path

import pytest

from catalog.library import LibraryCatalogue
from embedded.process import Server
from origin.service import Origin
from origin.sessions.indexes import MOST_BYTES, RedisIndexes
from origin.sidecars import SharedIndexes
from origin.storage.local import LocalStorage
from origin.storage.media import LocalMedia
from tests.origin.sessions.working import UNHURRIED, asking
from tests.support.servers import frozen

MIB = 1 << 20
ROOM = 100_000


class Nodes(AsyncExitStack):
    """Of one library, each with what it knows of it alone."""

    def __init__(self, url: str) -> None:
        super().__init__()
        self.url = url

    async def start(self, films: Path, patience: float = UNHURRIED) -> tuple[Origin, SharedIndexes]:
        storage = LocalStorage(str(films))
        shelf = RedisIndexes(self.url, 16 * MIB, patience)
        shared = SharedIndexes(shelf, storage.location)
        self.push_async_callback(shared.aclose)
        origin = Origin(
            LibraryCatalogue(storage),
            storage,
            LocalMedia(storage, None),
            title_cache_bytes=16 * MIB,
            resource_cache_bytes=MIB,
            shared=shared,
        )
        return origin, shared


@pytest.fixture
async def nodes(valkey: Server) -> AsyncIterator[Nodes]:
    async with asking(valkey.url) as redis:
        await redis.flushall()
    async with Nodes(valkey.url) as started:
        yield started


@pytest.fixture
async def shelf(valkey: Server) -> AsyncIterator[RedisIndexes]:
    async with asking(valkey.url) as redis:
        await redis.flushall()
    opened = RedisIndexes(valkey.url, ROOM, UNHURRIED)
    yield opened
    await opened.aclose()


async def test_what_one_node_has_read_the_next_does_not(
    nodes: Nodes, films: Path, indexed: list[str]
) -> None:
    first, shared = await nodes.start(films)
    expected = (await first.title("city")).presentation
    await shared.idle()
    assert indexed
    indexed.clear()
    second, _ = await nodes.start(films)
    assert (await second.title("city")).presentation.revision == expected.revision
    assert indexed == []


@pytest.mark.parametrize("spoil", [lambda data: data[:-1], lambda _: b"", lambda _: b"nonsense"])
async def test_one_that_cannot_be_believed_is_not(
    nodes: Nodes,
    films: Path,
    indexed: list[str],
    valkey: Server,
    spoil: Callable[[bytes], bytes],
) -> None:
    first, shared = await nodes.start(films)
    expected = (await first.title("city")).presentation.revision
    await shared.idle()
    read = sorted(indexed)
    indexed.clear()
    async with asking(valkey.url, decoded=False) as redis:
        for key in [key async for key in redis.scan_iter("vod:{index}:of:*", _type="string")]:
            data = await redis.get(key)
            assert isinstance(data, bytes)
            await redis.set(key, spoil(data))
    second, again = await nodes.start(films)
    assert (await second.title("city")).presentation.revision == expected
    assert sorted(indexed) == read
    await again.idle()
    indexed.clear()
    third, _ = await nodes.start(films)
    await third.title("city")
    assert indexed == []


async def test_without_redis_files_are_read(
    nodes: Nodes, films: Path, indexed: list[str], valkey: Server
) -> None:
    with frozen(valkey):
        origin, shared = await nodes.start(films, 0.05)
        assert (await origin.title("city")).presentation.left_out == ()
        assert indexed
        await shared.idle()


async def test_there_is_so_much_room_and_what_is_used_stays(
    shelf: RedisIndexes, valkey: Server
) -> None:
    used, unused = "used", "unused"
    for name in (used, unused):
        await shelf.put(name, secrets.token_bytes(ROOM // 4))
    async with asking(valkey.url) as redis:
        for name in (used, unused):
            long_ago = time.time() - 1000
            await redis.zadd("vod:{index}:used", {f"vod:{{index}}:of:{name}": long_ago}, xx=True)
    assert await shelf.get(used) is not None
    for number in range(20):
        await shelf.put(f"new{number}", secrets.token_bytes(ROOM // 10))
        assert await total(valkey) <= ROOM
        assert await shelf.get(used) is not None
    assert await shelf.get(unused) is None
    assert await shelf.get("new19") is not None


async def test_one_larger_than_the_room_is_not_kept(shelf: RedisIndexes, valkey: Server) -> None:
    await shelf.put("small", b"content")
    for size in (ROOM + 1, MOST_BYTES + 1):
        await shelf.put("large", bytes(size))
        assert await shelf.get("large") is None
    assert await shelf.get("small") == b"content"


async def test_one_put_again_counts_once(shelf: RedisIndexes, valkey: Server) -> None:
    for _ in range(10):
        await shelf.put("one", bytes(ROOM // 2))
    await shelf.put("other", bytes(ROOM // 3))
    assert await shelf.get("one") == bytes(ROOM // 2)


async def total(valkey: Server) -> int:
    async with asking(valkey.url, decoded=False) as redis:
        keys = [key async for key in redis.scan_iter("vod:{index}:of:*", _type="string")]
        return sum([await redis.strlen(key) for key in keys])
