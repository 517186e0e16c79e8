"""AAC in 'mp4a': LC, HE-AAC, HE-AAC v2 and xHE-AAC (ISO/IEC 14496-14 5.6; RFC 6381 3.3)."""

from __future__ import annotations

from packager.codecs import audio
from packager.codecs.asc import read_asc
from packager.codecs.entry import copy, unsupported
from packager.codecs.esds import read_esds
from packager.isobmff.boxes import Box
from packager.model import AudioConfig

_MPEG4_AUDIO = 0x40
_MPEG2_AAC_LC = 0x67
_OTHER_CODECS = {
    0x69: "MP3",
    0x6B: "MP3",
    0xA5: "AC-3",
    0xA6: "E-AC-3",
    0xA9: "DTS",
    0xDD: "Vorbis",
}


def parse(box: Box) -> AudioConfig:
    entry = audio.read(box)
    esds = entry.require("esds")
    object_type, specific = read_esds(esds)
    if object_type not in (_MPEG4_AUDIO, _MPEG2_AAC_LC):
        name = _OTHER_CODECS.get(object_type, "this codec")
        raise unsupported(esds, f"{name} in 'mp4a' (object type {object_type:#x}) is not supported")
    asc = read_asc(specific, esds)
    rfc6381 = f"mp4a.40.{asc.object_type}" if object_type == _MPEG4_AUDIO else "mp4a.67"
    return audio.config(
        entry,
        "aac",
        rfc6381,
        copy(esds),
        asc.sample_rate,
        asc.channels,
        speaker_layout=asc.layout,
    )
