"""Sparse files of parts that come one by one, shared by processes without locks.

    presence: a byte a part | part 0 | part 1 | …        a hole until it is written

A file's name is the digest of all that its bytes depend on, so whoever writes a part writes the
same bytes at the same place, and nothing is ever to be invalidated. A part is written and synced,
then its byte: what is there is whole, even where a disk takes writes it later cannot store.

Nothing is mapped: a page that a full disk has no room for would be the end of the process.
"""

from __future__ import annotations

import errno
import hashlib
import os
import stat
import tempfile
from collections.abc import Iterable, Iterator, Sequence
from contextlib import suppress
from itertools import accumulate
from pathlib import Path
from typing import NamedTuple

from origin.delivery.resource import FileSpan, OpenFile

MAX_PARTS = 4096
"""What the presence bytes have room for: the page in front of the parts."""

_ENDING = ".parts"
_FORMAT = b"parts 1"
_PRESENT = b"\1"
_BLOCK = 512  # the unit of st_blocks, whatever the file system's own is
_sync = getattr(os, "fdatasync", os.fsync)


def _this_run() -> bytes:
    """Of the machine; of this server and its workers where the machine does not say."""
    try:
        return Path("/proc/sys/kernel/random/boot_id").read_bytes()
    except OSError:
        return os.urandom(16)


_THIS_RUN = _this_run()  # at import, before workers are forked


def file_name(*contents: bytes | memoryview) -> str:
    """For what is determined by ``contents``. It holds until the machine starts anew: what a
    crash has left on its disk is never looked at again, and goes when room is needed."""
    digest = hashlib.blake2b(_FORMAT + _THIS_RUN, digest_size=16)
    for content in contents:
        digest.update(content)
    return digest.hexdigest() + _ENDING


class SparseFile:
    """``used``: whether it was since that was last noted on the disk."""

    __slots__ = ("_edges", "_opened", "_presence", "name", "used")

    def __init__(self, name: str, opened: OpenFile, sizes: Sequence[int]) -> None:
        if len(sizes) > MAX_PARTS:
            raise ValueError(f"{len(sizes)} parts, more than {MAX_PARTS}")
        self.name = name
        self.used = True
        self._opened = opened
        self._edges = tuple(accumulate(sizes, initial=MAX_PARTS))
        self.look()

    def has(self, part: int) -> bool:
        """As far as is known; another process may have written it since the last ``look``."""
        return self._presence[part : part + 1] == _PRESENT

    def look(self) -> None:
        self._presence = os.pread(self._opened.fileno(), len(self._edges) - 1, 0)

    def span(self, part: int) -> FileSpan:
        start, stop = self._edges[part : part + 2]
        return FileSpan(self._opened, start, stop - start)

    def write(self, part: int, pieces: Iterable[memoryview]) -> None:
        """``pieces`` add up to the part; where they raise, it is not there."""
        position, stop = self._edges[part : part + 2]
        for piece in pieces:
            self.put(position, piece)
            position += len(piece)
        if position != stop:
            raise ValueError(f"part {part} ends at byte {position}, not at {stop}")
        self.finish(part)

    def put(self, position: int, piece: memoryview) -> None:
        """Bytes of a part that is not there yet, at their place in the file."""
        fd = self._opened.fileno()
        while piece:
            count = os.pwrite(fd, piece, position)
            piece, position = piece[count:], position + count

    def finish(self, part: int) -> None:
        """All of its bytes have been put: it is there. Waits for the disk."""
        _sync(self._opened.fileno())
        os.pwrite(self._opened.fileno(), _PRESENT, part)
        self.look()

    def note_use(self) -> None:
        if self.used:
            self.used = False
            os.utime(self._opened.fileno())

    def is_lost(self) -> bool:
        """Whether it has been unlinked, or is no longer what it was opened as."""
        try:
            status = os.fstat(self._opened.fileno())
        except OSError:  # of a network file system
            return True
        return status.st_nlink == 0 or status.st_size != self._edges[-1]


class _Found(NamedTuple):
    """A file in the folder; the one used longest ago is the least."""

    used_ns: int
    nbytes: int
    path: str


class SparseFolder:
    """Sparse files in a folder of this user alone, ``vod-origin-UID`` in ``parent`` or in the
    system's place for temporary files; OSError where there is none to be had.

    They take up to ``limit`` bytes of the disk, and no more than half of what it has left.
    """

    def __init__(self, parent: str, limit: int) -> None:
        place = Path(parent or tempfile.gettempdir()).resolve()
        self._path = place / f"vod-origin-{os.geteuid()}"
        self._limit = limit
        self.slack = limit // 32
        """Bytes that each process may write before it calls ``sweep``."""
        _require_private(self._path)

    def open(self, name: str, sizes: Sequence[int]) -> SparseFile:
        """The file of that name, made if need be, for up to ``MAX_PARTS`` parts."""
        _require_private(self._path)
        path = self._path / name
        opened = OpenFile(os.open(path, os.O_RDWR | os.O_CREAT | os.O_CLOEXEC, 0o600))
        expected = MAX_PARTS + sum(sizes)
        found = os.fstat(opened.fileno()).st_size
        if found not in (0, expected):
            path.unlink(missing_ok=True)  # not of our making
            return self.open(name, sizes)
        if found == 0:
            os.truncate(opened.fileno(), expected)
        return SparseFile(name, opened, sizes)

    def sweep(self) -> None:
        """Unlink what was used longest ago until there is room for everyone's ``slack``; whoever
        has such a file open goes on with it."""
        _require_private(self._path)
        files = sorted(self._files())
        total = sum(file.nbytes for file in files)
        room = self._room(total)
        for file in files:
            if total <= room:
                return
            with suppress(FileNotFoundError):
                os.unlink(file.path)
            total -= file.nbytes

    def _room(self, taken: int) -> int:
        disk = os.statvfs(self._path)
        free = disk.f_bavail * disk.f_frsize
        return min(self._limit - self.slack, (free + taken) // 2)

    def _files(self) -> Iterator[_Found]:
        with os.scandir(self._path) as entries:
            for entry in entries:
                if entry.name.endswith(_ENDING):
                    with suppress(FileNotFoundError):
                        status = entry.stat(follow_symlinks=False)
                        yield _Found(status.st_mtime_ns, status.st_blocks * _BLOCK, entry.path)


def _require_private(path: Path) -> None:
    """A folder that nobody else can change, else OSError; made if need be, and again if what
    clears temporary folders has taken it."""
    path.mkdir(mode=0o700, parents=True, exist_ok=True)
    status = path.lstat()
    if not stat.S_ISDIR(status.st_mode):
        raise NotADirectoryError(errno.ENOTDIR, "is no folder", str(path))
    if status.st_uid != os.geteuid():
        raise PermissionError(errno.EPERM, "belongs to another user", str(path))
    if status.st_mode & (stat.S_IWGRP | stat.S_IWOTH):
        raise PermissionError(errno.EPERM, "can be changed by other users", str(path))
