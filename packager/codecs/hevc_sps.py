"""HEVC sequence parameter set, as far as size and colour (ISO/IEC 23008-2 7.3.2.2.1)."""

from __future__ import annotations

from packager.codecs.bits import BitReader, rbsp
from packager.codecs.visual import Picture
from packager.codecs.vui import read_vui
from packager.isobmff.boxes import Box

_NAL_HEADER = 2
_MAX_SIDE = 65_535
# chroma_format_idc -> luma pixels a step of the conformance window, across and down.
_CROP_UNIT = ((1, 1), (2, 2), (2, 1), (1, 1))


def read_sps(nal: bytes, source: Box) -> Picture:
    """``source`` is the box to complain about."""
    bits = BitReader(rbsp(nal[_NAL_HEADER:]), source)
    bits.skip(4)  # sps_video_parameter_set_id
    sub_layers = bits.read(3)  # sps_max_sub_layers_minus1
    bits.skip(1)  # sps_temporal_id_nesting_flag
    _skip_profile_tier_level(bits, sub_layers)
    bits.ue()  # sps_seq_parameter_set_id
    width, height = _read_size(bits)
    _skip_coding_parameters(bits, sub_layers)
    return read_vui(bits, width, height)


def _skip_profile_tier_level(bits: BitReader, sub_layers: int) -> None:
    """profile_tier_level(1, sub_layers) (7.3.3)."""
    bits.skip(96)
    present = [(bits.flag(), bits.flag()) for _ in range(sub_layers)]
    if sub_layers:
        bits.skip(2 * (8 - sub_layers))
    for profile, level in present:
        bits.skip(88 * profile + 8 * level)


def _read_size(bits: BitReader) -> tuple[int, int]:
    chroma_format = bits.ue(3)
    if chroma_format == 3 and bits.flag():  # separate_colour_plane_flag
        chroma_format = 0
    width, height = bits.ue(_MAX_SIDE), bits.ue(_MAX_SIDE)
    if bits.flag():  # conformance_window_flag
        left, right, top, bottom = (bits.ue() for _ in range(4))
        across, down = _CROP_UNIT[chroma_format]
        width -= (left + right) * across
        height -= (top + bottom) * down
    return width, height


def _skip_coding_parameters(bits: BitReader, sub_layers: int) -> None:
    bits.ue()  # bit_depth_luma_minus8
    bits.ue()  # bit_depth_chroma_minus8
    order_bits = bits.ue(12) + 4  # log2_max_pic_order_cnt_lsb_minus4
    for _ in range(sub_layers + 1 if bits.flag() else 1):
        _skip_codes(bits, 3)  # sps_max_dec_pic_buffering, num_reorder, latency_increase
    _skip_codes(bits, 6)  # block sizes and transform depths
    if bits.flag() and bits.flag():  # scaling_list_enabled_flag, sps_scaling_list_data_present_flag
        _skip_scaling_lists(bits)
    bits.skip(2)  # amp_enabled_flag, sample_adaptive_offset_enabled_flag
    if bits.flag():  # pcm_enabled_flag
        bits.skip(8)
        _skip_codes(bits, 2)
        bits.skip(1)
    _skip_short_term_sets(bits)
    if bits.flag():  # long_term_ref_pics_present_flag
        for _ in range(bits.ue(32)):
            bits.skip(order_bits + 1)
    bits.skip(2)  # sps_temporal_mvp_enabled_flag, strong_intra_smoothing_enabled_flag


def _skip_codes(bits: BitReader, count: int) -> None:
    for _ in range(count):
        bits.ue()


def _skip_scaling_lists(bits: BitReader) -> None:
    """scaling_list_data() (7.3.4)."""
    for size in range(4):
        for _ in range(2 if size == 3 else 6):
            if not bits.flag():  # scaling_list_pred_mode_flag
                bits.ue()  # scaling_list_pred_matrix_id_delta
                continue
            coefficients = min(64, 16 << 2 * size)
            _skip_codes(bits, coefficients + (size > 1))


def _skip_short_term_sets(bits: BitReader) -> None:
    """num_short_term_ref_pic_sets of st_ref_pic_set() (7.3.7); each may lean on the one before."""
    pictures = 0
    for index in range(bits.ue(64)):
        if index and bits.flag():  # inter_ref_pic_set_prediction_flag
            bits.skip(1)  # delta_rps_sign
            bits.ue()  # abs_delta_rps_minus1
            # used_by_curr_pic_flag, or else use_delta_flag
            pictures = sum(bits.flag() or bits.flag() for _ in range(pictures + 1))
        else:
            pictures = bits.ue(16) + bits.ue(16)
            for _ in range(pictures):
                bits.ue()  # delta_poc_minus1
                bits.skip(1)  # used_by_curr_pic_flag
