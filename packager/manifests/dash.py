"""The DASH MPD (ISO/IEC 23009-1, DASH-IF timing model).

One period, one segment timeline a track, in the track's own timescale and starting at 0, so that
``$Time$`` is the address of a segment and no offset is needed:

    MPD > Period > AdaptationSet > SegmentTemplate > SegmentTimeline > S
                                 > Representation
"""

from __future__ import annotations

from collections.abc import Callable, Hashable, Iterable, Iterator, Sequence
from fractions import Fraction
from math import ceil

import numpy as np

from packager.manifests import descriptors
from packager.manifests.audio import channels, member
from packager.manifests.menu import known_language
from packager.manifests.tracks import audio_config, video_config, video_range
from packager.manifests.xml import Attributes, Element, document, element, leaf
from packager.model import Presentation, Rendition, TextRendition

MEDIA_TYPE = "application/dash+xml"

_PROFILES = "urn:mpeg:dash:profile:isoff-live:2011,urn:mpeg:dash:profile:cmaf:2019"
_SCTE_214 = "urn:scte:dash:scte214-extensions"
# Players wait for this much before they start. A bandwidth is the peak over whole segments, so
# two seconds cover the unevenness inside one.
_MIN_BUFFER = "PT2S"

_CUE_FRAME = 32
"""Bytes around a cue's payload: its times and the lines' ends."""


def mpd(presentation: Presentation) -> str:
    duration = _duration(presentation.duration)
    supplemental = any(video_config(video).supplemental for video in presentation.video)
    root = element(
        "MPD",
        {
            "xmlns": "urn:mpeg:dash:schema:mpd:2011",
            "xmlns:scte214": _SCTE_214 if supplemental else None,
            "profiles": _PROFILES,
            "type": "static",
            "mediaPresentationDuration": duration,
            "minBufferTime": _MIN_BUFFER,
        },
        element(
            "Period",
            {"id": 0, "start": "PT0S", "duration": duration},
            *_adaptation_sets(presentation),
        ),
    )
    return document(root)


def _adaptation_sets(presentation: Presentation) -> Iterator[Element]:
    """Numbered as they come: video, audio, text."""
    videos = _grouped(presentation.video, _video_key)
    audios = _grouped(presentation.audio, _audio_key)
    for number, renditions in enumerate(videos, 1):
        yield _video_set(presentation, number, renditions, _switchable(videos, number))
    for number, renditions in enumerate(audios, 1 + len(videos)):
        yield _audio_set(presentation, number, renditions)
    for number, text in enumerate(presentation.text, 1 + len(videos) + len(audios)):
        yield _text_set(presentation, number, text)


def _grouped(
    renditions: Iterable[Rendition], key: Callable[[Rendition], Hashable]
) -> list[list[Rendition]]:
    groups: dict[Hashable, list[Rendition]] = {}
    for rendition in renditions:
        groups.setdefault(key(rendition), []).append(rendition)
    return list(groups.values())


def _video_key(rendition: Rendition) -> Hashable:
    family = rendition.config.rfc6381.partition(".")[0]
    return family, rendition.timescale, video_range(rendition)


def _audio_key(rendition: Rendition) -> Hashable:
    config = audio_config(rendition)
    return config.rfc6381, channels(config), member(rendition)


def _switchable(sets: Sequence[Sequence[Rendition]], number: int) -> list[int]:
    """The other video sets a player may move to from set ``number`` with no visible break."""
    ranges = [video_range(renditions[0]) for renditions in sets]
    mine = ranges[number - 1]
    return [other for other, its in enumerate(ranges, 1) if its == mine and other != number]


def _video_set(
    presentation: Presentation, number: int, videos: Sequence[Rendition], switchable: list[int]
) -> Element:
    configs = [video_config(video) for video in videos]
    largest = max(configs, key=lambda config: config.width * config.height)
    return _media_set(
        presentation,
        videos,
        {
            "id": number,
            "contentType": "video",
            "mimeType": "video/mp4",
            "par": _ratio(largest.width * largest.sar / largest.height),
            "maxWidth": max(config.width for config in configs),
            "maxHeight": max(config.height for config in configs),
            "maxFrameRate": max(
                (video.frame_rate for video in videos if video.frame_rate), default=None
            ),
        },
        *descriptors.colour(videos),
        *descriptors.switching(switchable),
        descriptors.role("main"),
        representation=_video_attributes,
    )


def _video_attributes(video: Rendition) -> Attributes:
    config = video_config(video)
    codecs, _, profiles = (config.supplemental or "").partition("/")
    return {
        "width": config.width,
        "height": config.height,
        "sar": _ratio(config.sar),
        "frameRate": video.frame_rate,
        "scte214:supplementalCodecs": codecs or None,
        "scte214:supplementalProfiles": profiles or None,
    }


def _audio_set(presentation: Presentation, number: int, audios: Sequence[Rendition]) -> Element:
    first = audios[0]
    config = audio_config(first)
    default = member(first) == member(presentation.audio[0])
    return _media_set(
        presentation,
        audios,
        {
            "id": number,
            "contentType": "audio",
            "lang": known_language(first.language),
            "mimeType": "audio/mp4",
        },
        *descriptors.audio_channels(config),
        *descriptors.atmos(config.joc_objects),
        *descriptors.label(first.label),
        descriptors.role("main" if default else "alternate"),
        representation=lambda audio: {"audioSamplingRate": audio_config(audio).sample_rate},
    )


def _media_set(
    presentation: Presentation,
    renditions: Sequence[Rendition],
    attributes: Attributes,
    *described: Element,
    representation: Callable[[Rendition], Attributes],
) -> Element:
    """The segments are told once where all representations have the same."""
    templates = [_segment_template(presentation, rendition) for rendition in renditions]
    shared = templates[0] if all(template == templates[0] for template in templates) else ""
    return element(
        "AdaptationSet",
        {**attributes, "segmentAlignment": "true", "startWithSAP": 1},
        *described,
        shared,
        *(
            element(
                "Representation",
                {
                    "id": rendition.name,
                    "codecs": rendition.config.rfc6381,
                    "bandwidth": rendition.bandwidth,
                    **representation(rendition),
                },
                "" if shared else template,
            )
            for rendition, template in zip(renditions, templates, strict=True)
        ),
    )


def _segment_template(presentation: Presentation, rendition: Rendition) -> Element:
    path = f"{presentation.revision}/$RepresentationID$"
    return element(
        "SegmentTemplate",
        {
            "timescale": rendition.timescale,
            "initialization": f"{path}/init.mp4",
            "media": f"{path}/$Time$.m4s",
        },
        element("SegmentTimeline", {}, _timeline(rendition)),
    )


def _timeline(rendition: Rendition) -> Element:
    """An S for each run of equal durations; the times between are the sums, to the tick."""
    segments = rendition.segments
    steps = np.diff(np.append(segments.time, segments.duration.sum()))
    starts = np.flatnonzero(np.append(True, steps[1:] != steps[:-1]))
    repeats = np.diff(np.append(starts, len(steps))) - 1
    runs = list(zip(steps[starts].tolist(), repeats.tolist(), strict=True))
    # Runs are short where durations alternate, as those of sound do: many, but of few kinds.
    kinds = {
        (step, repeat): f'<S d="{step}" r="{repeat}"/>' if repeat else f'<S d="{step}"/>'
        for step, repeat in set(runs)
    }
    lines = [kinds[run] for run in runs]
    lines[0] = lines[0].replace("<S", f'<S t="{segments.time[0]}"')
    return "\n".join(lines)


def _text_set(presentation: Presentation, number: int, text: TextRendition) -> Element:
    """The whole file at once (side-loaded): it is small and has no timeline to keep."""
    size = sum(len(cue.payload) + _CUE_FRAME for cue in text.cues)
    bandwidth = max(ceil(8 * size / presentation.duration), 1)
    role = "forced-subtitle" if text.forced else "caption" if text.hearing_impaired else "subtitle"
    return element(
        "AdaptationSet",
        {
            "id": number,
            "contentType": "text",
            "lang": known_language(text.language),
            "mimeType": "text/vtt",
        },
        *descriptors.label(text.label),
        descriptors.role(role),
        element(
            "Representation",
            {"id": text.name, "bandwidth": bandwidth},
            leaf("BaseURL", f"{presentation.revision}/{text.name}/text.vtt"),
        ),
    )


def _ratio(value: Fraction) -> str:
    return f"{value.numerator}:{value.denominator}"


def _duration(seconds: Fraction) -> str:
    """xs:duration; exact, or to the nanosecond where no decimal number is."""
    whole, nanoseconds = divmod(round(seconds * 10**9), 10**9)
    return f"PT{whole}.{nanoseconds:09}".rstrip("0").rstrip(".") + "S"
