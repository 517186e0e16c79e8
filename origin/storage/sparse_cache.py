"""The sparse files that one worker uses: few descriptors, few bytes, and no harm when they fail.

Parts are written in the background. Much at once is not queued but dropped, to be asked for again;
after an error of the disk nothing is written for a while. Whoever keeps spans of a file is its
holder: when the file has been unlinked, or too many others are open, it is told to let go, for a
file takes its place on the disk until the last descriptor is closed.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections import OrderedDict
from collections.abc import Callable, Iterator, Sequence
from concurrent.futures import ThreadPoolExecutor
from contextlib import suppress
from typing import NamedTuple, Protocol
from weakref import WeakSet

from origin.errors import StorageError
from origin.storage.sparse import SparseFile, SparseFolder

log = logging.getLogger(__name__)

MAX_OPEN_FILES = 1024
MAX_WAITING = 64
THREADS = 2
SWEEP_SECONDS = 3.0
REST_SECONDS = 60.0


class Holder(Protocol):
    @property
    def let_go(self) -> Callable[[], None]:
        """To be called when the spans of the file are to be kept no longer."""


class _Open(NamedTuple):
    file: SparseFile
    holders: WeakSet[Holder]


class SparseCache:
    """Of one event loop; any number of processes may have one of the same folder."""

    def __init__(self, folder: SparseFolder) -> None:
        self._folder = folder
        self._open: OrderedDict[str, _Open] = OrderedDict()
        self._writing: set[tuple[str, int]] = set()
        self._pool = ThreadPoolExecutor(THREADS, "sparse")
        self._tending: asyncio.Task[None] | None = None
        self._sweep_due = asyncio.Event()
        self._unswept = 0
        self._failing = False
        self._rest_until = -math.inf

    @property
    def resting(self) -> bool:
        """Whether the folder has failed a short while ago."""
        return time.monotonic() < self._rest_until

    @property
    def largest(self) -> int:
        """Bytes of a part, at most: one is not to push out all the others."""
        return self._folder.slack

    async def find(self, name: str, sizes: Sequence[int], part: int) -> SparseFile | None:
        """The file of that name and of parts of ``sizes``, with what there is of ``part`` by now;
        None where the folder fails."""
        if self._tending is None:
            self._tending = asyncio.create_task(self._tend())
        known = self._open[name].file if name in self._open else None
        if known is not None and known.has(part):
            return known
        try:
            file = await asyncio.to_thread(self._look, known, name, sizes)
        except OSError as error:
            self.rest(error)
            return None
        if known is not None and known is not file:
            self._drop(known)
        held = self._open.setdefault(name, _Open(file, WeakSet()))  # or another came first
        while len(self._open) > MAX_OPEN_FILES:
            self._drop(next(iter(self._open.values())).file)
        return held.file

    def _look(self, file: SparseFile | None, name: str, sizes: Sequence[int]) -> SparseFile:
        if file is None or file.is_lost():
            return self._folder.open(name, sizes)
        file.look()
        return file

    def hold(self, file: SparseFile, holder: Holder) -> None:
        """Right after ``find``; ends when nothing else refers to ``holder``."""
        self._open[file.name].holders.add(holder)

    def use(self, file: SparseFile) -> None:
        """What is used stays. Cheap, for every request."""
        file.used = True
        if file.name in self._open:
            self._open.move_to_end(file.name)

    def write(self, file: SparseFile, part: int, read: Callable[[], Iterator[memoryview]]) -> None:
        """Have ``part`` written soon, of what ``read`` yields in a thread. It may come to nothing:
        ask again at the next use."""
        key = (file.name, part)
        if self._unswept > self._folder.slack:
            self._sweep_due.set()
        elif key not in self._writing and len(self._writing) < MAX_WAITING and not self.resting:
            self._writing.add(key)
            self._pool.submit(self._write, file, part, read)

    def _write(self, file: SparseFile, part: int, read: Callable[[], Iterator[memoryview]]) -> None:
        try:
            file.look()
            if not file.has(part):
                self._unswept += file.span(part).length
                file.write(part, read())
                self._failing = False
        except StorageError as error:  # of what is read, and told by answers out of it
            log.debug("nothing kept: %s", error)
        except OSError as error:
            self.rest(error)
        except Exception:
            log.exception("a part was not kept on a defect of ours")
        finally:
            self._writing.discard((file.name, part))

    async def keep(self, file: SparseFile, part: int) -> None:
        """``part``, whose bytes have all been put, is there from now on."""
        self._unswept += file.span(part).length
        if self._unswept > self._folder.slack:
            self._sweep_due.set()
        try:
            await asyncio.get_running_loop().run_in_executor(self._pool, file.finish, part)
            self._failing = False
        except OSError as error:
            self.rest(error)

    def rest(self, error: OSError) -> None:
        """The folder has failed: do without it for a while."""
        self._rest_until = time.monotonic() + REST_SECONDS
        if not self._failing:
            self._failing = True
            log.warning("the cache on the disk fails, going on without it: %s", error)

    def _drop(self, file: SparseFile) -> None:
        """Keep it open no longer, but for answers that are being sent."""
        held = self._open.get(file.name)
        if held is not None and held.file is file:
            del self._open[file.name]
            for holder in held.holders:
                holder.let_go()

    async def _tend(self) -> None:
        try:
            while True:
                with suppress(TimeoutError):
                    async with asyncio.timeout(SWEEP_SECONDS):  # wait_for may lose the end
                        await self._sweep_due.wait()
                self._sweep_due.clear()
                await self.sweep()
        finally:
            self._pool.shutdown(wait=False, cancel_futures=True)

    async def sweep(self) -> None:
        """Note what was used, hold the folder to its size, and drop what is lost."""
        loop = asyncio.get_running_loop()
        files = [held.file for held in self._open.values()]
        for lost in await loop.run_in_executor(self._pool, self._sweep_folder, files):
            self._drop(lost)

    def _sweep_folder(self, files: Sequence[SparseFile]) -> list[SparseFile]:
        """Those of ``files`` that are lost by now."""
        self._unswept = 0
        try:
            for file in files:
                file.note_use()
            self._folder.sweep()
        except OSError as error:
            self.rest(error)
        return [file for file in files if file.is_lost()]
