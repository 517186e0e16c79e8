"""E-AC-3 in 'ec-3', with Dolby Atmos as JOC (ETSI TS 102 366 Annex F.5 and F.6, TS 103 420 8.3).

A listener hears the first independent substream with the channels that its dependent ones add.
"""

from __future__ import annotations

from typing import NamedTuple

from packager.codecs import audio
from packager.codecs.ac3 import read_channels, read_sample_rate
from packager.codecs.bits import BitReader
from packager.codecs.entry import copy
from packager.isobmff.boxes import Box
from packager.model import AudioConfig

_LAYOUT_5_1 = 6
_LC_RC, _LRS_RRS, _CS, _LVH_RVH = 0, 1, 2, 6
# Bit of chan_loc, the lowest first -> channels it adds to 5.1 (Table F.6.1).
_ADDED_CHANNELS = (2, 2, 1, 1, 2, 2, 2, 1, 1)
# chan_loc on top of 5.1 -> ChannelConfiguration.
_LAYOUTS = {0: _LAYOUT_5_1, 1 << _LC_RC: 7, 1 << _LRS_RRS: 12, 1 << _CS: 11, 1 << _LVH_RVH: 14}


class Program(NamedTuple):
    sample_rate: int
    channels: int
    layout: int | None


def parse(box: Box) -> AudioConfig:
    entry = audio.read(box)
    dec3 = entry.require("dec3")
    bits = BitReader(dec3.body, dec3)
    bits.skip(13)  # data_rate
    program, *_ = [_read_program(bits) for _ in range(bits.read(3) + 1)]
    return audio.config(
        entry,
        "eac3",
        "ec-3",
        copy(dec3),
        program.sample_rate,
        program.channels,
        speaker_layout=program.layout,
        joc_objects=_read_joc(bits),
    )


def _read_program(bits: BitReader) -> Program:
    """One independent substream."""
    sample_rate = read_sample_rate(bits)
    bits.skip(10)  # bsid, asvc, bsmod
    channels, layout = read_channels(bits)
    bits.skip(3)
    if bits.read(4) == 0:  # num_dep_sub
        bits.skip(1)
        return Program(sample_rate, channels, layout)
    locations = bits.read(9)
    channels += sum(added for bit, added in enumerate(_ADDED_CHANNELS) if locations >> bit & 1)
    return Program(
        sample_rate, channels, _LAYOUTS.get(locations) if layout == _LAYOUT_5_1 else None
    )


def _read_joc(bits: BitReader) -> int:
    """complexity_index_type_a, 0 where the extension is absent."""
    if bits.left < 16:
        return 0
    bits.skip(7)
    return bits.read(8) if bits.flag() else 0
