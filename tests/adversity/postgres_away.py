"""A PostgreSQL that is away for a while, under viewers of a served library.

Who watches a title that the worker has seen notices nothing. Who asks for another is told soon to
come again (503, Retry-After). Once PostgreSQL is back all is well within two seconds, and nothing
hangs meanwhile. It is away in three ways: killed; frozen (SIGSTOP), where it takes connections and
answers none; and locked, where every connection of the worker's pool ends up in a statement that
waits. ``make test`` does each for two seconds; for as long as you like:

    python -m tests.adversity.postgres_away SECONDS [--frozen | --locked]
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import time
from collections.abc import AsyncIterator, Sequence
from contextlib import AsyncExitStack, asynccontextmanager
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path
from typing import Literal

import asyncpg
from aiohttp import ClientError, ClientSession, ClientTimeout
from yarl import URL

from catalog.postgres.database import CONNECTIONS
from catalog.postgres.migrate import migrate, read_migrations
from cli.catalogue import import_titles
from embedded.postgres import start_postgres
from embedded.process import Server
from origin.settings import read_settings
from origin.storage import open_library
from tests.cli.running import serving
from tests.support.films import make_films
from tests.support.servers import frozen, server_folder

Way = Literal["killed", "frozen", "locked"]

SEEN_TITLES = ("city", "film")
VIEWERS = 10
COLD_TITLES = 2 * CONNECTIONS
"""As many ask at once: more than there are connections."""
PAUSE_SECONDS = 0.05
PATIENCE = ClientTimeout(total=10)


@dataclass
class Seen:
    """Seconds of each answer: of titles seen before (``played``), and of others that were told to
    come again (``refused``). ``held``: the most connections that waited in a statement;
    ``recovery``: until all was well again; ``others``: every answer that should not be."""

    played: list[float] = field(default_factory=list)
    refused: list[float] = field(default_factory=list)
    held: int = 0
    recovery: float = 0.0
    others: list[str] = field(default_factory=list)


@dataclass
class Outage:
    """``over``: PostgreSQL may answer again."""

    over: bool = False


async def watch(folder: Path, films: Path, seconds: float, way: Way) -> Seen:
    """``films`` gets the titles that nobody has seen."""
    seen = Seen()
    for number in range(COLD_TITLES):
        os.link(films / "film.mp4", films / _cold(number))
    async with AsyncExitStack() as stack:
        servers = Servers(folder / "postgres")
        stack.callback(servers.stop)
        url = servers.start().url
        await migrate(url, read_migrations())
        await import_titles(open_library(read_settings(library=str(films))), url)
        running = stack.enter_context(serving(films, VOD_DATABASE_URL=url))
        client = await stack.enter_async_context(ClientSession(running.address, timeout=PATIENCE))
        pages = [page for title in SEEN_TITLES for page in await _pages(client, title)]
        viewing = [asyncio.create_task(_view(client, pages, seen)) for _ in range(VIEWERS)]
        async with _away(servers, way, seen) as outage:
            viewing += [
                asyncio.create_task(_ask(client, _cold(number), outage, seen))
                for number in range(COLD_TITLES)
            ]
            await asyncio.sleep(seconds)
            outage.over = True
        back = time.monotonic()
        await asyncio.gather(*viewing[VIEWERS:])
        seen.recovery = time.monotonic() - back
        for one in viewing[:VIEWERS]:
            one.cancel()
        await asyncio.gather(*viewing, return_exceptions=True)
    return seen


def _cold(number: int) -> str:
    return f"cold-{number:02}.mp4"


@dataclass
class Servers:
    """One PostgreSQL after another, in one folder."""

    folder: Path
    running: Server | None = None

    def start(self) -> Server:
        self.running = start_postgres(self.folder, "-F")
        return self.running

    def kill(self) -> None:
        assert self.running is not None
        self.running.process.kill()
        self.running.process.wait()

    def stop(self) -> None:
        if self.running is not None:
            self.running.stop()


@asynccontextmanager
async def _away(servers: Servers, way: Way, seen: Seen) -> AsyncIterator[Outage]:
    assert servers.running is not None
    outage = Outage()
    if way == "killed":
        servers.kill()
        yield outage
        servers.start()
    elif way == "frozen":
        with frozen(servers.running):
            yield outage
    else:
        holder, counter = [await asyncpg.connect(servers.running.url) for _ in range(2)]
        async with holder.transaction():
            await holder.execute("lock table renditions")  # in access exclusive mode
            counting = asyncio.create_task(_count_held(counter, seen))
            yield outage
        counting.cancel()
        await asyncio.gather(counting, return_exceptions=True)
        await holder.close()
        counter.terminate()


async def _count_held(connection: asyncpg.Connection, seen: Seen) -> None:
    while True:
        held = await connection.fetchval(
            "select count(*) from pg_stat_activity where wait_event_type = 'Lock'"
        )
        seen.held = max(seen.held, held)
        await asyncio.sleep(PAUSE_SECONDS)


async def _pages(client: ClientSession, title: str) -> list[tuple[str, bytes]]:
    """Documents of a title and their bytes: its master playlist, and what leads to a segment."""
    path = f"/v/{title}/master.m3u8"
    pages = []
    while True:
        async with client.get(path) as reply:
            assert reply.status == 200, (path, reply.status)
            content = await reply.read()
        pages.append((path, content))
        if not path.endswith(".m3u8"):
            return pages
        lines = content.decode().splitlines()
        following = next(line for line in lines if line and not line.startswith("#"))
        path = str(URL(path).join(URL(following, encoded=True)))


async def _view(client: ClientSession, pages: Sequence[tuple[str, bytes]], seen: Seen) -> None:
    while True:
        for path, content in pages:
            began = time.perf_counter()
            try:
                async with client.get(URL(path, encoded=True)) as reply:
                    same = await reply.read() == content
                    if reply.status != 200 or not same:
                        seen.others.append(f"{path}: {reply.status}, same bytes: {same}")
            except (ClientError, TimeoutError) as error:
                seen.others.append(f"{path}: {error!r}")
            seen.played.append(time.perf_counter() - began)
            await asyncio.sleep(PAUSE_SECONDS)


async def _ask(client: ClientSession, file: str, outage: Outage, seen: Seen) -> None:
    """Until it is there."""
    path = f"/v/{file.removesuffix('.mp4')}/master.m3u8"
    while True:
        began, may_be_there = time.perf_counter(), outage.over
        try:
            async with client.get(path) as reply:
                await reply.read()
                told = reply.status == 503 and reply.headers.get("Retry-After", "").isdigit()
                if reply.status == 200 and (may_be_there or outage.over):
                    return
                if not told:
                    seen.others.append(f"{path}: {reply.status}")
        except (ClientError, TimeoutError) as error:
            seen.others.append(f"{path}: {error!r}")
        seen.refused.append(time.perf_counter() - began)
        await asyncio.sleep(PAUSE_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description="Viewers, and a PostgreSQL that is away.")
    parser.add_argument("seconds", type=float, help="for how long PostgreSQL is away")
    ways = parser.add_mutually_exclusive_group()
    way = partial(ways.add_argument, action="store_const", dest="way", default="killed")
    way("--frozen", const="frozen", help="stopped, not killed")
    way("--locked", const="locked", help="all connections of the pool are taken, not killed")
    chosen = parser.parse_args()
    with server_folder() as folder:
        make_films(folder / "films")
        seen = asyncio.run(watch(folder, folder / "films", chosen.seconds, chosen.way))
    _print("answers of titles seen before", seen.played)
    _print("told to come again for others", seen.refused)
    if seen.held:
        print(f"{seen.held:>9,} connections held, of {CONNECTIONS}")
    print(f"{len(seen.others):>9,} other answers", *seen.others[:1])
    print(f"{seen.recovery:>9.2f} s until all was well again")
    return 1 if seen.others or not seen.refused or seen.recovery > 2 else 0


def _print(what: str, waits: list[float]) -> None:
    ordered = sorted(waits) or [0.0]
    median, late = ordered[len(ordered) // 2], ordered[len(ordered) * 99 // 100]
    print(f"{len(waits):>9,} {what}: {median * 1e3:.1f} ms half of them", end="")
    print(f", {late * 1e3:.0f} ms 99 of 100, {ordered[-1] * 1e3:.0f} ms the last")


if __name__ == "__main__":
    sys.exit(main())
