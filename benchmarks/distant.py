"""Contests of servers that have their bytes from S3. Each has a bucket of its own, which no other
server keeps busy."""

from __future__ import annotations

import re
from collections.abc import Callable, Iterator, Mapping, Sequence
from contextlib import AbstractContextManager, ExitStack, contextmanager
from dataclasses import replace
from pathlib import Path
from tempfile import TemporaryDirectory
from urllib.request import urlopen

from benchmarks.buckets import Bucket, has_s3, quick_bucket
from benchmarks.contests import Ground
from benchmarks.library import HD_SINGLE
from benchmarks.nginx import nginx_program
from benchmarks.origins import Variant, vod_origin
from benchmarks.relays import nginx_proxy, stock_stream
from benchmarks.servers import Server, ServerFailed

KEEPS_NOTHING = {"VOD_CACHE_MB": "0"}
FROM_FILES = "from files"


def s3_relay(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    """Nobody keeps anything, so that what is asked for again is as new."""
    if can_measure_s3():
        yield _origin(ground, "vod-origin", KEEPS_NOTHING)
        yield _relay(ground, nginx_proxy)
        yield _relay(ground, stock_stream)


def s3_warm(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    if can_measure_s3():
        started: list[Server] = []
        yield _noted(started, _origin(ground, "kept of S3", {}))
        yield _of_files(started, ground)


def can_measure_s3() -> bool:
    return has_s3() and nginx_program() is not None


@contextmanager
def _origin(ground: Ground, name: str, settings: Mapping[str, str]) -> Iterator[Server]:
    with _bucket(ground) as bucket, origin_of(bucket, name, ground.scratch, settings) as server:
        yield replace(server, behind=bucket.pid)


@contextmanager
def origin_of(
    bucket: Bucket, name: str, scratch: Path, settings: Mapping[str, str]
) -> Iterator[Server]:
    """With nothing in its cache."""
    with ExitStack() as stack:
        folder = stack.enter_context(TemporaryDirectory(prefix="blocks-", dir=scratch.resolve()))
        environment = {**bucket.environment, "VOD_CACHE_FOLDER": folder, **settings}
        variant = Variant(name, token=False, environment=environment)
        yield stack.enter_context(vod_origin(bucket.url, scratch, variant))


@contextmanager
def _relay(
    ground: Ground, start: Callable[[Bucket, Path], AbstractContextManager[Server]]
) -> Iterator[Server]:
    with _bucket(ground) as bucket, start(bucket, ground.scratch) as server:
        yield replace(server, behind=bucket.pid)


def _bucket(ground: Ground) -> AbstractContextManager[Bucket]:
    return quick_bucket(ground.library, ground.static, ground.scratch)


@contextmanager
def _noted(started: list[Server], starting: AbstractContextManager[Server]) -> Iterator[Server]:
    with starting as server:
        started.append(server)
        yield server


@contextmanager
def _of_files(started: Sequence[Server], ground: Ground) -> Iterator[Server]:
    """Whose titles are of other revisions than those in S3."""
    variant = Variant(FROM_FILES, token=False)
    with vod_origin(ground.library, ground.scratch, variant) as server:
        theirs, own = (_revision(one, HD_SINGLE.id) for one in (started[0], server))
        yield replace(server, revisions={theirs: own})


def _revision(server: Server, title: str) -> str:
    url = f"http://{server.host}:{server.port}/v/{title}/master.m3u8"
    with urlopen(url, timeout=60) as response:
        found = re.search(rb"^(\w+)/", response.read(), re.MULTILINE)
    if found is None:
        raise ServerFailed(f"{url} names no revision")
    return found[1].decode()
