"""Two buckets that hold the same: what the first fails to give is asked of the second.

Objects that S3 copies into another region keep their ETags, and a library reads each object by the
ETag it was listed with, in either bucket. So a body that stops in the first goes on in the second,
from the byte it stopped at, and an object that is another there is not read there. Only failures
lead there: what the first says is gone, changed, archived or forbidden is so.
"""

from __future__ import annotations

import logging
import math
import time
from collections.abc import Awaitable, Callable, Generator, Iterator, Sequence
from typing import TypeVar

from catalog.keyed import ListedPage
from catalog.library import Entry
from origin.errors import StorageError
from origin.storage.driving import drive
from origin.storage.s3.connection import Room, Sink
from origin.storage.s3.faults import Passing, Resting
from origin.storage.s3.options import Limits
from origin.storage.s3.storage import S3Storage
from origin.telemetry.remote import Count
from packager.ranges import ByteRange

log = logging.getLogger(__name__)

T = TypeVar("T")

PATIENCE = 2
"""Failures in a row after which the first is left alone for a while: there is another."""

HALF = Limits(retries=1, total_seconds=4.0)
"""For each of two, so that both take no longer than one alone."""

QUIET_SECONDS = 60.0
"""Without a failure, after which the next is news."""

_SECOND = "second "
"""In front of the tokens of the second's pages."""


class S3WithFallback:
    """``Storage`` over a ``first`` bucket, which is written to, and a ``second``. Of one loop."""

    fresh_seconds = S3Storage.fresh_seconds
    stale_seconds = S3Storage.stale_seconds

    def __init__(
        self,
        first: S3Storage,
        second: S3Storage,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._first = first
        self._second = second
        self._outage = _News(clock)
        self._darkness = _News(clock)
        self.location = first.location
        self.turns = 0
        """How often the second was asked, since the start."""

    # As a listing.

    async def list_folder(self, folder: str) -> Sequence[Entry]:
        return await self._ask(lambda bucket: bucket.list_folder(folder))

    async def list_prefix(self, prefix: str) -> Sequence[Entry]:
        return await self._ask(lambda bucket: bucket.list_prefix(prefix))

    async def list_top(self, token: str | None, limit: int) -> ListedPage:
        """The pages behind a page are of the same bucket: nobody else knows its tokens."""
        if token is None:
            return await self._ask(lambda bucket: self._page(bucket, None, limit))
        if token.startswith(_SECOND):
            return await self._page(self._second, token.removeprefix(_SECOND), limit)
        return await self._page(self._first, token, limit)

    async def _page(self, bucket: S3Storage, token: str | None, limit: int) -> ListedPage:
        page = await bucket.list_top(token, limit)
        if bucket is self._second and page.next:
            return page._replace(next=_SECOND + page.next)
        return page

    def counts(self) -> Iterator[Count]:
        yield from self._first.counts()
        yield from self._second.counts("second")

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        return await self._ask(lambda bucket: bucket.stat(keys))

    async def check(self) -> None:
        await self._ask(lambda bucket: bucket.check())

    # As bytes.

    async def read(self, key: str, version: str) -> bytes:
        return await self._ask(lambda bucket: bucket.read(key, version))

    async def read_latest(self, key: str) -> bytes | None:
        return await self._ask(lambda bucket: bucket.read_latest(key))

    async def write(self, key: str, data: bytes) -> None:
        await self._first.write(key, data)

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
        position = start

        def take(piece: memoryview) -> Awaitable[None] | None:
            nonlocal position
            position += len(piece)
            return sink(piece)

        await self._ask(lambda bucket: bucket.get_range(key, position, stop, version, take, room))

    async def is_readable(self, key: str, version: str) -> bool:
        return await self._ask(lambda bucket: bucket.is_readable(key, version))

    async def restore(self, key: str, *, days: int, tier: str) -> bool:
        """In the bucket that it is read in, which is the first while that answers."""
        return await self._ask(lambda bucket: bucket.restore(key, days=days, tier=tier))

    async def aclose(self) -> None:
        await self._first.aclose()
        await self._second.aclose()

    async def _ask(self, question: Callable[[S3Storage], Awaitable[T]]) -> T:
        try:
            return await question(self._first)
        except (Passing, Resting) as failure:
            return await self._instead(question, failure)

    async def _instead(
        self, question: Callable[[S3Storage], Awaitable[T]], failure: StorageError
    ) -> T:
        """The second's answer; the first's ``failure`` if there is none."""
        self.turns += 1
        if self._outage.is_new():
            log.warning("the library fails, VOD_S3_FALLBACK is read instead: %s", failure)
        try:
            return await question(self._second)
        except StorageError as other:
            if self._darkness.is_new():
                log.warning("VOD_S3_FALLBACK fails, too: %s", other)
            raise failure from other


class _News:
    """Whether something happens for the first time in a while."""

    def __init__(self, clock: Callable[[], float]) -> None:
        self._clock = clock
        self._last = -math.inf

    def is_new(self) -> bool:
        before, self._last = self._last, self._clock()
        return self._last - before > QUIET_SECONDS
