"""Indexing, over files written by hand: every shape an MP4 comes in, and what is refused."""

from __future__ import annotations

import struct
from dataclasses import replace

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.errors import BadMedia, LimitExceeded, UnsupportedMedia
from packager.model import LeftOut, MediaKind, MovieIndex, Track
from packager.movie import index_movie
from packager.ranges import ByteRange
from tests.support.atoms import atoms
from tests.support.indexing import index_bytes
from tests.support.movies import (
    OPUS_ENTRY,
    Base,
    Recording,
    Row,
    atom,
    fragmented_movie,
    full_atom,
    payload,
    plain_movie,
    rebuilt,
    stsz,
    table,
)
from tests.support.tracks import PROPERTY

PICTURES = Recording(
    "video",
    12_800,
    [Row(size=30 + n, sync=n % 5 == 0, composition=(1024, 2048, 512)[n % 3]) for n in range(20)],
    language="deu",
    handler="Feature",
)
SOUND = Recording("audio", 48_000, [Row(size=10 + n % 3, duration=1024) for n in range(30)])


def samples_of(data: bytes, track: Track) -> list[bytes]:
    table = track.samples.rows()
    return [
        data[start : start + size]
        for start, size in zip(table.offset.tolist(), table.size.tolist(), strict=True)
    ]


def payloads(number: int, recording: Recording) -> list[bytes]:
    return [payload(number, n, row.size) for n, row in enumerate(recording.rows)]


def reads(data: bytes) -> list[ByteRange]:
    """What indexing asks for."""
    asked = []
    reader = index_movie("title.mp4", "1", len(data))
    wanted = next(reader)
    while True:
        asked.append(wanted)
        try:
            wanted = reader.send(data[wanted.start : wanted.stop])
        except StopIteration:
            return asked


def rename(data: bytes, old: bytes, new: bytes) -> bytes:
    assert data.count(old) == 1
    return data.replace(old, new)


# ---- shapes


@pytest.mark.parametrize("moov_first", [True, False])
@pytest.mark.parametrize("wide", [True, False])
@pytest.mark.parametrize("chunk", [1, 3, 100])
def test_plain_movies(moov_first: bool, wide: bool, chunk: int) -> None:
    data = plain_movie(PICTURES, SOUND, moov_first=moov_first, wide=wide, chunk=chunk)
    video, audio = index_bytes(data).tracks
    assert samples_of(data, video) == payloads(0, PICTURES)
    assert samples_of(data, audio) == payloads(1, SOUND)
    assert video.samples.rows().dts.tolist() == [512 * n for n in range(20)]
    assert video.samples.rows().shift.tolist() == [row.composition for row in PICTURES.rows]
    assert video.samples.rows().sync.tolist() == [row.sync for row in PICTURES.rows]
    assert audio.samples.rows().sync.all()


@pytest.mark.parametrize("base", ["moof", "absolute", "chained"])
@pytest.mark.parametrize("decode_times", [True, False])
def test_fragmented_movies_hold_what_plain_ones_hold(base: Base, decode_times: bool) -> None:
    plain = plain_movie(PICTURES, SOUND)
    data = fragmented_movie(PICTURES, SOUND, base=base, decode_times=decode_times)
    for ours, theirs in zip(index_bytes(data).tracks, index_bytes(plain).tracks, strict=True):
        assert samples_of(data, ours) == samples_of(plain, theirs)
        for column in ("size", "dts", "pts", "duration", "sync"):
            mine, its = (getattr(track.samples.rows(), column) for track in (ours, theirs))
            assert np.array_equal(mine, its), column


def test_what_a_track_says_of_itself() -> None:
    index = index_bytes(plain_movie(PICTURES, SOUND))
    video, audio = index.tracks
    assert (index.source, index.version) == ("title.mp4", "1")
    assert (video.track_id, video.kind, video.timescale) == (1, MediaKind.VIDEO, 12_800)
    assert (video.language, video.name) == ("de", "Feature")
    assert (audio.track_id, audio.kind, audio.timescale) == (2, MediaKind.AUDIO, 48_000)
    assert (audio.language, audio.name) == ("und", "")


def test_tables_longer_than_the_blocks_they_are_read_in() -> None:
    """A run of its own for every chunk, duration and composition offset."""
    rows = [Row(9 + n % 5, 1 + n % 2, n % 3, sync=n % 7 == 0) for n in range(70_000)]
    recording = Recording("video", 600, rows)
    data = plain_movie(recording, chunk=2, moov_first=False)
    stsc = table("stsc", ">III", [(chunk, 2, 1) for chunk in range(1, 35_001)])
    (track,) = index_bytes(rebuilt(data, "stsc", lambda _: stsc)).tracks
    assert samples_of(data, track) == payloads(0, recording)
    assert track.samples.rows().duration.tolist() == [row.duration for row in rows]
    assert track.samples.rows().shift.tolist() == [row.composition for row in rows]


def test_what_samples_have_in_common_takes_no_memory() -> None:
    video, audio = index_bytes(plain_movie(PICTURES, replace(SOUND, edits=[(0, 1024)]))).tracks
    assert audio.samples.rows().pts.tolist() == [1024 * n for n in range(-1, 29)]
    assert (audio.samples.dts.nbytes, audio.samples.shift.nbytes) == (0, 0)
    assert (video.samples.dts.nbytes, video.samples.shift.nbytes) == (0, 4 * 20)


def test_a_mixed_file_has_samples_in_both_places() -> None:
    """'moov' holds the first samples and fragments the rest."""
    plain = plain_movie(replace(PICTURES, rows=PICTURES.rows[:8]), moov_first=False)
    moov = next(box for box in atoms(plain) if box.name == "moov")
    trex = full_atom("trex", 0, 0, struct.pack(">5I", 1, 1, 0, 0, 0))
    fragments = fragmented_movie(PICTURES, per_fragment=8)
    second_moof = [box for box in atoms(fragments) if box.name == "moof"][1]
    data = plain[: moov.start] + atom("moov", moov.body, atom("mvex", trex))
    data += fragments[second_moof.start :]
    (track,) = index_bytes(data).tracks
    assert samples_of(data, track) == payloads(0, PICTURES)
    assert track.samples.rows().dts.tolist() == [512 * n for n in range(20)]


def test_gaps_between_fragments_belong_to_the_sample_before() -> None:
    data = fragmented_movie(PICTURES, per_fragment=10)
    late = data.replace(struct.pack(">Q", 512 * 10), struct.pack(">Q", 512 * 12))
    (track,) = index_bytes(late).tracks
    assert track.samples.rows().duration.tolist() == [512] * 9 + [3 * 512] + [512] * 10


def test_media_to_the_end_of_the_file() -> None:
    """A size of zero reaches to the end (4.2.2)."""
    data = plain_movie(PICTURES)
    mdat = next(box for box in atoms(data) if box.name == "mdat")
    open_ended = data[: mdat.start] + bytes(4) + data[mdat.start + 4 :]
    assert samples_of(open_ended, index_bytes(open_ended).tracks[0]) == payloads(0, PICTURES)


def test_sync_samples_in_any_order() -> None:
    numbers = table("stss", ">I", [(n,) for n in (1, 6, 11, 16)])
    shuffled = table("stss", ">I", [(n,) for n in (16, 1, 11, 6)])
    (track,) = index_bytes(plain_movie(PICTURES).replace(numbers, shuffled)).tracks
    assert track.samples.rows().sync.tolist() == [row.sync for row in PICTURES.rows]


@pytest.mark.parametrize("bits", [4, 8, 16])
def test_compact_sizes(bits: int) -> None:
    rows = [Row(size=n % 16) for n in range(21)]
    data = plain_movie(Recording("audio", 48_000, rows))
    sizes = [row.size for row in rows]
    if bits == 4:
        packed = bytes(a << 4 | b for a, b in zip(sizes[::2], [*sizes[1::2], 0], strict=True))
    else:
        packed = b"".join(size.to_bytes(bits // 8, "big") for size in sizes)
    compact = full_atom("stz2", 0, 0, struct.pack(">II", bits, len(sizes)), packed)
    plain = stsz(sizes)
    assert data.count(plain) == 1
    padded = compact + atom("free", bytes(len(plain) - len(compact) - 8))
    data = data.replace(plain, padded)
    assert samples_of(data, index_bytes(data).tracks[0]) == payloads(
        0, Recording("audio", 48_000, rows)
    )


def test_equal_sizes_are_one_number() -> None:
    recording = Recording("audio", 48_000, [Row(size=7)] * 9)
    plain = stsz([7] * 9)
    equal = full_atom("stsz", 0, 0, struct.pack(">II", 7, 9))
    padded = equal + atom("free", bytes(len(plain) - len(equal) - 8))
    data = plain_movie(recording).replace(plain, padded)
    assert samples_of(data, index_bytes(data).tracks[0]) == payloads(0, recording)


def test_offsets_in_a_version_0_table_may_be_negative() -> None:
    """As writers store them, whatever 8.6.1.3 says."""
    rows = [Row(composition=shift) for shift in (0, 512, -512)]
    data = rename(
        plain_movie(Recording("video", 600, rows)),
        b"ctts\1\0\0\0",
        b"ctts\0\0\0\0",
    )
    (track,) = index_bytes(data).tracks
    assert track.samples.rows().pts.tolist() == [0, 1024, 512]


@pytest.mark.parametrize(
    ("written", "read"),
    [(b"en-GB\0", "en-GB"), (b"\0", "und"), (b'x",\nURI="y\0', "und"), (b"\xff\0", "und")],
)
def test_extended_language(written: bytes, read: str) -> None:
    elng = full_atom("elng", 0, 0, written)
    data = plain_movie(SOUND, moov_first=False)
    data = rebuilt(data, "hdlr", lambda hdlr: atom("hdlr", hdlr.body) + elng)
    assert index_bytes(data).tracks[0].language == read


def test_a_handler_name_that_counts_its_letters() -> None:
    """As QuickTime writes it; here the count takes in a zero byte behind them."""
    assert indexed(replace(SOUND, handler="\x08English")).name == "English"


# ---- how little is read


def test_one_read_where_moov_is_in_front() -> None:
    assert len(reads(plain_movie(PICTURES, SOUND))) == 1


def test_two_reads_where_media_is_in_front() -> None:
    far = Recording("video", 600, [Row(size=200_000)])
    data = plain_movie(far, moov_first=False)
    first, second = reads(data)
    assert first.start == 0
    assert second.stop == len(data)
    assert first.length + second.length < 70_000


def test_no_media_is_read_of_fragments() -> None:
    big = Recording("video", 600, [Row(size=200_000)] * 6)
    data = fragmented_movie(big, per_fragment=2)
    assert sum(span.length for span in reads(data)) < len(data) // 4
    assert len(reads(data)) <= 1 + 2 * 3


def test_reads_stay_inside_the_file() -> None:
    for data in (plain_movie(PICTURES, moov_first=False), fragmented_movie(PICTURES, SOUND)):
        spans = reads(data)
        assert all(0 <= span.start < span.stop <= len(data) for span in spans)


# ---- edit lists


def indexed(recording: Recording) -> Track:
    return index_bytes(plain_movie(recording)).tracks[0]


def test_the_edit_list_says_what_time_zero_is() -> None:
    track = indexed(replace(PICTURES, edits=[(1000, 1024)]))
    assert track.samples.rows().dts.tolist() == [512 * n - 1024 for n in range(20)]
    assert int(track.samples.rows().pts[0]) == 0


def test_an_empty_edit_is_a_delay() -> None:
    track = indexed(replace(PICTURES, edits=[(250, -1), (250, -1), (800, 1024)]))
    assert int(track.samples.rows().pts[0]) == 6400


def test_an_edit_in_the_middle_of_a_gop_keeps_what_it_depends_on() -> None:
    flat = replace(PICTURES, rows=[Row(sync=n % 5 == 0) for n in range(20)])
    track = indexed(replace(flat, edits=[(320, 7 * 512)]))
    assert track.samples.rows().pts.tolist() == [512 * n for n in range(-2, 8)]
    assert bool(track.samples.rows().sync[0])


def test_sound_before_the_edit_is_kept_for_about_a_second() -> None:
    sound = replace(SOUND, rows=[Row(duration=1024)] * 100)
    assert int(indexed(replace(sound, edits=[(0, 2112)])).samples.first_pts) == -2112
    assert int(indexed(replace(sound, edits=[(0, 90_000)])).samples.first_pts) == 41 * 1024 - 90_000


def test_a_long_frame_that_sounds_across_the_edit_is_kept() -> None:
    rows = [Row(duration=480_000), Row(duration=480_000)]
    track = indexed(Recording("audio", 48_000, rows, edits=[(1000, 96_000)]))
    assert track.samples.rows().pts.tolist() == [-96_000]


def test_pictures_that_a_shown_one_depends_on_are_kept_behind_the_end() -> None:
    """Decode order I P B B: the P is behind the edit's end, the Bs need it."""
    rows = [
        Row(composition=512),
        Row(composition=2048, sync=False),
        Row(composition=512, sync=False),
        Row(composition=512, sync=False),
        Row(composition=512, sync=False),
    ]
    track = indexed(Recording("video", 12_800, rows, edits=[(100, 512)]))
    assert track.samples.rows().pts.tolist() == [0, 2048, 1024]


def test_an_edit_of_duration_zero_reaches_to_the_end() -> None:
    assert len(indexed(replace(PICTURES, edits=[(0, 1024)])).samples) == 20


def test_only_empty_edits_are_no_edit() -> None:
    assert indexed(replace(PICTURES, edits=[(500, -1)])).samples.dts.first == 0


@pytest.mark.parametrize(
    ("edits", "reason"),
    [
        ([(100, 0), (100, 5120)], "2 edits of media"),
        ([(100, 1_000_000)], "none of the track's samples is shown"),
        ([(1, -1), (1, 0x7FFFFFFF)], "none of the track's samples is shown"),
    ],
)
def test_edits_that_are_refused(edits: list[tuple[int, int]], reason: str) -> None:
    with pytest.raises(UnsupportedMedia, match=reason):
        indexed(replace(PICTURES, edits=edits))


# ---- what cannot be decoded


def test_pictures_before_the_first_sync_sample_are_dropped() -> None:
    rows = [Row(sync=n in (3, 6)) for n in range(9)]
    track = indexed(Recording("video", 600, rows))
    assert track.samples.rows().pts.tolist() == [512 * n for n in range(3, 9)]


def test_pictures_without_a_sync_sample_are_refused() -> None:
    with pytest.raises(UnsupportedMedia, match="no sync sample"):
        indexed(Recording("video", 600, [Row(sync=False)] * 9))


# ---- one broken track does not take the others along


def skipping(data: bytes) -> tuple[MovieIndex, LeftOut]:
    index = index_bytes(data)
    (skipped,) = index.skipped
    return index, skipped


def test_a_broken_track_is_skipped_with_the_reason() -> None:
    data = plain_movie(PICTURES, SOUND)
    at = data.rindex(b"stts")
    broken = data[:at] + b"xxxx" + data[at + 4 :]
    index, skipped = skipping(broken)
    assert [track.track_id for track in index.tracks] == [1]
    assert skipped.text.startswith("track 2: has no 'stts' in box 'stbl' at byte")


def test_other_handlers_are_skipped() -> None:
    data = plain_movie(PICTURES, SOUND)
    index, skipped = skipping(rename(data, b"soun", b"text"))
    assert [track.kind for track in index.tracks] == [MediaKind.VIDEO]
    assert "handler 'text' is neither video nor audio" in skipped.reason
    assert skipped.expected


def test_other_codecs_are_skipped() -> None:
    data = plain_movie(PICTURES, replace(SOUND, entry=OPUS_ENTRY))
    _, skipped = skipping(rename(data, b"Opus", b"Pous"))
    assert "the codec is not supported in box 'Pous'" in skipped.reason
    assert not skipped.expected


def test_two_tracks_of_one_id_are_told_apart_or_not_used() -> None:
    data = plain_movie(PICTURES, SOUND)
    ids = struct.pack(">5I", 0, 0, 2, 0, 0)
    index, skipped = skipping(rename(data, b"\7" + ids, b"\7" + struct.pack(">5I", 0, 0, 1, 0, 0)))
    assert samples_of(data, index.tracks[0]) == payloads(0, PICTURES)
    assert "track 1: a second track of this id" in skipped.text


def test_fragments_of_unknown_tracks_are_passed_over() -> None:
    data = fragmented_movie(PICTURES, SOUND, base="moof")
    tfhd = full_atom("tfhd", 0, 0x020000, struct.pack(">I", 2))
    stray = data.replace(tfhd, full_atom("tfhd", 0, 0x020000, struct.pack(">I", 9)))
    index, skipped = skipping(stray)
    assert samples_of(stray, index.tracks[0]) == payloads(0, PICTURES)
    assert "track 2: the track holds no sample" in skipped.text


# ---- refusals name the box and the place


def with_box(old: str, new: bytes, recording: Recording = PICTURES) -> bytes:
    """A film whose box ``old`` is ``new``."""
    return rebuilt(plain_movie(recording, moov_first=False), old, lambda _: new)


BIG = 0xFFFFFFFF


def _stsz(size: int, count: int) -> bytes:
    return full_atom("stsz", 0, 0, struct.pack(">II", size, count))


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("stsz", _stsz(0, 20), "claims 20 entries but holds 0"),
        ("stsz", _stsz(0, BIG), "4294967295 samples, more than"),
        ("stsz", _stsz(1, 3_999_999), "3999999 samples, more than"),
        ("stsz", _stsz(BIG, 20), "sample of 4294967295 bytes"),
        ("stsz", full_atom("stz2", 0, 0, struct.pack(">II", 3, 20)), "field size 3 is none of"),
        ("stsz", b"", "has no 'stsz'"),
        ("stts", full_atom("stts", 0, 0, struct.pack(">I", BIG)), "claims 4294967295 entries"),
        ("stts", table("stts", ">II", [(19, 512)]), "describes 19 samples where the track has 20"),
        ("stts", table("stts", ">II", [(BIG, 1), (BIG, 1)]), "describes 8589934590 samples"),
        ("ctts", table("ctts", ">Ii", [(21, 0)]), "describes 21 samples"),
        ("stsc", table("stsc", ">III", []), "do not rise from 1"),
        ("stsc", table("stsc", ">III", [(2, 3, 1)]), "do not rise from 1"),
        ("stsc", table("stsc", ">III", [(1, 3, 1), (1, 3, 1)]), "do not rise from 1"),
        ("stsc", table("stsc", ">III", [(1, 3, 1), (BIG, 3, 1)]), "names chunk 4294967295 of 7"),
        ("stsc", table("stsc", ">III", [(1, BIG, 1)]), "places 30064771065 samples"),
        ("stsc", table("stsc", ">III", [(1, 3, 1), (7, 2, 2)]), "use sample description 2"),
        ("stsc", table("stsc", ">III", [(1, 3, 2), (7, 2, 2)]), "use sample description 2"),
        ("stco", full_atom("stco", 0, 0, struct.pack(">I", BIG)), "claims 4294967295 entries"),
        ("stco", table("stco", ">I", [(BIG,)] * 7), "of a file of"),
        ("stco", table("co64", ">Q", [(1 << 63,)] * 7), "beyond any file"),
        ("stss", table("stss", ">I", [(0,)]), "names a sync sample outside 1..20"),
        ("stss", table("stss", ">I", [(21,)]), "names a sync sample outside 1..20"),
        ("stss", full_atom("stss", 0, 0, struct.pack(">I", 1 << 31)), "claims 2147483648 entries"),
        ("stsd", full_atom("stsd", 0, 0, struct.pack(">I", 1)), "holds no sample entry"),
        ("hdlr", atom("hdlr", bytes(23)), "needs 24 bytes but holds 23"),
        ("mdhd", full_atom("mdhd", 0, 0, bytes(20)), "timescale 0 is outside"),
    ],
)
def test_broken_tables(old: str, new: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason) as caught:
        index_bytes(with_box(old, new))
    assert caught.value.box
    assert caught.value.offset


EDITED = replace(PICTURES, edits=[(800, 1024)])


@pytest.mark.parametrize(
    ("old", "new", "reason"),
    [
        ("mvhd", full_atom("mvhd", 0, 0, bytes(96)), "timescale 0 under an edit list"),
        ("elst", full_atom("elst", 0, 0, struct.pack(">I", BIG)), "claims 4294967295 edits"),
        ("elst", table("elst", ">QqI", [(1, 1 << 48, 0x10000)], version=1), "beyond the length"),
        ("elst", table("elst", ">QqI", [(1 << 48, 0, 0x10000)], version=1), "beyond the length"),
        ("elst", table("elst", ">IiI", [(800, 1024, 0x8000)]), "not at rate 1"),
        ("tkhd", full_atom("tkhd", 0, 7, bytes(40)), "needs 76 bytes but holds 44"),
    ],
)
def test_broken_edits(old: str, new: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        index_bytes(with_box(old, new, EDITED))


def test_edits_of_64_bits() -> None:
    edits = table("elst", ">QqI", [(500, -1, 0x10000), (800, 1024, 0x10000)], version=1)
    (track,) = index_bytes(with_box("elst", edits, EDITED)).tracks
    assert int(track.samples.rows().pts[0]) == 6400


def test_a_codec_of_the_other_kind_is_refused() -> None:
    with pytest.raises(BadMedia, match="a track of kind audio does not hold this codec"):
        indexed(replace(SOUND, entry=PICTURES.sample_entry))


@pytest.mark.parametrize(
    ("data", "reason"),
    [
        (b"", "has no 'moov'"),
        (b"\0\0\0", "has no 'moov'"),
        (b"not an mp4 file at all, only words", "passes the end of the file"),
        (struct.pack(">I4s", 7, b"ftyp"), "box size 7 is below its header"),
        (struct.pack(">I4sQ", 1, b"ftyp", 15), "box size 15 is below its header"),
        (struct.pack(">I4s", 1, b"ftyp"), "64-bit box size is cut short"),
        (struct.pack(">I4sQ", 1, b"mdat", (1 << 64) - 1), "passes the end of the file"),
        (atom("moov"), "has no 'mvhd'"),
        (atom("free") * 300_000, "more than 262144 boxes at the top level"),
        (atom("moov", atom("free") * 66_000), "more than 65536 boxes side by side"),
        (plain_movie(PICTURES)[:300], "passes the end of the file"),
        (plain_movie(), "no audio or video track"),
    ],
)
def test_what_is_no_movie(data: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        index_bytes(data)


def test_a_second_moov_is_refused() -> None:
    data = fragmented_movie(PICTURES)
    moov = next(box for box in atoms(data) if box.name == "moov")
    with pytest.raises(BadMedia, match="a second 'moov'"):
        index_bytes(data + data[moov.start : moov.stop])


def test_more_tracks_than_a_title_has() -> None:
    with pytest.raises(LimitExceeded, match="more than 64 tracks"):
        index_bytes(plain_movie(*[SOUND] * 65))


def test_a_moov_larger_than_we_hold_is_not_read() -> None:
    size = 1 << 40
    reader = index_movie("title.mp4", "1", size)
    wanted = next(reader)
    head = struct.pack(">I4sQ", 1, b"moov", size)
    with pytest.raises(LimitExceeded, match="more than 67108864"):
        reader.send(head.ljust(wanted.length, b"\0"))


def test_a_short_read_is_not_taken_for_the_file() -> None:
    reader = index_movie("title.mp4", "1", 1000)
    next(reader)
    with pytest.raises(BadMedia, match="read 999 of 1000 bytes"):
        reader.send(bytes(999))


def fragment(*boxes: bytes) -> bytes:
    """A movie whose only fragment holds these boxes behind a 'tfhd' of track 1."""
    head = fragmented_movie(replace(PICTURES, rows=PICTURES.rows[:1]))
    moof = next(box for box in atoms(head) if box.name == "moof")
    tfhd = full_atom("tfhd", 0, 0x020000, struct.pack(">I", 1))
    return head[: moof.start] + atom("moof", atom("traf", tfhd, *boxes))


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ([full_atom("trun", 0, 0x200, struct.pack(">I", BIG))], "claims 4294967295 samples"),
        ([full_atom("trun", 0, 0, struct.pack(">I", 3_999_999))], "3999999 samples, more"),
        ([full_atom("trun", 0, 0x1, struct.pack(">Ii", 1, -(1 << 31)))], "before the file"),
        ([full_atom("trun", 0, 0x1, struct.pack(">I", 1))], "needs 12 bytes but holds 8"),
        ([full_atom("tfdt", 1, 0, struct.pack(">Q", 1 << 63))], "beyond any title"),
        (
            [full_atom("trun", 0, 0x200, struct.pack(">II", 1, 0x7FFFFFFF))],
            "sample 0 ends at byte 214748",
        ),
    ],
)
def test_broken_fragments(boxes: list[bytes], reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        index_bytes(fragment(*boxes))


def test_a_sample_of_no_sensible_size_is_refused() -> None:
    """In a table that is said before; in a fragment the file may be long enough for it."""
    size = (1 << 28) + 1
    head = fragment(full_atom("trun", 0, 0x200, struct.pack(">2I", 1, size)))
    head += struct.pack(">I4sQ", 1, b"mdat", 16 + size)
    reader = index_movie("title.mp4", "1", len(head) + size)
    first = next(reader)
    with pytest.raises(BadMedia, match=f"a sample of {size} bytes"):
        reader.send(head.ljust(first.length, b"\0"))


def test_fragments_of_another_sample_description_are_refused() -> None:
    data = fragmented_movie(PICTURES)
    with pytest.raises(UnsupportedMedia, match="use sample description 2"):
        index_bytes(
            rename(data, struct.pack(">5I", 1, 1, 0, 0, 0), struct.pack(">5I", 1, 2, 0, 0, 0))
        )


def test_time_that_runs_backwards_is_refused() -> None:
    data = fragmented_movie(PICTURES, per_fragment=10)
    early = data.replace(struct.pack(">Q", 512 * 10), struct.pack(">Q", 512 * 8))
    with pytest.raises(BadMedia, match="decode time runs backwards after sample 9"):
        index_bytes(early)


# ---- any table


def _first(row: Row) -> Row:
    """A track begins with a sync sample and lasts for some time."""
    return replace(row, sync=True, duration=row.duration + 1)


rows = st.lists(
    st.builds(
        Row,
        size=st.integers(0, 40),
        duration=st.integers(0, 5000),
        composition=st.integers(0, 9000),
        sync=st.booleans(),
    ),
    min_size=1,
    max_size=60,
)
recordings = st.builds(
    lambda kind, table: Recording(kind, 600, [_first(table[0]), *table[1:]]),
    st.sampled_from(["video", "audio"]),
    rows,
)
movies = st.lists(recordings, min_size=1, max_size=3).flatmap(
    lambda tracks: st.tuples(
        st.just(tracks),
        st.one_of(
            st.builds(
                lambda chunk, first, wide: plain_movie(
                    *tracks, chunk=chunk, moov_first=first, wide=wide
                ),
                st.integers(1, 9),
                st.booleans(),
                st.booleans(),
            ),
            st.builds(
                lambda count, base, times: fragmented_movie(
                    *tracks, per_fragment=count, base=base, decode_times=times
                ),
                st.integers(1, 9),
                st.sampled_from(["moof", "absolute", "chained"]),
                st.booleans(),
            ),
        ),
    )
)


@PROPERTY
@given(movies)
def test_what_was_written_is_read(movie: tuple[list[Recording], bytes]) -> None:
    tracks, data = movie
    for number, (recording, track) in enumerate(zip(tracks, index_of_all(data), strict=True)):
        assert samples_of(data, track) == payloads(number, recording)
        samples = track.samples.rows()
        assert samples.duration.tolist() == [row.duration for row in recording.rows]
        assert samples.dts[0] == 0
        assert np.array_equal(np.cumsum(samples.duration)[:-1], samples.dts[1:])
        assert samples.shift.tolist() == [row.composition for row in recording.rows]
        if recording.kind == "video":
            assert samples.sync.tolist() == [row.sync for row in recording.rows]


def index_of_all(data: bytes) -> tuple[Track, ...]:
    index = index_bytes(data)
    assert not index.skipped
    return index.tracks
