"""CMAF out: structure by a walker of its own, sizes known before, samples where they were."""

from __future__ import annotations

import hashlib
import os
import subprocess
import sys
from dataclasses import replace
from fractions import Fraction
from pathlib import Path

import numpy as np
import pytest
from hypothesis import given

from packager.errors import UnsupportedMedia
from packager.model import MediaKind, Rendition, Track
from packager.mux.fmp4 import (
    MEDIA_TYPES,
    fragment_layout,
    head_sizes,
    init_segment,
    plan_segment,
    segment_sizes,
)
from packager.presentation import build_presentation
from packager.ranges import ByteRange
from tests.support.atoms import atoms
from tests.support.cmaf import check_cmaf, check_header
from tests.support.fragmented import read_fragmented
from tests.support.indexing import segments, stitched
from tests.support.tracks import (
    OPUS,
    PROPERTY,
    VIDEO,
    Gop,
    audio_track,
    audio_tracks,
    every,
    source,
    video_track,
    video_tracks,
    with_columns,
)

tracks = video_tracks() | audio_tracks()


def rendition_of(track: Track) -> Rendition:
    (rendition,) = build_presentation("title", [source(track)]).renditions
    return rendition


def mezzanine_of(track: Track) -> bytes:
    """Bytes behind the sample table that tell every sample from every other."""
    samples = track.samples.rows()
    media = bytearray(int((samples.offset + samples.size).max()))
    for number, (start, size) in enumerate(
        zip(samples.offset.tolist(), samples.size.tolist(), strict=True)
    ):
        stamp = f"<{number}>".encode()
        media[start : start + size] = (stamp * (size // len(stamp) + 1))[:size]
    return bytes(media)


# ---- of any track


@PROPERTY
@given(tracks)
def test_every_segment_is_cmaf(track: Track) -> None:
    rendition = rendition_of(track)
    check_cmaf(
        init_segment(rendition),
        segments(rendition, mezzanine_of(track)),
        timescale=track.timescale,
        language="und",
    )


@PROPERTY
@given(tracks)
def test_another_reader_finds_the_samples_of_the_table(track: Track) -> None:
    rendition = rendition_of(track)
    samples = rendition.track.samples.rows()
    data = mezzanine_of(track)
    read = read_fragmented(stitched(rendition, data))
    assert read.timescale == track.timescale
    assert [s.pts for s in read.samples] == samples.pts.tolist()
    assert [s.duration for s in read.samples] == samples.duration.tolist()
    assert [s.sync for s in read.samples] == samples.sync.tolist()
    shifts = {s.dts - dts for s, dts in zip(read.samples, samples.dts.tolist(), strict=True)}
    assert len(shifts) == 1
    assert [s.digest for s in read.samples] == [
        hashlib.sha256(data[start : start + size]).hexdigest()
        for start, size in zip(samples.offset.tolist(), samples.size.tolist(), strict=True)
    ]


@PROPERTY
@given(tracks)
def test_every_size_is_known_before(track: Track) -> None:
    rendition = rendition_of(track)
    table = rendition.segments
    data = mezzanine_of(track)
    sizes = segment_sizes(rendition.track.samples, rendition.layout, table.edges)
    heads = head_sizes(rendition.layout, np.diff(table.edges))
    for number, made in enumerate(segments(rendition, data)):
        plan = plan_segment(rendition, number)
        assert plan.size == sizes[number] == table.size[number] == len(made)
        *_, mdat = atoms(made)
        assert heads[number] == len(made) - len(mdat.body)
        assert plan.media_type == MEDIA_TYPES[track.kind]
        assert plan.source == rendition.source


# ---- one rendition, looked at closely


def test_a_contiguous_segment_is_one_read() -> None:
    rendition = rendition_of(video_track(every(2, 6, 600, 24), 600))
    head, media = plan_segment(rendition, 1).parts
    assert isinstance(head, bytes)
    assert media == ByteRange(100 + 50 * 40, 100 * 40)


def test_samples_apart_are_apart_in_the_plan() -> None:
    track = video_track(every(2, 2, 600, 24), 600, sizes=[10])
    offsets = track.samples.rows().offset * 2
    rendition = rendition_of(replace(track, samples=with_columns(track.samples, offset=offsets)))
    _, *ranges = plan_segment(rendition, 0).parts
    assert ranges == [ByteRange(int(at), 10) for at in offsets]


def test_empty_samples_need_no_read() -> None:
    rendition = rendition_of(video_track([Gop((24, 24, 24))], 600, sizes=[0]))
    plan = plan_segment(rendition, 0)
    assert len(plan.parts) == 1
    assert plan.size == len(plan.parts[0])


def test_reordered_pictures_have_signed_offsets_and_no_edit_list() -> None:
    rendition = rendition_of(video_track([Gop((24,) * 11, reorder=True)] * 5, 600, start=48))
    assert (
        check_header(init_segment(rendition), timescale=600, language="und").maybe("trak", "edts")
        is None
    )
    assert rendition.layout.has_shifts


def test_pictures_before_the_edit_are_hidden_by_an_edit_list() -> None:
    rendition = rendition_of(video_track([Gop((24,) * 11, reorder=True)] * 5, 600, start=-100))
    samples = read_fragmented(stitched(rendition, bytes(10_000))).samples
    assert samples[0].pts == -100
    assert samples[0].dts == 0
    assert min(s.composition for s in samples) >= 0


def test_priming_is_hidden_by_an_edit_list() -> None:
    rendition = rendition_of(audio_track(500, priming=1024))
    moov = check_header(init_segment(rendition), timescale=48_000, language="und")
    assert moov.only("trak", "edts", "elst").fields("IIiI") == (1, 0, 1024, 0x10000)
    assert not rendition.layout.has_shifts


def test_opus_says_how_far_to_roll_back() -> None:
    """80 ms before a sample, in frames of 20 ms (Opus in ISOBMFF 4.3.6.2)."""
    track = audio_track(500, frame=960, priming=312, config=OPUS)
    rendition = rendition_of(track)
    moov = check_header(init_segment(rendition), timescale=48_000, language="und")
    sgpd = moov.only("trak", "mdia", "minf", "stbl", "sgpd")
    assert sgpd.body[4:8] == b"roll"
    assert sgpd.fields("2Ih", 8) == (2, 1, -4)


def test_the_language_is_extended() -> None:
    track = replace(audio_track(500), language="zh-Hant-TW")
    check_header(init_segment(rendition_of(track)), timescale=48_000, language="zh-Hant-TW")


def test_the_display_size_has_the_shape_of_the_pixels() -> None:
    track = video_track(every(2, 2, 600, 24), 600)
    wide = replace(VIDEO, sar=Fraction(2))
    tkhd = check_header(
        init_segment(rendition_of(replace(track, config=wide))), timescale=600, language="und"
    ).only("trak", "tkhd")
    assert tkhd.fields("2I", 76) == (320 << 16, 90 << 16)


def test_a_turned_picture_stays_turned() -> None:
    matrix = bytes(range(36))
    track = replace(video_track(every(2, 2, 600, 24), 600), matrix=matrix)
    moov = check_header(init_segment(rendition_of(track)), timescale=600, language="und")
    assert moov.only("trak", "tkhd").body[40:76] == matrix


@pytest.mark.parametrize("column", ["duration", "pts"])
def test_a_step_over_32_bits_is_refused(column: str) -> None:
    track = video_track(every(2, 2, 600, 24), 600)
    values = getattr(track.samples.rows(), column)
    values[7] += 1 << 31
    with pytest.raises(UnsupportedMedia, match="32 bits"):
        fragment_layout(replace(track, samples=with_columns(track.samples, **{column: values})))


def test_a_segment_over_4_gib_is_refused() -> None:
    track = video_track(every(2, 2, 600, 24), 600)
    sizes = np.full(len(track.samples), 1 << 27, np.int32)
    rendition = rendition_of(replace(track, samples=with_columns(track.samples, size=sizes)))
    with pytest.raises(UnsupportedMedia, match="4 GiB"):
        plan_segment(rendition, 0)


# ---- the same bytes everywhere


def everything() -> str:
    """Digest of all that a title delivers."""
    video = video_track([Gop((24,) * 50, reorder=True)] * 9, 600, sizes=[9, 4])
    sources = [
        source(video, audio_track(700, priming=1024), name="low.mp4"),
        source(video, audio_track(700, priming=1024, sizes=[30]), name="high.mp4"),
        source(audio_track(700, frame=960, config=OPUS), name="opus.mp4"),
    ]
    presentation = build_presentation("title", sources)
    digest = hashlib.sha256(repr((presentation.revision, presentation.left_out)).encode())
    for rendition in presentation.renditions:
        digest.update(repr((rendition.name, rendition.source, rendition.label)).encode())
        digest.update(stitched(rendition, mezzanine_of(rendition.track)))
    assert {r.track.kind for r in presentation.renditions} == set(MediaKind)
    return digest.hexdigest()


def test_every_process_makes_the_same_bytes() -> None:
    script = f"from {__name__} import everything; print(everything())"
    root = Path(__file__).parents[2]
    for seed in ("0", "1"):
        made = subprocess.run(
            [sys.executable, "-c", script],
            env={**os.environ, "PYTHONHASHSEED": seed},
            cwd=root,
            capture_output=True,
            text=True,
            check=True,
        )
        assert made.stdout.strip() == everything()
