"""A sidecar says what its file says, or is refused with the reason."""

from __future__ import annotations

import struct
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.codecs import parse_sample_entry
from packager.errors import BadSidecar
from packager.model import (
    CodecConfig,
    Edit,
    MediaKind,
    MovieIndex,
    SampleTable,
    Track,
)
from packager.mux.fmp4 import init_segment, plan_segment
from packager.plan import Splice
from packager.presentation import Source, build_presentation
from packager.sidecar import FORMAT, pack, unpack
from tests.packager.codecs.assemble import EXAMPLES, as_box
from tests.packager.manifests.reading import manifests
from tests.support.indexing import index_bytes
from tests.support.movies import (
    AAC_ENTRY,
    OPUS_ENTRY,
    VP9_ENTRY,
    Recording,
    Row,
    fragmented_movie,
    plain_movie,
)
from tests.support.shared_media import REFUSED, read_shared, shared_files
from tests.support.sidecars import HEAD, assert_same, repacked, signed
from tests.support.tracks import (
    PROPERTY,
    audio_tracks,
    sample_table,
    video_tracks,
    with_columns,
)

PICTURES = Recording(
    "video",
    12_800,
    [Row(30 + n, 512, (1024, 2048, 512)[n % 3], n % 5 == 0) for n in range(60)],
    language="deu",
    handler="Überlänge 🎬",
)
SOUND = Recording("audio", 48_000, [Row(10 + n % 3, 1024) for n in range(110)])

MOVIES: dict[str, Callable[[], bytes]] = {
    "interleaved": lambda: plain_movie(PICTURES, SOUND),
    "sample by sample": lambda: plain_movie(PICTURES, SOUND, chunk=1),
    "one track": lambda: plain_movie(PICTURES, chunk=1000),
    "sound alone": lambda: plain_movie(SOUND),
    "moov behind": lambda: plain_movie(PICTURES, SOUND, moov_first=False, wide=True),
    "five tracks": lambda: plain_movie(PICTURES, SOUND, SOUND, SOUND, SOUND, chunk=2),
    "fragmented": lambda: fragmented_movie(PICTURES, SOUND, per_fragment=7),
    "edits": lambda: plain_movie(
        replace(PICTURES, edits=[(40, -1), (1500, 1024)]), replace(SOUND, edits=[(0, 1024)])
    ),
    "edit from the middle": lambda: plain_movie(
        replace(PICTURES, rows=[Row(sync=n % 5 == 0) for n in range(40)], edits=[(320, 7 * 512)])
    ),
    "other durations": lambda: plain_movie(
        replace(
            PICTURES, rows=[Row(20, 400 + n * n % 99, n % 4 * 100, n % 4 == 0) for n in range(80)]
        )
    ),
    "negative offsets": lambda: plain_movie(
        replace(PICTURES, rows=[Row(20, 512, (0, 512, -512)[n % 3], n % 3 == 0) for n in range(60)])
    ),
    "a track left out": lambda: plain_movie(PICTURES, replace(SOUND, entry=OPUS_ENTRY)).replace(
        b"Opus", b"Pous"
    ),
    "a text track": lambda: plain_movie(PICTURES, SOUND).replace(b"soun", b"text"),
    "one sample": lambda: plain_movie(Recording("video", 25, [Row(1, 1)])),
}


def packaged(index: MovieIndex) -> list[str | bytes | Splice]:
    """All that viewers get of a title."""
    presentation = build_presentation("title", [Source(index)])
    answers: list[str | bytes | Splice] = [*manifests(presentation).values()]
    for rendition in presentation.renditions:
        answers.append(init_segment(rendition))
        answers += [plan_segment(rendition, n) for n in range(len(rendition.segments))]
    return answers


# ---- what is packed comes back


@pytest.mark.parametrize("name", MOVIES)
def test_movies_come_back(name: str) -> None:
    index = index_bytes(MOVIES[name]())
    back = repacked(index)
    assert_same(back, index)
    assert packaged(back) == packaged(index)


@pytest.mark.parametrize("name", shared_files("*.mp4", without=REFUSED))
def test_real_files_come_back(name: str) -> None:
    index = index_bytes(read_shared(name), name, "17f3a-2b")
    back = repacked(index)
    assert_same(back, index)
    assert packaged(back) == packaged(index)


def test_encoded_films_come_back(films: Path) -> None:
    for path in [*films.glob("city/*.mp4"), films / "film.mp4"]:
        index = index_bytes(path.read_bytes(), path.name)
        assert_same(repacked(index), index)


@pytest.mark.parametrize("fourcc", EXAMPLES)
def test_every_codec_comes_back(fourcc: str) -> None:
    config = parse_sample_entry(as_box(EXAMPLES[fourcc]))
    (track,) = index_bytes(plain_movie(SOUND)).tracks
    kind = next(k for k in MediaKind if type(config).__name__.lower().startswith(k.value))
    index = MovieIndex("a.mp4", "1", 10_000, (replace(track, kind=kind, config=config),))
    assert_same(repacked(index), index)


VIDEO, AUDIO = (parse_sample_entry(as_box(entry)) for entry in (VP9_ENTRY, AAC_ENTRY))
TEXTS = st.text(st.characters(exclude_categories=["Cs"]), max_size=20)
TICKS = st.integers(-(1 << 70), 1 << 70)
EDITS = st.none() | st.builds(Edit, TICKS, TICKS, st.none() | TICKS)


@st.composite
def movies(draw: st.DrawFn) -> MovieIndex:
    """Tracks of any shape, each where an encoder might have put it."""
    tracks = draw(st.lists(video_tracks() | audio_tracks(), min_size=1, max_size=3))
    return MovieIndex(
        draw(TEXTS),
        draw(TEXTS),
        1 << 40,
        tuple(
            replace(
                track,
                config=VIDEO if track.kind is MediaKind.VIDEO else AUDIO,
                name=draw(TEXTS),
                edit=draw(EDITS),
                matrix=draw(st.binary(min_size=36, max_size=36)),
            )
            for track in tracks
        ),
    )


@PROPERTY
@given(movies())
def test_any_movie_comes_back(index: MovieIndex) -> None:
    assert_same(repacked(index), index)


def test_the_same_index_is_packed_the_same_way() -> None:
    assert pack(index_bytes(MOVIES["edits"]())) == pack(index_bytes(MOVIES["edits"]()))


def test_the_source_is_where_the_sidecar_was_found() -> None:
    """A title can be moved, its sidecars with it."""
    index = index_bytes(MOVIES["a track left out"](), "old/a.mp4")
    moved = unpack(pack(index), "new/a.mp4", index.version, index.size)
    assert (moved.source, moved.skipped[0].source) == ("new/a.mp4", "new/a.mp4")


# ---- few bytes

HOURS_2 = 7200


def track(config: CodecConfig, timescale: int, samples: SampleTable, number: int) -> Track:
    kind = MediaKind.VIDEO if config is VIDEO else MediaKind.AUDIO
    return Track(number, kind, timescale, "en", "", config, samples)


def long_film(*, with_sound: bool) -> MovieIndex:
    """Two hours at 30 pictures a second and 5 Mbit/s, muxed as they come."""
    random = np.random.default_rng(1)
    count = 30 * HOURS_2
    size = (random.lognormal(9.5, 0.6, count) * np.where(np.arange(count) % 60, 1, 5)).astype("i4")
    dts = np.arange(count) * 3000
    shift = random.choice([0, 3000, 6000, 9000, 15_000], count)
    columns = [(VIDEO, 90_000, size, dts, dts + shift, np.arange(count) % 60 == 0)]
    if with_sound:
        count = 48_000 * HOURS_2 // 1024
        size, dts = random.integers(80, 700, count, "i4"), np.arange(count) * 1024
        columns.append((AUDIO, 48_000, size, dts, dts, np.ones(count, np.bool_)))
    times = np.concatenate([dts / timescale for _, timescale, _, dts, _, _ in columns])
    order = np.argsort(times, kind="stable")
    owner = np.repeat(np.arange(len(columns)), [len(column[2]) for column in columns])[order]
    sizes = np.concatenate([column[2] for column in columns])[order]
    offset = 5_000_000 + np.cumsum(sizes, dtype=np.int64) - sizes
    tracks = [
        track(
            config,
            timescale,
            sample_table(offset[owner == number], size, dts, pts, np.full(len(dts), dts[1]), sync),
            number,
        )
        for number, (config, timescale, size, dts, pts, sync) in enumerate(columns)
    ]
    return MovieIndex("film.mp4", "1", 1 << 40, tuple(tracks))


@pytest.mark.parametrize("with_sound", [False, True])
def test_a_film_of_two_hours_takes_few_bytes_a_sample(with_sound: bool) -> None:
    index = long_film(with_sound=with_sound)
    assert_same(repacked(index), index)
    samples = sum(len(track.samples) for track in index.tracks)
    assert len(pack(index)) < 3.5 * samples


# ---- what is not believed


INDEX = index_bytes(MOVIES["edits"](), "film.mp4", "17f3-2b")
SIDECAR = pack(INDEX)


def load(data: bytes, version: str = INDEX.version, size: int = INDEX.size) -> MovieIndex:
    return unpack(data, "film.mp4", version, size)


def test_another_version_of_the_file_is_said() -> None:
    with pytest.raises(BadSidecar, match=f"version 17f3-2b of {INDEX.size} bytes.* 17f4-2b of"):
        load(SIDECAR, version="17f4-2b")
    with pytest.raises(BadSidecar, match=f"the file is version 17f3-2b of {INDEX.size + 1}"):
        load(SIDECAR, size=INDEX.size + 1)


@pytest.mark.parametrize("form", [0, FORMAT + 1, 0xFFFF])
def test_another_format_is_said(form: int) -> None:
    other = SIDECAR[:4] + struct.pack("<H", form) + SIDECAR[6:]
    with pytest.raises(BadSidecar, match=f"it is of format {form}; this is format {FORMAT}"):
        load(other)


@pytest.mark.parametrize("data", [b"not an index", b"\0\0\0\x20ftypisom" + bytes(20)])
def test_another_file_is_said(data: bytes) -> None:
    with pytest.raises(BadSidecar, match="it is no index"):
        load(data)


def test_every_byte_counts() -> None:
    for place in range(len(SIDECAR)):
        changed = bytearray(SIDECAR)
        changed[place] ^= 1 << place % 8
        with pytest.raises(BadSidecar):
            load(bytes(changed))


def test_every_cut_is_noticed_with_a_checksum_that_fits_too() -> None:
    for length in range(len(SIDECAR)):
        with pytest.raises(BadSidecar):
            load(SIDECAR[:length])
        if length > HEAD:
            with pytest.raises(BadSidecar):
                load(signed(SIDECAR[:length]))


def test_bytes_too_many_are_noticed() -> None:
    with pytest.raises(BadSidecar, match="torn or changed"):
        load(SIDECAR + b"\0")
    with pytest.raises(BadSidecar, match="1 bytes too many"):
        load(signed(SIDECAR + b"\0"))


def test_texts_are_utf_8() -> None:
    with pytest.raises(BadSidecar, match="a text that is not UTF-8"):
        load(signed(SIDECAR.replace(b"17f3-2b", b"17f3-\xff\xff")))


def changed(**columns: Any) -> MovieIndex:
    """A film whose pictures have other columns."""
    video, audio = INDEX.tracks
    video = replace(video, samples=with_columns(video.samples, **columns))
    return replace(INDEX, tracks=(video, audio))


PICTURE = INDEX.tracks[0].samples.rows()
COUNT = len(PICTURE)


@pytest.mark.parametrize(
    ("index", "reason"),
    [
        (changed(size=PICTURE.size.astype(np.int64) - 1000), "a number outside 0"),
        (changed(size=np.full(COUNT, (1 << 28) + 1)), "a size out of bounds"),
        (changed(offset=PICTURE.offset + (1 << 40)), "not inside the file"),
        (changed(offset=PICTURE.offset - 10_000), "not inside the file"),
        (changed(pts=PICTURE.pts - 1_000_000), "nothing is shown"),
        (changed(pts=PICTURE.pts + (1 << 40)), "a number outside"),
        (changed(dts=PICTURE.dts + (1 << 62), pts=PICTURE.pts + (1 << 62)), "times out of bounds"),
        (changed(sync=np.zeros(COUNT, np.int64)), "do not begin with a sync sample"),
        (
            changed(duration=np.full(COUNT, -9), dts=np.arange(COUNT) * -9),
            "a number outside 0",
        ),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_indexing_rules_out_is_not_packed(index: MovieIndex, reason: str) -> None:
    with pytest.raises(BadSidecar, match=reason):
        pack(index)


@pytest.mark.parametrize(
    ("track", "reason"),
    [
        (replace(INDEX.tracks[0], language='en",URI="x'), "a track of timescale 12800 in"),
        (replace(INDEX.tracks[0], language=""), "a track of timescale 12800 in"),
        (replace(INDEX.tracks[0], timescale=0), "a track of timescale 0"),
        (
            replace(INDEX.tracks[0], config=replace(VIDEO, sample_entry=b"")),
            "without a sample entry",
        ),
        (replace(INDEX.tracks[0], config=replace(VIDEO, sample_entry=b"\0\0\0\x08vp09")), "vp09"),
        (replace(INDEX.tracks[0], config=replace(VIDEO, sample_entry=VP9_ENTRY[:30])), "vp09"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_tracks_that_indexing_rules_out_are_not_packed(track: Track, reason: str) -> None:
    with pytest.raises(BadSidecar, match=reason):
        pack(replace(INDEX, tracks=(track,)))


@pytest.mark.parametrize(
    ("place", "number", "reason"),
    [
        (HEAD + 8, 0, "it has no track"),
        (SIDECAR.index(b"17f3-2b") + 7, 0, "one without samples"),
        (SIDECAR.index(b"17f3-2b") + 7 + 2, 255, "it claims [0-9]+ samples of a file of"),
    ],
)
def test_counts_that_cannot_be_are_refused(place: int, number: int, reason: str) -> None:
    with pytest.raises(BadSidecar, match=reason):
        load(signed(SIDECAR[:place] + bytes([number]) + SIDECAR[place + 1 :]))
