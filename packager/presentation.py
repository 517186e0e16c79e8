"""From the indexes of a title's files to one presentation whose renditions line up.

Video renditions must share their cuts: the largest set that does plays, the others are left out
with the reason in words. Sound and subtitles follow the video's boundaries. Whatever is left out
is named in ``Presentation.left_out``; only a title with nothing to play is refused.
"""

from __future__ import annotations

import hashlib
from collections.abc import Iterable, Iterator, Sequence
from dataclasses import dataclass, replace
from fractions import Fraction
from math import floor

import numpy as np

from packager import timeline as tl
from packager.bandwidth import measure_bandwidth
from packager.errors import Misaligned, UnsupportedMedia
from packager.labels import label_sounds, sound, text_label
from packager.lineup import Candidate, line_up
from packager.model import (
    AudioConfig,
    FragmentLayout,
    LeftOut,
    MediaKind,
    MovieIndex,
    Presentation,
    Rendition,
    SegmentTable,
    TextRendition,
    Track,
)
from packager.mux.fmp4 import fragment_layout, segment_sizes
from packager.text import TextDocument, text_edges

OUTPUT_VERSION = 1
"""Part of every revision: raise it when the same input would give other bytes."""

START_BITRATE = 600_000
"""Manifests list first the best rung a slow line can start on (bits/s)."""

TAIL_SECONDS = Fraction(1, 2)
"""A shorter last segment of a track joins the one before it."""

LONGEST_TITLE_HOURS = 100
"""What ends later is a broken time, not a title; no list of segments is made for it."""


@dataclass(frozen=True, slots=True, eq=False)
class Source:
    """One MP4 of a title; ``language``: of its sound, where only the file's name says it."""

    index: MovieIndex
    language: str | None = None


@dataclass(frozen=True, slots=True)
class TextSource:
    """One subtitle file of a title."""

    name: str
    version: str
    document: TextDocument
    language: str = "und"
    forced: bool = False
    hearing_impaired: bool = False


def build_presentation(
    asset: str,
    sources: Sequence[Source],
    texts: Sequence[TextSource] = (),
    left_out: Iterable[LeftOut] = (),
) -> Presentation:
    """One presentation of all that lines up; ``left_out``: files that could not even be read.

    Raises ``Misaligned`` when nothing is left to play.
    """
    missing = list(left_out)
    candidates = [_candidate(source, track) for source in sources for track in source.index.tracks]
    for source in sources:
        missing += source.index.skipped
    for text in texts:
        missing += _broken_cues(text)
    candidates = _of_title_length(_on_common_origin(candidates), missing)
    video = [c for c in candidates if c.track.kind is MediaKind.VIDEO]
    audio = [c for c in candidates if c.track.kind is MediaKind.AUDIO]
    audio = _without_repeats(audio, missing)
    video, cuts = line_up(video, missing)
    if not video and not audio:
        raise Misaligned("no track of the title can be played: " + _reasons(missing))
    timeline, end = tl.title_timeline([c.track for c in video], [c.track for c in audio], cuts)
    video_renditions = _order_video(_renditions(video, timeline, missing))
    audio_renditions = _order_audio(_renditions(audio, timeline, missing))
    renditions = video_renditions + audio_renditions
    if not renditions:
        raise Misaligned("no track of the title can be packaged: " + _reasons(missing))
    return Presentation(
        asset=asset,
        revision=_revision(sources, texts),
        video=_named(video_renditions, "video"),
        audio=_named(label_sounds(audio_renditions), "audio"),
        text=_text_renditions(texts, end),
        duration=end,
        target_duration=_target_duration(renditions),
        left_out=tuple(missing),
    )


def _reasons(missing: Sequence[LeftOut]) -> str:
    return "; ".join(f"{item.source}: {item.text}" for item in missing)


def _revision(sources: Sequence[Source], texts: Sequence[TextSource]) -> str:
    """Digest of all that the bytes under it depend on, as 16 hex digits."""
    digest = hashlib.blake2b(str(OUTPUT_VERSION).encode(), digest_size=8)
    for source in sources:
        digest.update(repr((source.index.source, source.index.version, source.language)).encode())
    for text in texts:
        digest.update(repr((text.name, text.version)).encode())
    return digest.hexdigest()


def _candidate(source: Source, track: Track) -> Candidate:
    if source.language and track.language == "und" and track.kind is MediaKind.AUDIO:
        track = replace(track, language=source.language)
    with_pictures = any(other.kind is MediaKind.VIDEO for other in source.index.tracks)
    return Candidate(source.index.source, track, with_pictures)


def _on_common_origin(candidates: list[Candidate]) -> list[Candidate]:
    """Start the presentation at zero where every track starts later than that."""
    starts = [Fraction(c.track.samples.start, c.track.timescale) for c in candidates]
    origin = min(starts, default=Fraction(0))
    if origin <= 0:
        return candidates
    return [replace(c, track=_shifted(c.track, origin)) for c in candidates]


def _shifted(track: Track, origin: Fraction) -> Track:
    dts = track.samples.dts
    dts = replace(dts, first=dts.first - floor(origin * track.timescale))
    return replace(track, samples=replace(track.samples, dts=dts))


def _of_title_length(candidates: list[Candidate], missing: list[LeftOut]) -> list[Candidate]:
    kept = []
    for candidate in candidates:
        if tl.seconds(candidate.track) > LONGEST_TITLE_HOURS * 3600:
            missing.append(candidate.left_out(f"ends later than {LONGEST_TITLE_HOURS} hours"))
        else:
            kept.append(candidate)
    return kept


def _without_repeats(audio: list[Candidate], missing: list[LeftOut]) -> list[Candidate]:
    """Of the same sound muxed with each rung of pictures, keep the best."""
    best: dict[object, Candidate] = {}
    kept: list[Candidate] = []
    for candidate in audio:
        if not candidate.with_pictures:
            kept.append(candidate)
            continue
        key = (sound(candidate.track), candidate.track.language, _nth(candidate, audio))
        rival = best.setdefault(key, candidate)
        if rival is not candidate:
            winner, loser = sorted((rival, candidate), key=_average_bitrate, reverse=True)
            best[key] = winner
            reason = f"the same sound is taken from {winner.source}"
            missing.append(loser.left_out(reason, expected=True))
    return [c for c in audio if c in kept or c in best.values()]


def _nth(candidate: Candidate, audio: list[Candidate]) -> int:
    """Which of its kind the track is within its own file: a second one is a commentary."""
    same = [
        other
        for other in audio
        if other.source == candidate.source
        and sound(other.track) == sound(candidate.track)
        and other.track.language == candidate.track.language
    ]
    return same.index(candidate)


def _average_bitrate(candidate: Candidate) -> Fraction:
    samples = candidate.track.samples
    length = samples.dts.end - samples.dts.first
    return Fraction(samples.size.total * candidate.track.timescale, max(length, 1))


def _renditions(
    candidates: list[Candidate], timeline: tl.Timeline, missing: list[LeftOut]
) -> list[Rendition]:
    renditions = []
    for candidate in candidates:
        try:
            renditions.append(_rendition(candidate, timeline))
        except UnsupportedMedia as error:
            missing.append(candidate.left_out(str(error)))
    return renditions


def _rendition(candidate: Candidate, timeline: tl.Timeline) -> Rendition:
    track = candidate.track
    if not track.samples.sync_in_order:
        raise UnsupportedMedia("its key frames are not in order of time")
    layout = fragment_layout(track)
    edges = tl.segment_edges(track, timeline)
    times, durations = tl.segment_times(track.samples, edges)
    if len(durations) > 1 and durations[-1] < TAIL_SECONDS * track.timescale:
        edges = np.delete(edges, -2)
        times, durations = tl.segment_times(track.samples, edges)
    if np.any(durations <= 0):
        raise UnsupportedMedia("its pictures are not in order of time across key frames")
    sizes = segment_sizes(track.samples, layout, edges)
    segments = SegmentTable(edges, times, durations, sizes)
    peak, average = measure_bandwidth(segments, track.timescale)
    return Rendition(
        name="",
        source=candidate.source,
        track=track,
        layout=layout,
        segments=segments,
        bandwidth=peak,
        average_bandwidth=average,
        frame_rate=_frame_rate(track, layout) if track.kind is MediaKind.VIDEO else None,
        label="",
    )


def _frame_rate(track: Track, layout: FragmentLayout) -> Fraction | None:
    """Of the frame duration that nearly all have, else the mean."""
    if layout.duration:
        return Fraction(track.timescale, layout.duration)
    durations = track.samples.duration.rows(0, len(track.samples))
    middle = len(durations) // 2
    usual = int(np.partition(durations, middle)[middle])
    if usual and np.count_nonzero(durations == usual) >= 0.9 * len(durations):
        return Fraction(track.timescale, usual)
    total = int(durations.sum())
    mean = Fraction(len(durations) * track.timescale, total) if total else Fraction(0)
    return mean.limit_denominator(1001) or None


def _order_video(renditions: list[Rendition]) -> list[Rendition]:
    """Rising bandwidth, AVC (which plays everywhere) before newer codecs, the start rung first."""
    rising = sorted(renditions, key=lambda r: (r.config.codec != "avc", r.bandwidth, r.source))
    if not rising:
        return rising
    family = [r for r in rising if r.config.codec == rising[0].config.codec]
    start = max(
        (r for r in family if r.bandwidth <= START_BITRATE),
        key=lambda r: r.bandwidth,
        default=family[0],
    )
    return [start, *(r for r in rising if r is not start)]


def _order_audio(renditions: list[Rendition]) -> list[Rendition]:
    """Stereo AAC, which plays everywhere, first; otherwise in the order of the files."""
    return sorted(
        renditions,
        key=lambda r: (
            not (
                isinstance(r.config, AudioConfig)
                and r.config.codec == "aac"
                and r.config.channels <= 2
            )
        ),
    )


def _named(renditions: list[Rendition], kind: str) -> tuple[Rendition, ...]:
    return tuple(replace(r, name=f"{kind}{n}") for n, r in enumerate(renditions, 1))


def _target_duration(renditions: list[Rendition]) -> int:
    """EXT-X-TARGETDURATION: no segment's duration, rounded, is above it (RFC 8216 4.3.3.1)."""
    longest = max(Fraction(int(r.segments.duration.max()), r.timescale) for r in renditions)
    return max(1, floor(longest + Fraction(1, 2)))


def _broken_cues(text: TextSource) -> Iterator[LeftOut]:
    skipped = text.document.skipped
    if skipped:
        lines = ", ".join(map(str, skipped[:10])) + (", …" if len(skipped) > 10 else "")
        yield LeftOut(text.name, f"{len(skipped)} cues", f"they cannot be read (lines {lines})")


def _text_renditions(texts: Sequence[TextSource], end: Fraction) -> tuple[TextRendition, ...]:
    edges = text_edges(floor(end * 1000))
    return tuple(
        TextRendition(
            name=f"text{n}",
            source=text.name,
            language=text.language,
            label=text_label(text.language, text.forced, text.hearing_impaired),
            forced=text.forced,
            hearing_impaired=text.hearing_impaired,
            header=text.document.header,
            cues=text.document.cues,
            edges=edges,
        )
        for n, text in enumerate(texts, 1)
    )
