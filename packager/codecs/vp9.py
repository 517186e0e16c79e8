"""VP9 in 'vp09' (VP Codec ISO Media File Format Binding 1.0)."""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs import visual
from packager.codecs.bits import BitReader
from packager.codecs.colour import UNSPECIFIED, code_points
from packager.codecs.entry import copy, unsupported
from packager.codecs.visual import Picture
from packager.isobmff.boxes import Box
from packager.model import Colour, VideoConfig

_PROFILES = 4
# The tail that may be left out, for BT.709; so it is for colour that is not said.
_DEFAULT_TAILS = ("01.01.01.01.00", "01.02.02.02.00")
# Largest luma picture -> level. Browsers refuse level 0, which writers leave when they do not know.
_LEVELS = (
    (36_864, 10),
    (73_728, 11),
    (122_880, 20),
    (245_760, 21),
    (552_960, 30),
    (983_040, 31),
    (2_228_224, 40),
    (8_912_896, 50),
)
_TOP_LEVEL = 60


class VpConfiguration(NamedTuple):
    """VPCodecConfigurationRecord; ``level`` 0 is undefined."""

    profile: int
    level: int
    depth: int
    chroma: int
    colour: Colour | None

    def codec(self, picture: Picture) -> str:
        level = self.level or _least_level(picture.width * picture.height)
        colour = picture.colour or UNSPECIFIED
        tail = (
            f"{self.chroma:02d}.{colour.primaries:02d}.{colour.transfer:02d}."
            f"{colour.matrix:02d}.{colour.full_range:02d}"
        )
        head = f"vp09.{self.profile:02d}.{level:02d}.{self.depth:02d}"
        return head if tail in _DEFAULT_TAILS else f"{head}.{tail}"


def parse(box: Box) -> VideoConfig:
    entry, shown = visual.read(box)
    vpcc = entry.require("vpcC")
    record = _read_configuration(vpcc)
    picture = shown.or_else(Picture(colour=record.colour))
    return visual.config(entry, "vp9", box.type, record.codec(picture), copy(vpcc), picture)


def _read_configuration(vpcc: Box) -> VpConfiguration:
    version, _, fields = vpcc.full()
    if version != 1:
        raise unsupported(vpcc, f"version {version} of the VP9 configuration is not supported")
    bits = BitReader(fields, vpcc)
    profile, level, depth = bits.read(8), bits.read(8), bits.read(4)
    if profile >= _PROFILES:
        raise vpcc.bad(f"VP9 profile {profile} is not known")
    chroma, full_range = bits.read(3), bits.flag()
    primaries, transfer, matrix = bits.take(3)
    bits.skip(16)  # codecInitializationDataSize, 0 for VP9
    colour = code_points(primaries, transfer, matrix, full_range)
    return VpConfiguration(profile, level, depth, chroma, colour)


def _least_level(luma_samples: int) -> int:
    return next((level for size, level in _LEVELS if luma_samples <= size), _TOP_LEVEL)
