"""Viewers of a library in a bucket that fails one request in five, each time in another way.

What a viewer may see is the right body, an error that says so, or a connection that is cut: never
other bytes, and never a body that ends early as if it were whole. ``make test`` asks 20,000 times;
``python -m tests.adversity.faulty_bucket COUNT`` as often as you like.
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import random
import socket
import sys
import tempfile
from collections import Counter, deque
from collections.abc import AsyncIterator, Mapping
from contextlib import asynccontextmanager
from pathlib import Path

import uvloop
from aiohttp import web

from catalog.keyed import KeyedCatalogue
from origin.delivery.server import serve
from origin.errors import describe
from origin.service import Origin
from origin.storage.remote import RemoteMedia
from origin.storage.s3.options import Limits, S3Options
from origin.storage.s3.storage import S3Storage
from tests.origin.delivery.serving import Wire
from tests.origin.node import Node
from tests.support.films import make_films
from tests.support.s3_server import BUCKET, REGION, Fault, S3Server, load, s3_server

SHARE = 0.2
KINDS = (
    *(Fault.HANG, Fault.RESET, Fault.RESET_IN_BODY, Fault.SHORT, Fault.DRIP, Fault.WHOLE),
    *(Fault.WRONG_RANGE, Fault.SHORT_RANGE, Fault.SLOW_DOWN, Fault.INTERNAL, Fault.CHANGED),
    *(Fault.IGNORED_MATCH, Fault.GARBAGE, Fault.NO_LENGTH, Fault.PLAIN_200),
    Fault.REFUSE,
)
QUICK = Limits(
    connect_seconds=0.5,
    first_byte_seconds=0.05,
    progress_seconds=0.05,
    progress_bytes=1024,
    total_seconds=0.5,
    backoff_seconds=0.005,
)
"""As in earnest, but that nobody waits long."""
TITLES = ("city", "film")
VIEWERS = 16
MIB = 1 << 20


class Dice(deque[Fault | None]):
    """Never empty: the next fault, or none."""

    def __init__(self, seed: int) -> None:
        super().__init__([None])
        self._random = random.Random(seed)
        self.seen: Counter[str] = Counter()

    def popleft(self) -> Fault | None:
        if self._random.random() >= SHARE:
            return None
        fault = self._random.choice(KINDS)
        self.seen[fault.name] += 1
        return fault


@asynccontextmanager
async def bucket_origin(server: S3Server, limits: Limits) -> AsyncIterator[tuple[Origin, int]]:
    """An origin over the bucket, without a cache, and its port."""
    options = S3Options(BUCKET, region=REGION, endpoint=server.url, signed=False)
    storage = S3Storage(options, "", None, limits)
    media = RemoteMedia(storage, None, read_ahead=0)
    origin = Origin(
        KeyedCatalogue(storage),
        storage,
        media,
        title_cache_bytes=64 * MIB,
        resource_cache_bytes=MIB,
    )
    runner = web.AppRunner(web.Application(), access_log=None)
    await runner.setup()
    assert runner.server is not None
    listener = socket.create_server(("127.0.0.1", 0))
    port: int = listener.getsockname()[1]
    running = await serve(
        listener, lambda request: origin.resolve(request.path), runner.server, describe
    )
    try:
        yield origin, port
    finally:
        await running.close(1.0)
        await runner.cleanup()
        await media.aclose()
        await storage.aclose()


async def watch(films: Path, count: int, seed: int = 1) -> Counter[str]:
    """Ask ``count`` times, and count how it ended: ``whole``, a status, ``cut``, or ``WRONG``."""
    async with s3_server() as server:
        server.public = True
        load(server, films)
        async with bucket_origin(server, QUICK) as (origin, port):
            expected = await digests(films, origin)
            server.faults = dice = Dice(seed)
            left = deque(range(count))
            viewers = (viewer(port, expected, left, number) for number in range(VIEWERS))
            ends = sum(await asyncio.gather(*viewers), Counter[str]())
    ends.update({f"fault {name}": times for name, times in dice.seen.items()})
    return ends


async def digests(films: Path, origin: Origin) -> dict[str, bytes]:
    """Of every segment and init segment, by path."""
    near = Node(films)
    expected = {}
    for asset_id in TITLES:
        theirs = (await near.origin.title(asset_id)).presentation.revision
        ours = (await origin.title(asset_id)).presentation.revision
        for path in await near.every_path(asset_id):
            if path.endswith((".m4s", ".mp4")):
                body = await near.body(path)
                expected[path.replace(theirs, ours)] = hashlib.sha256(body).digest()
    return expected


async def viewer(
    port: int, expected: Mapping[str, bytes], left: deque[int], seed: int
) -> Counter[str]:
    order = random.Random(seed)
    paths = list(expected)
    ends: Counter[str] = Counter()
    wire: Wire | None = None
    while left:
        left.popleft()
        wire = wire or Wire(*await asyncio.open_connection("127.0.0.1", port))
        path = order.choice(paths)
        try:
            reply = await wire.get(path)
        except (asyncio.IncompleteReadError, ConnectionError):
            ends["cut"] += 1
            await wire.close()
            wire = None
            continue
        if reply.status != 200:
            ends[str(reply.status)] += 1
        else:
            right = hashlib.sha256(reply.body).digest() == expected[path]
            ends["whole" if right else "WRONG"] += 1
    if wire is not None:
        await wire.close()
    return ends


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("count", type=int, help="how many requests")
    parser.add_argument("--seed", type=int, default=1)
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_films(Path(folder) / "films")
        ends = uvloop.run(watch(Path(folder) / "films", chosen.count, chosen.seed))
    for name, times in ends.most_common():
        print(f"{times:>9,} {name}")
    return 1 if ends["WRONG"] else 0


if __name__ == "__main__":
    sys.exit(main())
