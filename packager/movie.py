"""Indexing: from an MP4 of any shape to a ``MovieIndex``, reading as little as possible.

``index_movie`` is a generator: it yields the ``ByteRange`` it needs and is sent those bytes, so
the same code indexes a local file, an S3 object and a test's bytes. It walks the top level of the
file, reads 'moov' whole, and where 'mvex' says so every 'moof' after it; media data is never read.

    plain, moov in front     1-2 reads          plain, moov behind     2-3 reads
    fragmented               1 read a fragment

The edit list is applied here and nowhere else: ``pts`` is what a viewer's clock shows.
"""

from __future__ import annotations

import re
import struct
from collections.abc import Generator, Iterator
from dataclasses import replace

import numpy as np

from packager.codecs import parse_sample_entry
from packager.columns import blocks
from packager.errors import BadMedia, LimitExceeded, UnsupportedMedia
from packager.isobmff.boxes import Box, children, find, read_header, require
from packager.isobmff.fragments import Defaults, TrackFragments, read_moof, read_trex
from packager.isobmff.tables import MAX_SAMPLE_BYTES, MAX_SAMPLES, Columns, read_sample_table
from packager.language import bcp47
from packager.model import Edit, LeftOut, MediaKind, MovieIndex, SampleTable, Track, VideoConfig
from packager.ranges import ByteRange

MAX_MOOV = 64 << 20
MAX_MOOF = 8 << 20
MAX_TOP_LEVEL_BOXES = 262_144
MAX_TRACKS = 64
MAX_TIMESCALE = 10_000_000
READ_AHEAD = 64 << 10

_HANDLERS = {"vide": MediaKind.VIDEO, "soun": MediaKind.AUDIO}
_LANGUAGE_TAG = re.compile(r"[A-Za-z0-9]{1,8}(-[A-Za-z0-9]{1,8})*")
_U32 = struct.Struct(">I")
_MDHD = {0: struct.Struct(">4I"), 1: struct.Struct(">2QIQ")}
_ELST_ENTRY = {0: np.dtype([("duration", ">u4"), ("time", ">i4"), ("rate", ">i4")]),
               1: np.dtype([("duration", ">u8"), ("time", ">i8"), ("rate", ">i4")])}  # fmt: skip

Reader = Generator[ByteRange, bytes, "MovieIndex"]


def index_movie(source: str, version: str, size: int) -> Reader:
    """Index ``size`` bytes of ``source``; raises ``BadMedia`` where they are not a usable MP4."""
    moov: Box | None = None
    movie = _Movie(source, size)
    window = _Window(size)
    position = 0
    for _ in range(MAX_TOP_LEVEL_BOXES):
        if size - position < 8:
            break
        yield from window.cover(position, min(16, size - position))
        name, header, length = read_header(window.view(position), 0, position)
        length = length or size - position
        if length > size - position:
            raise BadMedia(
                f"box size {length} passes the end of the file", box=name, offset=position
            )
        if name == "moov":
            if moov is not None:
                raise BadMedia("a second 'moov'", box=name, offset=position)
            moov = yield from window.box(name, position, header, length, MAX_MOOV)
            movie.read_moov(moov)
            if not movie.fragmented:
                break
        elif name == "moof" and moov is not None:
            read_moof(
                (yield from window.box(name, position, header, length, MAX_MOOF)), movie.fragments
            )
        position += length
    else:
        raise LimitExceeded(f"more than {MAX_TOP_LEVEL_BOXES} boxes at the top level")
    if moov is None:
        raise BadMedia("has no 'moov': not an MP4 file, or one cut short")
    tracks = tuple(movie.finish())
    if not tracks:
        raise movie.first_error or UnsupportedMedia(
            "no audio or video track", box="moov", offset=moov.offset
        )
    return MovieIndex(source, version, size, tracks, tuple(movie.skipped))


class _Window:
    """The part of the file last read; asks for more where a box reaches past it."""

    def __init__(self, size: int) -> None:
        self.size = size
        self.start = 0
        self.data = b""

    def cover(self, start: int, length: int) -> Generator[ByteRange, bytes, None]:
        if self.start <= start and start + length <= self.start + len(self.data):
            return
        wanted = ByteRange(start, min(max(length, READ_AHEAD), self.size - start))
        self.data = yield wanted
        self.start = start
        if len(self.data) != wanted.length:
            raise BadMedia(f"read {len(self.data)} of {wanted.length} bytes", offset=start)

    def view(self, start: int) -> memoryview:
        return memoryview(self.data)[start - self.start :]

    def box(
        self, name: str, start: int, header: int, length: int, limit: int
    ) -> Generator[ByteRange, bytes, Box]:
        if length > limit:
            raise LimitExceeded(f"{length} bytes, more than {limit}", box=name, offset=start)
        yield from self.cover(start, length)
        return Box(name, start, header, self.view(start)[header:length])


class _Movie:
    """What has been read of a movie so far."""

    def __init__(self, source: str, size: int) -> None:
        self.source = source
        self.size = size
        self.max_samples = min(MAX_SAMPLES, size)  # however little each is, it is one byte
        self.fragmented = False
        self.fragments: dict[int, TrackFragments] = {}
        self.traks: list[tuple[int, Box]] = []
        self.timescale = 1
        self.skipped: list[LeftOut] = []
        self.first_error: BadMedia | None = None

    def read_moov(self, moov: Box) -> None:
        version, _, _ = require(moov, "mvhd").full()
        (self.timescale,) = require(moov, "mvhd").unpack(_U32, 4 + (16 if version == 1 else 8))
        mvex = find(moov, "mvex")
        self.fragmented = mvex is not None
        defaults: dict[int, Defaults] = {}
        if mvex is not None:
            defaults = dict(read_trex(trex) for trex in children(mvex) if trex.type == "trex")
        for trak in (child for child in children(moov) if child.type == "trak"):
            if len(self.traks) == MAX_TRACKS:
                raise LimitExceeded(
                    f"more than {MAX_TRACKS} tracks", box="moov", offset=moov.offset
                )
            track_id, _ = _read_tkhd(require(trak, "tkhd"))
            if track_id in (known for known, _ in self.traks):
                self._skip(track_id, trak.bad("a second track of this id"))
                continue
            self.traks.append((track_id, trak))
            self._read_samples(track_id, trak, defaults.get(track_id, Defaults(1, 0, 0, 0)))

    def _read_samples(self, track_id: int, trak: Box, defaults: Defaults) -> None:
        """Start the track's fragments with what 'stbl' holds: hybrid files have both."""
        fragments = TrackFragments(defaults, self.max_samples)
        self.fragments[track_id] = fragments
        try:
            stbl = require(trak, "mdia", "minf", "stbl")
            fragments.add(read_sample_table(stbl, self.max_samples), stbl)
        except LimitExceeded:
            raise
        except BadMedia as error:
            del self.fragments[track_id]
            self._skip(track_id, error)

    def finish(self) -> Iterator[Track]:
        for track_id, trak in self.traks:
            if track_id not in self.fragments:
                continue
            try:
                handler, _ = _read_handler(require(trak, "mdia", "hdlr"))
                if handler not in _HANDLERS:
                    self._skip(track_id, _other_handler(handler, trak), expected=True)
                    continue
                yield _read_track(
                    track_id, trak, self.fragments[track_id].columns(), self.timescale, self.size
                )
            except BadMedia as error:
                self._skip(track_id, error)

    def _skip(self, track_id: int, error: BadMedia, *, expected: bool = False) -> None:
        self.first_error = self.first_error or error
        self.skipped.append(LeftOut(self.source, f"track {track_id}", str(error), expected))


def _other_handler(handler: str, trak: Box) -> UnsupportedMedia:
    return UnsupportedMedia(
        f"handler '{handler}' is neither video nor audio", box="hdlr", offset=trak.offset
    )


def _read_track(
    track_id: int, trak: Box, columns: Columns, movie_timescale: int, size: int
) -> Track:
    mdia = require(trak, "mdia")
    handler, name = _read_handler(require(mdia, "hdlr"))
    kind = _HANDLERS[handler]
    timescale, language = _read_mdhd(require(mdia, "mdhd"))
    entries = require(mdia, "minf", "stbl", "stsd")
    entry = next(children(entries, skip=8), None)
    if entry is None:
        raise entries.bad("holds no sample entry")
    config = parse_sample_entry(entry)
    if isinstance(config, VideoConfig) is not (kind is MediaKind.VIDEO):
        raise entry.bad(f"a track of kind {kind.value} does not hold this codec")
    if len(columns.size) == 0:
        raise UnsupportedMedia("the track holds no sample", box="trak", offset=trak.offset)
    _check_columns(columns, size, trak)
    extended = find(mdia, "elng")
    if extended is not None:
        tag = bytes(extended.full()[2]).split(b"\0")[0].decode("ascii", "replace")
        language = tag if _LANGUAGE_TAG.fullmatch(tag) else language
    edit = _read_edit(trak, movie_timescale, timescale)
    samples = _apply_edit(columns, kind, timescale, edit or Edit())
    _, matrix = _read_tkhd(require(trak, "tkhd"))
    return Track(track_id, kind, timescale, language, name, config, samples, edit, matrix)


def _read_tkhd(tkhd: Box) -> tuple[int, bytes]:
    """Track id and matrix (8.3.2)."""
    version, _, _ = tkhd.full()
    times = 16 if version == 1 else 8
    (track_id,) = tkhd.unpack(_U32, 4 + times)
    at = 4 + times + (32 if version == 1 else 28)
    tkhd.need(36, at)
    return track_id, bytes(tkhd.body[at : at + 36])


def _read_handler(hdlr: Box) -> tuple[str, str]:
    hdlr.need(24)
    name = bytes(hdlr.body[24:])
    if name and name[0] == len(name) - 1:  # QuickTime counts its strings
        name = name[1:]
    text = name.split(b"\0")[0].decode("utf-8", "replace").strip()
    return bytes(hdlr.body[8:12]).decode("latin-1"), text


def _read_mdhd(mdhd: Box) -> tuple[int, str]:
    version, _, _ = mdhd.full()
    layout = _MDHD[1 if version == 1 else 0]
    _, _, timescale, _ = mdhd.unpack(layout, 4)
    if not 1 <= timescale <= MAX_TIMESCALE:
        raise mdhd.bad(f"timescale {timescale} is outside 1..{MAX_TIMESCALE}")
    mdhd.need(2, 4 + layout.size)
    packed = int.from_bytes(mdhd.body[4 + layout.size :][:2], "big")
    code = "".join(chr(0x60 + (packed >> shift & 31)) for shift in (10, 5, 0))
    return timescale, bcp47(code) if code.isalpha() else "und"


def _check_columns(columns: Columns, size: int, trak: Box) -> None:
    """Times must not run backwards, and every sample must lie inside the file."""
    if int(columns.duration.min()) < 0:
        row = int(np.argmax(columns.duration < 0))
        raise BadMedia(
            f"decode time runs backwards after sample {row}", box="trak", offset=trak.offset
        )
    largest = int(columns.size.max())
    last = np.flatnonzero(columns.offset > size - largest)
    ends = columns.offset[last] + columns.size[last]
    if np.any(ends > size):
        at = int(np.argmax(ends > size))
        raise BadMedia(
            f"sample {int(last[at])} ends at byte {int(ends[at])} of a file of {size}",
            box="trak",
            offset=trak.offset,
        )
    if largest > MAX_SAMPLE_BYTES:
        raise trak.bad(f"a sample of {largest} bytes")


def _read_edit(trak: Box, movie_timescale: int, timescale: int) -> Edit | None:
    """'elst' (8.6.6): any delay (empty edits) in front of at most one stretch of media."""
    elst = find(trak, "edts", "elst")
    if elst is None:
        return None
    version, _, fields = elst.full()
    dtype = _ELST_ENTRY[1 if version == 1 else 0]
    elst.need(8)
    count = int.from_bytes(fields[:4], "big")
    if count * dtype.itemsize > len(fields) - 4:
        raise elst.bad(f"claims {count} edits but holds {len(fields) - 4} bytes of them")
    edits = np.frombuffer(fields, dtype, count, 4)
    media = np.flatnonzero(edits["time"] >= 0)
    if len(media) == 0:
        return None
    if len(media) > 1:
        raise UnsupportedMedia(
            f"{len(media)} edits of media in one track", box="elst", offset=elst.offset
        )
    edit = edits[media[0]]
    if int(edit["rate"]) != 0x10000:
        raise UnsupportedMedia("an edit that is not at rate 1", box="elst", offset=elst.offset)
    if movie_timescale == 0:
        raise BadMedia("timescale 0 under an edit list", box="mvhd")
    delay = sum(edits["duration"][: media[0]].tolist())
    delay_ticks = delay * timescale // movie_timescale
    duration = int(edit["duration"])
    if max(delay, duration, int(edit["time"])) >= 1 << 48:
        raise elst.bad("an edit beyond the length of any title")
    # The duration is in the movie's coarser ticks: round up, so that rounding trims no frame.
    end = delay_ticks - (-duration * timescale // movie_timescale) if duration else None
    return Edit(delay_ticks, int(edit["time"]), end)


def _apply_edit(columns: Columns, kind: MediaKind, timescale: int, edit: Edit) -> SampleTable:
    """Move to the presentation's timeline and drop what no decoder needs for what is shown."""
    columns = replace(columns, first_dts=columns.first_dts + edit.shift)
    samples = _sample_table(columns)
    stop = len(samples) if edit.end is None else _shown_before(samples, edit.end)
    first = _first_needed(samples, kind, timescale)
    if first >= stop:
        raise _nothing_shown()
    if (first, stop) != (0, len(samples)):
        samples = _sample_table(columns.rows(first, stop))
    if samples.end <= 0:
        raise _nothing_shown()
    return samples


def _sample_table(columns: Columns) -> SampleTable:
    return SampleTable.of(
        columns.offset,
        columns.size,
        columns.first_dts,
        columns.duration,
        columns.shift,
        columns.sync,
    )


def _nothing_shown() -> UnsupportedMedia:
    return UnsupportedMedia("none of the track's samples is shown for any time", box="elst")


def _shown_before(samples: SampleTable, end: int) -> int:
    """Rows up to the last that is shown before ``end``."""
    for first, stop in reversed([*blocks(len(samples))]):
        shown = np.flatnonzero(samples.pts(first, stop) < end)
        if len(shown):
            return first + int(shown[-1]) + 1
    return 0


def _first_needed(samples: SampleTable, kind: MediaKind, timescale: int) -> int:
    """Pictures are decoded from the last sync sample before the edit, sound from its priming
    (about a second of it at most); both are hidden by their negative times."""
    if kind is MediaKind.AUDIO:
        for first, stop in blocks(len(samples)):
            ends = samples.pts(first, stop) + samples.duration.rows(first, stop)
            heard = np.flatnonzero(ends > -timescale)
            if len(heard):
                return first + int(heard[0])
        return 0
    starts = samples.sync_pts
    if len(starts) == 0:
        raise UnsupportedMedia("no sync sample: nothing of it can be decoded", box="stss")
    before = np.flatnonzero(starts <= 0)
    nearest = int(before[-1]) if len(before) else 0
    return nearest if samples.sync is None else int(samples.sync[nearest])
