"""Reading the small pieces of files, and knowing whether a read would wait for the disk.

An interleaved MP4 gives a segment of some 180 spans of a few KB. A sendfile each would be as many
system calls and part-filled packets: below 32 KiB a copy is cheaper (measured on loopback, per MiB:
4 KiB spans 0.56 against 1.95 ms, 16 KiB 0.37 against 0.50, 32 KiB 0.37 against 0.24). So runs of
small parts are read into one buffer, a preadv taking neighbours and the gaps between them at once.

Pages that are not in memory would block the loop. Reads carry RWF_NOWAIT and raise ``Cold``, for
the caller to have ``warm`` run in a thread. Where the platform cannot tell, reads may wait.
"""

from __future__ import annotations

import errno
import os
import socket
from collections.abc import Sequence
from enum import IntEnum

from origin.delivery.resource import FileSpan, MemorySpan, OpenFile, Part, part_size
from origin.native import NATIVE

GATHER_BELOW = 32 * 1024
_AHEAD = 2 * 1024 * 1024
# Reading over a gap costs less than a further system call up to about this size.
_MAX_GAP = 16 * 1024
_MAX_EXTENT = 256 * 1024
_MOST_PARTS = 8
_MAX_PIECES = 256  # of one call, each with a gap at most: half of IOV_MAX
_NOWAIT: int = getattr(os, "RWF_NOWAIT", 0)

_MSG_MORE: int = getattr(socket, "MSG_MORE", 0)

_gap = memoryview(bytearray(_MAX_GAP))
_probe = bytearray(1)


class Cold(Exception):
    """``length`` bytes of ``file`` from ``start`` are not all in memory."""

    def __init__(self, file: OpenFile, start: int, length: int) -> None:
        super().__init__(file, start, length)
        self.file = file
        self.start = start
        self.length = length


class _Read:
    """One preadv: ``buffers`` take the bytes of ``file`` from ``start`` up to ``stop``."""

    __slots__ = ("buffers", "file", "start", "stop")

    def __init__(self, file: OpenFile, start: int) -> None:
        self.file = file
        self.start = self.stop = start
        self.buffers: list[memoryview] = []

    def takes(self, file: OpenFile, start: int) -> bool:
        near = 0 <= start - self.stop <= _MAX_GAP and start - self.start <= _MAX_EXTENT
        return near and file is self.file

    def add(self, start: int, buffer: memoryview) -> None:
        if start > self.stop:
            self.buffers.append(_gap[: start - self.stop])
        self.buffers.append(buffer)
        self.stop = start + len(buffer)


def gather(
    parts: Sequence[Part], index: int, offset: int, room: memoryview, *, below: int, wait: bool
) -> int:
    """Fill ``room`` from byte ``offset`` of part ``index`` on with parts shorter than ``below``.

    Returns how many bytes were filled. EOFError if a file ends before its span; ``Cold`` if it
    would have to wait for the disk and ``wait`` does not allow that.
    """
    filled = 0
    reads: list[_Read] = []
    for part in parts[index : index + _MAX_PIECES]:
        size = part_size(part)
        there = size - offset if isinstance(part, bytes) else part.ready(offset)
        take = min(there, len(room) - filled)
        if size >= below or (take <= 0 and size > 0):
            break
        target = room[filled : filled + take]
        if isinstance(part, FileSpan):
            start = part.start + offset
            if not reads or not reads[-1].takes(part.file, start):
                reads.append(_Read(part.file, start))
            reads[-1].add(start, target)
        elif isinstance(part, MemorySpan):
            target[:] = part.view(offset, take)
        else:
            target[:] = part[offset : offset + take]
        filled += take
        if take < size - offset:
            break
        offset = 0
    for read in reads:
        _fill(read, wait or not _NOWAIT)
    return filled


def _fill(read: _Read, wait: bool) -> None:
    length = read.stop - read.start
    got = _preadv(read.file, read.buffers, read.start, 0 if wait else _NOWAIT)
    if got < length:
        if wait:
            raise EOFError(f"the file ends {length - got} bytes before its span")
        raise Cold(read.file, read.start, length)


def _preadv(file: OpenFile, buffers: list[memoryview], start: int, flags: int) -> int:
    """As os.preadv; 0 where it would wait."""
    try:
        return os.preadv(file.fileno(), buffers, start, flags)
    except BlockingIOError:
        return 0
    except OSError as error:
        if flags and error.errno == errno.EOPNOTSUPP:  # not every file system knows the flag
            return os.preadv(file.fileno(), buffers, start)
        raise


def resident(file: OpenFile, position: int) -> bool:
    """Whether the byte is in memory, as far as the platform can tell."""
    if not _NOWAIT:
        return True
    try:
        os.preadv(file.fileno(), [_probe], position, _NOWAIT)
    except BlockingIOError:
        return False
    except OSError:
        return True
    return True


def send_now_in_python(sock: int, parts: Sequence[bytes]) -> int:
    """Of ``parts``, a tuple of at most 8 that are looked at, how many bytes the socket takes now.

    0 also where it has failed, which is found out by whoever sends the rest.
    """
    try:
        return os.writev(sock, parts[:_MOST_PARTS])
    except OSError:
        return 0


send_now = NATIVE.send_now if NATIVE else send_now_in_python


class Why(IntEnum):
    """How a push ended."""

    WHOLE = 0
    """All is sent; the only one that is false."""
    FULL = 1
    """The socket took no more."""
    COLD = 2
    """The file's bytes are not all in memory."""
    SHORT = 3
    """The file ends before its span."""
    BROKEN = 4
    """The peer has gone, or the file cannot be read."""


Push = tuple[socket.socket, bytes, OpenFile, int, int, bool]
"""To a socket that does not block, some bytes and then, in the same packets, of a file from a
position on so many; and whether that may wait for the disk."""


def push_all_in_python(pushes: list[Push]) -> list[tuple[int, int]]:
    """Do what each of ``pushes`` says, one after the other: the bytes sent, and a ``Why``."""
    return [_push(*push) for push in pushes]


def _push(
    sock: socket.socket, front: bytes, file: OpenFile, start: int, count: int, wait: bool
) -> tuple[int, int]:
    sent = 0
    try:
        if front:
            sent = sock.send(front, _MSG_MORE)
            if sent < len(front):
                return sent, Why.FULL
        if not wait and not resident(file, start + count - 1):
            return sent, Why.COLD
        taken = os.sendfile(sock.fileno(), file.fileno(), start, count)
    except BlockingIOError:
        return sent, Why.FULL
    except OSError:
        return sent, Why.BROKEN
    if taken == 0:
        return sent, Why.SHORT
    return sent + taken, Why.WHOLE if taken == count else Why.FULL


push_all = NATIVE.push_all if NATIVE else push_all_in_python


def warm(cold: Cold) -> None:
    """Bring the bytes into memory and have what follows read ahead. Blocks; runs in a thread."""
    fd = cold.file.fileno()
    if hasattr(os, "posix_fadvise"):
        os.posix_fadvise(fd, cold.start, cold.length + _AHEAD, os.POSIX_FADV_WILLNEED)
    os.pread(fd, cold.length, cold.start)
