"""FLAC in 'fLaC' (Encapsulation of FLAC in ISO Base Media File Format 3.3; RFC 9639 8.2).

Of the metadata only STREAMINFO goes into the init segment: pictures and tags may be megabytes.
"""

from __future__ import annotations

from packager.codecs import audio
from packager.codecs.bits import BitReader
from packager.codecs.speakers import XIPH
from packager.isobmff import writer
from packager.isobmff.boxes import Box
from packager.model import AudioConfig

_STREAMINFO = 0
_STREAMINFO_SIZE = 34
_LAST_BLOCK = 0x80


def parse(box: Box) -> AudioConfig:
    entry = audio.read(box)
    dfla = entry.require("dfLa")
    streaminfo = _read_streaminfo(dfla)
    bits = BitReader(streaminfo, dfla)
    bits.skip(80)  # block and frame sizes
    sample_rate, channels, sample_size = bits.read(20), bits.read(3) + 1, bits.read(5) + 1
    header = bytes((_LAST_BLOCK | _STREAMINFO, 0, 0, _STREAMINFO_SIZE))
    return audio.config(
        entry,
        "flac",
        "fLaC",
        writer.full_box("dfLa", 0, 0, header, streaminfo),
        sample_rate,
        channels,
        speaker_layout=XIPH[channels],
        sample_size=sample_size,
    )


def _read_streaminfo(dfla: Box) -> bytes:
    """It has to be the first metadata block."""
    _, _, blocks = dfla.full()
    bits = BitReader(blocks, dfla)
    kind, size = bits.read(8) & 0x7F, bits.read(24)
    if (kind, size) != (_STREAMINFO, _STREAMINFO_SIZE):
        raise dfla.bad("does not start with a STREAMINFO block")
    return bits.take(size)
