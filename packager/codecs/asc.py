"""AudioSpecificConfig: which AAC it is and what comes out of it (ISO/IEC 14496-3 1.6).

SBR and PS are seen where they are signalled: as the object type (hierarchical) or in the extension
behind the core's configuration (backward compatible). SBR that only the samples reveal (implicit
signalling) counts as plain AAC, which is also how such a track is announced everywhere.
"""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs.bits import BitReader
from packager.codecs.entry import unsupported
from packager.codecs.speakers import CHANNELS
from packager.isobmff.boxes import Box

AAC_LC, SBR, PS, USAC = 2, 5, 29, 42

_ESCAPED_TYPE = 31
_SBR_SYNC, _PS_SYNC = 0x2B7, 0x548
# Of ChannelConfiguration, those that channelConfiguration of AAC can say (Table 1.19).
_LAYOUTS = frozenset({*range(1, 8), *range(11, 15)})
_FREQUENCIES = (
    96_000, 88_200, 64_000, 48_000, 44_100, 32_000, 24_000, 22_050, 16_000, 12_000, 11_025,
    8_000, 7_350,
)  # fmt: skip
# usacSamplingFrequencyIndex goes on where samplingFrequencyIndex ends; 0 is reserved (23003-3).
_USAC_FREQUENCIES = (
    *_FREQUENCIES, 0, 0, 57_600, 51_200, 40_000, 38_400, 34_150, 28_800, 25_600, 20_000, 19_200,
    17_075, 14_400, 12_800, 9_600, 0, 0, 0,
)  # fmt: skip


class AudioSpecificConfig(NamedTuple):
    """``object_type``: as codec strings have it; ``sample_rate``, ``channels``: of the output;
    ``layout``: ChannelConfiguration, None where channels are listed one by one."""

    object_type: int
    sample_rate: int
    channels: int
    layout: int | None


def read_asc(data: bytes, source: Box) -> AudioSpecificConfig:
    """``source`` is the box to complain about."""
    bits = BitReader(data, source)
    signalled = object_type = _read_object_type(bits)
    sample_rate, configuration = _read_frequency(bits), bits.read(4)
    if signalled in (SBR, PS):
        sample_rate = _read_frequency(bits)
        object_type = _read_object_type(bits)
    if object_type == USAC:
        return _read_usac(bits)
    if object_type != AAC_LC:
        raise unsupported(source, f"MPEG-4 audio object type {object_type} is not supported")
    channels, layout = _read_channels(bits, configuration)
    if signalled == AAC_LC:
        signalled, sample_rate = _read_extension(bits, sample_rate)
    if signalled == PS and channels == 1:
        channels = layout = 2
    return AudioSpecificConfig(signalled, sample_rate, channels, layout)


def _read_object_type(bits: BitReader) -> int:
    kind = bits.read(5)
    return 32 + bits.read(6) if kind == _ESCAPED_TYPE else kind


def _read_frequency(bits: BitReader) -> int:
    index = bits.read(4)
    if index == 15:
        return bits.read(24)
    if index >= len(_FREQUENCIES):
        raise bits.source.bad(f"sampling frequency index {index} is reserved")
    return _FREQUENCIES[index]


def _read_channels(bits: BitReader, configuration: int) -> tuple[int, int | None]:
    """GASpecificConfig (4.4.1): the channels, and the layout where it has a number."""
    bits.skip(1)  # frameLengthFlag
    if bits.flag():  # dependsOnCoreCoder
        bits.skip(14)
    bits.skip(1)  # extensionFlag, 0 for AAC-LC
    if configuration == 0:
        return _read_program_config(bits), None
    if configuration not in _LAYOUTS:
        raise bits.source.bad(f"channel configuration {configuration} is reserved")
    return CHANNELS[configuration], configuration


def _read_program_config(bits: BitReader) -> int:
    """program_config_element (4.4.1.1): how many channels."""
    bits.skip(10)  # instance tag, object type, sampling frequency
    front, side, back = bits.read(4), bits.read(4), bits.read(4)
    low, associated, coupled = bits.read(2), bits.read(3), bits.read(4)
    for size in (4, 4, 3):  # mono, stereo and matrix mixdown
        if bits.flag():
            bits.skip(size)
    channels = low
    for _ in range(front + side + back):
        channels += 1 + bits.flag()  # is_cpe
        bits.skip(4)
    bits.skip(4 * low + 4 * associated + 5 * coupled)
    bits.align()
    bits.skip(8 * bits.read(8))  # comment
    return channels


def _read_extension(bits: BitReader, sample_rate: int) -> tuple[int, int]:
    """Backward compatible signalling (1.6.6): object type and output rate."""
    if bits.left < 16 or bits.read(11) != _SBR_SYNC or _read_object_type(bits) != SBR:
        return AAC_LC, sample_rate
    if not bits.flag():  # sbrPresentFlag
        return AAC_LC, sample_rate
    sample_rate = _read_frequency(bits)
    parametric = bits.left >= 12 and bits.read(11) == _PS_SYNC and bits.flag()
    return PS if parametric else SBR, sample_rate


def _read_usac(bits: BitReader) -> AudioSpecificConfig:
    """UsacConfig (ISO/IEC 23003-3 5.2): its own rate and channels are those of the output."""
    index = bits.read(5)
    sample_rate = bits.read(24) if index == 31 else _USAC_FREQUENCIES[index]
    bits.skip(3)  # coreSbrFrameLengthIndex
    layout = bits.read(5)
    if layout == 0:
        return AudioSpecificConfig(USAC, sample_rate, _read_usac_channels(bits), None)
    if layout not in CHANNELS:
        raise bits.source.bad(f"channel configuration {layout} is reserved")
    return AudioSpecificConfig(USAC, sample_rate, CHANNELS[layout], layout)


def _read_usac_channels(bits: BitReader) -> int:
    """numOutChannels: escapedValue(5, 8, 16)."""
    channels = bits.read(5)
    if channels == 31:
        more = bits.read(8)
        channels += more + (bits.read(16) if more == 255 else 0)
    return channels
