"""A folder on this machine.

A file's version is its modification time and size: the same wherever the folder is copied with its
times. Files stay open, so one replaced by rename goes on serving the requests that began on it, and
one changed in place is noticed before bytes of it are sent.
"""

from __future__ import annotations

import asyncio
import os
import stat
import time
from collections import OrderedDict
from collections.abc import Generator, Iterator, Sequence
from contextlib import closing, contextmanager, suppress
from pathlib import Path
from typing import TypeVar
from urllib.parse import unquote, urlsplit
from uuid import uuid4

from catalog.library import Entry
from origin.delivery.resource import OpenFile
from origin.errors import ObjectChanged, StorageError
from origin.telemetry.remote import Count
from packager.ranges import ByteRange

T = TypeVar("T")

MAX_OPEN_FILES = 1024
MAX_SMALL_OBJECT = 16 << 20
SETTLED_NS = 2_000_000_000
"""Time stamps of file systems are coarser than changes are frequent: 2 s on the coarsest."""


class LocalStorage:
    fresh_seconds = 1.0
    stale_seconds = 4.0

    def __init__(self, root: str) -> None:
        self.root = Path(root).resolve()
        if not root or not self.root.is_dir():
            raise NotADirectoryError(f"'{root}' is not a folder")
        self._root = str(self.root)
        self._open: OrderedDict[str, OpenFile] = OrderedDict()

    @classmethod
    def at_url(cls, url: str) -> LocalStorage:
        """``file:///`` and a percent-encoded path (RFC 8089)."""
        parts = urlsplit(url)
        if parts.netloc not in ("", "localhost"):
            raise ValueError(f"{url} names another machine: file:/// has three slashes")
        return cls(unquote(parts.path, errors="surrogateescape"))

    @property
    def location(self) -> str:
        return str(self.root)

    async def check(self) -> None:
        await self.folder_version("")

    def counts(self) -> tuple[Count, ...]:
        """Nothing is far."""
        return ()

    async def aclose(self) -> None:
        """There are no connections."""

    async def folder_version(self, folder: str) -> str:
        return await asyncio.to_thread(self._folder_version, folder)

    async def look(self, keys: Sequence[str]) -> tuple[str, Sequence[Entry]]:
        return await asyncio.to_thread(lambda: (self._folder_version(""), self._entries(keys)))

    async def list_folder(self, folder: str) -> Sequence[Entry]:
        return await asyncio.to_thread(self._scan, folder)

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        return await asyncio.to_thread(self._entries, keys)

    async def read(self, key: str, version: str) -> bytes:
        return await asyncio.to_thread(self._read, key, version)

    async def read_latest(self, key: str) -> bytes | None:
        return await asyncio.to_thread(self._read_latest, key)

    async def write(self, key: str, data: bytes) -> None:
        """A whole object in its place at once: whoever reads finds the old one or the new."""
        await asyncio.to_thread(self._write, key, data)

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        return await asyncio.to_thread(self._drive, key, version, reader)

    async def open(self, key: str, version: str) -> OpenFile:
        kept = self._open.pop(key, None)
        if kept is None or not self.is_current(kept, version):
            kept = await asyncio.to_thread(self._open_version, key, version)
        self._open[key] = kept
        while len(self._open) > MAX_OPEN_FILES:
            self._open.popitem(last=False)
        return kept

    def is_current(self, opened: OpenFile, version: str) -> bool:
        try:
            return _version(os.fstat(opened.fileno())) == version
        except OSError:  # a network file system may have lost it
            return False

    def _path(self, key: str) -> str:
        """``key`` is of our own listing, never of a request; held to the root all the same."""
        if key.startswith("/") or ".." in key.split("/"):
            raise StorageError(f"{key} leaves the library")
        return os.path.join(self._root, key)

    def _folder_version(self, folder: str) -> str:
        """Changes once more when the last change is ``SETTLED_NS`` old, so that the folder is
        listed again for what came behind a listing within the same tick of its time stamp."""
        try:
            changed = os.stat(self._path(folder)).st_mtime_ns
        except OSError as error:
            raise StorageError(f"cannot read '{folder or '/'}': {error.strerror}") from error
        return f"{changed:x}" if time.time_ns() - changed > SETTLED_NS else f"{changed:x}+"

    def _scan(self, folder: str) -> list[Entry]:
        """The root may hold very many titles, so what is in it is listed without a stat each."""
        prefix = f"{folder}/" if folder else ""
        try:
            with os.scandir(self._path(folder)) as found:
                listed = [
                    Entry(prefix + item.name, _is_folder(item))
                    for item in found
                    if not item.name.startswith(".")
                ]
        except (FileNotFoundError, NotADirectoryError):
            return []
        except OSError as error:
            raise StorageError(f"cannot list '{folder or '/'}': {error.strerror}") from error
        if not folder:
            return listed
        seen = (entry if entry.is_folder else self._entry(entry.key) for entry in listed)
        return [entry for entry in seen if entry]

    def _entries(self, keys: Sequence[str]) -> list[Entry]:
        return [entry for key in keys if (entry := self._entry(key))]

    def _entry(self, key: str) -> Entry | None:
        """None for what is gone, and for what is no file: a pipe would be waited on for ever."""
        try:
            status = os.stat(self._path(key))
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot stat {key}: {error.strerror}") from error
        if not stat.S_ISREG(status.st_mode):
            return None
        return Entry(key, False, status.st_size, _version(status))

    def _open_version(self, key: str, version: str) -> OpenFile:
        try:
            fd = os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC)
            opened = OpenFile(fd, fixed=True)
        except FileNotFoundError:
            raise ObjectChanged(f"{key} is gone") from None
        except OSError as error:
            raise StorageError(f"cannot open {key}: {error.strerror}") from error
        self._require(opened, key, version)
        return opened

    def _require(self, opened: OpenFile, key: str, version: str) -> None:
        if not self.is_current(opened, version):
            raise ObjectChanged(f"{key} has changed")

    @contextmanager
    def _unchanged(self, key: str, version: str) -> Iterator[OpenFile]:
        """The file of that version; if it is another by the end, that is the error, whatever
        else may seem wrong with what was read."""
        opened = self._open_version(key, version)
        try:
            yield opened
        finally:
            self._require(opened, key, version)

    def _read(self, key: str, version: str) -> bytes:
        with self._unchanged(key, version) as opened:
            size = os.fstat(opened.fileno()).st_size
            if size > MAX_SMALL_OBJECT:
                raise StorageError(f"{key} is {size} bytes, too large to be read whole")
            return _pread(opened, ByteRange(0, size))

    def _read_latest(self, key: str) -> bytes | None:
        entry = self._entry(key)
        return self._read(key, entry.version) if entry else None

    def _write(self, key: str, data: bytes) -> None:
        path = Path(self._path(key))
        fresh = path.with_name(f".{uuid4().hex}")
        try:
            path.parent.mkdir(exist_ok=True)
            with fresh.open("xb") as file:
                file.write(data)
            fresh.replace(path)
        except OSError as error:
            raise StorageError(f"cannot write {key}: {error.strerror}") from error
        finally:
            with suppress(OSError):  # it is in its place, or was never made
                fresh.unlink()

    def _drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        with self._unchanged(key, version) as opened, closing(reader):
            try:
                span = next(reader)
                while True:
                    span = reader.send(_pread(opened, span))
            except StopIteration as done:
                result: T = done.value
                return result


def _is_folder(item: os.DirEntry[str]) -> bool:
    try:
        return item.is_dir()
    except OSError:  # a link in a circle, say: told when its title is asked for
        return False


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _pread(opened: OpenFile, span: ByteRange) -> bytes:
    try:
        data = os.pread(opened.fileno(), span.length, span.start)
    except OSError as error:
        raise StorageError(f"read failed: {error.strerror}") from error
    if len(data) != span.length:
        raise StorageError(f"read {len(data)} of {span.length} bytes from byte {span.start}")
    return data
