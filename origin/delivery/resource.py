"""What a media path holds: the representation a request is answered from.

A resource is built once and cached by the caller; the field lines of its answers are serialised
when it is built, so answering costs no formatting.
"""

from __future__ import annotations

import os
import re
from collections.abc import Callable
from dataclasses import dataclass, field, replace
from typing import NamedTuple, Protocol

from origin.delivery import fields
from origin.native import NATIVE

NOT_SHARED = "private, no-store"

_STRONG = re.compile(r'"[\x21\x23-\x7e]*"')


def stamp_in_python(fd: int) -> tuple[int, int]:
    """What tells whether a file has changed: its time of change in nanoseconds, and its size."""
    status = os.fstat(fd)
    return status.st_mtime_ns, status.st_size


_stamp = NATIVE.stamp if NATIVE else stamp_in_python


class OpenFile:
    """Owns a descriptor and closes it with the last reference, which may be an answer's.

    ``fixed``: the file is not to change under an answer; one that did is noticed by ``unchanged``.
    """

    __slots__ = ("_fd", "_stamp")

    def __init__(self, fd: int, *, fixed: bool = False) -> None:
        self._fd = fd
        self._stamp = _stamp(fd) if fixed else None

    def fileno(self) -> int:
        return self._fd

    def unchanged(self) -> bool:
        return self._stamp is None or self._stamp == _stamp(self._fd)

    def __del__(self) -> None:
        os.close(self._fd)


class Arrival:
    """Bytes that come to their place in their order, while others already send them.

    ``position``: what lies in front of it, from where the writing began, is there.
    """

    __slots__ = ("_waiting", "failed", "position")

    def __init__(self, position: int) -> None:
        self.position = position
        self.failed = False
        """No more will come."""
        self._waiting: list[Callable[[], None]] = []

    def grow(self, position: int) -> None:
        self.position = position
        self._wake()

    def fail(self) -> None:
        self.failed = True
        self._wake()

    def wait(self, callback: Callable[[], None]) -> None:
        """Call ``callback`` once, at the next ``grow`` or ``fail``."""
        self._waiting.append(callback)

    def _wake(self) -> None:
        waiting, self._waiting = self._waiting, []
        for callback in waiting:
            callback()


@dataclass(frozen=True, slots=True)
class FileSpan:
    """``length`` bytes of ``file`` from ``start``, those of an ``arrival`` once they are there."""

    file: OpenFile
    start: int
    length: int
    arrival: Arrival | None = None

    def ready(self, offset: int) -> int:
        """How many bytes are there from ``offset`` on."""
        if self.arrival is None:
            return self.length - offset
        return min(self.length, self.arrival.position - self.start) - offset

    def cut(self, first: int, last: int) -> FileSpan:
        return FileSpan(self.file, self.start + first, last - first, self.arrival)


class Memory(Protocol):
    """Bytes that are taken for others once nothing refers to it: nobody keeps a ``view`` alone."""

    view: memoryview


@dataclass(frozen=True, slots=True)
class MemorySpan:
    """``length`` bytes of ``memory`` from ``start``, each once it has arrived."""

    memory: Memory
    start: int
    length: int
    arrival: Arrival

    def ready(self, offset: int) -> int:
        """How many bytes are there from ``offset`` on."""
        return min(self.length, self.arrival.position - self.start) - offset

    def cut(self, first: int, last: int) -> MemorySpan:
        return MemorySpan(self.memory, self.start + first, last - first, self.arrival)

    def view(self, offset: int, count: int) -> memoryview:
        """Up to ``count`` of the bytes that are there from ``offset`` on."""
        start = self.start + offset
        return self.memory.view[start : start + min(count, self.ready(offset))]


Part = bytes | FileSpan | MemorySpan


def part_size(part: Part) -> int:
    return len(part) if isinstance(part, bytes) else part.length


def slice_parts(parts: tuple[Part, ...], start: int, stop: int) -> tuple[Part, ...]:
    """The parts of bytes ``start`` up to ``stop`` of the body (``0 <= start <= stop <= size``)."""
    sliced: list[Part] = []
    position = 0
    for part in parts:
        size = part_size(part)
        first, last = max(start - position, 0), min(stop - position, size)
        if first < last:
            sliced.append(part[first:last] if isinstance(part, bytes) else part.cut(first, last))
        position += size
    return tuple(sliced)


class Answer(NamedTuple):
    """``lines``: the head below the status line, its blank line included; ``size``: of ``parts``.

    ``in_memory`` says that all parts are bytes.
    """

    status: int
    lines: bytes
    parts: tuple[Part, ...] = ()
    size: int = 0
    in_memory: bool = True


@dataclass(frozen=True, slots=True, eq=False)
class Resource:
    """``size`` bytes made of ``parts`` in order, under a strong, quoted ``etag``.

    ``multipart`` says whether several ranges may be had at once. ``gzip`` is the same content under
    that coding, a resource of its own with its own tag, for those who accept it. A ``size`` that is
    not the sum of the parts, an entity tag that is not strong and a value that is no field value
    are ValueErrors.
    """

    media_type: str
    etag: str
    cache_control: str
    size: int
    parts: tuple[Part, ...]
    multipart: bool = True
    gzip: Resource | None = None
    content_encoding: str = ""
    personal: tuple[tuple[str, str], ...] = ()
    """Further field lines, of one viewer's answer: nobody may keep it for another."""
    told: tuple[tuple[str, str], ...] = ()
    """Further field lines, for whoever it is."""

    validators: bytes = field(init=False, repr=False)
    """Field lines of every answer about it, 304 included."""
    whole: Answer = field(init=False, repr=False)
    """The answer to a GET of all of it."""

    def for_one(self, lines: tuple[tuple[str, str], ...]) -> Resource:
        """The same for one viewer, with ``lines``."""
        gzip = self.gzip.for_one(lines) if self.gzip is not None else None
        return replace(self, personal=lines, gzip=gzip)

    def telling(self, lines: tuple[tuple[str, str], ...]) -> Resource:
        """The same with ``lines`` more, for whoever it is."""
        gzip = self.gzip.telling(lines) if self.gzip is not None else None
        return replace(self, told=self.told + lines, gzip=gzip)

    @property
    def content_lines(self) -> list[tuple[str, str]]:
        """What the body is, whole or in part."""
        lines = [("Content-Type", self.media_type)]
        if self.content_encoding:
            lines.append(("Content-Encoding", self.content_encoding))
        return lines

    def __post_init__(self) -> None:
        if not _STRONG.fullmatch(self.etag):
            raise ValueError(f"not a strong entity tag: {self.etag!r}")
        if self.size != (total := sum(map(part_size, self.parts))):
            raise ValueError(f"size {self.size}, but the parts have {total} bytes")
        caching = NOT_SHARED if self.personal else self.cache_control
        about = [("ETag", self.etag), ("Cache-Control", caching), *self.told, *self.personal]
        if self.gzip is not None or self.content_encoding:
            about.append(("Vary", "Accept-Encoding"))
        validators = fields.SHARED + fields.block(about)
        content = [
            *self.content_lines,
            ("Content-Length", str(self.size)),
            ("Accept-Ranges", "bytes"),
        ]
        in_memory = all(isinstance(part, bytes) for part in self.parts)
        lines = validators + fields.block(content) + b"\r\n"
        whole = Answer(200, lines, self.parts, self.size, in_memory)
        # Frozen for its users; these two are the memoised results of what they gave.
        object.__setattr__(self, "validators", validators)
        object.__setattr__(self, "whole", whole)
