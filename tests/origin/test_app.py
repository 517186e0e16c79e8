"""One worker, put together as ``vod-origin serve`` does, and its end."""

from __future__ import annotations

import asyncio
import shutil
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from origin.app import Running, start
from origin.settings import read_settings
from tests.origin.delivery.serving import PATIENCE, Wire, until


@asynccontextmanager
async def running(library: Path, write_sidecars: int = 0) -> AsyncIterator[tuple[Running, int]]:
    """The worker and its port."""
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    worker = await start(
        listener, read_settings(library=str(library), write_sidecars=write_sidecars)
    )
    yield worker, port
    await worker.close(grace=PATIENCE)


async def connect(port: int) -> Wire:
    return Wire(*await asyncio.open_connection("127.0.0.1", port))


async def test_it_serves_on_while_it_says_that_it_ends(films: Path) -> None:
    async with running(films) as (worker, port):
        before, idle = await connect(port), await connect(port)
        assert (await before.get("/readyz")).status == 200
        closing = asyncio.create_task(worker.close(grace=PATIENCE, delay=1.0))
        await until(lambda: worker.health.draining)
        for path, status in (("/readyz", 503), ("/livez", 200), ("/v/city/master.m3u8", 200)):
            wire = await connect(port)
            reply = await wire.get(path)
            assert (reply.status, reply.headers["connection"]) == (status, "close")
            await wire.close()
        reply = await before.get("/v/city/master.m3u8")
        assert (reply.status, reply.headers["connection"]) == (200, "close")
        assert not closing.done()
        assert await idle.is_closed()
        await closing
        with pytest.raises(ConnectionRefusedError):
            await connect(port)
        await before.close()
        await idle.close()


async def test_what_never_ends_does_not_hold_up_the_end(
    films: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    async with running(films) as (worker, port):
        asked = asyncio.Event()

        async def never(*_: object) -> str:
            asked.set()
            await asyncio.Event().wait()
            return ""

        monkeypatch.setattr("origin.control.health.PATIENCE_SECONDS", 3600)
        monkeypatch.setattr("origin.storage.local.LocalStorage.folder_version", never)
        wire = await connect(port)
        asking = asyncio.create_task(wire.get("/readyz"))
        async with asyncio.timeout(PATIENCE):
            await asked.wait()
            await worker.close(grace=0.1)
        with pytest.raises((ConnectionError, asyncio.IncompleteReadError)):
            await asking
        await wire.close()


async def test_sidecars_are_written_where_that_is_set(films: Path, tmp_path: Path) -> None:
    for name, is_set in (("without", 0), ("with", 1)):
        library = tmp_path / name
        library.mkdir()
        shutil.copy(films / "film.mp4", library)
        sidecar = library / ".vodx/film.mp4.vodx"
        async with running(library, is_set) as (worker, port):
            wire = await connect(port)
            assert (await wire.get("/v/film/master.m3u8")).status == 200
            if is_set:
                await until(sidecar.exists)
            await wire.close()
            assert (worker.sidecars is not None) == sidecar.exists() == bool(is_set)
