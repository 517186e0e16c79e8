"""The sample table of a track, from 'stbl' boxes to columns (ISO/IEC 14496-12 8.5-8.7).

Each box is read whole by numpy; the run-length tables ('stts', 'ctts', 'stsc') are expanded only
after their sum has been held against ``MAX_SAMPLES``, and every count against the bytes that the
box really holds, so no number in a file makes us allocate more than a small multiple of it.

What a cold title costs is memory touched for the first time, more than arithmetic: the columns
themselves. So tables are expanded a block at a time, what is the same for every sample is held once
(an array of stride 0), and decode times are left to be added up where they are needed.
"""

from __future__ import annotations

from dataclasses import dataclass
from typing import Any, TypeVar

import numpy as np
from numpy.typing import NDArray

from packager.errors import LimitExceeded, UnsupportedMedia
from packager.isobmff.boxes import Box, find, require

MAX_SAMPLES = 4_000_000
MAX_SAMPLE_BYTES = 1 << 28

Column = NDArray[np.int64]
Sizes = NDArray[np.uint32]
Value = TypeVar("Value", np.int32, np.uint32, np.int64)

_BLOCK = 32_768  # rows: what is made of one stays in the processor's cache


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One row a sample in decode order, on the media's own timeline (no edit list applied).

    ``first_dts``: of the first sample, the others follow by ``duration``; ``shift``: from each
    decode time to the presentation time."""

    offset: Column
    size: Sizes
    first_dts: int
    duration: Column
    shift: NDArray[np.signedinteger[Any]]
    sync: NDArray[np.bool_]

    def __len__(self) -> int:
        return len(self.size)

    def rows(self, first: int, stop: int) -> Columns:
        """Views of rows ``first`` up to ``stop``."""
        part = slice(first, stop)
        return Columns(
            self.offset[part],
            self.size[part],
            self.first_dts + int(self.duration[:first].sum()),
            self.duration[part],
            self.shift[part],
            self.sync[part],
        )

    @property
    def end(self) -> int:
        """The decode time of a sample behind the last."""
        return self.first_dts + int(self.duration.sum())


def read_sample_table(stbl: Box, max_samples: int) -> Columns:
    """The columns of a track; empty ones for a track whose samples are all in fragments.

    ``max_samples``: more are refused before anything is allocated for them."""
    size = _sizes(stbl, max_samples)
    duration = _run_lengths(require(stbl, "stts"), len(size), ">u4", np.int64)
    shift = _shifts(find(stbl, "ctts"), len(size))
    return Columns(_offsets(stbl, size), size, 0, duration, shift, _sync(stbl, len(size)))


def _shifts(ctts: Box | None, count: int) -> NDArray[np.signedinteger[Any]]:
    """Version 0 is unsigned by the letter (8.6.1.3); writers put negative offsets in it anyway."""
    if ctts is None:
        return np.broadcast_to(np.int32(0), count)
    return _run_lengths(ctts, count, ">i4", np.int32)


def sums_before(lengths: NDArray[np.integer[Any]], first: int = 0) -> Column:
    """Where each of ``lengths`` begins if they follow each other from ``first`` on."""
    starts = np.empty(len(lengths), np.int64)
    starts[:1] = first
    starts[1:] = lengths[:-1]
    return np.cumsum(starts, out=starts)


def check_description(box: Box, index: int) -> None:
    """A track is packaged by its first sample entry; samples may be of no other."""
    if index > 1:
        raise UnsupportedMedia(
            f"samples use sample description {index}, which is not the track's first",
            box=box.type,
            offset=box.offset,
        )


def _entries(table: Box, layout: list[tuple[str, str]], at: int = 0) -> NDArray[np.void]:
    """The counted rows of a FullBox table whose 32-bit count stands at ``at`` of its fields."""
    _, _, fields = table.full()
    table.need(4 + at + 4)
    count = int.from_bytes(fields[at : at + 4], "big")
    dtype = np.dtype(layout)
    if count * dtype.itemsize > len(fields) - at - 4:
        raise table.bad(f"claims {count} entries but holds {len(fields) - at - 4} bytes of them")
    return np.frombuffer(fields, dtype, count, at + 4)


def _run_lengths(table: Box, count: int, value_type: str, dtype: type[Value]) -> NDArray[Value]:
    """The value of each sample, as ``dtype``."""
    runs = _entries(table, [("count", ">u4"), ("value", value_type)])
    total = int(runs["count"].sum(dtype=np.int64))
    if total != count:
        raise table.bad(f"describes {total} samples where the track has {count}")
    return _expand(runs["value"], runs["count"], total, dtype)


def _expand(
    values: NDArray[Any], lengths: NDArray[Any], total: int, dtype: type[Value]
) -> NDArray[Value]:
    """Each value as often as its length says; one value throughout is held once."""
    if len(values) == 1:
        return np.broadcast_to(values.astype(dtype), total)
    expanded = np.empty(total, dtype)
    row = 0
    for at in range(0, len(values), _BLOCK):
        block = np.repeat(
            values[at : at + _BLOCK].astype(dtype), lengths[at : at + _BLOCK].astype(np.int64)
        )
        expanded[row : row + len(block)] = block
        row += len(block)
    return expanded


def _sizes(stbl: Box, max_samples: int) -> Sizes:
    table = find(stbl, "stsz") or find(stbl, "stz2")
    if table is None:
        raise stbl.bad("has no 'stsz'")
    _, _, fields = table.full()
    table.need(12)
    constant, count = (int.from_bytes(fields[at : at + 4], "big") for at in (0, 4))
    if count > max_samples:
        raise LimitExceeded(
            f"{count} samples, more than {max_samples}", box=table.type, offset=table.offset
        )
    if table.type == "stz2":
        size = _compact_sizes(table, constant & 0xFF, count)
    elif constant:
        size = np.broadcast_to(np.uint32(constant), count)
    else:
        size = _entries(table, [("size", ">u4")], at=4)["size"].astype(np.uint32)
    if count and int(size.max()) > MAX_SAMPLE_BYTES:
        raise table.bad(f"a sample of {int(size.max())} bytes")
    return size


def _compact_sizes(table: Box, bits: int, count: int) -> Sizes:
    """'stz2' (8.7.3.3): 4, 8 or 16 bits a size."""
    if bits == 16:
        return _entries(table, [("size", ">u2")], at=4)["size"].astype(np.uint32)
    if bits == 8:
        return _entries(table, [("size", "u1")], at=4)["size"].astype(np.uint32)
    if bits != 4:
        raise table.bad(f"field size {bits} is none of 4, 8, 16")
    table.need((count + 1) // 2, at=12)
    packed = np.frombuffer(table.body, np.uint8, (count + 1) // 2, 12)
    return np.stack((packed >> 4, packed & 15), axis=1).reshape(-1)[:count].astype(np.uint32)


def _sync(stbl: Box, count: int) -> NDArray[np.bool_]:
    """'stss' (8.6.2); without one every sample is a sync sample."""
    table = find(stbl, "stss")
    if table is None:
        return np.broadcast_to(np.True_, count)
    numbers = _entries(table, [("number", ">u4")])["number"].astype(np.int64)
    if len(numbers) and not (int(numbers.min()) >= 1 and int(numbers.max()) <= count):
        raise table.bad(f"names a sync sample outside 1..{count}")
    sync = np.zeros(count, np.bool_)
    sync[numbers - 1] = True
    return sync


def _chunk_offsets(stbl: Box) -> NDArray[Any]:
    """As they lie in the file: big endian, of 32 or 64 bits."""
    table = find(stbl, "stco")
    if table is not None:
        return _entries(table, [("offset", ">u4")])["offset"]
    table = require(stbl, "co64")
    offsets = _entries(table, [("offset", ">u8")])["offset"]
    if len(offsets) and int(offsets.max()) >= 1 << 62:
        raise table.bad(f"chunk offset {int(offsets.max())} is beyond any file")
    return offsets


def _offsets(stbl: Box, size: Sizes) -> Column:
    """Sample offsets from 'stsc' and 'stco'/'co64': the chunk's, plus what lies before in it."""
    chunks = _chunk_offsets(stbl)
    table = require(stbl, "stsc")
    runs = _entries(table, [("first", ">u4"), ("samples", ">u4"), ("description", ">u4")])
    if len(size) == 0:
        return np.zeros(0, np.int64)
    first = runs["first"].astype(np.uint32)
    if len(first) == 0 or first[0] != 1 or np.any(first[1:] <= first[:-1]):
        raise table.bad("runs of chunks do not rise from 1")
    if first[-1] > len(chunks):
        raise table.bad(f"names chunk {int(first[-1])} of {len(chunks)}")
    check_description(table, int(runs["description"].max()))
    lengths = np.diff(first, append=np.uint32(len(chunks) + 1))
    per_chunk = _expand(runs["samples"], lengths, len(chunks), np.uint32)
    total = int(per_chunk.sum())
    if total != len(size):
        raise table.bad(f"places {total} samples in chunks where the track has {len(size)}")
    if per_chunk.max() == 1 and len(chunks) == total:
        return chunks.astype(np.int64)
    if per_chunk.min() == 0:
        in_use = np.flatnonzero(per_chunk)
        chunks, per_chunk = chunks[in_use], per_chunk[in_use]
    return _within_chunks(chunks, per_chunk, size)


def _within_chunks(chunks: NDArray[Any], per_chunk: NDArray[np.uint32], size: Sizes) -> Column:
    offset = sums_before(size)
    row = 0
    for at in range(0, len(chunks), _BLOCK):
        counts = per_chunk[at : at + _BLOCK]
        first = sums_before(counts, row)
        base = chunks[at : at + _BLOCK].astype(np.int64) - offset[first]
        moved = np.repeat(base, counts)
        offset[row : row + len(moved)] += moved
        row += len(moved)
    return offset
