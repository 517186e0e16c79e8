"""One track: what it says of itself, and the times of its samples."""

from __future__ import annotations

import struct
from dataclasses import dataclass

import numpy as np
from numpy.typing import NDArray

from packager.codecs import parse_sample_entry
from packager.errors import BadMedia, BadSidecar
from packager.isobmff.boxes import walk
from packager.isobmff.tables import sums_before
from packager.model import (
    UNITY_MATRIX,
    CodecConfig,
    Edit,
    MediaKind,
    SampleTable,
    Track,
    VideoConfig,
)
from packager.sidecar.columns import Column, PackedColumn, blocks, pack_column, read_column
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
    if not np.array_equal(np.diff(samples.dts), samples.duration[:-1]):
        raise ValueError("a duration is not the distance to the next sample")
    all_sync = bool(samples.sync.all())
    return b"".join(
        (
            _TIMES.pack(int(samples.dts[0]), all_sync),
            pack_column(samples.duration),
            pack_column(samples.pts - samples.dts),
            b"" if all_sync else np.packbits(samples.sync, bitorder="little").tobytes(),
        )
    )


def read_samples(
    fields: Fields, head: TrackHead, offset: Column, size: NDArray[np.int32]
) -> SampleTable:
    """The whole table, of which ``offset`` and ``size`` are known."""
    first, all_sync = fields.unpack(_TIMES)
    durations = read_column(fields, head.count, 0, MAX_TIME)
    if abs(first) + durations.most * head.count > MAX_TIME:  # arrays overflow in silence
        raise BadSidecar("it has times out of bounds")
    duration = durations.expand(head.count, np.int64)
    step = durations.constant
    end = first + (step or 0) * head.count
    dts = np.arange(first, end, step) if step else sums_before(duration, first)
    pts = _presentation_times(dts, read_column(fields, head.count, -MAX_SHIFT, MAX_SHIFT))
    sync = _read_sync(fields, head.count, bool(all_sync))
    samples = SampleTable(offset, size, dts, pts, duration, sync)
    if head.kind is MediaKind.VIDEO and not sync[0]:
        raise BadSidecar("it has pictures that do not begin with a sync sample")
    if samples.end <= 0:
        raise BadSidecar("it has a track of which nothing is shown")
    return samples


def _presentation_times(dts: Column, shift: PackedColumn) -> Column:
    if shift.constant == 0:
        return dts
    pts = np.empty(len(dts), np.int64)
    for block in blocks(len(dts)):
        pts[block] = dts[block]
        shift.add_to(pts[block], block)
    return pts


def _read_sync(fields: Fields, count: int, all_sync: bool) -> NDArray[np.bool_]:
    if all_sync:
        return np.broadcast_to(np.True_, count)
    bits = np.frombuffer(fields.take(-(-count // 8)), np.uint8)
    return np.unpackbits(bits, count=count, bitorder="little").view(np.bool_)
