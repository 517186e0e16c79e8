"""VisualSampleEntry, read and written anew (ISO/IEC 14496-12 12.1.3).

What is written has no compressor name, no box that players do not use, and says the colour in a
'colr' of kind 'nclx' wherever it is known.
"""

from __future__ import annotations

import struct
from dataclasses import dataclass
from fractions import Fraction

from packager.codecs import dolby_vision
from packager.codecs.colour import read_colr, write_colr
from packager.codecs.entry import SampleEntry
from packager.isobmff import writer
from packager.isobmff.boxes import Box, children
from packager.model import Colour, VideoConfig

_FIELDS = struct.Struct(">6xH16xHHII4xH32xHh")
_SIZE = struct.Struct(">HH")
_SIZE_AT = 24
_DPI_72 = 0x0048_0000
_DEPTH_COLOUR = 0x18
_PASP = struct.Struct(">II")

_COPIED = (
    "pasp",
    "clap",
    "btrt",
    "mdcv",
    "clli",
    "SmDm",  # VP9's mdcv and clli
    "CoLL",
    "amve",
    *dolby_vision.CONFIGURATION_BOXES,
)


@dataclass(frozen=True, slots=True)
class Picture:
    """What one source says of the picture; 0 or None where it is silent."""

    width: int = 0
    height: int = 0
    sar: Fraction | None = None
    colour: Colour | None = None

    def or_else(self, other: Picture) -> Picture:
        """This, with its gaps filled from ``other``."""
        sized = self if self.width and self.height else other
        return Picture(
            sized.width, sized.height, self.sar or other.sar, self.colour or other.colour
        )


def read(box: Box) -> tuple[SampleEntry, Picture]:
    width, height = box.unpack(_SIZE, _SIZE_AT)
    boxes: dict[str, Box] = {}
    colour = None
    for child in children(box, skip=_FIELDS.size):
        boxes.setdefault(child.type, child)
        if child.type == "colr":
            colour = colour or read_colr(child)
    sar = _read_pasp(boxes["pasp"]) if "pasp" in boxes else None
    return SampleEntry(box, boxes), Picture(width, height, sar, colour)


def _read_pasp(pasp: Box) -> Fraction | None:
    horizontal, vertical = pasp.unpack(_PASP)
    return Fraction(horizontal, vertical) if horizontal and vertical else None


def config(
    entry: SampleEntry,
    codec: str,
    fourcc: str,
    rfc6381: str,
    configuration: bytes,
    picture: Picture,
) -> VideoConfig:
    """``configuration``: the codec's own box; ``rfc6381`` names the codec without Dolby Vision."""
    width, height, colour = picture.width, picture.height, picture.colour
    if not (0 < width < 1 << 16 and 0 < height < 1 << 16):
        raise entry.box.bad(f"the picture is {width} x {height}")
    fields = _FIELDS.pack(1, width, height, _DPI_72, _DPI_72, 1, _DEPTH_COLOUR, -1)
    colr = write_colr(colour) if colour else b""
    sample_entry = writer.box(fourcc, fields, configuration, colr, entry.copies(_COPIED))
    supplemental = None
    if record := dolby_vision.read(entry):
        rfc6381, supplemental = dolby_vision.codec_strings(record, fourcc, rfc6381, colour)
        colour = record.colour(colour)
    sar = picture.sar or Fraction(1)
    return VideoConfig(codec, rfc6381, sample_entry, width, height, sar, colour, supplemental)
