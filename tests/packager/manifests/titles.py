"""Titles built by hand: every number in them is plain to see, none comes out of a media file."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction

import numpy as np

from packager.model import (
    AudioConfig,
    Colour,
    Cue,
    MediaKind,
    Presentation,
    Rendition,
    SampleTable,
    SegmentTable,
    TextRendition,
    Track,
    VideoConfig,
)
from packager.mux.fmp4 import fragment_layout, segment_sizes
from tests.support.tracks import sample_table

REVISION = "0123456789abcdef"
BT709 = Colour(1, 1, 1)
BT2100_PQ = Colour(9, 16, 9)


def rendition(
    config: VideoConfig | AudioConfig,
    frames: Sequence[int],
    *,
    timescale: int,
    step: int,
    start: int = 0,
    name: str = "video1",
    language: str = "und",
    label: str = "",
    bandwidth: int = 1_000_000,
) -> Rendition:
    """``frames``: how many samples each segment holds, each ``step`` ticks long; the first sample
    shows at ``start``. A segment's first sample has 5,000 bytes, the others 500 to 509."""
    edges = np.concatenate(([0], np.cumsum(frames))).astype(np.int64)
    rows = np.arange(edges[-1])
    leading = np.isin(rows, edges)
    video = isinstance(config, VideoConfig)
    samples = sample_table(
        offset=np.zeros(len(rows), np.int64),
        size=np.where(leading & video, 5000, 500 + rows % 10),
        dts=rows * step + start,
        pts=rows * step + start,
        duration=np.full(len(rows), step, np.int64),
        sync=leading | (not video),
    )
    kind = MediaKind.VIDEO if video else MediaKind.AUDIO
    track = Track(1, kind, timescale, language, "", config, samples)
    layout = fragment_layout(track)
    return Rendition(
        name=name,
        source=f"{name}.mp4",
        track=track,
        layout=layout,
        segments=segments(samples, edges, segment_sizes(samples, layout, edges)),
        bandwidth=bandwidth,
        average_bandwidth=bandwidth * 4 // 5,
        frame_rate=Fraction(timescale, step) if video else None,
        label=label,
    )


def segments(
    samples: SampleTable,
    edges: np.ndarray[tuple[int], np.dtype[np.int64]],
    sizes: np.typing.NDArray[np.int64],
) -> SegmentTable:
    """Times from the samples: the first from zero at the earliest, and counted from zero."""
    times = np.maximum(samples.rows().pts[edges[:-1]], 0)
    end = samples.end
    return SegmentTable(edges, times, np.diff(times[1:], prepend=0, append=end), sizes)


def avc(width: int, height: int, rfc6381: str = "avc1.64001f") -> VideoConfig:
    return VideoConfig("avc", rfc6381, b"", width, height, colour=BT709)


def hevc_hdr(width: int, height: int, supplemental: str | None = None) -> VideoConfig:
    return VideoConfig(
        "hevc", "hvc1.2.4.L123.b0", b"", width, height, colour=BT2100_PQ, supplemental=supplemental
    )


STEREO = AudioConfig("aac", "mp4a.40.2", b"", 48000, 2, speaker_layout=2)
HE_STEREO = AudioConfig("aac", "mp4a.40.5", b"", 48000, 2, speaker_layout=2)
SURROUND = AudioConfig("eac3", "ec-3", b"", 48000, 6, speaker_layout=6)
ATMOS = AudioConfig("eac3", "ec-3", b"", 48000, 6, speaker_layout=6, joc_objects=16)


def audio(
    config: AudioConfig,
    name: str,
    language: str,
    label: str,
    bandwidth: int,
    frames: Sequence[int] = (94, 188, 281, 282),
) -> Rendition:
    """Cut after so many ``frames`` of 1024 samples; Dolby's have 1536 and are cut near there."""
    step = 1536 if config.codec == "eac3" else 1024
    counts = np.diff(np.ceil(np.cumsum((0, *frames)) * 1024 / step).astype(int)).tolist()
    return rendition(
        config,
        counts,
        timescale=48000,
        step=step,
        name=name,
        language=language,
        label=label,
        bandwidth=bandwidth,
    )


def text(
    name: str,
    language: str,
    label: str,
    cues: Sequence[Cue] = (Cue(500, 2500, "Hello"),),
    edges: tuple[int, ...] = (0, 18018),
    *,
    forced: bool = False,
    hearing_impaired: bool = False,
) -> TextRendition:
    return TextRendition(
        name, f"{name}.vtt", language, label, forced, hearing_impaired, "", tuple(cues), edges
    )


def title(
    video: Sequence[Rendition] = (),
    audio: Sequence[Rendition] = (),
    text: Sequence[TextRendition] = (),
    *,
    asset: str = "film",
    target_duration: int = 6,
) -> Presentation:
    ends = (Fraction(int(r.segments.duration.sum()), r.timescale) for r in (*video, *audio))
    return Presentation(
        asset=asset,
        revision=REVISION,
        video=tuple(video),
        audio=tuple(audio),
        text=tuple(text),
        duration=max(ends),
        target_duration=target_duration,
    )


def film() -> Presentation:
    """Two codecs and two dynamic ranges, three kinds of sound in two languages, subtitles."""
    frames = (48, 96, 144, 144)
    sdr = (avc(640, 360), avc(416, 234, "avc1.640015"), avc(1280, 720))
    hdr = (hevc_hdr(1280, 720), hevc_hdr(1920, 1080, "dvh1.08.03/db1p"))
    video = [
        rendition(config, frames, name=f"video{number}", bandwidth=rate, timescale=24000, step=1001)
        for number, (config, rate) in enumerate(
            zip((*sdr, *hdr), (800_000, 300_000, 2_500_000, 1_900_000, 4_000_000), strict=True), 1
        )
    ]
    sound = (
        audio(STEREO, "audio1", "en", "English", 130_000),
        audio(STEREO, "audio2", "fr", "Français", 131_000),
        audio(SURROUND, "audio3", "en", "English", 384_000),
        audio(ATMOS, "audio4", "en", "English", 768_000),
    )
    subtitles = (
        text("text1", "en", "English"),
        text("text2", "en", "English", hearing_impaired=True),
        text("text3", "fr", "Français", forced=True),
        text("text4", "es-419", "Español (Latinoamérica)"),
    )
    return title(video, sound, subtitles)


def concert() -> Presentation:
    """Sound only, each language in two rates."""
    return title(
        audio=(
            audio(STEREO, "audio1", "de", "Deutsch", 128_000),
            audio(HE_STEREO, "audio2", "de", "Deutsch", 64_000),
            audio(STEREO, "audio3", "it", "Italiano", 128_000),
        ),
        asset="Konzert #3 100%",
    )


def silent() -> Presentation:
    """Pictures only, of two frame rates and unequal pixels, the first shown after 40 ms."""
    wide = replace(avc(720, 576), sar=Fraction(64, 45), colour=None)
    return title(
        (
            rendition(wide, (50, 101, 100, 7), timescale=12800, step=512, start=512),
            rendition(
                avc(1280, 720),
                (100, 202, 200, 14),
                timescale=12800,
                step=256,
                start=512,
                name="video2",
            ),
        ),
        target_duration=4,
    )


def many_lines() -> Presentation:
    """What comes out of strangers' files."""
    return title(
        (rendition(avc(640, 360), (50, 50), timescale=25, step=1),),
        (
            audio(STEREO, "audio1", "not a language", 'Director\'s "cut"\n#EXT-X-ENDLIST', 1),
            audio(STEREO, "audio2", "und", "\x1b[31m<b>&amp;\u2028\udcff", 1),
            audio(STEREO, "audio3", "und", "", 1),
        ),
        (text("text1", 'en" x="', "]]>"), text("text2", "en", "]]>")),
    )


TITLES = {"film": film, "concert": concert, "silent": silent, "many-lines": many_lines}
