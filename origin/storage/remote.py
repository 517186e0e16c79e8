"""Segments of objects that are far away: fetched once, kept on the disk, sent while they come.

A segment's samples are a part of a sparse file, as copies of interleaved tracks are. What is asked
for and not there comes in one request, is written as it arrives, and goes to all who wait for it
from there; the next segments come behind it, small ones with it. Where the disk fails, what comes
goes through memory and is not kept.
"""

from __future__ import annotations

import asyncio
import logging
import os
import tempfile
from collections import Counter
from collections.abc import Awaitable, Callable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from origin.delivery.resource import Arrival, FileSpan, OpenFile
from origin.errors import StorageError
from origin.storage.media import Placed, head_of, ranges_of
from origin.storage.sparse import SparseFile
from origin.storage.sparse_cache import SparseCache
from origin.storage.tracks import STRETCH, stretch
from origin.telemetry.remote import SEGMENTS, Count
from packager.model import Rendition
from packager.mux.fmp4 import plan_segment
from packager.plan import Splice
from packager.ranges import ByteRange

log = logging.getLogger(__name__)

TOGETHER = 1 << 20
"""Bytes up to which small segments are fetched with the one in front of them."""

MAX_GAP = 8 << 20
"""Bytes between two samples that are rather fetched and dropped than asked around: a request
costs more time."""

MAX_AHEAD = 8
"""Segments that are fetched before anyone has asked for them, at a time."""

Sink = Callable[[memoryview], Awaitable[None] | None]


class Source(Protocol):
    """An object store."""

    @property
    def location(self) -> str: ...

    async def get_range(self, key: str, start: int, stop: int, version: str, sink: Sink) -> None:
        """Every byte from ``start`` to in front of ``stop``, once and in order, or an error."""


@dataclass(slots=True, eq=False, weakref_slot=True)
class _Kept:
    """A holder of spans of a file of the cache."""

    cache: SparseCache
    file: SparseFile
    let_go: Callable[[], None]

    def use(self) -> bool:
        self.cache.use(self.file)
        return True


@dataclass(slots=True, eq=False)
class _Coming:
    """A segment on its way: its samples lie in ``ranges`` of the object, and go side by side into
    ``span``. ``file``: None where they are not kept."""

    ranges: Sequence[ByteRange]
    span: FileSpan
    arrival: Arrival
    file: SparseFile | None
    part: int
    error: StorageError | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)

    @property
    def complete(self) -> bool:
        return self.arrival.position == self.span.start + self.span.length

    async def first_byte(self) -> None:
        """Wait for it, or raise why there is none."""
        await self.begun.wait()
        if self.arrival.position == self.span.start and self.error is not None:
            raise self.error

    def put(self, piece: memoryview) -> None:
        """The next bytes; OSError where the disk fails."""
        position = self.arrival.position
        if self.file is not None:
            self.file.put(position, piece)
        else:
            os.pwrite(self.span.file.fileno(), piece, position)
        self.arrival.grow(position + len(piece))
        self.begun.set()

    def fail(self, error: StorageError) -> None:
        if not self.complete:
            self.error = error
            self.arrival.fail()
            self.begun.set()


class RemoteMedia:
    """``cache``: None where there is no disk to keep anything on; ``read_ahead``: segments that
    are fetched before they are asked for."""

    def __init__(self, source: Source, cache: SparseCache | None, read_ahead: int) -> None:
        self._source = source
        self._cache = cache
        self._read_ahead = read_ahead
        self._coming: dict[tuple[str, int], _Coming] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: set[asyncio.Task[None]] = set()
        self._results: Counter[str] = Counter()

    async def place(
        self,
        rendition: Rendition,
        row: int,
        plan: Splice,
        version: str,
        let_go: Callable[[], None],
    ) -> Placed:
        name, file = await self._find(rendition, row, version)
        part = row % STRETCH
        kept = None
        if file is not None and self._cache is not None:
            kept = _Kept(self._cache, file, let_go)
            self._cache.hold(file, kept)
        coming = self._coming.get((name, part))
        if coming is None and file is not None and file.has(part):
            assert kept is not None
            self._results["hit"] += 1
            placed = Placed((head_of(plan), file.span(part)), kept.use)
        else:
            self._results["shared" if coming else "miss"] += 1
            coming = coming or self._fetch(rendition, row, version, name, file)
            await coming.first_byte()
            placed = Placed((head_of(plan), coming.span), _holds(coming, kept))
        self._fetch_ahead(rendition, row + 1, self._read_ahead, version)
        return placed

    @property
    def reads_ahead(self) -> bool:
        return self._read_ahead > 0

    def expect(self, rendition: Rendition, row: int, version: str) -> None:
        """Among those that are fetched ahead, if there is room."""
        self._fetch_ahead(rendition, row, min(1, self._read_ahead), version)

    def counts(self) -> Iterator[Count]:
        for result, times in self._results.items():
            yield Count(SEGMENTS, (result,), times)

    async def aclose(self) -> None:
        """Let go of what is under way."""
        for task in (*self._tasks, *self._ahead):
            task.cancel()
        await asyncio.gather(*self._tasks, *self._ahead, return_exceptions=True)

    async def _find(
        self, rendition: Rendition, row: int, version: str
    ) -> tuple[str, SparseFile | None]:
        """The file that segment ``row`` belongs into: its name, and itself if it can be had."""
        part = row % STRETCH
        name, sizes = stretch(self._source.location, rendition, row - part, version)
        if self._cache is None or self._cache.resting or sizes[part] > self._cache.largest:
            return name, None
        return name, await self._cache.find(name, sizes, part)

    # Fetching.

    def _fetch(
        self, rendition: Rendition, row: int, version: str, name: str, file: SparseFile | None
    ) -> _Coming:
        """Start it, and what is fetched with it."""
        group = [self._expect(rendition, row, name, file)]
        for number in range(row + 1, row - row % STRETCH + STRETCH):
            key = (name, number % STRETCH)
            if number >= len(rendition.segments) or key in self._coming or file is None:
                break
            ranges = ranges_of(plan_segment(rendition, number))
            nbytes = ranges[-1].stop - group[0].ranges[0].start
            adjacent = group[-1].ranges[-1].stop == ranges[0].start
            if not adjacent or nbytes > TOGETHER or file.has(number % STRETCH):
                break
            group.append(self._expect(rendition, number, name, file))
        task = asyncio.create_task(self._run(rendition.source, version, name, group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return group[0]

    def _expect(
        self, rendition: Rendition, row: int, name: str, file: SparseFile | None
    ) -> _Coming:
        ranges = ranges_of(plan_segment(rendition, row))
        part = row % STRETCH
        length = sum(span.length for span in ranges)
        place = file.span(part) if file is not None else FileSpan(_in_memory(), 0, length)
        arrival = Arrival(place.start)
        span = FileSpan(place.file, place.start, length, arrival)
        coming = self._coming[name, part] = _Coming(ranges, span, arrival, file, part)
        return coming

    async def _run(self, key: str, version: str, name: str, group: Sequence[_Coming]) -> None:
        scatter = _Scatter(group)
        try:
            for extent in scatter.extents():
                scatter.position = extent.start
                await self._source.get_range(key, extent.start, extent.stop, version, scatter.take)
        except StorageError as error:
            _fail(group, error)
        except asyncio.CancelledError:
            _fail(group, StorageError("the server stops"))
            raise
        except OSError as error:
            if self._cache is not None:
                self._cache.rest(error)
            _fail(group, StorageError(f"{key}: what came could not be kept: {error.strerror}"))
        except Exception as error:
            log.exception("%s: a segment was not fetched on a defect of ours", key)
            _fail(group, StorageError(f"{key}: {error!r}"))
        else:
            await self._keep(group)
        finally:
            for coming in group:
                self._coming.pop((name, coming.part), None)

    async def _keep(self, group: Sequence[_Coming]) -> None:
        for coming in group:
            if coming.file is not None and self._cache is not None:
                await self._cache.keep(coming.file, coming.part)

    def _fetch_ahead(self, rendition: Rendition, first: int, count: int, version: str) -> None:
        rows = range(first, min(first + count, len(rendition.segments)))
        for row in rows:
            if len(self._ahead) < MAX_AHEAD:
                task = asyncio.create_task(self._fetch_unasked(rendition, row, version))
                self._ahead.add(task)
                task.add_done_callback(self._ahead.discard)

    async def _fetch_unasked(self, rendition: Rendition, row: int, version: str) -> None:
        """What fails here is told to whoever asks for it."""
        name, file = await self._find(rendition, row, version)
        part = row % STRETCH
        if file is None or file.has(part) or (name, part) in self._coming:
            return
        self._results["ahead"] += 1
        coming = self._fetch(rendition, row, version, name, file)
        await coming.begun.wait()
        while not coming.complete and coming.error is None:
            arrived = asyncio.Event()
            coming.arrival.wait(arrived.set)
            await arrived.wait()


class _Scatter:
    """Takes bytes of an object, and puts them where they belong; ``position``: of the next one."""

    def __init__(self, group: Sequence[_Coming]) -> None:
        self.position = 0
        self._wanted: Iterator[tuple[ByteRange, _Coming]] = iter(
            [(span, coming) for coming in group for span in coming.ranges]
        )
        self._ranges = [span for coming in group for span in coming.ranges]
        self._next = next(self._wanted, None)

    def extents(self) -> list[ByteRange]:
        """What to ask for: all ranges, and the gaps between them that are worth it."""
        start, extents = self._ranges[0].start, []
        for before, behind in pairwise(self._ranges):
            if not 0 <= behind.start - before.stop <= MAX_GAP:
                extents.append(ByteRange(start, before.stop - start))
                start = behind.start
        extents.append(ByteRange(start, self._ranges[-1].stop - start))
        return extents

    def take(self, piece: memoryview) -> None:
        stop = self.position + len(piece)
        while self._next is not None and self._next[0].start < stop:
            span, coming = self._next
            first = max(span.start, self.position) - self.position
            last = min(span.stop, stop) - self.position
            coming.put(piece[first:last])
            if span.stop > stop:
                break
            self._next = next(self._wanted, None)
        self.position = stop


def _holds(coming: _Coming, kept: _Kept | None) -> Callable[[], bool]:
    """What came through memory serves those who asked meanwhile, and is then forgotten."""

    def holds() -> bool:
        if coming.arrival.failed:
            return False
        return kept.use() if kept is not None else not coming.complete

    return holds


def _fail(group: Sequence[_Coming], error: StorageError) -> None:
    for coming in group:
        coming.fail(error)


def _in_memory() -> OpenFile:
    if hasattr(os, "memfd_create"):
        return OpenFile(os.memfd_create("segment", os.MFD_CLOEXEC))
    with tempfile.TemporaryFile() as file:
        return OpenFile(os.dup(file.fileno()))
