"""Columns of integers in few bytes, of which rows are expanded where they are asked for.

    Column   a base, and to it planes of bytes, or codes, and patches: the sum is the row
    Sums     where each row of a column begins, if one follows the other

A film of two hours has hundreds of thousands of samples. What is made of all of them costs little
arithmetic, but memory touched for the first time, which is slower. So a column stays as it was
read, may be nothing but views of bytes that are there anyhow, and whoever needs all rows takes them
a block at a time.
"""

from __future__ import annotations

from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from functools import cached_property
from typing import Any, Protocol

import numpy as np
from numpy.typing import NDArray

Integers = NDArray[np.integer[Any]]
Numbers = NDArray[np.int64]

BLOCK = 12_288
"""Rows: what is made of one fits the processor's cache, and is small enough for malloc not to map
memory anew."""

GRAIN = 256
"""Rows from one known sum to the next: what is added up for the sake of a few rows behind them. A
multiple of the rows that a byte of codes holds."""


class Rows(Protocol):
    """A column that gives its rows ``first`` up to ``stop``."""

    def rows(self, first: int, stop: int) -> Numbers: ...

    @property
    def nbytes(self) -> int:
        """Bytes of memory that it keeps."""
        ...


def blocks(count: int) -> Iterator[tuple[int, int]]:
    """The first row of each block, and the one behind it."""
    for first in range(0, count, BLOCK):
        yield first, min(first + BLOCK, count)


def growing_blocks(count: int) -> Iterator[tuple[int, int]]:
    """As above, the first of them small: for who may have found what is sought in that."""
    first, length = 0, GRAIN
    while first < count:
        yield first, min(first + length, count)
        first, length = first + length, min(2 * length, BLOCK)


def reduce_between(
    ufunc: np.ufunc, rows: Callable[[int, int], Integers], edges: Integers
) -> Numbers:
    """``ufunc`` over the rows from each of ``edges``, which rise, up to the next; ``rows`` is
    asked for some of these stretches at a time."""
    reduced = np.empty(len(edges) - 1, np.int64)
    low = 0
    while low < len(reduced):
        high = max(int(np.searchsorted(edges, edges[low] + BLOCK, "right")) - 1, low + 1)
        part = rows(int(edges[low]), int(edges[high]))
        ufunc.reduceat(part, edges[low:high] - edges[low], dtype=np.int64, out=reduced[low:high])
        low = high
    return reduced


def _sums_between(rows: Callable[[int, int], Integers], edges: Integers) -> Numbers:
    """As above, where ``edges`` may also stay the same."""
    sums = np.zeros(len(edges) - 1, np.int64)
    filled = np.flatnonzero(np.diff(edges))
    if len(filled):
        sums[filled] = reduce_between(np.add, rows, np.append(edges[filled], edges[-1]))
    return sums


@dataclass(frozen=True, slots=True, eq=False)
class Plane:
    """``values`` shifted left by so many bits."""

    values: Integers
    shift: int = 0

    @property
    def nbytes(self) -> int:
        return self.values.nbytes

    @property
    def bounds(self) -> tuple[int, int]:
        return int(self.values.min()) << self.shift, int(self.values.max()) << self.shift

    @property
    def limits(self) -> tuple[int, int]:
        return self.bounds

    @property
    def total(self) -> int:
        return int(self.values.sum(dtype=np.int64)) << self.shift

    def rows(self, first: int, stop: int) -> Integers:
        return self._shifted(self.values[first:stop])

    def take(self, rows: Integers) -> Integers:
        return self._shifted(self.values[rows])

    def sums(self, edges: Integers) -> Numbers:
        return _sums_between(self.rows, edges)

    def _shifted(self, values: Integers) -> Integers:
        return values.astype(np.int64) << self.shift if self.shift else values


@dataclass(frozen=True, slots=True, eq=False)
class Codes:
    """``count`` rows in ``packed`` bytes; ``rows_of_byte``: what each byte says of its rows."""

    count: int
    rows_of_byte: Integers
    packed: NDArray[np.uint8]

    @property
    def nbytes(self) -> int:
        return self.packed.nbytes + self.rows_of_byte.nbytes

    @property
    def bounds(self) -> tuple[int, int]:
        return int(self.rows_of_byte.min()), int(self.rows_of_byte.max())

    @property
    def limits(self) -> tuple[int, int]:
        """Of the values there are codes for: whoever makes codes makes none for others."""
        return self.bounds

    @property
    def total(self) -> int:
        return int(self.sums(np.array((0, self.count)))[0])

    def where(self, value: int) -> Codes:
        """1 in the rows that are this value, 0 in the others."""
        return Codes(self.count, (self.rows_of_byte == value).astype(np.int64), self.packed)

    def how_many(self, code: int) -> int:
        """The rows that have this code."""
        per_byte = self.rows_of_byte.shape[1]
        bits = 8 // per_byte
        full = (1 << bits) - 1
        ones = 0xFF // full  # the lowest bit of each row of a byte
        whole, rest = divmod(self.count, per_byte)
        others = self.packed[:whole] ^ np.uint8(code * ones)  # no bit is left of a row with it
        for shift in (4, 2, 1):
            if shift < bits:
                others |= others >> np.uint8(shift)
        lacking = int(np.bitwise_count(others & np.uint8(ones)).sum(dtype=np.int64))
        last = [int(self.packed[-1]) >> bits * row & full for row in range(rest)]
        return int(whole * per_byte) - lacking + last.count(code)

    def rows(self, first: int, stop: int) -> Integers:
        per_byte = self.rows_of_byte.shape[1]
        start = first // per_byte
        packed = self.packed[start : -(-stop // per_byte)]
        rows = self.rows_of_byte.take(packed, axis=0).reshape(-1)
        return rows[first - start * per_byte : stop - start * per_byte]

    def take(self, rows: Integers) -> Integers:
        per_byte = self.rows_of_byte.shape[1]  # a power of two
        byte, digit = rows >> (per_byte.bit_length() - 1), rows & (per_byte - 1)
        taken: Integers = self.rows_of_byte[self.packed[byte], digit]
        return taken

    def sums(self, edges: Integers) -> Numbers:
        """Of whole bytes, and what the rows before an edge add in its own."""
        of_byte = self.rows_of_byte.cumsum(axis=1, dtype=np.int64)
        bytes_, digit = np.divmod(edges, of_byte.shape[1])
        cut = np.flatnonzero(digit)
        before = np.zeros(len(edges), np.int64)
        before[cut] = of_byte[self.packed[bytes_[cut]], digit[cut] - 1]
        whole = of_byte[:, -1].copy()

        def sums_of(first: int, stop: int) -> Numbers:
            return whole.take(self.packed[first:stop], mode="clip")  # quicker, and none is

        return np.diff(before) + _sums_between(sums_of, bytes_)


@dataclass(frozen=True, slots=True, eq=False)
class Patches:
    """``more`` for each ``row``; rows rise, none has more than one patch."""

    row: Numbers
    more: Numbers

    @property
    def nbytes(self) -> int:
        return self.row.nbytes + self.more.nbytes

    @property
    def bounds(self) -> tuple[int, int]:
        """Of what is added to any row."""
        if len(self.row) == 0:
            return 0, 0
        return min(0, int(self.more.min())), max(0, int(self.more.max()))

    def add_to(self, out: Numbers, first: int) -> None:
        """To the rows from ``first`` on."""
        if len(self.row) == 0 or self.row[-1] < first or self.row[0] >= first + len(out):
            return
        low, high = np.searchsorted(self.row, (first, first + len(out)))
        out[self.row[low:high] - first] += self.more[low:high]

    def take(self, rows: Integers) -> Numbers:
        places = np.searchsorted(self.row, rows).clip(max=len(self.row) - 1)
        return np.where(self.row[places] == rows, self.more[places], 0)

    def sums(self, edges: Integers) -> Numbers:
        sums = np.concatenate(([0], np.cumsum(self.more)))
        return np.diff(sums[np.searchsorted(self.row, edges)])


_NONE = np.zeros(0, np.int64)
NO_PATCHES = Patches(_NONE, _NONE)


@dataclass(frozen=True, slots=True, eq=False)
class Marks:
    """``before``: the sum of all rows before each of ``rows``, which rise from 0 to the count."""

    rows: Numbers
    before: Numbers

    @property
    def nbytes(self) -> int:
        return self.rows.nbytes + self.before.nbytes

    @property
    def sums(self) -> Numbers:
        """From each mark to the next."""
        return np.diff(self.before)

    def between(self, edges: Integers) -> Numbers | None:
        """The sums from each of ``edges`` to the next, if all of them are marked."""
        places = np.searchsorted(self.rows, edges)
        if not np.array_equal(self.rows[places], edges):
            return None
        return np.diff(self.before[places])


@dataclass(frozen=True, eq=False)
class Column:
    """``count`` rows, each the sum of ``base``, ``parts`` and ``patches``; ``marks``: sums of them
    that somebody has added up before."""

    count: int
    base: int
    parts: tuple[Plane | Codes, ...] = ()
    patches: Patches = NO_PATCHES
    marks: Marks | None = None

    @staticmethod
    def of(values: Integers) -> Column:
        """These rows, which are kept as they are unless all are equal."""
        values.setflags(write=False)
        first = int(values[0])
        if values.strides == (0,) or (values[-1] == first and bool(np.all(values == first))):
            return Column(len(values), first)
        return Column(len(values), 0, (Plane(values),))

    def __len__(self) -> int:
        return self.count

    @property
    def nbytes(self) -> int:
        marks = self.marks.nbytes if self.marks is not None else 0
        return sum(part.nbytes for part in self.parts) + self.patches.nbytes + marks

    @property
    def constant(self) -> int | None:
        """What every row is, where nothing but the base is there."""
        return None if self.parts or len(self.patches.row) else self.base

    @property
    def bounds(self) -> tuple[int, int]:
        """No row is below the first or above the second, whether one is as low or high or not."""
        sides = zip(self.patches.bounds, *(part.bounds for part in self.parts), strict=True)
        least, most = (self.base + sum(side) for side in sides)
        return least, most

    @cached_property
    def limits(self) -> tuple[int, int]:
        """The least row, and the greatest."""
        if self.constant is not None:
            return self.base, self.base
        if len(self.parts) == 1 and len(self.patches.row) == 0:
            least, most = self.parts[0].limits
            return least + self.base, most + self.base
        in_blocks = (self.rows(*block) for block in blocks(self.count))
        sides = [(int(rows.min()), int(rows.max())) for rows in in_blocks]
        return min(least for least, _ in sides), max(most for _, most in sides)

    @property
    def total(self) -> int:
        if self.marks is not None:
            return int(self.marks.before[-1])
        parts = sum(part.total for part in self.parts)
        return self.count * self.base + parts + int(self.patches.more.sum())

    def rows(self, first: int, stop: int) -> Numbers:
        rows = self._added([part.rows(first, stop) for part in self.parts], stop - first)
        self.patches.add_to(rows, first)
        return rows

    def take(self, rows: Integers) -> Numbers:
        """Any rows, in any order."""
        taken = self._added([part.take(rows) for part in self.parts], len(rows))
        if len(self.patches.row):
            taken += self.patches.take(rows)
        return taken

    def _added(self, parts: Sequence[Integers], count: int) -> Numbers:
        if not parts:
            return np.full(count, self.base, np.int64)
        rows = parts[0].astype(np.int64)
        for more in parts[1:]:
            rows += more
        if self.base:
            rows += self.base
        return rows

    def sums(self, edges: Integers) -> Numbers:
        """The sum of the rows from each of ``edges``, which do not fall, up to the next."""
        known = self.marks.between(edges) if self.marks is not None else None
        return known if known is not None else self.added_up(edges)

    def added_up(self, edges: Integers) -> Numbers:
        """The same of the rows themselves."""
        sums = np.diff(edges) * self.base
        for part in self.parts:
            sums += part.sums(edges)
        if len(self.patches.row):
            sums += self.patches.sums(edges)
        return sums


@dataclass(frozen=True, eq=False)
class Sums:
    """Row n is ``first`` and all ``lengths`` before row n; the lengths are not negative."""

    first: int
    lengths: Column

    def __len__(self) -> int:
        return len(self.lengths)

    @property
    def nbytes(self) -> int:
        return self.lengths.nbytes

    @cached_property
    def end(self) -> int:
        """Where the last row ends."""
        return self.first + self.lengths.total

    @cached_property
    def _known(self) -> Numbers:
        """Every row whose number is a multiple of ``GRAIN``."""
        return self.take(np.arange(0, len(self), GRAIN))

    def rows(self, first: int, stop: int) -> Numbers:
        step = self.lengths.constant
        if step is not None:
            return np.arange(first, stop) * step + self.first
        known = first // GRAIN
        lengths = self.lengths.rows(known * GRAIN, stop)
        rows: Numbers = np.cumsum(lengths) - lengths + self._known[known]
        return rows[first - known * GRAIN :]

    def take(self, rows: Integers) -> Numbers:
        """Any rows that do not fall."""
        step = self.lengths.constant
        if step is not None:
            return rows.astype(np.int64) * step + self.first
        before = self.lengths.sums(np.concatenate(([0], rows)))
        return np.cumsum(before, out=before) + self.first
