"""A worker put together as ``vod-origin serve`` does, with a Redis."""

from __future__ import annotations

import asyncio
import socket
from pathlib import Path

import pytest

from embedded.process import Server
from origin.app import run, start
from origin.settings import BadSetting, read_settings
from tests.origin.delivery.serving import PATIENCE, Wire
from tests.origin.sessions.working import asking, until


@pytest.mark.parametrize(
    ("settings", "message"),
    [
        ({"redis_url": "nowhere"}, "VOD_REDIS_URL"),
        ({"redis_url": "redis://:hidden@host:port/0"}, "VOD_REDIS_URL"),
        ({"redis_index_mb": 1}, "VOD_REDIS_INDEX_MB"),
    ],
)
def test_a_redis_that_is_none_is_no_start(
    films: Path, settings: dict[str, object], message: str
) -> None:
    with pytest.raises(BadSetting, match=message) as caught:
        run(read_settings({}, library=str(films), port=0, **settings))
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("index_mb", [0, 1])
async def test_indexes_are_shared_where_that_is_set(
    films: Path, valkey: Server, index_mb: int
) -> None:
    async with asking(valkey.url) as redis:
        await redis.flushall()
        listener = socket.create_server(("127.0.0.1", 0))
        settings = read_settings(
            {}, library=str(films), redis_url=valkey.url, redis_index_mb=index_mb
        )
        worker = await start(listener, settings)
        port = listener.getsockname()[1]
        wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
        assert (await wire.get("/v/film/master.m3u8")).status == 200

        async def is_there() -> bool:
            return bool([key async for key in redis.scan_iter("vod:{index}:of:*")])

        if index_mb:
            await until(is_there)
        await wire.close()
        await worker.close(grace=PATIENCE)
        assert await is_there() == bool(index_mb)


async def test_without_its_redis_a_worker_starts_and_serves(films: Path, tmp_path: Path) -> None:
    listener = socket.create_server(("127.0.0.1", 0))
    url = f"unix://{tmp_path / 'nobody'}"
    worker = await start(
        listener, read_settings({}, library=str(films), redis_url=url, redis_index_mb=1)
    )
    port = listener.getsockname()[1]
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
    assert (await wire.get("/v/film/master.m3u8")).status == 200
    await wire.close()
    await worker.close(grace=PATIENCE)
