"""Movie fragments in: 'moof' boxes to columns (ISO/IEC 14496-12 8.8).

``TrackFragments`` gathers the runs of one track over the whole file; the defaults of 'trex' and
'tfhd' are resolved as each run is read.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass, field
from itertools import pairwise

import numpy as np

from packager.errors import LimitExceeded
from packager.isobmff.boxes import Box, children, require
from packager.isobmff.tables import Columns, check_description, sums_before

NON_SYNC = 0x10000  # sample_is_non_sync_sample (8.8.3.1)

_TREX = struct.Struct(">5I")
_TFHD_FIELDS = ((0x1, 8), (0x2, 4), (0x8, 4), (0x10, 4), (0x20, 4))
_TRUN_COLUMNS = ((0x100, "duration", ">u4"), (0x200, "size", ">u4"), (0x400, "flags", ">u4"))
_BASE_IS_MOOF = 0x020000
_RUNS_TO_JOIN = 1024


@dataclass(frozen=True, slots=True)
class Defaults:
    """What a run leaves unsaid: index of the sample ``description``, ``duration`` in ticks,
    ``size`` in bytes, sample ``flags``."""

    description: int
    duration: int
    size: int
    flags: int


def read_trex(trex: Box) -> tuple[int, Defaults]:
    """Track id and defaults of 'trex' (8.8.3)."""
    track_id, *defaults = trex.unpack(_TREX, 4)
    return track_id, Defaults(*defaults)


@dataclass(slots=True)
class TrackFragments:
    """``next_dts``: where the track's next sample decodes if 'tfdt' does not say; ``runs`` that
    have piled up are joined now and then, as one of a single sample is mostly overhead."""

    defaults: Defaults
    max_samples: int
    next_dts: int = 0
    count: int = 0
    runs: list[Columns] = field(default_factory=list)
    joined: list[Columns] = field(default_factory=list)

    def add(self, run: Columns, where: Box) -> None:
        self.room_for(len(run), where)
        self.count += len(run)
        self.next_dts = run.end
        self.runs.append(run)
        if len(self.runs) == _RUNS_TO_JOIN:
            self.joined.append(_join(self.runs))
            self.runs = []

    def room_for(self, more: int, where: Box) -> None:
        if self.count + more > self.max_samples:
            raise LimitExceeded(
                f"{self.count + more} samples, more than {self.max_samples}",
                box=where.type,
                offset=where.offset,
            )

    def columns(self) -> Columns:
        return _join([*self.joined, *self.runs])


def _join(runs: list[Columns]) -> Columns:
    """All runs as one table; each duration reaches to the next sample, over gaps too."""
    runs = [run for run in runs if len(run)] or runs[:1]
    if len(runs) == 1:
        return runs[0]
    lengths = [len(run) for run in runs]
    duration = np.concatenate([run.duration for run in runs])
    gaps = [later.first_dts - run.end for run, later in pairwise(runs)]
    duration[np.cumsum(lengths[:-1]) - 1] += gaps
    return Columns(
        offset=np.concatenate([run.offset for run in runs]),
        size=np.concatenate([run.size for run in runs]),
        first_dts=runs[0].first_dts,
        duration=duration,
        shift=np.concatenate([run.shift for run in runs]),
        sync=np.concatenate([run.sync for run in runs]),
    )


def read_moof(moof: Box, tracks: dict[int, TrackFragments]) -> None:
    """Add the runs of one 'moof' to their tracks; other track ids are passed over."""
    data_end = moof.offset
    for traf in children(moof):
        if traf.type == "traf":
            data_end = _read_traf(traf, moof.offset, data_end, tracks)


def _read_traf(
    traf: Box, moof_offset: int, data_end: int, tracks: dict[int, TrackFragments]
) -> int:
    tfhd = require(traf, "tfhd")
    flags, values = _tfhd_values(tfhd)
    track = tracks.get(values["track_id"])
    if track is None:
        return data_end
    base = values.get("base", moof_offset if flags & _BASE_IS_MOOF else data_end)
    defaults = Defaults(
        values.get("description", track.defaults.description),
        values.get("duration", track.defaults.duration),
        values.get("size", track.defaults.size),
        values.get("flags", track.defaults.flags),
    )
    check_description(tfhd, defaults.description)
    position = base
    for child in children(traf):
        if child.type == "tfdt":
            track.next_dts = _decode_time(child)
        elif child.type == "trun":
            run, position = _read_trun(child, base, position, track, defaults)
            track.add(run, child)
    return position


def _tfhd_values(tfhd: Box) -> tuple[int, dict[str, int]]:
    _, flags, fields = tfhd.full()
    tfhd.need(8)
    values = {"track_id": int.from_bytes(fields[:4], "big")}
    at = 4
    names = ("base", "description", "duration", "size", "flags")
    for name, (bit, width) in zip(names, _TFHD_FIELDS, strict=True):
        if flags & bit:
            tfhd.need(4 + at + width)
            values[name] = int.from_bytes(fields[at : at + width], "big")
            at += width
    if values.get("base", 0) >= 1 << 62:
        raise tfhd.bad("base data offset is beyond any file")
    return flags, values


def _decode_time(tfdt: Box) -> int:
    version, _, fields = tfdt.full()
    width = 8 if version else 4
    tfdt.need(4 + width)
    time = int.from_bytes(fields[:width], "big")
    if time >= 1 << 62:
        raise tfdt.bad(f"decode time {time} is beyond any title")
    return time


def _read_trun(
    trun: Box, base: int, position: int, track: TrackFragments, defaults: Defaults
) -> tuple[Columns, int]:
    """The run's columns and where its data ends (8.8.8)."""
    _, flags, fields = trun.full()
    trun.need(8)
    count, at = int.from_bytes(fields[:4], "big"), 4
    if flags & 0x1:
        trun.need(4 + at + 4)
        position = base + int.from_bytes(fields[at : at + 4], "big", signed=True)
        at += 4
    first_flags = None
    if flags & 0x4:
        trun.need(4 + at + 4)
        first_flags = int.from_bytes(fields[at : at + 4], "big")
        at += 4
    if position < 0:
        raise trun.bad("data offset points before the file")
    layout = [(name, kind) for bit, name, kind in _TRUN_COLUMNS if flags & bit]
    if flags & 0x800:
        layout.append(("composition", ">i4"))
    dtype = np.dtype(layout)
    if count * dtype.itemsize > len(fields) - at:
        raise trun.bad(f"claims {count} samples but holds {len(fields) - at} bytes of them")
    track.room_for(count, trun)  # a run of nothing but defaults has rows of no bytes
    rows = np.frombuffer(fields, dtype, count, at) if layout else np.empty(count, dtype)

    def column(name: str, default: int) -> np.ndarray[tuple[int], np.dtype[np.int64]]:
        if name in (dtype.names or ()):
            return rows[name].astype(np.int64)
        return np.full(count, default, np.int64)

    size = column("size", defaults.size)
    duration = column("duration", defaults.duration)
    sample_flags = column("flags", defaults.flags)
    if first_flags is not None and count:
        sample_flags[0] = first_flags
    offset = sums_before(size, position)
    run = Columns(
        offset=offset,
        size=size.astype(np.uint32),
        first_dts=track.next_dts,
        duration=duration,
        shift=column("composition", 0).astype(np.int32),
        sync=(sample_flags & NON_SYNC) == 0,
    )
    return run, int(offset[-1] + size[-1]) if count else position
