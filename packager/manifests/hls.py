"""HLS playlists (RFC 8216bis, Apple's authoring specification).

A multivariant playlist names every pairing of a video rendition with an audio group; a media
playlist and an I-frame playlist are one line of arithmetic a segment. Segment lengths are
differences of rounded times, not rounded differences, so that no playlist drifts.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping, Sequence
from itertools import product

import numpy as np
from numpy.typing import NDArray

from packager.manifests.audio import AudioGroup, audio_groups, channels
from packager.manifests.menu import menu
from packager.manifests.tracks import audio_config, video_config, video_range
from packager.model import Presentation, Rendition, TextRendition
from packager.mux.fmp4 import head_sizes

MEDIA_TYPE = "application/vnd.apple.mpegurl"

_SUBTITLES = "subtitles"
_FLOAT_DURATIONS, _MAP = 3, 6  # what needs which EXT-X-VERSION (section 8)
_SDH = (
    "public.accessibility.transcribes-spoken-dialog,public.accessibility.describes-music-and-sound"
)


def multivariant_playlist(presentation: Presentation) -> str:
    groups = audio_groups(presentation.audio)
    return _lines(
        "#EXTM3U",
        "#EXT-X-INDEPENDENT-SEGMENTS",
        *(line for group in groups for line in _audio_media(presentation, group)),
        *_subtitle_media(presentation),
        *_variants(presentation, groups),
        *(_iframe_variant(presentation, rendition) for rendition in presentation.video),
    )


def media_playlist(presentation: Presentation, rendition: Rendition | TextRendition) -> str:
    if isinstance(rendition, TextRendition):
        return _text_playlist(rendition)
    entries = zip(_extinf(rendition), rendition.segments.time.tolist(), strict=True)
    return _lines(
        *_media_head(_MAP, presentation.target_duration),
        '#EXT-X-MAP:URI="init.mp4"',
        *[f"{extinf}\n{time}.m4s" for extinf, time in entries],
        "#EXT-X-ENDLIST",
    )


def iframe_playlist(presentation: Presentation, rendition: Rendition) -> str:
    """An entry for each segment: its header and its first sample, which is a key frame."""
    entries = zip(
        _extinf(rendition),
        _iframe_sizes(rendition).tolist(),
        rendition.segments.time.tolist(),
        strict=True,
    )
    return _lines(
        *_media_head(_MAP, presentation.target_duration),
        "#EXT-X-I-FRAMES-ONLY",
        '#EXT-X-MAP:URI="init.mp4"',
        *[f"{extinf}\n#EXT-X-BYTERANGE:{size}@0\n{time}.m4s" for extinf, size, time in entries],
        "#EXT-X-ENDLIST",
    )


def _text_playlist(text: TextRendition) -> str:
    """Subtitles may have a target duration of their own (6.2.4)."""
    lengths = np.diff(text.edges)
    target = (int(lengths.max()) + 500) // 1000
    return _lines(
        *_media_head(_FLOAT_DURATIONS, max(target, 1)),
        *map(
            "#EXTINF:{}.{:03},\n{}.vtt".format,
            (lengths // 1000).tolist(),
            (lengths % 1000).tolist(),
            text.edges,
        ),
        "#EXT-X-ENDLIST",
    )


def _media_head(version: int, target_duration: int) -> tuple[str, ...]:
    return (
        "#EXTM3U",
        f"#EXT-X-VERSION:{version}",
        f"#EXT-X-TARGETDURATION:{target_duration}",
        "#EXT-X-PLAYLIST-TYPE:VOD",
        "#EXT-X-INDEPENDENT-SEGMENTS",
    )


def _extinf(rendition: Rendition) -> Iterator[str]:
    """The EXTINF line of every segment. Most lengths are equal: each is written once."""
    ends = np.cumsum(rendition.segments.duration)
    whole, rest = np.divmod(ends, rendition.timescale)
    # Seconds apart from the rest: the product stays within 64 bits at any timescale.
    micros = (
        whole * 1_000_000 + (rest * 1_000_000 + rendition.timescale // 2) // rendition.timescale
    )
    lengths = np.diff(np.append(0, micros)).tolist()
    lines = {
        length: f"#EXTINF:{length // 1_000_000}.{length % 1_000_000:06}," for length in set(lengths)
    }
    return map(lines.__getitem__, lengths)


def _iframe_sizes(rendition: Rendition) -> NDArray[np.int64]:
    """Bytes of each segment up to the end of its first sample."""
    edges = rendition.segments.edges
    heads = head_sizes(rendition.layout, np.diff(edges))
    return heads + rendition.track.samples.size.take(edges[:-1])


def _audio_media(presentation: Presentation, group: AudioGroup) -> Iterator[str]:
    items = ((rendition.label, rendition.language, None) for rendition in group.renditions)
    for index, (rendition, entry) in enumerate(zip(group.renditions, menu(items), strict=True)):
        yield _tag(
            "EXT-X-MEDIA",
            {
                "TYPE": "AUDIO",
                "GROUP-ID": _quoted(group.name),
                "NAME": _quoted(entry.name),
                "LANGUAGE": _quoted(entry.language),
                "DEFAULT": _yes_no(index == 0),
                "AUTOSELECT": _yes_no(entry.autoselect),
                "CHANNELS": _quoted(channels(audio_config(rendition))),
                "URI": _quoted(_uri(presentation, rendition.name, "media.m3u8")),
            },
        )


def _subtitle_media(presentation: Presentation) -> Iterator[str]:
    texts = presentation.text
    items = ((text.label, text.language, (text.forced, text.hearing_impaired)) for text in texts)
    for text, entry in zip(texts, menu(items), strict=True):
        yield _tag(
            "EXT-X-MEDIA",
            {
                "TYPE": "SUBTITLES",
                "GROUP-ID": _quoted(_SUBTITLES),
                "NAME": _quoted(entry.name),
                "LANGUAGE": _quoted(entry.language),
                "DEFAULT": "NO",
                "AUTOSELECT": _yes_no(entry.autoselect),
                "FORCED": _yes_no(text.forced),
                "CHARACTERISTICS": _quoted(_SDH if text.hearing_impaired else None),
                "URI": _quoted(_uri(presentation, text.name, "media.m3u8")),
            },
        )


def _variants(presentation: Presentation, groups: Sequence[AudioGroup]) -> Iterator[str]:
    """Every video rendition with every audio group; without video, the audio groups."""
    if not presentation.video:
        for group in groups:
            yield _variant(presentation, None, group)
            yield _uri(presentation, group.renditions[0].name, "media.m3u8")
    for group_or_none, video in product(groups or (None,), presentation.video):
        yield _variant(presentation, video, group_or_none)
        yield _uri(presentation, video.name, "media.m3u8")


def _variant(presentation: Presentation, video: Rendition | None, group: AudioGroup | None) -> str:
    """4.4.6.2; a rate is the video's and that of the group's most expensive member."""
    parts = [part for part in (video, group) if part is not None]
    codecs = (*((video.config.rfc6381,) if video else ()), *(group.codecs if group else ()))
    return _tag(
        "EXT-X-STREAM-INF",
        {
            "BANDWIDTH": sum(part.bandwidth for part in parts),
            "AVERAGE-BANDWIDTH": sum(part.average_bandwidth for part in parts),
            "CODECS": _quoted(",".join(codecs)),
            **(_picture(video) if video else {}),
            "FRAME-RATE": f"{float(video.frame_rate):.3f}" if video and video.frame_rate else None,
            "AUDIO": _quoted(group.name if group else None),
            "SUBTITLES": _quoted(_SUBTITLES if presentation.text else None),
            "CLOSED-CAPTIONS": "NONE",
        },
    )


def _iframe_variant(presentation: Presentation, video: Rendition) -> str:
    """4.4.6.3; rates are those of what the I-frame playlist addresses."""
    bits, ticks = _iframe_sizes(video) * 8, video.segments.duration
    return _tag(
        "EXT-X-I-FRAME-STREAM-INF",
        {
            "BANDWIDTH": int((-(-bits * video.timescale // ticks)).max()),
            "AVERAGE-BANDWIDTH": -(-int(bits.sum()) * video.timescale // int(ticks.sum())),
            "CODECS": _quoted(video.config.rfc6381),
            **_picture(video),
            "URI": _quoted(_uri(presentation, video.name, "iframes.m3u8")),
        },
    )


def _picture(video: Rendition) -> dict[str, str | None]:
    """RESOLUTION in square pixels, as it is displayed."""
    config = video_config(video)
    return {
        "SUPPLEMENTAL-CODECS": _quoted(config.supplemental),
        "RESOLUTION": f"{round(config.width * config.sar)}x{config.height}",
        "VIDEO-RANGE": video_range(video),
    }


def _uri(presentation: Presentation, track: str, file: str) -> str:
    """Relative to the multivariant playlist."""
    return f"{presentation.revision}/{track}/{file}"


def _tag(name: str, attributes: Mapping[str, object]) -> str:
    given = (f"{key}={value}" for key, value in attributes.items() if value is not None)
    return f"#{name}:{','.join(given)}"


def _quoted(value: str | None) -> str | None:
    return None if value is None else f'"{value}"'


def _yes_no(value: bool) -> str:
    return "YES" if value else "NO"


def _lines(*lines: str) -> str:
    return "\n".join(lines) + "\n"
