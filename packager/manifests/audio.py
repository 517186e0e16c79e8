"""How manifests group audio.

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
