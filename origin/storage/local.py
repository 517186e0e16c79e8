"""A folder on this machine.

A file's version is its modification time and size: the same wherever the folder is copied with its
times. Open files are kept by version, so a file replaced by rename goes on serving the requests
that began on it, and a file changed in place is noticed before bytes of it are sent.
"""

from __future__ import annotations

import asyncio
import os
from collections import OrderedDict
from collections.abc import Generator, Sequence
from pathlib import Path
from typing import TypeVar

from catalog.library import Entry
from origin.delivery.resource import OpenFile
from origin.errors import ObjectChanged, StorageError
from packager.ranges import ByteRange

T = TypeVar("T")

MAX_OPEN_FILES = 1024
MAX_SMALL_OBJECT = 16 << 20


class LocalStorage:
    def __init__(self, root: str) -> None:
        self.root = Path(root).resolve()
        if not self.root.is_dir():
            raise ValueError(f"{root} is not a folder")
        self._open: OrderedDict[tuple[str, str], OpenFile] = OrderedDict()

    async def folder_version(self, folder: str) -> str:
        return f"{(await asyncio.to_thread(os.stat, self._path(folder))).st_mtime_ns:x}"

    async def list_folder(self, folder: str) -> Sequence[Entry]:
        return await asyncio.to_thread(self._scan, folder)

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        return await asyncio.to_thread(lambda: [e for key in keys if (e := self._entry(key))])

    async def read(self, key: str, version: str) -> bytes:
        return await asyncio.to_thread(self._read, key, version)

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        return await asyncio.to_thread(self._drive, key, version, reader)

    async def open(self, key: str, version: str) -> OpenFile:
        kept = self._open.get((key, version))
        if kept is None:
            kept = await asyncio.to_thread(self._open_version, key, version)
            self._open[key, version] = kept
            while len(self._open) > MAX_OPEN_FILES:
                self._open.popitem(last=False)
        self._open.move_to_end((key, version))
        return kept

    def is_current(self, opened: OpenFile, version: str) -> bool:
        return _version(os.fstat(opened.fileno())) == version

    def _path(self, key: str) -> Path:
        """``key`` is of our own listing, never of a request; held to the root all the same."""
        path = self.root / key
        if ".." in path.parts:
            raise StorageError(f"{key} leaves the library")
        return path

    def _scan(self, folder: str) -> list[Entry]:
        prefix = f"{folder}/" if folder else ""
        entries = []
        try:
            with os.scandir(self._path(folder)) as found:
                for item in found:
                    if item.name.startswith("."):
                        continue
                    key = prefix + item.name
                    if item.is_dir():
                        entries.append(Entry(key, True))
                    elif folder:
                        status = item.stat()
                        entries.append(Entry(key, False, status.st_size, _version(status)))
                    else:
                        entries.append(Entry(key, False))
        except FileNotFoundError:
            return []
        except OSError as error:
            raise StorageError(f"cannot list '{folder}': {error.strerror}") from error
        return entries

    def _entry(self, key: str) -> Entry | None:
        try:
            status = self._path(key).stat()
        except FileNotFoundError:
            return None
        except OSError as error:
            raise StorageError(f"cannot stat {key}: {error.strerror}") from error
        return Entry(key, False, status.st_size, _version(status))

    def _open_version(self, key: str, version: str) -> OpenFile:
        try:
            opened = OpenFile(os.open(self._path(key), os.O_RDONLY | os.O_CLOEXEC))
        except FileNotFoundError:
            raise ObjectChanged(f"{key} is gone") from None
        except OSError as error:
            raise StorageError(f"cannot open {key}: {error.strerror}") from error
        if _version(os.fstat(opened.fileno())) != version:
            raise ObjectChanged(f"{key} has changed")
        return opened

    def _read(self, key: str, version: str) -> bytes:
        opened = self._open_version(key, version)
        size = os.fstat(opened.fileno()).st_size
        if size > MAX_SMALL_OBJECT:
            raise StorageError(f"{key} is {size} bytes, too large to be read whole")
        return _pread(opened, ByteRange(0, size))

    def _drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        opened = self._open_version(key, version)
        try:
            span = next(reader)
            while True:
                span = reader.send(_pread(opened, span))
        except StopIteration as done:
            result: T = done.value
            return result
        finally:
            reader.close()


def _version(status: os.stat_result) -> str:
    return f"{status.st_mtime_ns:x}-{status.st_size:x}"


def _pread(opened: OpenFile, span: ByteRange) -> bytes:
    try:
        return os.pread(opened.fileno(), span.length, span.start)
    except OSError as error:
        raise StorageError(f"read failed: {error.strerror}") from error
