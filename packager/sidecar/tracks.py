"""One track: what it says of itself, and the times of its samples."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packager.codecs import parse_sample_entry
from packager.columns import Column, Rows, Sums
from packager.errors import BadMedia, BadSidecar
from packager.isobmff.boxes import walk
from packager.model import (
    UNITY_MATRIX,
    CodecConfig,
    Edit,
    MediaKind,
    SampleTable,
    Track,
    VideoConfig,
)
from packager.sidecar.columns import pack_column, read_column
from packager.sidecar.fields import Fields, blob, long, text

MAX_TIME = 1 << 62
MAX_SHIFT = 1 << 34

_HEAD = struct.Struct("<III??")
_TIMES = struct.Struct("<q?")


@dataclass(frozen=True, slots=True)
class TrackHead:
    """A track but for its samples, of which it has ``count``."""

    count: int
    track_id: int
    timescale: int
    language: str
    name: str
    config: CodecConfig
    edit: Edit | None
    matrix: bytes

    @property
    def kind(self) -> MediaKind:
        return MediaKind.VIDEO if isinstance(self.config, VideoConfig) else MediaKind.AUDIO

    def track(self, samples: SampleTable) -> Track:
        return Track(
            self.track_id,
            self.kind,
            self.timescale,
            self.language,
            self.name,
            self.config,
            samples,
            self.edit,
            self.matrix,
        )


def pack_head(track: Track) -> bytes:
    edit = track.edit
    has_end = edit is not None and edit.end is not None
    numbers = (len(track.samples), track.track_id, track.timescale, edit is not None, has_end)
    parts = [_HEAD.pack(*numbers), track.matrix]
    if edit is not None:
        parts += map(long, (edit.delay, edit.media_time, edit.end or 0))
    parts += text(track.language), text(track.name), blob(track.config.sample_entry)
    return b"".join(parts)


def read_head(fields: Fields) -> TrackHead:
    count, track_id, timescale, has_edit, has_end = fields.unpack(_HEAD)
    matrix = bytes(fields.take(len(UNITY_MATRIX)))
    edit = None
    if has_edit:
        delay, media_time, end = fields.long(), fields.long(), fields.long()
        edit = Edit(delay, media_time, end if has_end else None)
    language, name = fields.text(), fields.text()
    if not (timescale and language.isascii() and language.replace("-", "").isalnum()):
        raise BadSidecar(f"it has a track of timescale {timescale} in {language!r}")
    config = _read_config(fields.blob())
    return TrackHead(count, track_id, timescale, language, name, config, edit, matrix)


def _read_config(entry: bytes) -> CodecConfig:
    try:
        box = next(walk(memoryview(entry), 0), None)
        if box is None:
            raise BadSidecar("it has a track without a sample entry")
        return parse_sample_entry(box)
    except BadMedia as error:
        raise BadSidecar(f"it has a sample entry that cannot be read: {error}") from error


def pack_times(samples: SampleTable) -> bytes:
    """Without the decode times, which durations add up to."""
    rows = samples.rows()
    return b"".join(
        (
            _TIMES.pack(samples.dts.first, samples.sync is None),
            pack_column(rows.duration),
            pack_column(rows.shift),
            b"" if samples.sync is None else np.packbits(rows.sync, bitorder="little").tobytes(),
        )
    )


def read_samples(fields: Fields, head: TrackHead, offset: Rows, size: Column) -> SampleTable:
    """The whole table, of which ``offset`` and ``size`` are known."""
    first, all_sync = fields.unpack(_TIMES)
    duration = read_column(fields, head.count, 0, MAX_TIME)
    if abs(first) + duration.bounds[1] * head.count > MAX_TIME:  # arrays overflow in silence
        raise BadSidecar("it has times out of bounds")
    shift = read_column(fields, head.count, -MAX_SHIFT, MAX_SHIFT)
    sync = None if all_sync else _read_sync(fields, head.count)
    samples = SampleTable(offset, size, Sums(first, duration), shift, sync)
    if head.kind is MediaKind.VIDEO and sync is not None and not (len(sync) and sync[0] == 0):
        raise BadSidecar("it has pictures that do not begin with a sync sample")
    if samples.end <= 0:
        raise BadSidecar("it has a track of which nothing is shown")
    return samples


def _read_sync(fields: Fields, count: int) -> NDArray[np.int32] | None:
    packed = np.frombuffer(fields.take(-(-count // 8)), np.uint8)
    filled = np.flatnonzero(packed != 0)  # of pictures few are
    bits = np.flatnonzero(np.unpackbits(packed[filled], bitorder="little").view(np.bool_))
    sync = filled[bits >> 3] * 8 + (bits & 7)
    sync = sync[: np.searchsorted(sync, count)]
    return None if len(sync) == count else sync.astype(np.int32)
