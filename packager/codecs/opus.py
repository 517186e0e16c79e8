"""Opus in 'Opus' (Encapsulation of Opus in ISO Base Media File Format 4.3)."""

from __future__ import annotations

from packager.codecs import audio
from packager.codecs.bits import BitReader
from packager.codecs.entry import copy, unsupported
from packager.codecs.speakers import XIPH
from packager.isobmff.boxes import Box
from packager.model import AudioConfig

_SAMPLE_RATE = 48_000  # whatever the encoder was fed
_PRE_ROLL = 3_840  # 80 ms: section 4.3.6.2
_MAX_FAMILY_0_CHANNELS = 2


def parse(box: Box) -> AudioConfig:
    entry = audio.read(box)
    dops = entry.require("dOps")
    channels, family = _read_channels(dops)
    return audio.config(
        entry,
        "opus",
        "Opus",
        copy(dops),
        _SAMPLE_RATE,
        channels,
        speaker_layout=XIPH.get(channels) if family <= 1 else None,
        roll_distance=_PRE_ROLL,
    )


def _read_channels(dops: Box) -> tuple[int, int]:
    """Channel count and mapping family."""
    bits = BitReader(dops.body, dops)
    version = bits.read(8)
    if version != 0:
        raise unsupported(dops, f"version {version} of the Opus configuration is not supported")
    channels = bits.read(8)
    bits.skip(64)  # PreSkip, InputSampleRate, OutputGain
    family = bits.read(8)
    if family:
        bits.skip(16 + 8 * channels)  # StreamCount, CoupledCount, ChannelMapping
    elif channels > _MAX_FAMILY_0_CHANNELS:
        raise dops.bad(f"{channels} channels need a channel mapping")
    return channels, family
