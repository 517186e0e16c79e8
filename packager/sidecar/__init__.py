"""The index sidecar: what ``index_movie`` says of a file, packed, to be loaded instead of it.

    "VODX"  format, CRC-32 of all behind it
    size and version of the file
    each track: what it says of itself
    columns: sizes, and sums of them (``marks``); where the samples lie (``places``); durations,
        composition offsets, sync samples
    the tracks that cannot be packaged, and why

A sidecar is of one version of its file and of one ``FORMAT``; for any other it is refused, and so
is one that is torn or changed. Columns have as few bytes a row as they need (``columns``); what a
codec says of its sample entry is read from the entry again. All that ``index_movie`` promises is
made sure of, so nothing behind it has to ask where an index came from. What takes long to make sure
of is put off until samples are asked for by the row, which may raise ``BadSidecar``, too: a
manifest is made without (``places``).
"""

from __future__ import annotations

import struct
import zlib
from collections.abc import Sequence
from dataclasses import replace

from packager.columns import Column
from packager.errors import BadSidecar
from packager.isobmff.tables import MAX_SAMPLE_BYTES, MAX_SAMPLES
from packager.model import LeftOut, MovieIndex
from packager.sidecar.columns import pack_column, read_column
from packager.sidecar.fields import Fields, text
from packager.sidecar.marks import pack_marks, read_marks, segment_edges
from packager.sidecar.places import pack_places, read_places
from packager.sidecar.tracks import pack_head, pack_times, read_head, read_samples

FORMAT = 2
"""Raise it when these bytes come to mean something else, and when ``index_movie`` or a codec comes
to say something else of the same file."""

MAX_TOTAL_SAMPLES = 4 * MAX_SAMPLES

_MOST_NUMBER = (1 << 31) - 1
_HEAD = struct.Struct("<HI")
_MAGIC = b"VODX"
_MOVIE = struct.Struct("<QBH")
_EXPECTED = struct.Struct("<?")


def pack(index: MovieIndex) -> bytes:
    """``BadSidecar`` for an index that ``unpack`` would refuse."""
    tables = [track.samples for track in index.tracks]
    rows = [table.rows() for table in tables]
    parts = [_MOVIE.pack(index.size, len(index.tracks), len(index.skipped)), text(index.version)]
    parts += [pack_head(track) for track in index.tracks]
    parts += [pack_column(r.size) for r in rows]
    for r, edges in zip(rows, segment_edges(index.tracks), strict=True):
        parts.append(pack_marks(r.size, edges))
    parts.append(pack_places([r.offset for r in rows], [r.size for r in rows]))
    parts += [pack_times(table) for table in tables]
    for item in index.skipped:
        parts += [text(item.what), text(item.reason), _EXPECTED.pack(item.expected)]
    body = b"".join(parts)
    data = _MAGIC + _HEAD.pack(FORMAT, zlib.crc32(body)) + body
    for track in unpack(data, index.source, index.version, index.size).tracks:
        track.samples.rows(0, 1)
    return data


def unpack(data: bytes, source: str, version: str, size: int) -> MovieIndex:
    """The index of ``size`` bytes of ``source`` in that version; ``BadSidecar`` says why ``data``
    cannot be believed to be it."""
    fields = _body(data)
    packed_size, tracks, skipped = fields.unpack(_MOVIE)
    packed_version = fields.text()
    if (packed_version, packed_size) != (version, size):
        raise BadSidecar(
            f"it is of version {packed_version} of {packed_size} bytes; "
            f"the file is version {version} of {size}"
        )
    heads = [read_head(fields) for _ in range(tracks)]
    _check_counts([head.count for head in heads], size)
    sizes = [_read_sizes(fields, head.count) for head in heads]
    sizes = [replace(size, marks=read_marks(fields, len(size))) for size in sizes]
    offsets = read_places(fields, sizes, size)
    samples = [read_samples(fields, *known) for known in zip(heads, offsets, sizes, strict=True)]
    left_out = tuple(
        LeftOut(source, fields.text(), fields.text(), bool(*fields.unpack(_EXPECTED)))
        for _ in range(skipped)
    )
    fields.end()
    whole = tuple(head.track(table) for head, table in zip(heads, samples, strict=True))
    return MovieIndex(source, version, size, whole, left_out)


def _body(data: bytes) -> Fields:
    fields = Fields(memoryview(data))
    if fields.take(len(_MAGIC)) != _MAGIC:
        raise BadSidecar("it is no index")
    written, crc = fields.unpack(_HEAD)
    if written != FORMAT:
        raise BadSidecar(f"it is of format {written}; this is format {FORMAT}")
    if zlib.crc32(memoryview(data)[len(_MAGIC) + _HEAD.size :]) != crc:
        raise BadSidecar("it is torn or changed: its checksum does not fit")
    return fields


def _check_counts(counts: Sequence[int], size: int) -> None:
    """As in ``index_movie``: however little a sample is, it is a byte."""
    if not counts or min(counts) == 0:
        raise BadSidecar("it has no track, or one without samples")
    if max(counts) > min(MAX_SAMPLES, size) or sum(counts) > MAX_TOTAL_SAMPLES:
        raise BadSidecar(f"it claims {sum(counts)} samples of a file of {size} bytes")


def _read_sizes(fields: Fields, count: int) -> Column:
    size = read_column(fields, count, 0, _MOST_NUMBER)
    if size.bounds[1] > MAX_SAMPLE_BYTES and size.limits[1] > MAX_SAMPLE_BYTES:
        raise BadSidecar("it has a sample of a size out of bounds")
    return size
