"""Indexes that lie packed beside the files they are of: read, and written by who indexed a file.

Writing is for the next who loads the title, so it is never waited for: one at a time, behind the
answers. What it writes depends on nothing but the file, so it does not matter who else does. Where
it fails it lets a minute pass, and what there is to write meanwhile is left to the next reader.

Where the library cannot be written, nodes may share them elsewhere (``SharedIndexes``).
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice
from typing import Protocol

from catalog.assets import MediaFile
from origin.errors import StorageError
from origin.storage import Storage
from packager.errors import BadSidecar
from packager.model import MovieIndex
from packager.sidecar import pack, unpack

log = logging.getLogger(__name__)

MOST_WAITING = 32
"""Indexes that are kept in memory for it."""

REST_SECONDS = 60.0


async def read_sidecar(storage: Storage, file: MediaFile) -> MovieIndex | None:
    """The index that lies packed beside the file, or None; ``BadSidecar`` where it cannot be
    believed to the last sample, or is of another version."""
    data = await storage.read_latest(file.sidecar)
    return await asyncio.to_thread(_made_sure_of, data, file) if data is not None else None


def _made_sure_of(data: bytes, file: MediaFile) -> MovieIndex:
    index = unpack(data, file.key, file.version, file.size)
    for track in index.tracks:
        track.samples.rows(0, 1)
    return index


async def write_sidecar(storage: Storage, file: MediaFile, index: MovieIndex) -> None:
    await storage.write(file.sidecar, await asyncio.to_thread(pack, index))


class SidecarWriter:
    """Of one loop."""

    def __init__(self, storage: Storage, clock: Callable[[], float] = time.monotonic) -> None:
        self._storage = storage
        self._clock = clock
        self._waiting: deque[tuple[MediaFile, MovieIndex]] = deque()
        self._writing: asyncio.Task[None] | None = None
        self._rests_until = -math.inf

    def offer(self, indexes: Iterable[tuple[MediaFile, MovieIndex]]) -> None:
        """Write them soon, but for what is too much or comes while writing rests."""
        if self._clock() < self._rests_until:
            return
        self._waiting += islice(indexes, MOST_WAITING - len(self._waiting))
        if self._waiting and self._writing is None:
            self._writing = asyncio.create_task(self._write_all())

    async def idle(self) -> None:
        """Until nothing is left to write."""
        if self._writing is not None:
            await asyncio.wait((self._writing,))

    async def aclose(self) -> None:
        """Leave what is not written."""
        if self._writing is not None:
            self._writing.cancel()
        await self.idle()

    async def _write_all(self) -> None:
        try:
            while self._waiting:
                file, index = self._waiting.popleft()
                await write_sidecar(self._storage, file, index)
        except StorageError as error:
            self._rest()
            log.warning("sidecars are not written for %g s: %s", REST_SECONDS, error)
        except Exception:
            self._rest()
            log.exception("a sidecar was not written on a defect of ours")
        finally:
            self._writing = None

    def _rest(self) -> None:
        self._rests_until = self._clock() + REST_SECONDS
        self._waiting.clear()


class Shelf(Protocol):
    """Where nodes keep packed indexes for each other. What fails there is a miss."""

    async def get(self, name: str) -> bytes | None: ...

    async def put(self, name: str, data: bytes) -> None: ...

    async def aclose(self) -> None: ...


class SharedIndexes:
    """Packed indexes on a shelf, under a digest of the library, the file and its version. Putting
    one there is not waited for. Of one loop."""

    def __init__(self, shelf: Shelf, location: str) -> None:
        self._shelf = shelf
        self._location = location
        self._putting: set[asyncio.Task[None]] = set()

    async def get(self, file: MediaFile) -> MovieIndex | None:
        data = await self._shelf.get(self._name(file))
        if data is None:
            return None
        try:
            return await asyncio.to_thread(unpack, data, file.key, file.version, file.size)
        except BadSidecar as error:
            log.info("%s: the shared index is not used: %s", file.key, error)
            return None

    def offer(self, file: MediaFile, index: MovieIndex) -> None:
        """Put it there soon, but for what is too much at once."""
        if len(self._putting) < MOST_WAITING:
            task = asyncio.create_task(self._put(file, index))
            self._putting.add(task)
            task.add_done_callback(self._putting.discard)

    async def idle(self) -> None:
        """Until nothing is left to put there."""
        if self._putting:
            await asyncio.wait(self._putting)

    async def aclose(self) -> None:
        for task in self._putting:
            task.cancel()
        await self.idle()
        await self._shelf.aclose()

    async def _put(self, file: MediaFile, index: MovieIndex) -> None:
        await self._shelf.put(self._name(file), await asyncio.to_thread(pack, index))

    def _name(self, file: MediaFile) -> str:
        told = "\0".join((self._location, file.key, file.version))
        return hashlib.sha256(told.encode("utf-8", "surrogateescape")).hexdigest()
