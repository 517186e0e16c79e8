"""Indexes that lie packed beside the files they are of: read, and written by who indexed a file.

Writing is for the next who loads the title, so it is never waited for: one at a time, behind the
answers. What it writes depends on nothing but the file, so it does not matter who else does. Where
it fails it lets a minute pass, and what there is to write meanwhile is left to the next reader.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from itertools import islice

from catalog.assets import MediaFile
from origin.errors import StorageError
from origin.storage import Storage
from packager.model import MovieIndex
from packager.sidecar import pack, unpack

log = logging.getLogger(__name__)

MOST_WAITING = 32
"""Indexes that are kept in memory for it."""

REST_SECONDS = 60.0


async def read_sidecar(storage: Storage, file: MediaFile) -> MovieIndex | None:
    """The index that lies packed beside the file, or None; ``BadSidecar`` where it cannot be
    believed, or is of another version."""
    data = await storage.read_latest(file.sidecar)
    if data is None:
        return None
    return await asyncio.to_thread(unpack, data, file.key, file.version, file.size)


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
