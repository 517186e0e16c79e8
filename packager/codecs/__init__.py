"""Codecs: from a sample entry of the source to what manifests and init segments need of it.

A codec is one module with a ``parse`` and one line in ``CODECS``. Only configuration is read, so
a track is judged without one of its samples.
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from dataclasses import dataclass

from packager.codecs import aac, ac3, av1, avc, eac3, flac, hevc, opus, vp9
from packager.codecs.entry import unsupported
from packager.isobmff.boxes import Box
from packager.model import CodecConfig, MediaKind


@dataclass(frozen=True, slots=True)
class Codec:
    """``parse``: a sample entry of one of ``fourccs`` -> its configuration, or ``BadMedia``."""

    name: str
    kind: MediaKind
    fourccs: tuple[str, ...]
    parse: Callable[[Box], CodecConfig]


CODECS: tuple[Codec, ...] = (
    Codec("avc", MediaKind.VIDEO, ("avc1", "avc3", "dva1", "dvav"), avc.parse),
    Codec("hevc", MediaKind.VIDEO, ("hvc1", "hev1", "dvh1", "dvhe"), hevc.parse),
    Codec("av1", MediaKind.VIDEO, ("av01", "dav1"), av1.parse),
    Codec("vp9", MediaKind.VIDEO, ("vp09",), vp9.parse),
    Codec("aac", MediaKind.AUDIO, ("mp4a",), aac.parse),
    Codec("ac3", MediaKind.AUDIO, ("ac-3",), ac3.parse),
    Codec("eac3", MediaKind.AUDIO, ("ec-3",), eac3.parse),
    Codec("opus", MediaKind.AUDIO, ("Opus",), opus.parse),
    Codec("flac", MediaKind.AUDIO, ("fLaC",), flac.parse),
)

_ENCRYPTED = ("encv", "enca")


def by_fourcc(codecs: Iterable[Codec]) -> dict[str, Codec]:
    table: dict[str, Codec] = {}
    for codec in codecs:
        for fourcc in codec.fourccs:
            if fourcc in table:
                raise ValueError(f"'{fourcc}' is both {table[fourcc].name} and {codec.name}")
            table[fourcc] = codec
    return table


CODEC_OF_FOURCC = by_fourcc(CODECS)


def parse_sample_entry(entry: Box) -> CodecConfig:
    """What the track of this sample entry is, by what its configuration says.

    The ``sample_entry`` of the result is written anew: parsing it gives the same result again.
    Raises ``UnsupportedMedia`` for what is not packaged, ``BadMedia`` for what is broken.
    """
    if entry.type in _ENCRYPTED:
        raise unsupported(entry, "encrypted input is not supported")
    codec = CODEC_OF_FOURCC.get(entry.type)
    if codec is None:
        raise unsupported(entry, "the codec is not supported")
    return codec.parse(entry)
