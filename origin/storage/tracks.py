"""Interleaved tracks, kept a second time with their samples side by side.

A segment of an interleaved file lies in as many pieces as it has samples, and each answer would
gather them anew. So when one is asked for, its samples are copied in the background, and the next
answer is its head and one span. A sparse file takes the same few segments of a track from all
workers; its name says of which version of what file, and where in it each sample lies, so that a
file that has changed, or a cut that has moved, belongs to another sparse file.
"""

from __future__ import annotations

import sys
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import partial

import numpy as np

from origin.delivery.resource import FileSpan
from origin.delivery.spans import gather
from origin.errors import ObjectChanged, StorageError
from origin.storage.local import LocalStorage
from origin.storage.sparse import SparseFile, file_name
from origin.storage.sparse_cache import SparseCache
from packager.model import Rendition

# CPU seconds a GB by number of pieces, measured on loopback:
#   segments of 0.6 MB    1: 0.32    8: 0.39    16: 0.49    24: 0.74    180: 1.31
#   segments of 3.8 MB    1: 0.20    8: 0.18    16: 0.21    64: 0.27    180: 0.73
FEW_PIECES = 8
LONG_PIECE = 64 * 1024
"""Pieces so few, or so long on average, cost little more than one span."""

STRETCH = 16
"""Segments of a track in one file: about 100 seconds, which are unlinked together."""

_READ_BYTES = 1 << 20


class TrackCache:
    """Copies of segments of the library in ``storage``."""

    def __init__(self, cache: SparseCache, storage: LocalStorage) -> None:
        self._cache = cache
        self._storage = storage

    async def find(
        self,
        rendition: Rendition,
        row: int,
        version: str,
        pieces: Sequence[FileSpan],
        let_go: Callable[[], None],
    ) -> Copy | None:
        """The copy of segment ``row``, which lies in ``pieces`` of a file of ``version``; where
        there is none, it is made in the background. None for what is not worth it."""
        if not is_scattered(pieces) or _size(pieces) > self._cache.largest:
            return None
        part = row % STRETCH
        name, sizes = stretch(self._storage.location, rendition, row - part, version)
        file = await self._cache.find(name, sizes, part)
        span = file.span(part) if file is not None and file.has(part) else None
        read = partial(_read, pieces, self._storage, version)
        copy = Copy(self._cache, file, part, span, read, let_go)
        if file is not None:
            self._cache.hold(file, copy)
            copy.touch()
        return copy


@dataclass(frozen=True, slots=True, eq=False, weakref_slot=True)
class Copy:
    """A segment's copy as it was when it was looked for: part ``part`` of ``file``.

    ``span``: its samples, None if they are not there yet; ``file``: None where the cache fails;
    ``read``: the samples from where they lie; ``let_go``: has the holder of ``span`` forget it.
    """

    cache: SparseCache
    file: SparseFile | None
    part: int
    span: FileSpan | None
    read: Callable[[], Iterator[memoryview]]
    let_go: Callable[[], None]

    def touch(self) -> bool:
        """Note a use; whether this is still the best there is. Cheap, for every request."""
        if self.file is None:
            return self.cache.resting
        self.cache.use(self.file)
        if self.span is None:
            if self.file.has(self.part):
                return False
            self.cache.write(self.file, self.part, self.read)
        return True


def _read(pieces: Sequence[FileSpan], storage: LocalStorage, version: str) -> Iterator[memoryview]:
    """All bytes of the pieces. None leaves here before it is seen to be of the version: the copy
    of another worker may be in its place already."""
    room = memoryview(bytearray(_READ_BYTES))
    index = offset = 0
    while index < len(pieces):
        try:
            filled = gather(pieces, index, offset, room, below=sys.maxsize, wait=True)
        except (OSError, EOFError) as error:
            raise StorageError(f"cannot read a segment: {error}") from error
        if not storage.is_current(pieces[0].file, version):
            raise ObjectChanged("a segment's file has changed")
        yield room[:filled]
        offset += filled
        while index < len(pieces) and offset >= pieces[index].length:
            offset -= pieces[index].length
            index += 1


def is_scattered(pieces: Sequence[FileSpan]) -> bool:
    return len(pieces) > FEW_PIECES and _size(pieces) < len(pieces) * LONG_PIECE


def _size(pieces: Sequence[FileSpan]) -> int:
    return sum(piece.length for piece in pieces)


def stretch(
    location: str, rendition: Rendition, first: int, version: str
) -> tuple[str, Sequence[int]]:
    """Of the file for segments from ``first`` on: name, and bytes of samples in each segment."""
    edges = rendition.segments.edges[first : first + STRETCH + 1]
    samples = rendition.track.samples.rows(int(edges[0]), int(edges[-1]))
    sizes = np.add.reduceat(samples.size, edges[:-1] - edges[0])
    who = repr((location, rendition.source, version, rendition.track.track_id))
    name = file_name(who.encode(), *(c.tobytes() for c in (edges, samples.offset, samples.size)))
    return name, sizes.tolist()
