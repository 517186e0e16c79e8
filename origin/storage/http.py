"""A web server as a library: files below a URL, read in ranges, each held to its ETag.

It is asked by the client that reads S3, without a signature: the same checks, retries and breaker.
A server has to give strong ETags: a time of modification in whole seconds, which is all that
Last-Modified tells, does not say that the bytes are the same (RFC 9110 section 8.8.2.2). Only hosts
that are named are asked, and no redirect is followed: a library is where it was said to be.
"""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Sequence
from typing import TypeVar
from urllib.parse import urlsplit

from catalog.library import Entry
from origin.errors import ObjectChanged, StorageError
from origin.settings import Settings
from origin.storage.driving import drive
from origin.storage.s3.client import S3Client, counts
from origin.storage.s3.connection import Room, Sink
from origin.storage.s3.faults import Passing, Reason, Refusal
from origin.storage.s3.options import HttpOptions, Limits
from origin.storage.s3.storage import S3Storage, read_small
from origin.telemetry.remote import Count
from packager.ranges import ByteRange

T = TypeVar("T")

NOTHING = ".vodx/none"
"""A key that no server has."""


class HttpStorage:
    """Of one loop."""

    fresh_seconds = S3Storage.fresh_seconds
    stale_seconds = S3Storage.stale_seconds

    def __init__(self, options: HttpOptions, limits: Limits | None = None) -> None:
        self._client = S3Client(options, None, limits)
        self.location = f"{options.url.rstrip('/')}/"

    @classmethod
    def at_url(cls, url: str, settings: Settings) -> HttpStorage:
        """``ValueError`` for a host that is not among those that may be asked."""
        options = HttpOptions(url, settings.s3_ca_file)
        parts = urlsplit(url)
        allowed = {host.strip().lower() for host in settings.http_hosts.split(",")}
        if allowed.isdisjoint((parts.hostname, parts.netloc.lower())):
            raise ValueError(f"{parts.netloc} is not among VOD_HTTP_HOSTS, and is not asked")
        if settings.write_sidecars:
            raise ValueError("VOD_WRITE_SIDECARS: nothing can be written over HTTP")
        return cls(options)

    async def check(self) -> None:
        """Whether there is a server; what it has is found out when it is asked for."""
        try:
            await self._client.peek(NOTHING, 1)
        except (ObjectChanged, Refusal):
            return
        except Passing as error:
            if error.reason is not Reason.BAD_REPLY:
                raise

    def counts(self) -> Iterator[Count]:
        return counts(self._client.tally, "first")

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        found = await asyncio.gather(*map(self._entry, keys))
        return [entry for entry in found if entry is not None]

    async def _entry(self, key: str) -> Entry | None:
        try:
            info, _ = await self._client.peek(key, 1)
        except ObjectChanged:
            return None
        return Entry(key, False, info.size, info.etag)

    async def read(self, key: str, version: str) -> bytes:
        return await read_small(self._client, key, version)

    async def read_latest(self, key: str) -> bytes | None:
        try:
            return await read_small(self._client, key, "")
        except ObjectChanged:
            return None

    async def write(self, key: str, data: bytes) -> None:
        raise StorageError(f"cannot write {key}: nothing can be written over HTTP")

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        return await drive(self, key, version, reader)

    async def get_range(
        self,
        key: str,
        start: int,
        stop: int,
        version: str,
        sink: Sink,
        room: Room | None = None,
    ) -> None:
        await self._client.get_range(key, start, stop, version, sink, room)

    async def aclose(self) -> None:
        await self._client.aclose()
