"""AVC sequence parameter set, as far as size and colour (ISO/IEC 14496-10 7.3.2.1.1)."""

from __future__ import annotations

from packager.codecs.bits import BitReader, rbsp
from packager.codecs.visual import Picture
from packager.codecs.vui import read_vui
from packager.isobmff.boxes import Box

_SPS = 7
_PLAIN_PROFILES = (66, 77, 88)
_CHROMA_PROFILES = (44, 83, 86, 100, 110, 118, 122, 128, 134, 135, 138, 139, 244)
_MAX_MACROBLOCKS = 4095  # along one side: 65,536 pixels
# chroma_format_idc -> luma pixels a step of the cropping window, across and down.
_CROP_UNIT = ((1, 1), (2, 2), (2, 1), (1, 1))


def read_sps(nal: bytes, source: Box) -> Picture:
    """``source`` is the box to complain about."""
    if not nal or nal[0] & 0x1F != _SPS:
        raise source.bad("the sequence parameter set is not one")
    bits = BitReader(rbsp(nal[1:]), source)
    chroma_format = _read_profile(bits)
    _skip_picture_order(bits)
    bits.ue()  # max_num_ref_frames
    bits.skip(1)  # gaps_in_frame_num_value_allowed_flag
    columns, map_units = bits.ue(_MAX_MACROBLOCKS) + 1, bits.ue(_MAX_MACROBLOCKS) + 1
    fields = 1 if bits.flag() else 2  # frame_mbs_only_flag
    if fields == 2:
        bits.skip(1)  # mb_adaptive_frame_field_flag
    bits.skip(1)  # direct_8x8_inference_flag
    left, right, top, bottom = [bits.ue() for _ in range(4)] if bits.flag() else (0, 0, 0, 0)
    across, down = _CROP_UNIT[chroma_format]
    width = columns * 16 - (left + right) * across
    height = map_units * 16 * fields - (top + bottom) * down * fields
    return read_vui(bits, width, height)


def _read_profile(bits: BitReader) -> int:
    """Up to the bit depths and scaling lists; returns ChromaArrayType."""
    profile = bits.read(8)
    bits.skip(16)  # constraint flags and level_idc
    bits.ue()  # seq_parameter_set_id
    if profile in _PLAIN_PROFILES:
        return 1
    if profile not in _CHROMA_PROFILES:
        raise bits.source.bad(f"AVC profile {profile} is not known")
    chroma_format = bits.ue(3)
    separate_planes = chroma_format == 3 and bits.flag()
    bits.ue()  # bit_depth_luma_minus8
    bits.ue()  # bit_depth_chroma_minus8
    bits.skip(1)  # qpprime_y_zero_transform_bypass_flag
    if bits.flag():  # seq_scaling_matrix_present_flag
        for index in range(12 if chroma_format == 3 else 8):
            if bits.flag():
                _skip_scaling_list(bits, 16 if index < 6 else 64)
    return 0 if separate_planes else chroma_format


def _skip_scaling_list(bits: BitReader, size: int) -> None:
    scale = 8
    for _ in range(size):
        scale = (scale + bits.se()) % 256
        if scale == 0:
            return


def _skip_picture_order(bits: BitReader) -> None:
    bits.ue()  # log2_max_frame_num_minus4
    kind = bits.ue(2)  # pic_order_cnt_type
    if kind == 0:
        bits.ue()  # log2_max_pic_order_cnt_lsb_minus4
    elif kind == 1:
        bits.skip(1)  # delta_pic_order_always_zero_flag
        bits.se()  # offset_for_non_ref_pic
        bits.se()  # offset_for_top_to_bottom_field
        for _ in range(bits.ue(255)):
            bits.se()  # offset_for_ref_frame
