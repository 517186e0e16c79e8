"""Bounds-checked walking of boxes (ISO/IEC 14496-12 4.2).

A ``Box`` is a view into bytes already in memory and knows its position in the file, so that
every complaint can say where. Nothing recurses by itself and nothing is copied: a caller walks
the children it names. A child that claims more than its parent holds, a size below its own
header, or more children than ``MAX_CHILDREN`` is refused; each step advances at least 8 bytes,
so a walk ends.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from typing import NamedTuple

from packager.errors import BadMedia, LimitExceeded

MAX_CHILDREN = 65_536

_HEADER = struct.Struct(">I4s")
_LARGESIZE = struct.Struct(">Q")


class Box(NamedTuple):
    """``offset``: of the header in the file; ``body``: what follows the header."""

    type: str
    offset: int
    header: int
    body: memoryview

    @property
    def body_offset(self) -> int:
        return self.offset + self.header

    @property
    def size(self) -> int:
        return self.header + len(self.body)

    def bad(self, reason: str) -> BadMedia:
        return BadMedia(reason, box=self.type, offset=self.offset)

    def need(self, count: int, at: int = 0) -> None:
        """Refuse the box unless ``count`` bytes follow position ``at`` of its body."""
        if len(self.body) - at < count:
            raise self.bad(f"needs {at + count} bytes but holds {len(self.body)}")

    def unpack(self, layout: struct.Struct, at: int = 0) -> tuple[int, ...]:
        self.need(layout.size, at)
        return layout.unpack_from(self.body, at)

    def full(self) -> tuple[int, int, memoryview]:
        """Version, flags and the rest of a FullBox (4.2.2)."""
        self.need(4)
        head = int.from_bytes(self.body[:4], "big")
        return head >> 24, head & 0xFFFFFF, self.body[4:]


class Header(NamedTuple):
    """``size`` counts the header; 0 means "to the end of what contains the box"."""

    type: str
    length: int
    size: int


def read_header(data: memoryview, at: int, offset: int) -> Header:
    """The box header at ``at``; ``offset`` is the same place in the file, for complaints."""
    if len(data) - at < 8:
        raise BadMedia("box header is cut short", offset=offset)
    size, raw = _HEADER.unpack_from(data, at)
    name, length = raw.decode("latin-1"), 8
    if size == 1:
        if len(data) - at < 16:
            raise BadMedia("64-bit box size is cut short", box=name, offset=offset)
        (size,), length = _LARGESIZE.unpack_from(data, at + 8), 16
    elif size == 0:
        return Header(name, length, 0)
    if size < length:
        raise BadMedia(f"box size {size} is below its header", box=name, offset=offset)
    return Header(name, length, size)


def walk(body: memoryview, offset: int) -> Iterator[Box]:
    """The boxes that fill ``body``, which lies at ``offset`` of the file.

    Up to 7 stray bytes at the end are passed over, as QuickTime writers leave a 32-bit zero there.
    """
    at = 0
    for _ in range(MAX_CHILDREN):
        if len(body) - at < 8:
            return
        name, length, size = read_header(body, at, offset + at)
        if size == 0 or size > len(body) - at:
            raise BadMedia(
                f"box size {size} passes the end of its parent", box=name, offset=offset + at
            )
        yield Box(name, offset + at, length, body[at + length : at + size])
        at += size
    raise LimitExceeded(f"more than {MAX_CHILDREN} boxes side by side", offset=offset)


def children(box: Box, skip: int = 0) -> Iterator[Box]:
    """The boxes in ``box`` behind ``skip`` bytes of its own fields."""
    box.need(skip)
    return walk(box.body[skip:], box.body_offset + skip)


def find(box: Box, *path: str) -> Box | None:
    """The first box on a path of plain containers, or None."""
    for name in path:
        found = next((child for child in children(box) if child.type == name), None)
        if found is None:
            return None
        box = found
    return box


def require(box: Box, *path: str) -> Box:
    """``find``, refusing the file where the path ends early."""
    for name in path:
        found = find(box, name)
        if found is None:
            raise box.bad(f"has no '{name}'")
        box = found
    return box
