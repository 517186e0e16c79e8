"""The values that flow through the packager, from index to manifest.

    SampleTable -> Track -> MovieIndex     what one MP4 holds (``packager.movie``)
    Rendition   -> Presentation            what one title is  (``packager.presentation``)

Times are in the track's own timescale. A title's samples are asked for by the row, and expanded
there and then (``packager.columns``): all of them at once are for those who have the time.
"""

from __future__ import annotations

from dataclasses import dataclass, fields
from enum import Enum
from fractions import Fraction
from functools import cached_property
from typing import Literal

import numpy as np
from numpy.typing import NDArray

from packager.columns import Column, Integers, Numbers, Rows, Sums, growing_blocks, reduce_between


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


@dataclass(frozen=True, slots=True, eq=False)
class Samples:
    """Neighbouring rows of a ``SampleTable``, as arrays of one length.

    ``dts`` and ``pts`` are on the presentation's own timeline, the edit list already applied (an
    audio track's priming lies below zero); ``duration`` is the distance to the next ``dts``,
    ``shift`` that from ``dts`` to ``pts``."""

    offset: Numbers
    size: Numbers
    dts: Numbers
    duration: Numbers
    shift: Numbers
    sync: NDArray[np.bool_]

    @property
    def pts(self) -> Numbers:
        return self.dts + self.shift

    def __len__(self) -> int:
        return len(self.size)


@dataclass(frozen=True, eq=False)
class SampleTable:
    """The samples of a track in decode order, told in few bytes.

    ``dts`` never falls, its ``lengths`` are the durations; ``shift``: from ``dts`` to ``pts``;
    ``sync``: the rows that are sync samples, None where all are."""

    offset: Rows
    size: Column
    dts: Sums
    shift: Column
    sync: NDArray[np.int32] | None

    @classmethod
    def of(
        cls,
        offset: Integers,
        size: Integers,
        first_dts: int,
        duration: Integers,
        shift: Integers,
        sync: NDArray[np.bool_],
    ) -> SampleTable:
        """Of columns that are nobody else's: they are kept where they are not all the same."""
        return cls(
            Column.of(offset),
            Column.of(size),
            Sums(first_dts, Column.of(duration)),
            Column.of(shift),
            None if sync.all() else np.flatnonzero(sync).astype(np.int32),
        )

    def __len__(self) -> int:
        return len(self.size)

    @property
    def nbytes(self) -> int:
        """Memory that it keeps."""
        columns = (self.offset, self.size, self.dts, self.shift, self.sync)
        return sum(column.nbytes for column in columns if column is not None)

    @property
    def duration(self) -> Column:
        return self.dts.lengths

    @property
    def steady(self) -> int | None:
        """The duration of every sample, where all are equal."""
        return self.duration.constant

    @property
    def in_order(self) -> bool:
        """Samples are shown in the order they are decoded in."""
        return self.shift.constant is not None

    @property
    def first_pts(self) -> int:
        return int(self.pts(0, 1)[0])

    @cached_property
    def start(self) -> int:
        """The earliest presentation time."""
        start, least = self.first_pts, self.shift.bounds[0]
        for first, stop in growing_blocks(len(self)):
            dts = self.dts.rows(first, stop)
            if int(dts[0]) + least >= start:
                break
            start = min(start, int((dts + self.shift.rows(first, stop)).min()))
        return start

    @cached_property
    def end(self) -> int:
        """Where the sample shown last ends."""
        if self.in_order:
            return self.dts.end + self.shift.base
        least, most = self.shift.bounds
        end = self.dts.first + least
        for behind, before in growing_blocks(len(self)):  # from the last row on
            first, stop = len(self) - before, len(self) - behind
            ends = self.dts.rows(first, stop) + self.duration.rows(first, stop)
            if int(ends[-1]) + most <= end:
                break
            end = max(end, int((ends + self.shift.rows(first, stop)).max()))
        return end

    @cached_property
    def sync_pts(self) -> Numbers:
        """Presentation times of the sync samples, in decode order."""
        if self.sync is None:
            return self.pts(0, len(self))
        return self.dts.take(self.sync) + self.shift.take(self.sync)

    @property
    def sync_in_order(self) -> bool:
        """No sync sample is shown before one that is decoded earlier."""
        return self.in_order or bool(np.all(np.diff(self.sync_pts) >= 0))

    def sync_from(self, times: Numbers) -> Numbers:
        """The row of the first sync sample shown at each of ``times`` or after it, ``len(self)``
        where there is none; of a track whose sync samples are in order."""
        if self.sync is None and self.in_order and self.steady:
            return (-((self.first_pts - times) // self.steady)).clip(0, len(self))
        found = np.searchsorted(self.sync_pts, times)
        return found if self.sync is None else np.append(self.sync, len(self))[found]

    def pts(self, first: int, stop: int) -> Numbers:
        """Presentation times of rows ``first`` up to ``stop``."""
        return self.dts.rows(first, stop) + self.shift.rows(first, stop)

    def earliest(self, edges: Numbers) -> Numbers:
        """The earliest presentation time from each of ``edges`` up to the next."""
        if self.in_order:
            return self.dts.take(edges[:-1]) + self.shift.base
        least, most = self.shift.limits
        # Shown before the first of a stretch is at most what is decoded so few samples later.
        near = (most - least) // self.steady + 1 if self.steady else len(self)
        if near * len(edges) > len(self):
            return reduce_between(np.minimum, self.pts, edges)
        rows = np.minimum(edges[:-1] + np.arange(near)[:, np.newaxis], edges[1:] - 1)
        pts = self.dts.take(rows.ravel()) + self.shift.take(rows.ravel())
        earliest: Numbers = pts.reshape(rows.shape).min(axis=0)
        return earliest

    def rows(self, first: int = 0, stop: int | None = None) -> Samples:
        """Rows ``first`` up to ``stop``, or all."""
        stop = len(self) if stop is None else stop
        return Samples(
            offset=self.offset.rows(first, stop),
            size=self.size.rows(first, stop),
            dts=self.dts.rows(first, stop),
            duration=self.duration.rows(first, stop),
            shift=self.shift.rows(first, stop),
            sync=self._sync_rows(first, stop),
        )

    def _sync_rows(self, first: int, stop: int) -> NDArray[np.bool_]:
        if self.sync is None:
            return np.ones(stop - first, np.bool_)
        sync = np.zeros(stop - first, np.bool_)
        low, high = np.searchsorted(self.sync, np.array((first, stop), np.int32))
        sync[self.sync[low:high] - first] = True
        return sync


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
