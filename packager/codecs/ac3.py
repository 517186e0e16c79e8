"""AC-3 in 'ac-3' (ETSI TS 102 366 Annex F.3 and F.4)."""

from __future__ import annotations

from packager.codecs import audio
from packager.codecs.bits import BitReader
from packager.codecs.entry import copy
from packager.isobmff.boxes import Box
from packager.model import AudioConfig

_SAMPLE_RATES = (48_000, 44_100, 32_000)
_FULL_RATE_BSID, _QUARTER_RATE_BSID = 8, 10
# acmod -> channels without LFE, and their ChannelConfiguration.
_MODES = ((2, 8), (1, 1), (2, 2), (3, 3), (3, 9), (4, 4), (4, 10), (5, 5))
_FIVE_CHANNELS = 7
_LAYOUT_5_1 = 6


def parse(box: Box) -> AudioConfig:
    entry = audio.read(box)
    dac3 = entry.require("dac3")
    bits = BitReader(dac3.body, dac3)
    sample_rate, bsid = read_sample_rate(bits), bits.read(5)
    bits.skip(3)  # bsmod
    channels, layout = read_channels(bits)
    bits.skip(10)  # bit_rate_code and reserved
    if bsid > _QUARTER_RATE_BSID:
        raise dac3.bad(f"bitstream id {bsid} is not AC-3")
    sample_rate >>= max(bsid - _FULL_RATE_BSID, 0)
    return audio.config(
        entry, "ac3", "ac-3", copy(dac3), sample_rate, channels, speaker_layout=layout
    )


def read_sample_rate(bits: BitReader) -> int:
    """fscod."""
    code = bits.read(2)
    if code >= len(_SAMPLE_RATES):
        raise bits.source.bad(f"sample rate code {code} is reserved")
    return _SAMPLE_RATES[code]


def read_channels(bits: BitReader) -> tuple[int, int | None]:
    """acmod and lfeon: the channels, and the layout where it has a number."""
    mode, low_frequency = bits.read(3), bits.flag()
    channels, layout = _MODES[mode]
    if not low_frequency:
        return channels, layout
    return channels + 1, _LAYOUT_5_1 if mode == _FIVE_CHANNELS else None
