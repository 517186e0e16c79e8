"""A second reader of boxes, so that no test of the packager trusts the packager's own.

Plain ``struct`` on ``bytes``, no limits and no mercy: it is only ever given files that a test or
a tool has made, and fails loudly on anything it does not expect.
"""

from __future__ import annotations

import struct
from collections.abc import Iterator
from dataclasses import dataclass

CONTAINERS = frozenset(
    ["moov", "trak", "edts", "mdia", "minf", "dinf", "stbl", "mvex", "moof", "traf", "udta"]
)  # fmt: skip


@dataclass(frozen=True)
class Atom:
    """``start`` and ``stop``: of the whole box in the bytes it was read from."""

    name: str
    start: int
    stop: int
    body: bytes

    @property
    def children(self) -> list[Atom]:
        assert self.name in CONTAINERS, f"'{self.name}' holds no boxes"
        header = self.stop - self.start - len(self.body)
        return list(atoms(self.body, self.start + header))

    def every(self, name: str) -> list[Atom]:
        return [child for child in self.children if child.name == name]

    def maybe(self, *path: str) -> Atom | None:
        atom = self
        for name in path:
            found = atom.every(name)
            if not found:
                return None
            assert len(found) == 1, f"{len(found)} '{name}' in '{atom.name}'"
            atom = found[0]
        return atom

    def only(self, *path: str) -> Atom:
        atom = self.maybe(*path)
        assert atom is not None, f"no {'/'.join(path)} in '{self.name}'"
        return atom

    @property
    def version(self) -> int:
        return self.body[0]

    @property
    def flags(self) -> int:
        return int.from_bytes(self.body[1:4], "big")

    def fields(self, layout: str, at: int = 4) -> tuple[int, ...]:
        return struct.unpack_from(">" + layout, self.body, at)


def atoms(data: bytes, offset: int = 0) -> Iterator[Atom]:
    at = 0
    while at < len(data):
        size, name = struct.unpack_from(">I4s", data, at)
        header = 8
        if size == 1:
            (size,) = struct.unpack_from(">Q", data, at + 8)
            header = 16
        elif size == 0:
            size = len(data) - at
        assert header <= size <= len(data) - at, f"{name!r} of {size} bytes at {offset + at}"
        yield Atom(
            name.decode("latin-1"), offset + at, offset + at + size, data[at + header : at + size]
        )
        at += size
