"""DASH descriptors: what an adaptation set says of itself by way of scheme and value."""

from __future__ import annotations

from collections.abc import Iterator, Sequence

from packager.manifests.menu import printable
from packager.manifests.tracks import video_config, video_range
from packager.manifests.xml import Element, element, leaf
from packager.model import AudioConfig, Rendition

_CICP = "urn:mpeg:mpegB:cicp:"
_CODE_POINTS = {
    "ColourPrimaries": "primaries",
    "TransferCharacteristics": "transfer",
    "MatrixCoefficients": "matrix",
}
_UNSPECIFIED = 2

_DOLBY = frozenset(("ac-3", "ec-3"))
_DOLBY_CHANNELS = "tag:dolby.com,2014:dash:audio_channel_configuration:2011"

# Channel count -> the usual ChannelConfiguration of that many (ISO/IEC 23091-3).
_USUAL_LAYOUT = {1: 1, 2: 2, 3: 3, 4: 4, 5: 5, 6: 6, 7: 11, 8: 12, 10: 16, 12: 19, 24: 13}
# ChannelConfiguration -> the custom channel map of ETSI TS 102 366 annex E.
_DOLBY_BITS = {
    1: 0x4000,
    2: 0xA000,
    3: 0xE000,
    4: 0xE100,
    5: 0xF800,
    6: 0xF801,
    7: 0xFC01,
    9: 0xA100,
    10: 0xB800,
    11: 0xF901,
    12: 0xFA01,
    14: 0xF811,
}


def colour(videos: Sequence[Rendition]) -> Iterator[Element]:
    """The code points the videos share; a player that cannot show HDR must skip the set."""
    colours = [video_config(video).colour for video in videos]
    essential = video_range(videos[0]) != "SDR"
    for name, field in _CODE_POINTS.items():
        values = {getattr(colour, field, _UNSPECIFIED) for colour in colours}
        if len(values) == 1 and _UNSPECIFIED not in values:
            kind = "EssentialProperty" if essential else "SupplementalProperty"
            yield _descriptor(kind, f"{_CICP}{name}", values.pop())


def switching(sets: Sequence[int]) -> Iterator[Element]:
    """The numbers of other sets that may be switched to at any segment."""
    if sets:
        scheme = "urn:mpeg:dash:adaptation-set-switching:2016"
        yield _descriptor("SupplementalProperty", scheme, ",".join(map(str, sets)))


def audio_channels(config: AudioConfig) -> Iterator[Element]:
    """Nothing where no code point fits."""
    name = "AudioChannelConfiguration"
    layout = config.speaker_layout or _USUAL_LAYOUT.get(config.channels)
    if config.rfc6381 not in _DOLBY:
        if layout is not None:
            yield _descriptor(name, f"{_CICP}ChannelConfiguration", layout)
    elif layout in _DOLBY_BITS:
        yield _descriptor(name, _DOLBY_CHANNELS, f"{_DOLBY_BITS[layout]:04X}")


def atmos(joc_objects: int) -> Iterator[Element]:
    """Dolby Atmos in E-AC-3 (ETSI TS 103 420)."""
    if joc_objects:
        scheme = "tag:dolby.com,2018:dash:EC3_Extension"
        yield _descriptor("SupplementalProperty", f"{scheme}Type:2018", "JOC")
        yield _descriptor("SupplementalProperty", f"{scheme}ComplexityIndex:2018", joc_objects)


def label(text: str) -> Iterator[Element]:
    if shown := printable(text):
        yield leaf("Label", shown)


def role(value: str) -> Element:
    return _descriptor("Role", "urn:mpeg:dash:role:2011", value)


def _descriptor(name: str, scheme: str, value: object) -> Element:
    return element(name, {"schemeIdUri": scheme, "value": value})
