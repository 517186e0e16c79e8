"""The values that flow through the packager, from index to manifest.

    SampleTable -> Track -> MovieIndex     what one MP4 holds (``packager.movie``)
    Rendition   -> Presentation            what one title is  (``packager.presentation``)

Columns are read-only numpy arrays of one length, one row a sample in decode order; times are in
the track's own timescale.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray


class MediaKind(Enum):
    VIDEO = "video"
    AUDIO = "audio"


VideoRange = Literal["SDR", "PQ", "HLG"]


@dataclass(frozen=True, slots=True)
class Colour:
    """Coding-independent code points (ISO/IEC 23091-2)."""

    primaries: int
    transfer: int
    matrix: int
    full_range: bool = False

    @property
    def video_range(self) -> VideoRange:
        """HLS VIDEO-RANGE: ST 2084 is PQ, ARIB STD-B67 is HLG."""
        return "PQ" if self.transfer == 16 else "HLG" if self.transfer == 18 else "SDR"


@dataclass(frozen=True, slots=True)
class VideoConfig:
    """``sample_entry``: the whole box as an init segment carries it; ``width`` x ``height`` in
    coded pixels, ``sar`` the shape of one (width/height); ``supplemental``: the HLS
    SUPPLEMENTAL-CODECS string (Dolby Vision on a compatible base layer)."""

    codec: str
    rfc6381: str
    sample_entry: bytes
    width: int
    height: int
    sar: Fraction = Fraction(1)
    colour: Colour | None = None
    supplemental: str | None = None


@dataclass(frozen=True, slots=True)
class AudioConfig:
    """``sample_rate``, ``channels``: of what a decoder puts out (with SBR and parametric stereo);
    ``speaker_layout``: the ChannelConfiguration of ISO/IEC 23091-3 where it is known;
    ``joc_objects``: Dolby Atmos complexity index, 0 without; ``roll_distance``: how many samples
    at ``sample_rate`` to decode before one sounds right (Opus: 3840), 0 where none are wanted."""

    codec: str
    rfc6381: str
    sample_entry: bytes
    sample_rate: int
    channels: int
    speaker_layout: int | None = None
    joc_objects: int = 0
    roll_distance: int = 0


CodecConfig = VideoConfig | AudioConfig


@dataclass(frozen=True, eq=False)
class SampleTable:
    """``dts`` and ``pts`` are on the presentation's own timeline, the edit list already applied
    (an audio track's priming lies below zero); ``duration`` is the distance to the next ``dts``.

    ``dts`` never falls. ``pts`` may be ``dts`` itself, where no sample is shifted, and ``duration``
    an array of stride 0, where all are equal: then neither takes memory of its own."""

    offset: NDArray[np.int64]
    size: NDArray[np.int32]
    dts: NDArray[np.int64]
    pts: NDArray[np.int64]
    duration: NDArray[np.int64]
    sync: NDArray[np.bool_]

    def __post_init__(self) -> None:
        for column in (self.offset, self.size, self.dts, self.pts, self.duration, self.sync):
            column.setflags(write=False)

    def __len__(self) -> int:
        return len(self.size)

    @cached_property
    def steady(self) -> int | None:
        """The duration of every sample, where all are equal."""
        first = self.duration[0]
        equal = self.duration.strides == (0,) or np.all(self.duration == first)
        return int(first) if equal else None

    @cached_property
    def start(self) -> int:
        """The earliest presentation time."""
        return int(self.pts[0] if self.pts is self.dts else self.pts.min())

    @cached_property
    def end(self) -> int:
        """Where the sample shown last ends."""
        if self.steady is None:
            return int((self.pts + self.duration).max())
        return int(self.pts[-1] if self.pts is self.dts else self.pts.max()) + self.steady

    @cached_property
    def sync_pts(self) -> NDArray[np.int64]:
        """Presentation times of the sync samples, in decode order."""
        return self.pts if self.sync.all() else self.pts[np.flatnonzero(self.sync)]

    def rows(self, first: int, stop: int) -> SampleTable:
        """Views of rows ``first`` up to ``stop``."""
        part = slice(first, stop)
        dts = self.dts[part]
        return SampleTable(
            self.offset[part],
            self.size[part],
            dts,
            dts if self.pts is self.dts else self.pts[part],
            self.duration[part],
            self.sync[part],
        )


@dataclass(frozen=True, slots=True)
class Edit:
    """An edit list (ISO/IEC 14496-12 8.6.6) in track ticks: after ``delay``, the media from
    ``media_time`` on is shown, up to ``end`` on the presentation's timeline (None: to its end)."""

    delay: int = 0
    media_time: int = 0
    end: int | None = None

    @property
    def shift(self) -> int:
        """From the media's timeline to the presentation's."""
        return self.delay - self.media_time


UNITY_MATRIX = bytes.fromhex("00010000" + "00" * 12 + "00010000" + "00" * 12 + "40000000")


@dataclass(frozen=True, slots=True, eq=False)
class Track:
    """``language``: BCP 47, ``und`` where the file does not say; ``name``: its handler's name;
    ``edit``: its edit list, already applied to ``samples``; ``matrix``: how the picture is
    turned for display ('tkhd')."""

    track_id: int
    kind: MediaKind
    timescale: int
    language: str
    name: str
    config: CodecConfig
    samples: SampleTable
    edit: Edit | None = None
    matrix: bytes = UNITY_MATRIX


@dataclass(frozen=True, slots=True)
class LeftOut:
    """A track, or with an empty ``what`` a whole file, that the presentation plays without."""

    source: str
    what: str
    reason: str
    expected: bool = False
    """Nobody misses it: chapters, time code, metadata."""

    @property
    def text(self) -> str:
        """What and why, to be read behind the source."""
        return f"{self.what}: {self.reason}" if self.what else self.reason


@dataclass(frozen=True, slots=True, eq=False)
class MovieIndex:
    """``skipped``: the tracks that cannot be packaged, and why."""

    source: str
    version: str
    size: int
    tracks: tuple[Track, ...]
    skipped: tuple[LeftOut, ...] = ()


@dataclass(frozen=True, slots=True, eq=False)
class SegmentTable:
    """One row a segment, none empty. ``edges`` has one more: rows ``edges[k]`` up to
    ``edges[k+1]`` of the track's samples are segment k. ``time``: its earliest presentation time,
    which is its address; ``duration``: up to the next segment's time (the first counts from the
    presentation's start), so durations add up to the track's end; ``size``: bytes of the whole
    CMAF segment."""

    edges: NDArray[np.int64]
    time: NDArray[np.int64]
    duration: NDArray[np.int64]
    size: NDArray[np.int64]

    def __post_init__(self) -> None:
        for column in fields(self):
            getattr(self, column.name).setflags(write=False)

    def __len__(self) -> int:
        return len(self.time)


@dataclass(frozen=True, slots=True)
class FragmentLayout:
    """How a track's samples are written, decided once so that the size of every header is a
    formula. ``decode_shift``: added to ``dts``; ``media_time``: added to ``pts`` and taken back by
    the init segment's edit list; ``duration``: of every sample, None where they differ;
    ``all_sync``, ``has_shifts``: whether flags and composition offsets need columns; ``roll``:
    samples to decode before one sounds right, 0 for none."""

    decode_shift: int
    media_time: int
    duration: int | None
    all_sync: bool
    has_shifts: bool
    roll: int


@dataclass(frozen=True, slots=True, eq=False)
class Rendition:
    """A track as part of a presentation. ``name`` is unique there and is its place in URLs;
    ``label``: what a menu shows; bandwidths in bits/s, measured over the planned segments."""

    name: str
    source: str
    track: Track
    layout: FragmentLayout
    segments: SegmentTable
    bandwidth: int
    average_bandwidth: int
    frame_rate: Fraction | None
    label: str

    @property
    def config(self) -> CodecConfig:
        return self.track.config

    @property
    def timescale(self) -> int:
        return self.track.timescale

    @property
    def language(self) -> str:
        return self.track.language


@dataclass(frozen=True, slots=True)
class Cue:
    """Milliseconds on the presentation's timeline; ``settings`` and ``payload`` as WebVTT
    writes them (payload lines joined by a newline, none of them empty)."""

    start: int
    end: int
    payload: str
    settings: str = ""


@dataclass(frozen=True, slots=True)
class TextRendition:
    """Subtitles from a side file. ``header``: STYLE and REGION blocks to repeat in every
    segment; ``edges``: segment boundaries in milliseconds, one more than there are segments."""

    name: str
    source: str
    language: str
    label: str
    forced: bool
    hearing_impaired: bool
    header: str
    cues: tuple[Cue, ...]
    edges: tuple[int, ...]


@dataclass(frozen=True, slots=True, eq=False)
class Presentation:
    """``video`` is in the order manifests list it: the rung to start with first, then rising
    bandwidth. ``duration`` in seconds; ``target_duration``: HLS EXT-X-TARGETDURATION of every
    audio and video playlist."""

    asset: str
    revision: str
    video: tuple[Rendition, ...]
    audio: tuple[Rendition, ...]
    text: tuple[TextRendition, ...]
    duration: Fraction
    target_duration: int
    left_out: tuple[LeftOut, ...] = ()

    @property
    def renditions(self) -> tuple[Rendition, ...]:
        return self.video + self.audio
