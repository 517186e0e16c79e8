"""AVC in 'avc1' and 'avc3' (ISO/IEC 14496-15 5; codec string: Annex E.2)."""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs import visual
from packager.codecs.avc_sps import read_sps
from packager.codecs.bits import BitReader
from packager.codecs.entry import copy
from packager.isobmff.boxes import Box
from packager.model import VideoConfig

_SETS_ONLY_HERE = ("avc1", "dva1")


class AvcConfiguration(NamedTuple):
    """AVCDecoderConfigurationRecord (5.3.3.1); ``profile``: profile, compatibility and level."""

    profile: bytes
    sps: list[bytes]
    pps: list[bytes]


def parse(box: Box) -> VideoConfig:
    entry, shown = visual.read(box)
    avcc = entry.require("avcC")
    record = _read_configuration(avcc)
    if box.type in _SETS_ONLY_HERE and not (record.sps and record.pps):
        raise avcc.bad("lacks a sequence or picture parameter set")
    if record.sps:
        shown = shown.or_else(read_sps(record.sps[0], avcc))
    rfc6381 = f"{box.type}.{record.profile.hex()}"
    return visual.config(entry, "avc", box.type, rfc6381, copy(avcc), shown)


def _read_configuration(avcc: Box) -> AvcConfiguration:
    bits = BitReader(avcc.body, avcc)
    if bits.read(8) != 1:
        raise avcc.bad("configurationVersion is not 1")
    profile = bits.take(3)
    bits.skip(8)  # lengthSizeMinusOne
    sps = [bits.take(bits.read(16)) for _ in range(bits.read(8) & 0x1F)]
    pps = [bits.take(bits.read(16)) for _ in range(bits.read(8))]
    return AvcConfiguration(profile, sps, pps)
