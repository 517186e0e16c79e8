"""Colour signalling: code points of ISO/IEC 23091-2 and the box that carries them.

'colr' comes as 'nclx' (ISO/IEC 14496-12 12.1.5), as QuickTime's 'nclc', which has no range flag,
and from some writers as an 'nclx' without that last byte. ICC profiles are not ours to judge.
"""

from __future__ import annotations

import struct

from packager.isobmff import writer
from packager.isobmff.boxes import Box
from packager.model import Colour

_CODE_POINTS = struct.Struct(">HHH")
UNSPECIFIED = Colour(2, 2, 2)


def code_points(primaries: int, transfer: int, matrix: int, full_range: bool) -> Colour | None:
    """None where all is unspecified, which is as good as not said."""
    colour = Colour(primaries, transfer, matrix, full_range)
    return None if colour == UNSPECIFIED else colour


def read_colr(colr: Box) -> Colour | None:
    colr.need(4)
    kind = bytes(colr.body[:4])
    if kind not in (b"nclx", b"nclc"):
        return None
    primaries, transfer, matrix = colr.unpack(_CODE_POINTS, 4)
    full_range = kind == b"nclx" and len(colr.body) > 10 and colr.body[10] >= 0x80
    return code_points(primaries, transfer, matrix, full_range)


def write_colr(colour: Colour) -> bytes:
    fields = _CODE_POINTS.pack(colour.primaries, colour.transfer, colour.matrix)
    return writer.box("colr", b"nclx", fields, b"\x80" if colour.full_range else b"\0")
