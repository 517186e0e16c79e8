"""Segments of objects that are far away: fetched once, kept on the disk, sent while they come.

A segment's samples are a part of a sparse file, as copies of interleaved tracks are. What is asked
for and not there comes in one request, is written as it arrives, and goes to all who wait for it
from there; the next segments come behind it, small ones with it. Where the disk fails or there is
none, what comes goes through memory and is not kept.
"""

from __future__ import annotations

import asyncio
import logging
from collections import Counter
from collections.abc import Callable, Hashable, Iterator, Sequence
from dataclasses import dataclass, field
from itertools import pairwise
from typing import Protocol

from origin.cache import Cache
from origin.delivery.resource import Arrival, FileSpan, MemorySpan
from origin.errors import StorageError
from origin.storage.media import Placed, head_of, ranges_of
from origin.storage.memory import Memory, Stock
from origin.storage.s3.connection import Room, Sink
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

STRETCHES = 1024
"""Whose names are remembered."""

MAX_AHEAD = 8
"""Segments that are fetched before anyone has asked for them, at a time."""


class Source(Protocol):
    """An object store."""

    @property
    def location(self) -> str: ...

    async def get_range(
        self,
        key: str,
        start: int,
        stop: int,
        version: str,
        sink: Sink,
        room: Room | None = None,
    ) -> None:
        """Every byte from ``start`` to in front of ``stop``, once and in order, or an error.

        ``room``: where the next of them may be read into before ``sink`` is given them."""


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
    ``span`` of their ``place``: memory where they are not kept."""

    ranges: Sequence[ByteRange]
    span: FileSpan | MemorySpan
    arrival: Arrival
    place: SparseFile | Memory
    part: int
    error: StorageError | None = None
    begun: asyncio.Event = field(default_factory=asyncio.Event)
    users: list[Callable[[], None]] | None = field(default_factory=list)
    """To be told when nothing more comes; None from then on."""

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
        self.place.put(position, piece)
        self.arrival.grow(position + len(piece))
        self.begun.set()

    def use(self, let_go: Callable[[], None]) -> None:
        if self.users is not None:
            self.users.append(let_go)
        else:  # it has yet to keep what it is to let go of
            asyncio.get_running_loop().call_soon(let_go)

    def end(self) -> None:
        users, self.users = self.users or [], None
        for let_go in users:
            let_go()

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
        self._stock = Stock()
        self._coming: dict[tuple[str, int], _Coming] = {}
        self._tasks: set[asyncio.Task[None]] = set()
        self._ahead: set[asyncio.Task[None]] = set()
        self._results: Counter[str] = Counter()
        self._stretches: Cache[Hashable, tuple[str, Sequence[int]]] = Cache(STRETCHES, lambda _: 1)

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
            coming = coming or self._fetch(rendition, row, version, name, file, ranges_of(plan))
            await coming.first_byte()
            placed = Placed((head_of(plan), coming.span), _holds(coming, kept))
            if kept is None:
                coming.use(let_go)
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
        name, sizes = self._stretch(rendition, row - part, version)
        if self._cache is None or self._cache.resting or sizes[part] > self._cache.largest:
            return name, None
        return name, await self._cache.find(name, sizes, part)

    def _stretch(self, rendition: Rendition, first: int, version: str) -> tuple[str, Sequence[int]]:
        """As ``stretch``, which costs as much as planning a segment does, once for its segments:
        in one version of a file a track's samples are the same, and only the cuts may differ."""
        cuts = rendition.segments.edges[first : first + STRETCH + 1].tobytes()
        key = (rendition.source, version, rendition.track.track_id, cuts)
        found = self._stretches.peek(key)
        if found is None:
            found = stretch(self._source.location, rendition, first, version)
            self._stretches.put(key, found)
        return found

    # Fetching.

    def _fetch(
        self,
        rendition: Rendition,
        row: int,
        version: str,
        name: str,
        file: SparseFile | None,
        ranges: Sequence[ByteRange],
    ) -> _Coming:
        """Start it, whose samples lie in ``ranges``, and what is fetched with it."""
        group = [self._expect(row, name, file, ranges)]
        if file is not None:
            group += self._neighbours(rendition, row, name, file, ranges)
        task = asyncio.create_task(self._run(rendition.source, version, name, group))
        self._tasks.add(task)
        task.add_done_callback(self._tasks.discard)
        return group[0]

    def _neighbours(
        self,
        rendition: Rendition,
        row: int,
        name: str,
        file: SparseFile,
        ranges: Sequence[ByteRange],
    ) -> Iterator[_Coming]:
        """The small segments right behind ``ranges``, those of ``row``."""
        start, stop = ranges[0].start, ranges[-1].stop
        for number in range(row + 1, min(row - row % STRETCH + STRETCH, len(rendition.segments))):
            part = number % STRETCH
            # A segment is not planned only to see that it is too much.
            if stop - start >= TOGETHER or file.has(part) or (name, part) in self._coming:
                return
            ranges = ranges_of(plan_segment(rendition, number))
            if ranges[0].start != stop or ranges[-1].stop - start > TOGETHER:
                return
            stop = ranges[-1].stop
            yield self._expect(number, name, file, ranges)

    def _expect(
        self, row: int, name: str, file: SparseFile | None, ranges: Sequence[ByteRange]
    ) -> _Coming:
        part = row % STRETCH
        place: SparseFile | Memory
        span: FileSpan | MemorySpan
        if file is not None:
            place, lies = file, file.span(part)
            arrival = Arrival(lies.start)
            span = FileSpan(lies.file, lies.start, lies.length, arrival)
        else:
            length = sum(one.length for one in ranges)
            place, arrival = self._stock.take(length), Arrival(0)
            span = MemorySpan(place, 0, length, arrival)
        coming = self._coming[name, part] = _Coming(ranges, span, arrival, place, part)
        return coming

    async def _run(self, key: str, version: str, name: str, group: Sequence[_Coming]) -> None:
        scatter = _Scatter(group)
        try:
            for extent in scatter.extents():
                scatter.position = extent.start
                await self._source.get_range(
                    key, extent.start, extent.stop, version, scatter.take, scatter.room
                )
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
                coming.end()

    async def _keep(self, group: Sequence[_Coming]) -> None:
        for coming in group:
            if isinstance(coming.place, SparseFile) and self._cache is not None:
                await self._cache.keep(coming.place, coming.part)

    def _fetch_ahead(self, rendition: Rendition, first: int, count: int, version: str) -> None:
        if self._cache is None or self._cache.resting:
            return
        for row in range(first, min(first + count, len(rendition.segments))):
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
        ranges = ranges_of(plan_segment(rendition, row))
        coming = self._fetch(rendition, row, version, name, file, ranges)
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

    def room(self) -> memoryview | None:
        if self._next is None:
            return None
        span, coming = self._next
        if not isinstance(coming.place, Memory) or self.position < span.start:
            return None
        first = coming.arrival.position
        return coming.place.view[first : first + span.stop - self.position]

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
