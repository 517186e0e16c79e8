"""Sidecars that tests change, and what it means that one says what its file says."""

from __future__ import annotations

import struct
import zlib
from dataclasses import fields
from pathlib import Path

import numpy as np

from packager.model import MovieIndex, Samples
from packager.sidecar import pack, unpack

HEAD = 10
"""Magic, format and checksum; what the checksum is of lies behind."""


def signed(data: bytes) -> bytes:
    """``data`` with the checksum that its body has by now."""
    return data[:6] + struct.pack("<I", zlib.crc32(data[HEAD:])) + data[HEAD:]


def repacked(index: MovieIndex) -> MovieIndex:
    return unpack(pack(index), index.source, index.version, index.size)


def lie_about_sizes(path: Path) -> None:
    """Another total in a sidecar whose checksum fits: only who adds its sizes up will notice."""
    media = path.parents[1] / path.name.removesuffix(".vodx")
    status = media.stat()
    version = f"{status.st_mtime_ns:x}-{status.st_size:x}"
    data = path.read_bytes()
    index = unpack(data, media.name, version, status.st_size)
    total = struct.pack("<q", index.tracks[0].samples.size.total)
    assert total in data
    path.write_bytes(signed(data.replace(total, struct.pack("<q", 1 << 30))))


def assert_same(one: MovieIndex, other: MovieIndex) -> None:
    """Equal in all that they say, to the last number and its type."""
    for name in ("source", "version", "size", "skipped"):
        assert getattr(one, name) == getattr(other, name), name
    assert len(one.tracks) == len(other.tracks)
    for ours, theirs in zip(one.tracks, other.tracks, strict=True):
        for name in (field.name for field in fields(ours) if field.name != "samples"):
            assert getattr(ours, name) == getattr(theirs, name), name
        tables = (ours.samples.rows(), theirs.samples.rows())
        for name in (field.name for field in fields(Samples)):
            mine, its = (getattr(table, name) for table in tables)
            assert mine.dtype == its.dtype, name
            assert np.array_equal(mine, its), name
