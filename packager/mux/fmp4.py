"""CMAF (ISO/IEC 23000-19): an init segment a track, one movie fragment a segment.

The header is generated, the samples are not touched, and every size is known from the sample
table before one media byte is read:

    [styp] [moof: mfhd, traf(tfhd, tfdt, trun)] [mdat header] | byte ranges of the source

Video uses signed composition offsets and no edit list, audio priming an edit list and no offsets
(9.2.1, 7.5.12). Video whose edit starts inside a GOP needs its hidden pictures: it gets an edit
list and offsets that are not negative, so again one of the two.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterator
from fractions import Fraction
from functools import partial
from math import ceil

import numpy as np
from numpy.typing import NDArray

from packager.errors import UnsupportedMedia
from packager.isobmff.writer import box, full_box
from packager.model import (
    UNITY_MATRIX,
    AudioConfig,
    FragmentLayout,
    MediaKind,
    Rendition,
    Samples,
    SampleTable,
    Track,
)
from packager.plan import Splice
from packager.ranges import ByteRange

MEDIA_TYPES = {MediaKind.VIDEO: "video/mp4", MediaKind.AUDIO: "audio/mp4"}

_BASE_IS_MOOF = 0x020000
_TRUN_DATA_OFFSET = 0x1
_TRUN_DURATION, _TRUN_SIZE, _TRUN_FLAGS, _TRUN_SHIFT = 0x100, 0x200, 0x400, 0x800
_SYNC, _NOT_SYNC = 0x02000000, 0x01010000  # depends on none; depends on others, not sync (8.8.3.1)
_TRACK_ID = 1

STYP = box("styp", b"msdh", bytes(4), b"msdhcmfs")
_FTYP = box("ftyp", b"cmfc", bytes(4), b"iso6cmfc")
_MDAT_HEADER = 8
_SBGP_SIZE = 28
# Of a header all but 'sbgp' and the rows of 'trun': moof, mfhd, traf, tfhd, tfdt, trun.
_FIXED_SIZE = len(STYP) + 8 + 16 + 8 + 16 + 20 + 20 + _MDAT_HEADER

# ByteRange._make, but no Python runs in it: an interleaved segment has hundreds of ranges.
_byte_range: Callable[[tuple[int, int]], ByteRange] = partial(tuple.__new__, ByteRange)


def fragment_layout(track: Track) -> FragmentLayout:
    """How ``track`` is written; raises ``UnsupportedMedia`` where an offset leaves 32 bits."""
    samples = track.samples
    least, most = samples.shift.limits
    if samples.start < 0:  # its beginning is hidden
        decode_shift = -samples.dts.first
        media_time = decode_shift - least
    else:
        decode_shift = samples.first_pts - samples.dts.first
        media_time = 0
    least, most = (shift + media_time - decode_shift for shift in (least, most))
    longest = samples.duration.limits[1]
    if max(-least, most, media_time, longest) >= 1 << 31:
        raise UnsupportedMedia(f"track {track.track_id}: a time step does not fit in 32 bits")
    return FragmentLayout(
        decode_shift,
        media_time,
        duration=samples.steady,
        all_sync=samples.sync is None,
        has_shifts=bool(least or most),
        roll=_roll_distance(track),
    )


def segment_sizes(
    samples: SampleTable, layout: FragmentLayout, edges: NDArray[np.int64]
) -> NDArray[np.int64]:
    """Bytes of every whole segment."""
    return head_sizes(layout, np.diff(edges)) + samples.size.sums(edges)


def head_sizes(layout: FragmentLayout, samples: NDArray[np.int64]) -> NDArray[np.int64]:
    """Bytes in front of the first sample, of segments of so many ``samples``."""
    return samples * _trun_row(layout).itemsize + _FIXED_SIZE + (_SBGP_SIZE if layout.roll else 0)


def plan_segment(rendition: Rendition, index: int) -> Splice:
    """Segment ``index``: its header, then the samples where they lie in the source."""
    samples = rendition.track.samples.rows(*rendition.segments.edges[index : index + 2].tolist())
    head = STYP + _moof(index + 1, samples, rendition.layout)
    payload = int(samples.size.sum())
    if _MDAT_HEADER + payload >= 1 << 32:
        raise UnsupportedMedia(f"segment {index} of {rendition.name} is over 4 GiB")
    mdat = struct.pack(">I4s", _MDAT_HEADER + payload, b"mdat")
    return Splice(
        rendition.source,
        MEDIA_TYPES[rendition.track.kind],
        (head + mdat, *_sample_ranges(samples)),
    )


def _sample_ranges(samples: Samples) -> Iterator[ByteRange]:
    """The samples' bytes in order, neighbours in the source joined."""
    ends = samples.offset + samples.size
    apart = np.ones(len(samples), np.bool_)
    np.not_equal(ends[:-1], samples.offset[1:], out=apart[1:])
    (rows,) = apart.nonzero()
    starts, lengths = samples.offset[rows], np.add.reduceat(samples.size, rows)
    if not lengths.all():
        starts, lengths = starts[lengths > 0], lengths[lengths > 0]
    return map(_byte_range, zip(starts.tolist(), lengths.tolist(), strict=True))


def _trun_row(layout: FragmentLayout) -> np.dtype[np.void]:
    columns = [] if layout.duration is not None else [("duration", ">u4")]
    columns.append(("size", ">u4"))
    if not layout.all_sync:
        columns.append(("flags", ">u4"))
    if layout.has_shifts:
        columns.append(("shift", ">i4"))
    return np.dtype(columns)


def _moof(sequence: int, samples: Samples, layout: FragmentLayout) -> bytes:
    mfhd = full_box("mfhd", 0, 0, struct.pack(">I", sequence))
    tfhd = full_box("tfhd", 0, _BASE_IS_MOOF, struct.pack(">I", _TRACK_ID))
    tfdt = full_box("tfdt", 1, 0, struct.pack(">Q", int(samples.dts[0]) + layout.decode_shift))
    rows = _trun_rows(samples, layout)
    sbgp = _sbgp(len(samples)) if layout.roll else b""
    moof_size = 8 + len(mfhd) + 8 + len(tfhd) + len(tfdt) + len(sbgp) + 20 + len(rows)
    flags = _TRUN_DATA_OFFSET | _TRUN_SIZE
    flags |= 0 if layout.duration is not None else _TRUN_DURATION
    flags |= 0 if layout.all_sync else _TRUN_FLAGS
    flags |= _TRUN_SHIFT if layout.has_shifts else 0
    counts = struct.pack(">Ii", len(samples), moof_size + _MDAT_HEADER)
    trun = full_box("trun", 1, flags, counts, rows)
    return box("moof", mfhd, box("traf", tfhd, tfdt, sbgp, trun))


def _sbgp(count: int) -> bytes:
    """All samples of the fragment belong to the init segment's roll group."""
    return full_box("sbgp", 0, 0, b"roll", struct.pack(">3I", 1, count, 1))


def _trun_rows(samples: Samples, layout: FragmentLayout) -> bytes:
    rows = np.empty(len(samples), _trun_row(layout))
    rows["size"] = samples.size
    if layout.duration is None:
        rows["duration"] = samples.duration
    if not layout.all_sync:
        rows["flags"] = _NOT_SYNC
        rows["flags"][samples.sync] = _SYNC
    if layout.has_shifts:
        rows["shift"] = samples.shift + (layout.media_time - layout.decode_shift)
    return rows.tobytes()


def init_segment(rendition: Rendition) -> bytes:
    """The CMAF header of a rendition: 'ftyp' and 'moov' (7.3.1)."""
    track, layout = rendition.track, rendition.layout
    moov = box("moov", _mvhd(track), _trak(track, layout), box("mvex", _trex(layout)))
    return _FTYP + moov


def _mvhd(track: Track) -> bytes:
    fields = struct.pack(">4I", 0, 0, track.timescale, 0)
    fields += struct.pack(">IH10x", 0x10000, 0x100)
    return full_box("mvhd", 0, 0, fields, UNITY_MATRIX, bytes(24), struct.pack(">I", 2))


def _trex(layout: FragmentLayout) -> bytes:
    flags = _SYNC if layout.all_sync else _NOT_SYNC
    return full_box("trex", 0, 0, struct.pack(">5I", _TRACK_ID, 1, layout.duration or 0, 0, flags))


def _trak(track: Track, layout: FragmentLayout) -> bytes:
    parts = [_tkhd(track)]
    if layout.media_time:
        edit = struct.pack(">2Ii2H", 1, 0, layout.media_time, 1, 0)
        parts.append(box("edts", full_box("elst", 0, 0, edit)))
    parts.append(_mdia(track, layout))
    return box("trak", *parts)


def _tkhd(track: Track) -> bytes:
    """Displayed size (8.3.2): 16.16 fixed point, the pixels' shape applied."""
    config = track.config
    if isinstance(config, AudioConfig):
        volume, width, height = 0x100, 0, 0
    else:
        volume, width, height = 0, int(config.width * config.sar * 0x10000), config.height << 16
    fields = struct.pack(">5I8xhhhH", 0, 0, _TRACK_ID, 0, 0, 0, 0, volume, 0)
    return full_box("tkhd", 0, 7, fields, track.matrix, struct.pack(">2I", width, height))


def _mdia(track: Track, layout: FragmentLayout) -> bytes:
    video = track.kind is MediaKind.VIDEO
    mdhd = full_box("mdhd", 0, 0, struct.pack(">4I2H", 0, 0, track.timescale, 0, 0x55C4, 0))
    handler = b"vide" if video else b"soun"
    hdlr = full_box("hdlr", 0, 0, bytes(4), handler, bytes(12), handler, b"\0")
    elng = full_box("elng", 0, 0, track.language.encode(), b"\0")
    media_header = full_box("vmhd", 0, 1, bytes(8)) if video else full_box("smhd", 0, 0, bytes(4))
    url = full_box("url ", 0, 1)
    dinf = box("dinf", full_box("dref", 0, 0, struct.pack(">I", 1), url))
    return box("mdia", mdhd, hdlr, elng, box("minf", media_header, dinf, _stbl(track, layout)))


def _stbl(track: Track, layout: FragmentLayout) -> bytes:
    """No samples, only what they are (CMAF 7.5.9): the tables are there and empty."""
    return box(
        "stbl",
        full_box("stsd", 0, 0, struct.pack(">I", 1), track.config.sample_entry),
        full_box("stts", 0, 0, bytes(4)),
        full_box("stsc", 0, 0, bytes(4)),
        full_box("stsz", 0, 0, bytes(8)),
        full_box("stco", 0, 0, bytes(4)),
        *_roll_group(layout),
    )


def _roll_group(layout: FragmentLayout) -> Iterator[bytes]:
    """'sgpd' of type 'roll' (10.1): how many samples to decode before one sounds right."""
    if layout.roll:
        yield full_box("sgpd", 1, 0, b"roll", struct.pack(">2Ih", 2, 1, -layout.roll))


def _roll_distance(track: Track) -> int:
    config = track.config
    if not isinstance(config, AudioConfig) or not config.roll_distance:
        return 0
    usual = track.samples.steady
    if usual is None:
        usual = int(np.median(track.samples.rows().duration))
    frame = Fraction(usual, track.timescale) * config.sample_rate
    return min(ceil(config.roll_distance / frame) if frame > 1 else config.roll_distance, 0x7FFF)
