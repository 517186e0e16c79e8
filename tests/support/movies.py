"""MP4 files written from tables by hand: every number in them is a choice of the test.

An independent writer, plain and fragmented. Samples carry bytes of their own (``payload``), so a
sample found at the wrong place is seen at once.
"""

from __future__ import annotations

import struct
from collections.abc import Callable, Iterable, Sequence
from dataclasses import dataclass, field
from itertools import accumulate, groupby
from typing import Literal

from tests.support.atoms import CONTAINERS, Atom, atoms

MOVIE_TIMESCALE = 1000


@dataclass(frozen=True)
class Row:
    """One sample: bytes, ticks to the next, composition offset, whether decoding can start."""

    size: int = 20
    duration: int = 512
    composition: int = 0
    sync: bool = True


@dataclass(frozen=True)
class Recording:
    """A track to write. ``edits``: (duration in milliseconds, media time in ticks)."""

    kind: Literal["video", "audio"]
    timescale: int
    rows: Sequence[Row]
    language: str = "und"
    edits: Sequence[tuple[int, int]] = ()
    handler: str = ""
    entry: bytes = field(default=b"")

    @property
    def sample_entry(self) -> bytes:
        return self.entry or (VP9_ENTRY if self.kind == "video" else AAC_ENTRY)


def atom(name: str, *payload: bytes) -> bytes:
    body = b"".join(payload)
    return struct.pack(">I4s", 8 + len(body), name.encode("latin-1")) + body


def full_atom(name: str, version: int, flags: int, *payload: bytes) -> bytes:
    return atom(name, struct.pack(">I", version << 24 | flags), *payload)


VP9_ENTRY = atom(
    "vp09",
    struct.pack(">6xH16xHHII4xH32xHh", 1, 160, 90, 0x480000, 0x480000, 1, 0x18, -1),
    full_atom("vpcC", 1, 0, bytes([0, 10, 8 << 4 | 1 << 1, 2, 2, 2, 0, 0])),
)
_AAC_LC_48K_STEREO = bytes([0x11, 0x90])
AAC_ENTRY = atom(
    "mp4a",
    struct.pack(">6xH8xHHII", 1, 2, 16, 0, 48_000 << 16),
    full_atom(
        "esds",
        0,
        0,
        bytes([3, 22, 0, 0, 0, 4, 17, 0x40, 0x15, *[0] * 11, 5, 2]) + _AAC_LC_48K_STEREO + b"\x06",
    ),
)
OPUS_ENTRY = atom(
    "Opus",
    struct.pack(">6xH8xHHII", 1, 2, 16, 0, 48_000 << 16),
    atom("dOps", struct.pack(">BBHIhB", 0, 2, 312, 48_000, 0, 0)),
)


def rebuilt(data: bytes, name: str, new: Callable[[Atom], bytes]) -> bytes:
    """The same file with each box ``name`` made anew, and the sizes around it mended; offsets of
    media stay as they are, so 'moov' is behind it or the new box is as long as the old."""

    def made(box: Atom) -> bytes:
        if box.name == name:
            return new(box)
        if box.name in CONTAINERS:
            return atom(box.name, *map(made, box.children))
        return data[box.start : box.stop]

    return b"".join(map(made, atoms(data)))


def payload(track: int, number: int, size: int) -> bytes:
    """The bytes of one sample."""
    stamp = f"<{track}.{number}>".encode()
    return (stamp * (size // len(stamp) + 1))[:size]


def plain_movie(
    *recordings: Recording,
    moov_first: bool = True,
    chunk: int = 3,
    wide: bool = False,
) -> bytes:
    """Tracks interleaved in chunks of ``chunk`` samples; ``wide``: 64-bit offsets and 'mdat'."""
    head = atom("ftyp", b"isom", bytes(4), b"isom")

    def moov_at(media_start: int) -> bytes:
        _, starts = _interleave(recordings, chunk, media_start)
        traks = [
            _trak(n, recording, _sample_table(recording, chunks, chunk, wide))
            for n, (recording, chunks) in enumerate(zip(recordings, starts, strict=True), 1)
        ]
        return atom("moov", _mvhd(), *traks)

    media, _ = _interleave(recordings, chunk, 0)
    mdat = (
        struct.pack(">I4sQ", 1, b"mdat", 16 + len(media)) + media if wide else atom("mdat", media)
    )
    mdat_header = len(mdat) - len(media)
    if not moov_first:
        return head + mdat + moov_at(len(head) + mdat_header)
    moov_size = len(moov_at(0))
    return head + moov_at(len(head) + moov_size + mdat_header) + mdat


def _interleave(
    recordings: Sequence[Recording], chunk: int, start: int
) -> tuple[bytes, list[list[int]]]:
    """The media bytes, and where the chunks of each track begin."""
    media = bytearray()
    starts: list[list[int]] = [[] for _ in recordings]
    for first in range(0, max((len(r.rows) for r in recordings), default=0), chunk):
        for track, recording in enumerate(recordings):
            rows = recording.rows[first : first + chunk]
            if rows:
                starts[track].append(start + len(media))
            for number, row in enumerate(rows, first):
                media += payload(track, number, row.size)
    return bytes(media), starts


def _sample_table(recording: Recording, chunks: Sequence[int], chunk: int, wide: bool) -> bytes:
    rows = recording.rows
    last = len(rows) - chunk * (len(chunks) - 1)
    runs = [(1, chunk, 1), (len(chunks), last, 1)] if chunks else []
    boxes = [
        stsd(recording.sample_entry),
        table("stts", ">II", run_lengths(row.duration for row in rows)),
        table("stsc", ">III", runs[1:] if len(chunks) == 1 else runs),
        stsz([row.size for row in rows]),
        table("co64" if wide else "stco", ">Q" if wide else ">I", [(at,) for at in chunks]),
    ]
    if any(row.composition for row in rows):
        signed = any(row.composition < 0 for row in rows)
        runs_of_offsets = run_lengths(row.composition for row in rows)
        boxes.append(table("ctts", ">Ii", runs_of_offsets, version=int(signed)))
    if not all(row.sync for row in rows):
        numbers = [(n,) for n, row in enumerate(rows, 1) if row.sync]
        boxes.append(table("stss", ">I", numbers))
    return atom("stbl", *boxes)


def run_lengths(values: Iterable[int]) -> list[tuple[int, int]]:
    return [(len(list(same)), value) for value, same in groupby(values)]


def table(name: str, layout: str, rows: Sequence[tuple[int, ...]], version: int = 0) -> bytes:
    packed = b"".join(struct.pack(layout, *row) for row in rows)
    return full_atom(name, version, 0, struct.pack(">I", len(rows)), packed)


def stsd(entry: bytes) -> bytes:
    return full_atom("stsd", 0, 0, struct.pack(">I", 1), entry)


def stsz(sizes: Sequence[int]) -> bytes:
    return full_atom("stsz", 0, 0, struct.pack(f">{2 + len(sizes)}I", 0, len(sizes), *sizes))


def _mvhd() -> bytes:
    fields = struct.pack(">4I", 0, 0, MOVIE_TIMESCALE, 0)
    return full_atom("mvhd", 0, 0, fields, bytes(76), struct.pack(">I", 100))


def _trak(track_id: int, recording: Recording, sample_table: bytes) -> bytes:
    matrix = struct.pack(">9i", 1 << 16, 0, 0, 0, 1 << 16, 0, 0, 0, 1 << 30)
    edits = table("elst", ">IiI", [(ms, media, 0x10000) for ms, media in recording.edits])
    return atom(
        "trak",
        full_atom("tkhd", 0, 7, struct.pack(">5I16x", 0, 0, track_id, 0, 0), matrix, bytes(8)),
        atom("edts", edits) if recording.edits else b"",
        atom("mdia", _mdhd(recording), _hdlr(recording), atom("minf", sample_table)),
    )


def _mdhd(recording: Recording) -> bytes:
    first, second, third = (ord(letter) - 0x60 for letter in recording.language)
    language = first << 10 | second << 5 | third
    return full_atom("mdhd", 0, 0, struct.pack(">4I2H", 0, 0, recording.timescale, 0, language, 0))


def _hdlr(recording: Recording) -> bytes:
    kind = b"vide" if recording.kind == "video" else b"soun"
    return full_atom("hdlr", 0, 0, bytes(4), kind, bytes(12), recording.handler.encode(), b"\0")


Base = Literal["moof", "absolute", "chained"]


def fragmented_movie(
    *recordings: Recording, per_fragment: int = 4, base: Base = "moof", decode_times: bool = True
) -> bytes:
    """An empty 'moov' and fragments of ``per_fragment`` samples of every track.

    ``base``: what data offsets count from: default-base-is-moof, a base in 'tfhd', or nothing
    said, when the first track counts from its 'moof' and each other from where the last ended.
    """
    traks = [_trak(n, track, _no_samples(track)) for n, track in enumerate(recordings, 1)]
    trex = [
        full_atom("trex", 0, 0, struct.pack(">5I", n, 1, 0, 0, 0))
        for n in range(1, len(recordings) + 1)
    ]
    movie = atom("ftyp", b"iso6", bytes(4), b"iso6")
    movie += atom("moov", _mvhd(), *traks, atom("mvex", *trex))
    times = [list(accumulate((r.duration for r in rec.rows), initial=0)) for rec in recordings]
    for first in range(0, max(len(r.rows) for r in recordings), per_fragment):
        runs = [recording.rows[first : first + per_fragment] for recording in recordings]
        decode = [time[min(first, len(time) - 1)] if decode_times else None for time in times]
        media = b"".join(
            payload(track, number, row.size)
            for track, rows in enumerate(runs)
            for number, row in enumerate(rows, first)
        )
        moof_size = len(_moof(runs, decode, base, len(movie), 0))
        movie += _moof(runs, decode, base, len(movie), moof_size) + atom("mdat", media)
    return movie


def _no_samples(recording: Recording) -> bytes:
    return atom(
        "stbl",
        stsd(recording.sample_entry),
        *(table(name, ">I", []) for name in ("stts", "stsc", "stco")),
        stsz([]),
    )


def _moof(
    runs: Sequence[Sequence[Row]],
    decode: Sequence[int | None],
    base: Base,
    moof_start: int,
    moof_size: int,
) -> bytes:
    trafs: list[bytes] = []
    at = moof_size + 8
    for track, rows in enumerate(runs, 1):
        if not rows:
            continue
        tfhd_flags, base_field, data_offset = 0x020000, b"", at
        if base == "absolute":
            tfhd_flags, base_field, data_offset = 0x1, struct.pack(">Q", moof_start + at), 0
        elif base == "chained":
            tfhd_flags, data_offset = 0, 0 if trafs else at
        time = decode[track - 1]
        trafs.append(
            atom(
                "traf",
                full_atom("tfhd", 0, tfhd_flags, struct.pack(">I", track), base_field),
                b"" if time is None else full_atom("tfdt", 1, 0, struct.pack(">Q", time)),
                _trun(rows, data_offset),
            )
        )
        at += sum(row.size for row in rows)
    return atom("moof", full_atom("mfhd", 0, 0, struct.pack(">I", 1)), *trafs)


def _trun(rows: Sequence[Row], data_offset: int) -> bytes:
    packed = b"".join(
        struct.pack(
            ">3Ii", row.duration, row.size, 0x02000000 if row.sync else 0x01010000, row.composition
        )
        for row in rows
    )
    return full_atom("trun", 1, 0xF01, struct.pack(">Ii", len(rows), data_offset), packed)
