"""Where samples lie in their file, told by what is unusual about it.

In the order of the file one sample follows the other, whatever tracks they are of. So all there is
to say is whose each sample is, a bit or two, and how far it begins behind the end of the one before
it: zero, but at the start and where something lies in between. The samples of a track keep their
decode order; where that is not the order of the file, gaps are negative.
"""

from __future__ import annotations

from collections.abc import Sequence

import numpy as np
from numpy.typing import NDArray

from packager.errors import BadSidecar
from packager.sidecar.columns import (
    Codes,
    Column,
    Integers,
    PackedColumn,
    blocks,
    code_bits,
    pack_codes,
    pack_column,
    read_codes,
    read_column,
)
from packager.sidecar.fields import Fields

MAX_GAP = 1 << 62


def pack_places(offsets: Sequence[Column], sizes: Sequence[Integers]) -> bytes:
    """Of the samples of each track, in decode order."""
    reached = np.concatenate([np.maximum.accumulate(column) for column in offsets])
    order = np.argsort(reached, kind="stable")
    start = np.concatenate(offsets)[order]
    end = start + np.concatenate(sizes)[order]
    gaps = start - np.concatenate(([0], end[:-1]))
    owner = np.repeat(np.arange(len(sizes)), [len(column) for column in sizes])[order]
    owners = pack_codes(owner, code_bits(len(sizes))) if len(sizes) > 1 else b""
    return owners + pack_column(gaps)


def read_places(fields: Fields, sizes: Sequence[Integers], file_size: int) -> list[Column]:
    """The offset of each sample, by track; ``BadSidecar`` if one does not lie in the file."""
    count = sum(map(len, sizes))
    owners = _read_owners(fields, len(sizes), count) if len(sizes) > 1 else None
    gaps = read_column(fields, count, -MAX_GAP, MAX_GAP)
    offsets = _in_turns(sizes, owners, gaps) if owners else [_alone(sizes[0], gaps)]
    rising = gaps.least >= 0 and gaps.most * count <= MAX_GAP
    for offset, size in zip(offsets, sizes, strict=True):
        in_doubt = slice(-1, None) if rising else slice(None)
        if not _lie_in(file_size, offset[in_doubt], size[in_doubt]):
            raise BadSidecar("it has a sample that is not inside the file")
    return offsets


def _alone(size: Integers, gaps: PackedColumn) -> Column:
    start = np.empty(len(size), np.int64)
    start[0] = 0
    start[1:] = size[:-1]
    for block in blocks(len(size)):
        gaps.add_to(start[block], block)
    return np.cumsum(start, out=start)


def _in_turns(sizes: Sequence[Integers], owners: Codes, gaps: PackedColumn) -> list[Column]:
    offsets = [np.empty(len(size), np.int64) for size in sizes]
    places = [0] * len(sizes)
    reached = 0
    for block in blocks(sum(map(len, sizes))):
        owner = owners.rows(block)
        rows = [np.flatnonzero(owner == track) for track in range(len(sizes))]
        parts = _next_parts(sizes, places, rows)
        end = np.empty(len(owner), np.int64)
        for track, size in enumerate(parts):
            end[rows[track]] = size
        gaps.add_to(end, block)
        end[:1] += reached  # an array, which overflows in silence: places are checked at the end
        np.cumsum(end, out=end)
        reached = end[-1]
        for track, size in enumerate(parts):
            stop = places[track]
            np.subtract(end.take(rows[track]), size, out=offsets[track][stop - len(size) : stop])
    if places != [len(size) for size in sizes]:
        raise BadSidecar("it gives a track fewer samples than it has")
    return offsets


def _next_parts(
    sizes: Sequence[Integers], places: list[int], rows: Sequence[NDArray[np.intp]]
) -> list[Column]:
    """As many sizes of each track as there are rows; moves ``places`` behind them."""
    parts: list[Column] = []
    for track, size in enumerate(sizes):
        first = places[track]
        places[track] += len(rows[track])
        if places[track] > len(size):
            raise BadSidecar("it gives a track more samples than it has")
        parts.append(size[first : places[track]].astype(np.int64))
    return parts


def _lie_in(file_size: int, offset: Column, size: Integers) -> bool:
    if not 0 <= int(offset.min()) <= int(offset.max()) <= file_size:
        return False
    late = np.flatnonzero(offset > file_size - int(size.max()))
    return bool(np.all(offset[late] + size[late] <= file_size))


def _read_owners(fields: Fields, tracks: int, count: int) -> Codes:
    bits = code_bits(tracks)
    return read_codes(fields, count, bits, np.arange(1 << bits, dtype=np.uint8))
