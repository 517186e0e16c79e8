"""A second reader of fragmented MP4: what a player would make of init and segments.

Used on our output and on other packagers' alike; it shares no code with the packager.
"""

from __future__ import annotations

import hashlib
import struct
from collections.abc import Iterator
from dataclasses import dataclass
from fractions import Fraction
from typing import NamedTuple

from tests.support.atoms import Atom, atoms

NON_SYNC = 0x10000


@dataclass(frozen=True)
class Sample:
    """Times in ticks; ``pts`` with the edit list applied, ``dts`` as 'tfdt' and 'trun' say."""

    dts: int
    pts: int
    composition: int
    duration: int
    sync: bool
    digest: str


@dataclass(frozen=True)
class FragmentedTrack:
    timescale: int
    samples: tuple[Sample, ...]

    def seconds(self, ticks: int) -> Fraction:
        return Fraction(ticks, self.timescale)


class Row(NamedTuple):
    """One sample as a 'trun' and the defaults under it describe it."""

    duration: int
    size: int
    flags: int
    composition: int


def read_fragmented(data: bytes) -> FragmentedTrack:
    """The one track of a file of 'moov' and any number of fragments."""
    boxes = list(atoms(data))
    (moov,) = (box for box in boxes if box.name == "moov")
    mdhd = moov.only("trak", "mdia", "mdhd")
    (timescale,) = mdhd.fields("I", 4 + (16 if mdhd.version else 8))
    shift = _edit_shift(moov, timescale)
    defaults = track_defaults(moov)
    samples = tuple(
        sample
        for moof in boxes
        if moof.name == "moof"
        for sample in _traf_samples(data, moof, defaults, shift)
    )
    return FragmentedTrack(timescale, samples)


def track_defaults(moov: Atom) -> Row:
    duration, size, flags = moov.only("mvex", "trex").fields("3I", 12)
    return Row(duration, size, flags, 0)


def _edit_shift(moov: Atom, timescale: int) -> int:
    elst = moov.maybe("trak", "edts", "elst")
    if elst is None:
        return 0
    mvhd = moov.only("mvhd")
    (movie_timescale,) = mvhd.fields("I", 4 + (16 if mvhd.version else 8))
    layout = struct.Struct(">QqI" if elst.version else ">IiI")
    (count,) = elst.fields("I")
    assert len(elst.body) == 8 + count * layout.size
    shift = 0
    for duration, media_time, rate in layout.iter_unpack(elst.body[8:]):
        assert rate == 0x10000
        if media_time >= 0:
            return shift - int(media_time)
        shift += duration * timescale // movie_timescale
    return shift


def _traf_samples(data: bytes, moof: Atom, defaults: Row, shift: int) -> Iterator[Sample]:
    traf = moof.only("traf")
    base, defaults = _fragment_defaults(traf.only("tfhd"), moof.start, defaults)
    tfdt = traf.only("tfdt")
    (dts,) = tfdt.fields("Q" if tfdt.version else "I")
    position = base
    for trun in traf.every("trun"):
        if trun.flags & 0x1:
            position = base + trun.fields("i", 8)[0]
        for row in run_rows(trun, defaults):
            sample = data[position : position + row.size]
            assert len(sample) == row.size
            yield Sample(
                dts=dts,
                pts=dts + row.composition + shift,
                composition=row.composition,
                duration=row.duration,
                sync=not row.flags & NON_SYNC,
                digest=hashlib.sha256(sample).hexdigest(),
            )
            dts += row.duration
            position += row.size


def _fragment_defaults(tfhd: Atom, moof_start: int, defaults: Row) -> tuple[int, Row]:
    """Where data offsets count from, and what the runs leave unsaid."""
    at, base = 8, moof_start
    if tfhd.flags & 0x1:
        (base,) = tfhd.fields("Q", at)
        at += 8
    at += 4 if tfhd.flags & 0x2 else 0
    for bit, name in ((0x8, "duration"), (0x10, "size"), (0x20, "flags")):
        if tfhd.flags & bit:
            defaults = defaults._replace(**{name: tfhd.fields("I", at)[0]})
            at += 4
    assert at == len(tfhd.body)
    return base, defaults


def run_rows(trun: Atom, defaults: Row) -> list[Row]:
    (count,) = trun.fields("I")
    at = 8 + (4 if trun.flags & 0x1 else 0)
    rows = [defaults] * count
    if trun.flags & 0x4:
        rows[0] = rows[0]._replace(flags=trun.fields("I", at)[0])
        at += 4
    columns = [(0x100, "duration"), (0x200, "size"), (0x400, "flags"), (0x800, "composition")]
    present = [name for bit, name in columns if trun.flags & bit]
    kinds = "".join("i" if name == "composition" and trun.version else "I" for name in present)
    layout = struct.Struct(">" + kinds)
    assert len(trun.body) == at + count * layout.size
    values = layout.iter_unpack(trun.body[at:]) if present else [()] * count
    return [
        row._replace(**dict(zip(present, said, strict=True)))
        for row, said in zip(rows, values, strict=True)
    ]
