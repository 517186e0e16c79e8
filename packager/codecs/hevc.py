"""HEVC in 'hvc1' and 'hev1' (ISO/IEC 14496-15 8; codec string: Annex E.3).

Apple plays only 'hvc1', so 'hev1' is renamed whenever its parameter sets are all in the sample
entry.
"""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs import visual
from packager.codecs.bits import BitReader
from packager.codecs.hevc_sps import read_sps
from packager.isobmff import writer
from packager.isobmff.boxes import Box
from packager.model import VideoConfig

_VPS, _SPS, _PPS = 32, 33, 34
_PARAMETER_SETS = frozenset({_VPS, _SPS, _PPS})
_MAX_NALS = 256  # of one type
_ARRAY_COMPLETENESS = 0x80
_SETS_ONLY_HERE = {"hev1": "hvc1", "hvc1": "hvc1", "dvhe": "dvh1", "dvh1": "dvh1"}


class NalArray(NamedTuple):
    """``at``: of the array's first byte in the record."""

    at: int
    type: int
    nals: list[bytes]


class HevcConfiguration(NamedTuple):
    """HEVCDecoderConfigurationRecord (8.3.3.1), as far as it is used."""

    profile_space: int
    tier: int
    profile: int
    compatibility: int
    constraints: bytes
    level: int
    arrays: list[NalArray]

    def codec(self, fourcc: str) -> str:
        space = ("", "A", "B", "C")[self.profile_space]
        compatibility = int(f"{self.compatibility:032b}"[::-1], 2)
        level = f"{'LH'[self.tier]}{self.level}"
        constraints = [f"{byte:02X}" for byte in self.constraints.rstrip(b"\0")]
        return ".".join(
            (fourcc, f"{space}{self.profile}", f"{compatibility:X}", level, *constraints)
        )

    def nals(self, kind: int) -> list[bytes]:
        return [nal for array in self.arrays if array.type == kind for nal in array.nals]


def parse(box: Box) -> VideoConfig:
    entry, shown = visual.read(box)
    hvcc = entry.require("hvcC")
    record = _read_configuration(hvcc)
    for sps in record.nals(_SPS)[:1]:
        shown = shown.or_else(read_sps(sps, hvcc))
    body, fourcc = bytes(hvcc.body), box.type
    if all(record.nals(kind) for kind in _PARAMETER_SETS):
        body, fourcc = _mark_complete(body, record), _SETS_ONLY_HERE[fourcc]
    elif fourcc == _SETS_ONLY_HERE[fourcc]:
        raise hvcc.bad("lacks a video, sequence or picture parameter set")
    configuration = writer.box("hvcC", body)
    return visual.config(entry, "hevc", fourcc, record.codec(fourcc), configuration, shown)


def _read_configuration(hvcc: Box) -> HevcConfiguration:
    bits = BitReader(hvcc.body, hvcc)
    if bits.read(8) != 1:
        raise hvcc.bad("configurationVersion is not 1")
    space, tier, profile = bits.read(2), bits.read(1), bits.read(5)
    compatibility, constraints, level = bits.read(32), bits.take(6), bits.read(8)
    bits.skip(72)  # segmentation, parallelism, chroma, bit depths, frame rate, NAL length
    arrays = [_read_array(bits, len(hvcc.body)) for _ in range(bits.read(8))]
    return HevcConfiguration(space, tier, profile, compatibility, constraints, level, arrays)


def _read_array(bits: BitReader, size: int) -> NalArray:
    at = size - bits.left // 8
    kind, count = bits.read(8) & 0x3F, bits.read(16)
    if count > _MAX_NALS:
        raise bits.source.bad(f"claims {count} NAL units of type {kind}")
    return NalArray(at, kind, [bits.take(bits.read(16)) for _ in range(count)])


def _mark_complete(body: bytes, record: HevcConfiguration) -> bytes:
    """'hvc1' promises that no parameter set is in the samples (8.4.1.1)."""
    marked = bytearray(body)
    for array in record.arrays:
        if array.type in _PARAMETER_SETS:
            marked[array.at] |= _ARRAY_COMPLETENESS
    return bytes(marked)
