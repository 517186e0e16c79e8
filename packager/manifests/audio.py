"""How manifests group and describe audio.

HLS pairs every video variant with whole groups of audio. A group holds what one decoder plays at
one channel count, and all groups offer the same menu (RFC 8216bis 4.4.6.1.1): a language that is
there in stereo AAC only is in the surround group too, as stereo AAC.
"""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass

from packager.manifests.tracks import audio_config
from packager.model import AudioConfig, Rendition

_AAC = frozenset(("mp4a.40.2", "mp4a.40.5", "mp4a.40.29"))
_DOLBY = frozenset(("ac-3", "ec-3"))

_CICP = "urn:mpeg:mpegB:cicp:ChannelConfiguration"
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

Member = tuple[str, str]


@dataclass(frozen=True, slots=True, eq=False)
class AudioGroup:
    """``renditions``: one for each entry of the audio menu, in its order."""

    name: str
    renditions: tuple[Rendition, ...]

    @property
    def codecs(self) -> tuple[str, ...]:
        return tuple(dict.fromkeys(rendition.config.rfc6381 for rendition in self.renditions))

    @property
    def bandwidth(self) -> int:
        return max(rendition.bandwidth for rendition in self.renditions)

    @property
    def average_bandwidth(self) -> int:
        return max(rendition.average_bandwidth for rendition in self.renditions)


def channels(config: AudioConfig) -> str:
    """HLS CHANNELS: how many, or the objects of Dolby Atmos."""
    return f"{config.joc_objects}/JOC" if config.joc_objects else str(config.channels)


def member(rendition: Rendition) -> Member:
    """What the viewer chooses by: renditions that share it differ in quality only."""
    return rendition.language, rendition.label


def audio_groups(audio: Sequence[Rendition]) -> tuple[AudioGroup, ...]:
    """The groups, stereo AAC first (Apple 2.3). Where one member has several bit rates, each is
    a group of its own."""
    groups: dict[tuple[str, int], dict[Member, Rendition]] = {}
    for rendition in audio:
        rank, kind = 0, _kind(rendition)
        while member(rendition) in groups.setdefault((kind, rank), {}):
            rank += 1
        groups[kind, rank][member(rendition)] = rendition
    ordered = sorted(groups.items(), key=lambda group: not _is_stereo_aac(group[1]))
    everyone = dict.fromkeys(map(member, audio))
    first = ordered[0][1] if ordered else {}
    offers = {key: {**first, **groups[key[0], 0], **own} for key, own in ordered}
    return tuple(
        AudioGroup(
            f"{kind}-{rank + 1}" if rank else kind,
            tuple(offer[who] for who in everyone if who in offer),
        )
        for (kind, rank), offer in offers.items()
    )


def _kind(rendition: Rendition) -> str:
    """What one decoder plays at one channel count, as a group's name."""
    config = audio_config(rendition)
    return f"{_family(config.rfc6381)}-{channels(config)}"


def _family(rfc6381: str) -> str:
    return "aac" if rfc6381 in _AAC else rfc6381


def _is_stereo_aac(group: dict[Member, Rendition]) -> bool:
    configs = map(audio_config, group.values())
    return all(config.rfc6381 in _AAC and config.channels <= 2 for config in configs)


def channel_configuration(config: AudioConfig) -> tuple[str, str] | None:
    """DASH AudioChannelConfiguration as scheme and value; None where no code point fits."""
    layout = config.speaker_layout or _USUAL_LAYOUT.get(config.channels)
    if layout is None:
        return None
    if config.rfc6381 in _DOLBY:
        bits = _DOLBY_BITS.get(layout)
        return None if bits is None else (_DOLBY_CHANNELS, f"{bits:04X}")
    return _CICP, str(layout)
