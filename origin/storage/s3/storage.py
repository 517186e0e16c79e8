"""A prefix of a bucket as a library: its keys are those behind the prefix, versions are ETags."""

from __future__ import annotations

import asyncio
from collections.abc import Generator, Iterator, Sequence
from importlib.util import find_spec
from typing import TypeVar

from catalog.keyed import ListedPage
from catalog.library import Entry
from origin.breaker import Breaker
from origin.errors import Archived, ObjectChanged, StorageError
from origin.settings import Settings
from origin.storage.driving import drive
from origin.storage.local import MAX_SMALL_OBJECT
from origin.storage.s3.client import S3Client, counts
from origin.storage.s3.connection import Room, Sink
from origin.storage.s3.credentials import CredentialSource, from_aws
from origin.storage.s3.faults import Missing
from origin.storage.s3.listing import Page
from origin.storage.s3.objects import S3Objects
from origin.storage.s3.options import Limits, S3Options
from origin.telemetry.remote import Count
from packager.ranges import ByteRange

T = TypeVar("T")

MAX_FILES = 10_000
"""Of one title."""


class S3Storage:
    """``prefix``: of all keys, '' or ending in '/'. Of one loop."""

    fresh_seconds = 30.0
    stale_seconds = 600.0
    """A listing costs a request; who reads what has changed meanwhile is told by the read."""

    def __init__(
        self,
        options: S3Options,
        prefix: str,
        credentials: CredentialSource | None,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        breaker = breaker or Breaker()
        self._prefix = prefix
        self._client = S3Client(options, credentials, limits, breaker)
        self._objects = S3Objects(options, credentials, limits, breaker)
        self.location = f"s3://{options.endpoint}/{options.bucket}/{prefix}"

    @classmethod
    def at_url(
        cls,
        url: str,
        settings: Settings,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
    ) -> S3Storage:
        """``s3://bucket/prefix``; the prefix is taken as it stands there."""
        if find_spec("aiobotocore") is None:
            raise ValueError("s3:// needs more than is installed: pip install 'vod-origin[s3]'")
        bucket, _, prefix = url.removeprefix("s3://").partition("/")
        prefix = prefix.strip("/")
        options = S3Options(
            bucket,
            region=settings.s3_region,
            endpoint=settings.s3_endpoint,
            signed=not settings.s3_anonymous,
            ca_file=settings.s3_ca_file,
        )
        credentials = from_aws() if options.signed else None
        return cls(options, f"{prefix}/" if prefix else "", credentials, limits, breaker)

    # As a listing.

    async def list_folder(self, folder: str) -> Sequence[Entry]:
        return await self.list_prefix(f"{folder}/" if folder else "")

    async def list_prefix(self, prefix: str) -> Sequence[Entry]:
        entries: list[Entry] = []
        token = None
        while True:
            page = await self._client.list_page(self._prefix + prefix, delimiter="/", token=token)
            entries += self._entries(page)
            token = page.next
            if token is None:
                return entries
            if len(entries) > MAX_FILES:
                raise StorageError(f"more than {MAX_FILES} objects begin with '{prefix}'")

    async def list_top(self, token: str | None, limit: int) -> ListedPage:
        page = await self._client.list_page(self._prefix, delimiter="/", token=token, limit=limit)
        return ListedPage(self._entries(page), page.next)

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        found = await asyncio.gather(*(self._objects.head(self._prefix + key) for key in keys))
        return [
            Entry(key, False, info.size, info.etag)
            for key, info in zip(keys, found, strict=True)
            if info is not None
        ]

    async def check(self) -> None:
        await self._client.list_page(self._prefix, limit=1)

    def _entries(self, page: Page) -> list[Entry]:
        cut = len(self._prefix)
        folders = [Entry(name[cut:].rstrip("/"), True) for name in page.folders]
        files = [Entry(o.key[cut:], False, o.size, o.etag) for o in page.objects]
        return [e for e in (*folders, *files) if not _name(e.key).startswith(".") and _name(e.key)]

    # As bytes.

    async def read(self, key: str, version: str) -> bytes:
        try:
            return await read_small(self._client, self._prefix + key, version)
        except ObjectChanged:
            # An object without bytes has no range to ask for.
            info = await self._objects.head(self._prefix + key)
            if info is None or info.size or info.etag != version:
                raise
            return b""

    async def read_latest(self, key: str) -> bytes | None:
        try:
            return await read_small(self._client, self._prefix + key, "")
        except Missing:
            return None
        except ObjectChanged:
            info = await self._objects.head(self._prefix + key)
            return None if info is None else await self.read(key, info.etag)

    async def write(self, key: str, data: bytes) -> None:
        await self._objects.put(self._prefix + key, data, media_type="application/octet-stream")

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        return await drive(self, key, version, reader)

    async def is_readable(self, key: str, version: str) -> bool:
        """Whether a byte can be read, or is archived. What S3 says of storage classes differs from
        one S3 to the next; this does not."""
        try:
            await self.get_range(key, 0, 1, version, lambda _: None)
        except Archived:
            return False
        return True

    async def restore(self, key: str, *, days: int, tier: str) -> bool:
        """Have an archived object made readable for ``days``; False: that is under way already."""
        return await self._objects.restore(self._prefix + key, days=days, tier=tier)

    async def get_range(
        self,
        key: str,
        start: int,
        stop: int,
        version: str,
        sink: Sink,
        room: Room | None = None,
    ) -> None:
        await self._client.get_range(self._prefix + key, start, stop, version, sink, room)

    def counts(self, bucket: str = "first") -> Iterator[Count]:
        return counts(self._client.tally, bucket)

    async def aclose(self) -> None:
        await self._client.aclose()
        await self._objects.aclose()


async def read_small(client: S3Client, key: str, version: str) -> bytes:
    """All of an object, of any ``version`` if that is empty; ``ObjectChanged`` if it is empty."""
    info, data = await client.peek(key, MAX_SMALL_OBJECT, version)
    if info.size > MAX_SMALL_OBJECT:
        raise StorageError(f"{key} is {info.size} bytes, too large to be read whole")
    return data


def _name(key: str) -> str:
    return key.rpartition("/")[2]
