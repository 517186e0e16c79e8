"""AV1 in 'av01' (AV1 Codec ISO Media File Format Binding 2; codec string: section 5)."""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs import visual
from packager.codecs.av1_sequence import read_configuration_obus
from packager.codecs.bits import BitReader
from packager.codecs.colour import UNSPECIFIED
from packager.codecs.entry import copy
from packager.isobmff.boxes import Box
from packager.model import Colour, VideoConfig

_RECORD_SIZE = 4
_PROFILES = 3
# The tail that may be left out, for BT.709; so it is for colour that is not said.
_DEFAULT_TAILS = ("0.110.01.01.01.0", "0.110.02.02.02.0")


class Av1Configuration(NamedTuple):
    """AV1CodecConfigurationRecord (2.3.3); ``chroma``: subsampling x and y, sample position."""

    profile: int
    level: int
    tier: int
    depth: int
    monochrome: int
    chroma: str

    def codec(self, colour: Colour | None) -> str:
        head = f"av01.{self.profile}.{self.level:02d}{'MH'[self.tier]}.{self.depth:02d}"
        colour = colour or UNSPECIFIED
        tail = (
            f"{self.monochrome}.{self.chroma}.{colour.primaries:02d}.{colour.transfer:02d}."
            f"{colour.matrix:02d}.{colour.full_range:d}"
        )
        return head if tail in _DEFAULT_TAILS else f"{head}.{tail}"


def parse(box: Box) -> VideoConfig:
    entry, shown = visual.read(box)
    av1c = entry.require("av1C")
    record = _read_configuration(av1c)
    coded = read_configuration_obus(bytes(av1c.body[_RECORD_SIZE:]), av1c)
    picture = shown.or_else(coded)
    rfc6381 = record.codec(picture.colour)
    return visual.config(entry, "av1", box.type, rfc6381, copy(av1c), picture)


def _read_configuration(av1c: Box) -> Av1Configuration:
    bits = BitReader(av1c.body, av1c)
    if bits.read(8) != 0x81:
        raise av1c.bad("marker and version are not 1")
    profile, level, tier = bits.read(3), bits.read(5), bits.read(1)
    if profile >= _PROFILES:
        raise av1c.bad(f"AV1 profile {profile} is not known")
    high_depth, twelve_bit, monochrome = bits.read(1), bits.read(1), bits.read(1)
    across, down, position = bits.read(1), bits.read(1), bits.read(2)
    bits.skip(8)  # initial presentation delay
    chroma = f"{across}{down}{position if across and down else 0}"
    depth = 8 + 2 * high_depth + 2 * (high_depth and twelve_bit)
    return Av1Configuration(profile, level, tier, depth, monochrome, chroma)
