"""The sample table of a track, from 'stbl' boxes to columns (ISO/IEC 14496-12 8.5-8.7).

Each box is read whole by numpy; the run-length tables ('stts', 'ctts', 'stsc') are expanded only
after their sum has been held against ``MAX_SAMPLES``, and every count against the bytes that the
box really holds, so no number in a file makes us allocate more than a small multiple of it.
"""

from __future__ import annotations

from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packager.errors import LimitExceeded, UnsupportedMedia
from packager.isobmff.boxes import Box, find, require

MAX_SAMPLES = 4_000_000
MAX_SAMPLE_BYTES = 1 << 28

Column = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Columns:
    """One row a sample in decode order, on the media's own timeline (no edit list applied)."""

    offset: Column
    size: Column
    dts: Column
    duration: Column
    composition: Column
    sync: NDArray[np.bool_]


def read_sample_table(stbl: Box, max_samples: int) -> Columns:
    """The columns of a track; empty ones for a track whose samples are all in fragments.

    ``max_samples``: more are refused before anything is allocated for them."""
    size = _sizes(stbl, max_samples)
    count = len(size)
    duration = _run_lengths(require(stbl, "stts"), count, ">u4")
    composition_box = find(stbl, "ctts")
    # Version 0 is unsigned by the letter (8.6.1.3); writers put negative offsets in it anyway.
    composition = (
        _run_lengths(composition_box, count, ">i4")
        if composition_box
        else np.zeros(count, np.int64)
    )
    dts = np.cumsum(duration) - duration
    return Columns(_offsets(stbl, size), size, dts, duration, composition, _sync(stbl, count))


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


def _run_lengths(table: Box, count: int, value_type: str) -> Column:
    runs = _entries(table, [("count", ">u4"), ("value", value_type)])
    lengths = runs["count"].astype(np.int64)
    total = int(lengths.sum())
    if total != count:
        raise table.bad(f"describes {total} samples where the track has {count}")
    return np.repeat(runs["value"].astype(np.int64), lengths)


def _sizes(stbl: Box, max_samples: int) -> Column:
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
        size = np.full(count, constant, np.int64)
    else:
        size = _entries(table, [("size", ">u4")], at=4)["size"].astype(np.int64)
    if count and int(size.max()) > MAX_SAMPLE_BYTES:
        raise table.bad(f"a sample of {int(size.max())} bytes")
    return size


def _compact_sizes(table: Box, bits: int, count: int) -> Column:
    """'stz2' (8.7.3.3): 4, 8 or 16 bits a size."""
    if bits == 16:
        return _entries(table, [("size", ">u2")], at=4)["size"].astype(np.int64)
    if bits == 8:
        return _entries(table, [("size", "u1")], at=4)["size"].astype(np.int64)
    if bits != 4:
        raise table.bad(f"field size {bits} is none of 4, 8, 16")
    table.need((count + 1) // 2, at=12)
    packed = np.frombuffer(table.body, np.uint8, (count + 1) // 2, 12)
    return np.stack((packed >> 4, packed & 15), axis=1).reshape(-1)[:count].astype(np.int64)


def _sync(stbl: Box, count: int) -> NDArray[np.bool_]:
    """'stss' (8.6.2); without one every sample is a sync sample."""
    table = find(stbl, "stss")
    if table is None:
        return np.ones(count, np.bool_)
    numbers = _entries(table, [("number", ">u4")])["number"].astype(np.int64)
    if len(numbers) and not (int(numbers.min()) >= 1 and int(numbers.max()) <= count):
        raise table.bad(f"names a sync sample outside 1..{count}")
    sync = np.zeros(count, np.bool_)
    sync[numbers - 1] = True
    return sync


def _chunk_offsets(stbl: Box) -> Column:
    table = find(stbl, "stco")
    if table is not None:
        return _entries(table, [("offset", ">u4")])["offset"].astype(np.int64)
    table = require(stbl, "co64")
    offsets = _entries(table, [("offset", ">u8")])["offset"]
    if len(offsets) and int(offsets.max()) >= 1 << 62:
        raise table.bad(f"chunk offset {int(offsets.max())} is beyond any file")
    return offsets.astype(np.int64)


def _offsets(stbl: Box, size: Column) -> Column:
    """Sample offsets from 'stsc' and 'stco'/'co64': the chunk's, plus what lies before in it."""
    chunks = _chunk_offsets(stbl)
    table = require(stbl, "stsc")
    runs = _entries(table, [("first", ">u4"), ("samples", ">u4"), ("description", ">u4")])
    if len(size) == 0:
        return np.zeros(0, np.int64)
    first = runs["first"].astype(np.int64)
    if len(first) == 0 or first[0] != 1 or np.any(np.diff(first) <= 0):
        raise table.bad("runs of chunks do not rise from 1")
    if first[-1] > len(chunks):
        raise table.bad(f"names chunk {int(first[-1])} of {len(chunks)}")
    check_description(table, int(runs["description"].max()))
    per_chunk = np.repeat(
        runs["samples"].astype(np.int64), np.diff(np.append(first, len(chunks) + 1))
    )
    total = int(per_chunk.sum())
    if total != len(size):
        raise table.bad(f"places {total} samples in chunks where the track has {len(size)}")
    before = np.cumsum(size) - size
    chunk_first = np.cumsum(per_chunk) - per_chunk
    in_use = per_chunk > 0
    base = chunks[in_use] - before[chunk_first[in_use]]
    return np.asarray(np.repeat(base, per_chunk[in_use]) + before)
