"""Dolby Vision on top of a base codec (Dolby Vision Streams Within the ISO Base Media File Format).

A base layer that every decoder shows keeps its own sample entry, and Dolby Vision is offered
beside it (HLS SUPPLEMENTAL-CODECS); one that only a Dolby Vision decoder shows right has a sample
entry of its own ('dvh1', 'dav1', ...) and is named by that alone.
"""

from __future__ import annotations

from dataclasses import dataclass

from packager.codecs.bits import BitReader
from packager.codecs.entry import SampleEntry
from packager.model import Colour

CONFIGURATION_BOXES = ("dvcC", "dvvC", "dvwC")

_OWN_ENTRIES = ("dva1", "dvav", "dvh1", "dvhe", "dav1")
_ENTRY_OF_BASE = {"hvc1": "dvh1", "hev1": "dvhe", "av01": "dav1"}
_PQ = 16
_BT2020_SDR = 14


@dataclass(frozen=True, slots=True)
class DolbyVision:
    """``compatibility``: what a plain decoder shows (dv_bl_signal_compatibility_id): 0 nothing
    right, 1 HDR10, 2 SDR, 4 HLG (or BT.2020 SDR)."""

    profile: int
    level: int
    compatibility: int

    def codec(self, fourcc: str) -> str:
        return f"{fourcc}.{self.profile:02d}.{self.level:02d}"

    def brand(self, colour: Colour | None) -> str | None:
        """The compatibility brand of SUPPLEMENTAL-CODECS."""
        if self.compatibility == 4 and colour and colour.transfer == _BT2020_SDR:
            return "db4g"
        return {1: "db1p", 2: "db2g", 4: "db4h"}.get(self.compatibility)

    def colour(self, coded: Colour | None) -> Colour | None:
        """Profiles 5 and 10.0 are PQ in a colour space that has no code point."""
        if self.profile == 5 or (self.profile, self.compatibility) == (10, 0):
            return Colour(2, _PQ, 2, full_range=True)
        return coded


def read(entry: SampleEntry) -> DolbyVision | None:
    name = next((name for name in CONFIGURATION_BOXES if name in entry.boxes), None)
    if name is None:
        if entry.box.type in _OWN_ENTRIES:
            raise entry.box.bad("has no Dolby Vision configuration box")
        return None
    record = entry.boxes[name]
    bits = BitReader(record.body, record)
    bits.skip(16)  # version
    profile, level = bits.read(7), bits.read(6)
    bits.skip(3)  # which of metadata, enhancement and base layer are present
    return DolbyVision(profile, level, bits.read(4))


def codec_strings(
    record: DolbyVision, fourcc: str, rfc6381: str, colour: Colour | None
) -> tuple[str, str | None]:
    """CODECS and SUPPLEMENTAL-CODECS of a track with sample entry ``fourcc``."""
    if fourcc in _OWN_ENTRIES:
        return record.codec(fourcc), None
    brand, own_entry = record.brand(colour), _ENTRY_OF_BASE.get(fourcc)
    return rfc6381, f"{record.codec(own_entry)}/{brand}" if brand and own_entry else None
