"""A second reader of fragmented MP4: what a player would make of init and segments.

Used on our output and on other packagers' alike; it shares no code with the packager.
"""

from __future__ import annotations

import hashlib
import struct
from dataclasses import dataclass
from fractions import Fraction

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
    size: int


@dataclass(frozen=True)
class FragmentedTrack:
    timescale: int
    samples: tuple[Sample, ...]

    def seconds(self, ticks: int) -> Fraction:
        return Fraction(ticks, self.timescale)


def read_fragmented(data: bytes) -> FragmentedTrack:
    """The one track of a file of 'moov' and any number of fragments."""
    boxes = list(atoms(data))
    (moov,) = (box for box in boxes if box.name == "moov")
    trak = moov.only("trak")
    mdhd = trak.only("mdia", "mdhd")
    (timescale,) = mdhd.fields("I", 4 + (16 if mdhd.version else 8))
    shift = _edit_shift(trak, moov, timescale)
    defaults = moov.only("mvex", "trex").fields("3I", 12)
    samples: list[Sample] = []
    for box in boxes:
        if box.name == "moof":
            for traf in box.every("traf"):
                samples += _traf_samples(data, box, traf, defaults, shift)
    return FragmentedTrack(timescale, tuple(samples))


def _edit_shift(trak: Atom, moov: Atom, timescale: int) -> int:
    elst = trak.maybe("edts", "elst")
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


def _traf_samples(
    data: bytes, moof: Atom, traf: Atom, defaults: tuple[int, ...], shift: int
) -> list[Sample]:
    tfhd = traf.only("tfhd")
    at, base = 8, moof.start
    duration, size, flags = defaults
    if tfhd.flags & 0x1:
        (base,) = tfhd.fields("Q", at)
        at += 8
    at += 4 if tfhd.flags & 0x2 else 0
    for bit in (0x8, 0x10, 0x20):
        if tfhd.flags & bit:
            (value,) = tfhd.fields("I", at)
            at += 4
            if bit == 0x8:
                duration = value
            elif bit == 0x10:
                size = value
            else:
                flags = value
    tfdt = traf.only("tfdt")
    (dts,) = tfdt.fields("Q" if tfdt.version else "I")
    samples: list[Sample] = []
    position = base
    for trun in traf.every("trun"):
        count, at = trun.fields("I")[0], 8
        if trun.flags & 0x1:
            position = base + trun.fields("i", at)[0]
            at += 4
        first_flags = None
        if trun.flags & 0x4:
            (first_flags,) = trun.fields("I", at)
            at += 4
        for n in range(count):
            row = {0x100: duration, 0x200: size, 0x400: flags, 0x800: 0}
            for bit in row:
                if trun.flags & bit:
                    signed = bit == 0x800 and trun.version
                    (row[bit],) = trun.fields("i" if signed else "I", at)
                    at += 4
            if n == 0 and first_flags is not None:
                row[0x400] = first_flags
            payload = data[position : position + row[0x200]]
            assert len(payload) == row[0x200]
            samples.append(
                Sample(
                    dts,
                    dts + row[0x800] + shift,
                    row[0x800],
                    row[0x100],
                    not row[0x400] & NON_SYNC,
                    hashlib.sha256(payload).hexdigest(),
                    len(payload),
                )
            )
            dts += row[0x100]
            position += row[0x200]
        assert at == len(trun.body)
    return samples
