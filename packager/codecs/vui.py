"""The head of video usability information, alike in AVC and HEVC (14496-10 and 23008-2 Annex E)."""

from __future__ import annotations

from fractions import Fraction

from packager.codecs.bits import BitReader
from packager.codecs.colour import code_points
from packager.codecs.visual import Picture
from packager.model import Colour

_EXTENDED_SAR = 255
# Table E-1, aspect_ratio_idc 1 to 16.
_SAR = (
    (1, 1), (12, 11), (10, 11), (16, 11), (40, 33), (24, 11), (20, 11), (32, 11),
    (80, 33), (18, 11), (15, 11), (64, 33), (160, 99), (4, 3), (3, 2), (2, 1),
)  # fmt: skip


def read_vui(bits: BitReader, width: int, height: int) -> Picture:
    """The picture of ``width`` x ``height`` whose sequence parameter set goes on with ``bits``."""
    if not bits.flag():  # vui_parameters_present_flag
        return Picture(width, height)
    sar = _read_sar(bits) if bits.flag() else None
    if bits.flag():  # overscan_info_present_flag
        bits.skip(1)
    return Picture(width, height, sar, _read_colour(bits) if bits.flag() else None)


def _read_sar(bits: BitReader) -> Fraction | None:
    code = bits.read(8)
    if code == _EXTENDED_SAR:
        horizontal, vertical = bits.read(16), bits.read(16)
        return Fraction(horizontal, vertical) if horizontal and vertical else None
    return Fraction(*_SAR[code - 1]) if 1 <= code <= len(_SAR) else None


def _read_colour(bits: BitReader) -> Colour | None:
    bits.skip(3)  # video_format
    full_range = bits.flag()
    described = bits.flag()
    primaries, transfer, matrix = bits.take(3) if described else (2, 2, 2)
    return code_points(primaries, transfer, matrix, full_range)
