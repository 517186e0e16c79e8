"""Long MP4 files out of a short one: its samples again and again.

The sample tables are those of the whole length; so are the media data, unless the file is
``hollow``: then they are a hole, and the file serves to index and to list, not to play.

    [ftyp] [moov: the loop's tables, ``turns`` times] [mdat: the loop's samples, ``turns`` times]

Samples lie in the file in the order of their decode times, each change of track begins a chunk:
with several tracks that is how FFmpeg interleaves, down to a chunk a picture.
"""

from __future__ import annotations

import os
import struct
from collections.abc import Sequence
from dataclasses import dataclass, replace
from pathlib import Path

import numpy as np
from numpy.typing import NDArray

from packager.isobmff.writer import box, full_box
from packager.model import UNITY_MATRIX, MediaKind, MovieIndex, SampleTable, Track, VideoConfig
from packager.movie import index_movie

MOVIE_TIMESCALE = 1000

_FTYP = box("ftyp", b"isom", bytes(4), b"isomiso2avc1mp41")
_DATA_HERE = full_box("dref", 0, 0, struct.pack(">I", 1), full_box("url ", 0, 1))

Rows = NDArray[np.int64]


@dataclass(frozen=True, slots=True, eq=False)
class Loop:
    """Tracks whose first ``seconds`` are whole samples; ``data`` is the file they were read
    from."""

    seconds: int
    tracks: tuple[Track, ...]
    data: bytes

    @classmethod
    def read(cls, path: Path, seconds: int) -> Loop:
        tracks = tuple(_cut(track, seconds) for track in index_file(path).tracks)
        return cls(seconds, tracks, path.read_bytes())

    def only(self, kind: MediaKind) -> Loop:
        return Loop(self.seconds, tuple(t for t in self.tracks if t.kind is kind), self.data)


@dataclass(frozen=True, slots=True, eq=False)
class _Layout:
    """One turn's samples in the order of the file: whose they are, where and how long."""

    track: Rows
    source: Rows
    size: Rows
    new_chunk: NDArray[np.bool_]

    @property
    def offset(self) -> Rows:
        return np.cumsum(self.size) - self.size

    @property
    def nbytes(self) -> int:
        return int(self.size.sum())


def index_file(path: Path) -> MovieIndex:
    """Index a file as a storage does: nothing of it is known but its size."""
    fd = os.open(path, os.O_RDONLY)
    try:
        reader = index_movie(path.name, "1", os.fstat(fd).st_size)
        wanted = next(reader)
        while True:
            wanted = reader.send(os.pread(fd, wanted.length, wanted.start))
    except StopIteration as finished:
        index: MovieIndex = finished.value
        return index
    finally:
        os.close(fd)


def write_title(path: Path, loop: Loop, turns: int, *, hollow: bool = False) -> None:
    """Write ``turns`` x ``loop.seconds`` of media."""
    layout = _lay_out(loop.tracks)
    size = 16 + layout.nbytes * turns
    start = len(_FTYP) + len(_moov(loop, layout, turns, 0)) + 16
    with path.open("wb") as file:
        file.write(_FTYP + _moov(loop, layout, turns, start))
        file.write(struct.pack(">I4sQ", 1, b"mdat", size))
        if hollow:
            file.truncate(start - 16 + size)
            return
        media = b"".join(
            loop.data[offset : offset + length]
            for offset, length in zip(layout.source.tolist(), layout.size.tolist(), strict=True)
        )
        for _ in range(turns):
            file.write(media)


def _cut(track: Track, seconds: int) -> Track:
    """The samples of the loop, which end where it ends or the next turn would be out of step."""
    dts = track.samples.rows().dts
    count = int(np.searchsorted(dts, dts[0] + seconds * track.timescale))
    rows = track.samples.rows(0, count)
    if int(rows.duration.sum()) != seconds * track.timescale:
        raise ValueError(f"{seconds} s of track {track.track_id} are not whole samples")
    samples = SampleTable.of(
        rows.offset, rows.size, int(dts[0]), rows.duration, rows.shift, rows.sync
    )
    return replace(track, samples=samples)


def _lay_out(tracks: Sequence[Track]) -> _Layout:
    rows = [track.samples.rows() for track in tracks]
    times = np.concatenate(
        [(r.dts - r.dts[0]) / t.timescale for r, t in zip(rows, tracks, strict=True)]
    )
    order = np.argsort(times, kind="stable")
    owner = np.repeat(np.arange(len(tracks)), [len(r) for r in rows])[order]
    sync = np.concatenate(
        [r.sync & (t.kind is MediaKind.VIDEO) for r, t in zip(rows, tracks, strict=True)]
    )[order]
    return _Layout(
        track=owner,
        source=np.concatenate([r.offset for r in rows])[order],
        size=np.concatenate([r.size for r in rows])[order],
        new_chunk=np.concatenate(([True], owner[1:] != owner[:-1])) | sync,
    )


def _moov(loop: Loop, layout: _Layout, turns: int, start: int) -> bytes:
    duration = loop.seconds * turns * MOVIE_TIMESCALE
    mvhd = struct.pack(">4IIH10x", 0, 0, MOVIE_TIMESCALE, duration, 0x10000, 0x100)
    next_track = struct.pack(">I", len(loop.tracks) + 1)
    traks = []
    for number, track in enumerate(loop.tracks):
        mine = np.flatnonzero(layout.track == number)
        chunks = np.flatnonzero(layout.new_chunk[mine])
        turn_offsets = start + np.arange(turns)[:, np.newaxis] * layout.nbytes
        offsets = (turn_offsets + layout.offset[mine[chunks]]).ravel()
        counts = np.tile(np.diff(np.append(chunks, len(mine))), turns)
        stbl = _stbl(track, turns, _stsc(counts), _co64(offsets))
        traks.append(_trak(track, number + 1, duration, loop.seconds * turns, stbl))
    head = full_box("mvhd", 0, 0, mvhd, UNITY_MATRIX, bytes(24), next_track)
    return box("moov", head, *traks)


def _trak(track: Track, track_id: int, duration: int, seconds: int, stbl: bytes) -> bytes:
    config = track.config
    video = isinstance(config, VideoConfig)
    picture = (config.width, config.height) if isinstance(config, VideoConfig) else (0, 0)
    volume = 0 if video else 0x100
    tkhd = struct.pack(">5I8xhhhH", 0, 0, track_id, 0, duration, 0, 0, volume, 0)
    shown = struct.pack(">2I", *(side << 16 for side in picture))
    edit = struct.pack(">2Ii2H", 1, duration, -track.samples.dts.first, 1, 0)
    mdhd = struct.pack(">4I2H", 0, 0, track.timescale, seconds * track.timescale, 0x55C4, 0)
    handler = b"vide" if video else b"soun"
    media_header = full_box("vmhd", 0, 1, bytes(8)) if video else full_box("smhd", 0, 0, bytes(4))
    return box(
        "trak",
        full_box("tkhd", 0, 3, tkhd, track.matrix, shown),
        box("edts", full_box("elst", 0, 0, edit)),
        box(
            "mdia",
            full_box("mdhd", 0, 0, mdhd),
            full_box("hdlr", 0, 0, bytes(4), handler, bytes(12), b"\0"),
            box("minf", media_header, box("dinf", _DATA_HERE), stbl),
        ),
    )


def _stbl(track: Track, turns: int, stsc: bytes, co64: bytes) -> bytes:
    samples = track.samples.rows()
    shifts = np.tile(samples.shift, turns)
    sizes = np.tile(samples.size, turns)
    parts = [
        full_box("stsd", 0, 0, struct.pack(">I", 1), track.config.sample_entry),
        _table("stts", _runs(np.tile(samples.duration, turns))),
        stsc,
        full_box("stsz", 0, 0, struct.pack(">2I", 0, len(sizes)), _u32(sizes)),
        co64,
    ]
    if shifts.any():
        parts.append(_table("ctts", _runs(shifts)))
    if not samples.sync.all():
        parts.append(_table("stss", np.flatnonzero(np.tile(samples.sync, turns)) + 1))
    return box("stbl", *parts)


def _stsc(counts: Rows) -> bytes:
    """Samples a chunk, one row for each run of chunks that have as many."""
    runs = _runs(counts)
    first = np.cumsum(runs[:, 0]) - runs[:, 0] + 1
    return _table("stsc", np.column_stack((first, runs[:, 1], np.ones(len(runs), np.int64))))


def _co64(offsets: Rows) -> bytes:
    return full_box("co64", 0, 0, struct.pack(">I", len(offsets)), offsets.astype(">u8").tobytes())


def _runs(values: Rows) -> Rows:
    """Rows of (how many, of what)."""
    starts = np.flatnonzero(np.concatenate(([True], values[1:] != values[:-1])))
    return np.column_stack((np.diff(np.append(starts, len(values))), values[starts]))


def _table(name: str, rows: Rows) -> bytes:
    return full_box(name, 0, 0, struct.pack(">I", len(rows)), _u32(rows))


def _u32(values: NDArray[np.integer]) -> bytes:
    return values.astype(">u4").tobytes()
