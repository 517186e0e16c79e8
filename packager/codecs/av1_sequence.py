"""AV1 sequence header OBU, as far as size and colour (AV1 specification 5.5)."""

from __future__ import annotations

from packager.codecs.bits import BitReader
from packager.codecs.colour import code_points
from packager.codecs.visual import Picture
from packager.isobmff.boxes import Box
from packager.model import Colour

_SEQUENCE_HEADER = 1
_MAX_OBUS = 64  # the sequence header comes first, metadata may follow
_PROFESSIONAL = 2
_SRGB = (1, 13, 0)


def read_configuration_obus(obus: bytes, source: Box) -> Picture:
    """What the first sequence header says, if any; ``source`` is the box to complain about."""
    bits = BitReader(obus, source)
    for _ in range(_MAX_OBUS):
        if not bits.left:
            break
        bits.skip(1)
        kind, extended, sized = bits.read(4), bits.flag(), bits.flag()
        bits.skip(9 if extended else 1)
        payload = bits.take(_leb128(bits) if sized else bits.left // 8)
        if kind == _SEQUENCE_HEADER:
            return _read_sequence_header(BitReader(payload, source))
    return Picture()


def _leb128(bits: BitReader) -> int:
    """Section 4.10.5."""
    value = 0
    for shift in range(0, 56, 7):
        more, low = bits.flag(), bits.read(7)
        value |= low << shift
        if not more:
            return value
    raise bits.source.bad("leb128 value is longer than 8 bytes")


def _read_sequence_header(bits: BitReader) -> Picture:
    profile = bits.read(3)
    bits.skip(1)  # still_picture
    reduced = bits.flag()
    if reduced:
        bits.skip(5)  # seq_level_idx
    else:
        _skip_operating_points(bits)
    width_bits, height_bits = bits.read(4) + 1, bits.read(4) + 1
    width, height = bits.read(width_bits) + 1, bits.read(height_bits) + 1
    if not reduced and bits.flag():  # frame_id_numbers_present_flag
        bits.skip(7)
    bits.skip(3)  # 128x128 superblocks, filter_intra, intra_edge_filter
    if not reduced:
        _skip_inter_tools(bits)
    bits.skip(3)  # superres, cdef, restoration
    return Picture(width, height, None, _read_color_config(bits, profile))


def _skip_operating_points(bits: BitReader) -> None:
    delay_bits = 0
    if bits.flag():  # timing_info_present_flag
        bits.skip(64)
        if bits.flag():  # equal_picture_interval
            bits.ue()  # num_ticks_per_picture_minus_1: uvlc() is Exp-Golomb
        if bits.flag():  # decoder_model_info_present_flag
            delay_bits = bits.read(5) + 1
            bits.skip(42)
    initial_delays = bits.flag()
    for _ in range(bits.read(5) + 1):
        bits.skip(12)  # operating_point_idc
        if bits.read(5) > 7:  # seq_level_idx
            bits.skip(1)  # seq_tier
        if delay_bits and bits.flag():  # decoder_model_present_for_this_op
            bits.skip(2 * delay_bits + 1)
        if initial_delays and bits.flag():
            bits.skip(4)


def _skip_inter_tools(bits: BitReader) -> None:
    bits.skip(4)  # interintra, masked compound, warped motion, dual filter
    order_hint = bits.flag()
    if order_hint:
        bits.skip(2)  # jnt_comp, ref_frame_mvs
    # seq_choose_screen_content_tools, or else seq_force_screen_content_tools
    screen_content = bits.flag() or bits.flag()
    if screen_content and not bits.flag():  # seq_choose_integer_mv
        bits.skip(1)
    if order_hint:
        bits.skip(3)


def _read_color_config(bits: BitReader, profile: int) -> Colour | None:
    high_depth = bits.flag()
    if profile == _PROFESSIONAL and high_depth:
        bits.skip(1)  # twelve_bit
    monochrome = profile != 1 and bits.flag()
    described = bits.flag()
    primaries, transfer, matrix = bits.take(3) if described else (2, 2, 2)
    srgb = not monochrome and (primaries, transfer, matrix) == _SRGB
    return code_points(primaries, transfer, matrix, srgb or bits.flag())
