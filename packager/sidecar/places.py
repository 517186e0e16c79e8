"""Where samples lie in their file, told by what is unusual about it.

In the order of the file one sample follows the other, whatever tracks they are of. So all there is
to say is whose each sample is, a bit or two, and how far it begins behind the end of the one before
it: zero, but at the start and where something lies in between. The samples of a track keep their
decode order; where that is not the order of the file, gaps are negative.

It is kept like that, with what has been reached every ``GRAIN`` samples: from there the few samples
are added up that are asked for. What has been reached is added up when a sample is first asked for.
Manifests need none, so whether all of them lie in the file is made sure of then, too.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from functools import cached_property

import numpy as np
from numpy.typing import NDArray

from packager.columns import BLOCK, GRAIN, Codes, Column, Integers, Numbers
from packager.errors import BadSidecar
from packager.sidecar.columns import code_bits, pack_codes, pack_column, read_codes, read_column
from packager.sidecar.fields import Fields

MAX_GAP = 1 << 62


def pack_places(offsets: Sequence[Numbers], sizes: Sequence[Integers]) -> bytes:
    """Of the samples of each track, in decode order."""
    reached = np.concatenate([np.maximum.accumulate(column) for column in offsets])
    order = np.argsort(reached, kind="stable")
    start = np.concatenate(offsets)[order]
    end = start + np.concatenate(sizes)[order]
    gaps = start - np.concatenate(([0], end[:-1]))
    owner = np.repeat(np.arange(len(sizes)), [len(column) for column in sizes])[order]
    owners = pack_codes(owner, code_bits(len(sizes))) if len(sizes) > 1 else b""
    return owners + pack_column(gaps)


@dataclass(frozen=True, eq=False)
class FileOrder:
    """The samples of all tracks in the order of the file; ``owners``: whose each is, None where
    there is one track; ``gaps``: how far each lies behind the one before."""

    sizes: Sequence[Column]
    owners: Codes | None
    gaps: Column
    file_size: int

    @property
    def nbytes(self) -> int:
        known = len(self._known) * (2 + len(self.sizes)) * 8
        return self.gaps.nbytes + known + (self.owners.nbytes if self.owners else 0)

    @cached_property
    def _known(self) -> Numbers:
        """The rows before which ``_reached`` is known, and ``_seen``."""
        return np.append(np.arange(0, len(self.gaps), GRAIN), len(self.gaps))

    @cached_property
    def _seen(self) -> Sequence[Numbers]:
        """Of each track, how many samples lie before the known rows."""
        if self.owners is None:
            return (self._known,)
        turns = [self.owners.where(track).sums(self._known) for track in range(len(self.sizes))]
        return [np.concatenate(([0], of_track.cumsum())) for of_track in turns]

    @cached_property
    def _reached(self) -> Numbers:
        """Where the sample before each of the known rows ends."""
        lengths = self.gaps.sums(self._known)
        for size, seen in zip(self.sizes, self._seen, strict=True):
            lengths += size.sums(seen)
        return np.concatenate(([0], lengths.cumsum()))

    @cached_property
    def fault(self) -> str:
        """Why these bytes cannot be believed, '' if they can."""
        for track, size in enumerate(self.sizes):
            there = self.owners.how_many(track) if self.owners else len(size)
            if there != len(size):
                return f"it gives a track {there} samples where it has {len(size)}"
            if size.marks and not np.array_equal(size.added_up(size.marks.rows), size.marks.sums):
                return "it has sums of sizes that are not theirs"
        return "" if self._lies_in_file() else "it has a sample that is not inside the file"

    def offsets(self, track: int, first: int, stop: int) -> Numbers:
        """Where samples ``first`` up to ``stop`` of a track begin; ``BadSidecar`` if there is a
        fault, in these or others."""
        if self.fault:
            raise BadSidecar(self.fault)
        seen = self._seen[track]
        low, high = np.searchsorted(seen, (first + 1, stop)).tolist()
        starts, _, turns = self._between(low - 1, high)
        return starts[turns[track]][first - seen[low - 1] :][: stop - first]

    def _lies_in_file(self) -> bool:
        """Whether each sample does."""
        least, most = self.gaps.bounds
        if least >= 0 and most * len(self.gaps) <= MAX_GAP:  # then the last one ends last
            return self.gaps.total + sum(size.total for size in self.sizes) <= self.file_size
        last = len(self._known) - 1
        for low in range(0, last, BLOCK // GRAIN):
            starts, sizes, _ = self._between(low, min(low + BLOCK // GRAIN, last))
            if not 0 <= int(starts.min()) <= int(starts.max()) <= self.file_size:
                return False
            if int((starts + sizes).max()) > self.file_size:
                return False
        return True

    def _between(
        self, low: int, high: int
    ) -> tuple[Numbers, Numbers, Sequence[NDArray[np.intp] | slice]]:
        """Of the samples between two known rows where each begins and its size, and which of them
        are of each track."""
        first, stop = self._known[[low, high]].tolist()
        turns = self._turns(first, stop)
        sizes = np.empty(stop - first, np.int64)
        for turn, size, seen in zip(turns, self.sizes, self._seen, strict=True):
            sizes[turn] = size.rows(*seen[[low, high]].tolist())
        ends = self.gaps.rows(first, stop) + sizes
        ends[0] += self._reached[low]
        return np.cumsum(ends, out=ends) - sizes, sizes, turns

    def _turns(self, first: int, stop: int) -> Sequence[NDArray[np.intp] | slice]:
        """Which of the rows are of each track."""
        if self.owners is None:
            return (slice(None),)
        owner = self.owners.rows(first, stop)
        return [np.flatnonzero(owner == track) for track in range(len(self.sizes))]


@dataclass(frozen=True, slots=True, eq=False)
class Offsets:
    """Those of one track."""

    order: FileOrder
    track: int

    @property
    def nbytes(self) -> int:
        return self.order.nbytes

    def rows(self, first: int, stop: int) -> Numbers:
        return self.order.offsets(self.track, first, stop)


def read_places(fields: Fields, sizes: Sequence[Column], file_size: int) -> list[Offsets]:
    """The offset of each sample, by track."""
    count = sum(map(len, sizes))
    owners = _read_owners(fields, len(sizes), count) if len(sizes) > 1 else None
    order = FileOrder(sizes, owners, read_column(fields, count, -MAX_GAP, MAX_GAP), file_size)
    return [Offsets(order, track) for track in range(len(sizes))]


def _read_owners(fields: Fields, tracks: int, count: int) -> Codes:
    bits = code_bits(tracks)
    return read_codes(fields, count, bits, np.arange(1 << bits, dtype=np.uint8))
