"""What makes one presentation of several files: lining up, leaving out, order and figures."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import replace
from fractions import Fraction
from itertools import pairwise
from math import ceil

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.bandwidth import measure_bandwidth
from packager.errors import Misaligned
from packager.model import (
    MediaKind,
    Presentation,
    Rendition,
    SampleTable,
    SegmentTable,
    Track,
)
from packager.presentation import (
    START_BITRATE,
    Source,
    TextSource,
    build_presentation,
)
from packager.text import TextDocument
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


def build(*sources: Source) -> Presentation:
    return build_presentation("title", sources)


def rung(
    name: str, timescale: int, frame: int, seconds: int = 24, start: int = 0, size: int = 40
) -> Source:
    """Pictures with a key frame every two seconds."""
    gops = every(2, seconds // 2, timescale, frame)
    return source(video_track(gops, timescale, start=start, sizes=[size]), name=name)


def odd_rung() -> Source:
    """As long as the others, its key frames half a second off."""
    gops = [Gop((24,) * 13), *every(2, 11, 600, 24), Gop((24,) * 37)]
    return source(video_track(gops, 600), name="odd.mp4")


def last_end(samples: SampleTable) -> int:
    rows = samples.rows()
    return int((rows.pts + rows.duration).max())


def cut_times(rendition: Rendition) -> list[Fraction]:
    return [Fraction(int(time), rendition.timescale) for time in rendition.segments.time]


# ---- what every presentation holds to


titles = st.lists(video_tracks(), max_size=3).flatmap(
    lambda videos: st.lists(audio_tracks(), min_size=0 if videos else 1, max_size=2).map(
        lambda audios: [
            source(track, name=f"{n}.mp4") for n, track in enumerate([*videos, *audios])
        ]
    )
)


@PROPERTY
@given(titles)
def test_segments_tile_every_rendition(sources: Sequence[Source]) -> None:
    presentation = build(*sources)
    assert presentation.renditions
    for rendition in presentation.renditions:
        segments, samples = rendition.segments, rendition.track.samples
        assert segments.edges[0] == 0
        assert segments.edges[-1] == len(samples)
        assert np.all(np.diff(segments.edges) > 0)
        assert np.all(segments.duration > 0)
        assert segments.time[0] >= 0
        assert np.all(np.diff(segments.time) > 0)
        assert int(segments.duration.sum()) == last_end(samples)
        assert np.array_equal(np.cumsum(segments.duration)[:-1], segments.time[1:])


@PROPERTY
@given(titles)
def test_playlists_can_say_how_long_a_segment_is(sources: Sequence[Source]) -> None:
    """RFC 8216 4.3.3.1: rounded, no segment is above the target duration, which is that of all."""
    presentation = build(*sources)
    for rendition in presentation.renditions:
        longest = Fraction(int(rendition.segments.duration.max()), rendition.timescale)
        assert longest < presentation.target_duration + Fraction(1, 2)
    ends = [Fraction(last_end(r.track.samples), r.timescale) for r in presentation.renditions]
    assert presentation.duration == max(ends)


@PROPERTY
@given(titles)
def test_every_video_segment_starts_at_a_sync_sample(sources: Sequence[Source]) -> None:
    for rendition in build(*sources).video:
        assert np.all(rendition.track.samples.rows().sync[rendition.segments.edges[:-1]])


@PROPERTY
@given(titles)
def test_no_source_vanishes_without_a_word(sources: Sequence[Source]) -> None:
    presentation = build(*sources)
    kept = {rendition.source for rendition in presentation.renditions}
    left_out = {item.source for item in presentation.left_out}
    assert kept | left_out == {s.index.source for s in sources}
    assert not kept & left_out
    assert all(item.reason and item.what for item in presentation.left_out)


ladders = st.tuples(
    st.lists(st.integers(1, 40), min_size=1, max_size=12),
    st.lists(
        st.tuples(st.sampled_from([600, 12_800, 24_000, 30_000, 90_000, 1_000_000]), st.booleans()),
        min_size=2,
        max_size=4,
    ),
)


@PROPERTY
@given(ladders)
def test_all_rungs_are_cut_at_the_same_times(
    ladder: tuple[list[int], list[tuple[int, bool]]],
) -> None:
    """One encode at several sizes: each rung with its own clock, its rounding, its reordering."""
    frames_of_gops, clocks = ladder
    sources = []
    for number, (timescale, reorder) in enumerate(clocks):
        gops, frame_number = [], 0
        for frames in frames_of_gops:
            marks = [(frame_number + n) * timescale * 1001 // 24_000 for n in range(frames + 1)]
            gops.append(Gop(tuple(b - a for a, b in pairwise(marks)), reorder))
            frame_number += frames
        sources.append(source(video_track(gops, timescale), name=f"{number}.mp4"))
    presentation = build(*sources)
    assert presentation.left_out == ()
    first, *others = map(cut_times, presentation.video)
    for rendition, times in zip(presentation.video[1:], others, strict=True):
        coarsest = min(rendition.timescale, presentation.video[0].timescale)
        assert len(times) == len(first)
        assert all(abs(a - b) <= Fraction(1, coarsest) for a, b in zip(first, times, strict=True))


@PROPERTY
@given(video_tracks(), audio_tracks())
def test_sound_follows_the_pictures(video: Track, audio: Track) -> None:
    presentation = build(source(video, audio))
    (pictures,), (sound,) = presentation.video, presentation.audio
    frame = Fraction(int(audio.samples.rows().duration.max()), sound.timescale)
    tick = Fraction(1, min(pictures.timescale, sound.timescale))
    for time in cut_times(sound)[1:]:
        if time < Fraction(int(pictures.segments.time[-1]), pictures.timescale):
            behind = min(abs(time - cut) for cut in cut_times(pictures))
            assert behind < frame + tick


# ---- one title, looked at closely


def test_sound_is_cut_at_the_first_frame_at_or_after_each_boundary() -> None:
    presentation = build(
        rung("video.mp4", 12_800, 512),
        source(audio_track(1130, priming=1024), name="audio.mp4"),
    )
    boundaries = cut_times(presentation.video[0])[1:]
    assert boundaries == [2, 6, 12, 18]
    frame = Fraction(1024, 48_000)
    assert cut_times(presentation.audio[0]) == [0, *(ceil(t / frame) * frame for t in boundaries)]


def test_equal_times_in_unequal_clocks_line_up() -> None:
    presentation = build(
        rung("a.mp4", 12_800, 512), rung("b.mp4", 90_000, 3600), rung("c.mp4", 25, 1)
    )
    assert presentation.left_out == ()
    assert len({tuple(cut_times(r)) for r in presentation.video}) == 1


def test_film_rate_lines_up_across_clocks() -> None:
    """24000/1001 frames a second, exact in 24000 and rounded to ticks of 90 kHz and 1 kHz."""
    sources = []
    for timescale in (24_000, 90_000, 1000):
        marks = [n * 1001 * timescale // 24_000 for n in range(48 * 12 + 1)]
        steps = [b - a for a, b in pairwise(marks)]
        gops = [Gop(tuple(steps[n : n + 48])) for n in range(0, len(steps), 48)]
        sources.append(source(video_track(gops, timescale), name=f"{timescale}.mp4"))
    presentation = build(*sources)
    assert presentation.left_out == ()
    assert {len(r.segments) for r in presentation.video} == {5}


def test_shifted_key_frames_are_left_out_with_the_reason() -> None:
    presentation = build(
        rung("a.mp4", 600, 24),
        rung("b.mp4", 600, 24),
        odd_rung(),
    )
    assert [r.source for r in presentation.video] == ["a.mp4", "b.mp4"]
    (out,) = presentation.left_out
    assert out.source == "odd.mp4"
    assert out.what == "video track 1 (vp09.00.10.08, 160x90)"
    assert out.reason == "its key frames do not line up with a.mp4: 1 of 12 are shared"


def test_the_odd_one_out_is_the_minority_wherever_it_is_listed() -> None:
    presentation = build(odd_rung(), rung("a.mp4", 600, 24), rung("b.mp4", 600, 24))
    assert [r.source for r in presentation.video] == ["a.mp4", "b.mp4"]


def test_another_length_is_left_out_with_the_reason() -> None:
    presentation = build(rung("a.mp4", 600, 24), rung("trailer.mp4", 600, 24, seconds=20))
    (out,) = presentation.left_out
    assert out.source == "trailer.mp4"
    assert out.reason == "ends 4.000 s before a.mp4"


def test_sparser_key_frames_still_line_up_on_those_they_share() -> None:
    sparse = source(video_track(every(4, 6, 600, 24), 600), name="sparse.mp4")
    presentation = build(rung("dense.mp4", 600, 24), sparse)
    assert presentation.left_out == ()
    assert [cut_times(r) for r in presentation.video] == [[0, 4, 8, 12, 16, 20]] * 2


def test_longer_sound_goes_on_in_segments_of_its_own() -> None:
    presentation = build(
        rung("video.mp4", 600, 24, seconds=12), source(audio_track(1500), name="audio.mp4")
    )
    assert presentation.duration == Fraction(1500 * 1024, 48_000)
    assert cut_times(presentation.video[0]) == [0, 2, 6]
    (audio,) = presentation.audio
    assert [round(float(t), 1) for t in cut_times(audio)][3:] == [12.0, 18.0, 24.0]
    assert int(audio.segments.duration.max()) <= 8 * 48_000


def test_sound_alone_is_cut_near_the_goals() -> None:
    (audio,) = build(source(audio_track(1500))).audio
    assert [round(float(time)) for time in cut_times(audio)] == [0, 2, 6, 12, 18, 24]


def test_a_short_tail_joins_the_segment_before() -> None:
    """Pictures end 0.2 s behind their last boundary, which longer sound has put there."""
    video = video_track([*every(2, 6, 600, 24), Gop((24,) * 5)], 600)
    presentation = build(source(video, audio_track(1200), name="title.mp4"))
    (pictures,) = presentation.video
    assert cut_times(pictures) == [0, 2, 6]
    assert int(pictures.segments.duration[-1]) == 6 * 600 + 5 * 24


def test_all_tracks_start_together_where_none_starts_at_zero() -> None:
    """A file cut from a longer one, and a recording that counts from an epoch."""
    for start in (10, 1_700_000_000):
        presentation = build(
            source(
                video_track(every(2, 6, 600, 24), 600, start=start * 600),
                audio_track(500, start=start * 48_000 + 480),
            )
        )
        assert [int(r.segments.time[0]) for r in presentation.renditions] == [0, 480]
        assert int(presentation.video[0].track.samples.rows().pts[0]) == 0


def test_a_late_start_is_kept_where_another_track_starts_at_zero() -> None:
    presentation = build(
        source(video_track(every(2, 6, 600, 24), 600, start=300), audio_track(500))
    )
    assert cut_times(presentation.video[0])[0] == Fraction(1, 2)
    assert int(presentation.video[0].segments.duration.sum()) == 12 * 600 + 300


def test_more_than_a_title_can_be_is_left_out() -> None:
    """Times that no address and no 64-bit product of two clocks could hold."""
    far = source(audio_track(10, start=1 << 61), name="far.mp4")
    presentation = build(rung("video.mp4", 600, 24), far)
    (out,) = presentation.left_out
    assert out.source == "far.mp4"
    assert out.reason == "ends later than 100 hours"


def test_nothing_to_play_is_refused_with_all_reasons() -> None:
    with pytest.raises(Misaligned, match="no track of the title can be played"):
        build()


def test_key_frames_in_no_order_of_time_are_left_out() -> None:
    track = video_track(every(2, 6, 600, 24), 600)
    backwards = with_columns(track.samples, pts=track.samples.rows().pts[::-1])
    presentation = build(
        source(replace(track, samples=backwards), name="backwards.mp4"),
        source(audio_track(500), name="audio.mp4"),
    )
    assert [r.source for r in presentation.renditions] == ["audio.mp4"]
    assert presentation.left_out[0].reason == "its key frames are not in order of time"


def test_pictures_that_belong_segments_before_are_left_out() -> None:
    """A picture behind the second key frame that is shown before the first segment."""
    track = video_track(every(2, 6, 600, 24), 600)
    pts = track.samples.rows().pts
    pts[52] = 0
    presentation = build(
        source(replace(track, samples=with_columns(track.samples, pts=pts)), name="astray.mp4"),
        source(audio_track(500), name="audio.mp4"),
    )
    assert [r.source for r in presentation.renditions] == ["audio.mp4"]
    assert "not in order of time" in presentation.left_out[0].reason


# ---- order, names and figures


def test_manifests_start_with_the_best_rung_for_a_slow_line() -> None:
    frame_bytes = START_BITRATE // 8 // 25
    rungs = [rung(f"{n}.mp4", 600, 24, size=frame_bytes * n // 10) for n in (20, 3, 9, 50)]
    presentation = build(*rungs)
    assert [r.source for r in presentation.video] == ["9.mp4", "3.mp4", "20.mp4", "50.mp4"]
    assert [r.name for r in presentation.video] == ["video1", "video2", "video3", "video4"]


def test_the_same_sound_muxed_with_every_rung_is_listed_once() -> None:
    def muxed(name: str, size: int) -> Source:
        return source(
            video_track(every(2, 6, 600, 24), 600), audio_track(500, sizes=[size]), name=name
        )

    presentation = build(muxed("low.mp4", 100), muxed("high.mp4", 200), muxed("mid.mp4", 150))
    assert [r.source for r in presentation.audio] == ["high.mp4"]
    assert {(item.source, item.reason) for item in presentation.left_out} == {
        ("low.mp4", "the same sound is taken from high.mp4"),
        ("mid.mp4", "the same sound is taken from high.mp4"),
    }


def test_a_second_track_of_one_file_is_another_sound() -> None:
    tracks = [audio_track(500, track_id=2), audio_track(500, track_id=3)]
    presentation = build(source(video_track(every(2, 6, 600, 24), 600), *tracks))
    assert [r.track.track_id for r in presentation.audio] == [2, 3]
    assert len({r.label for r in presentation.audio}) == 2


def test_stereo_aac_is_listed_first() -> None:
    presentation = build(
        source(audio_track(500, frame=960, config=OPUS), name="opus.mp4"),
        source(audio_track(500), name="aac.mp4"),
    )
    assert [r.source for r in presentation.audio] == ["aac.mp4", "opus.mp4"]


def test_subtitles_run_as_long_as_the_title() -> None:
    text = TextSource("title.en.vtt", "1", TextDocument("", ()), language="en")
    presentation = build_presentation("title", [rung("v.mp4", 600, 24)], [text])
    (subtitles,) = presentation.text
    assert subtitles.edges[0] == 0
    assert subtitles.edges[-1] == 24_000
    assert (subtitles.name, subtitles.label) == ("text1", "English")


def test_cues_that_cannot_be_read_are_named() -> None:
    text = TextSource("title.srt", "1", TextDocument("", (), skipped=(4, 9)))
    presentation = build_presentation("title", [rung("v.mp4", 600, 24)], [text])
    (out,) = presentation.left_out
    assert (out.source, out.what) == ("title.srt", "2 cues")
    assert "lines 4, 9" in out.reason


def test_the_file_name_says_the_language_where_the_track_does_not() -> None:
    french = Source(source(audio_track(500)).index, language="fr")
    (audio,) = build(french).audio
    assert audio.language == "fr"


def test_the_revision_is_that_of_the_input() -> None:
    one = build(rung("a.mp4", 600, 24))
    again = build(rung("a.mp4", 600, 24))
    other = build_presentation(
        "title",
        [Source(replace(rung("a.mp4", 600, 24).index, version="2"))],
    )
    assert one.revision == again.revision != other.revision


# ---- bandwidth


def peak_and_average(segments: SegmentTable, timescale: int) -> tuple[Fraction, Fraction]:
    """RFC 8216 4.1, word by word: every run of segments that lasts 0.5 to 1.5 target durations."""
    durations = [Fraction(int(ticks), timescale) for ticks in segments.duration]
    sizes = [int(size) for size in segments.size]
    target = max(1, int(max(durations) + Fraction(1, 2)))
    rates = [
        Fraction(sum(sizes[i:j]) * 8) / sum(durations[i:j])
        for i in range(len(sizes))
        for j in range(i + 1, len(sizes) + 1)
        if Fraction(target, 2) <= sum(durations[i:j]) <= Fraction(3 * target, 2)
    ]
    average = Fraction(sum(sizes) * 8) / sum(durations)
    return max([*rates, average]), average


@PROPERTY
@given(
    st.lists(st.tuples(st.integers(1, 9000), st.integers(1, 10**7)), min_size=1, max_size=30),
    st.sampled_from([600, 1000, 90_000]),
)
def test_bandwidth_is_that_of_every_run_of_segments(
    rows: list[tuple[int, int]], timescale: int
) -> None:
    duration = np.array([ticks for ticks, _ in rows], np.int64)
    edges, size = np.arange(len(rows) + 1), np.array([size for _, size in rows], np.int64)
    segments = SegmentTable(edges, np.cumsum(duration) - duration, duration, size)
    peak, average = measure_bandwidth(segments, timescale)
    exact_peak, exact_average = peak_and_average(segments, timescale)
    assert average == ceil(exact_average)
    assert exact_peak <= peak + 1 <= exact_peak + 2


def test_the_frame_rate_is_the_commonest() -> None:
    def rate(durations: Sequence[int], timescale: int) -> Fraction | None:
        track = video_track([Gop(tuple(durations))], timescale)
        return build(source(track)).video[0].frame_rate

    assert rate([512] * 50, 12_800) == 25
    assert rate([1001] * 49 + [700], 24_000) == Fraction(24_000, 1001)
    assert rate([20, 60] * 25, 1000) == 25


def test_what_a_rendition_tells_of_its_track() -> None:
    (rendition,) = build(rung("v.mp4", 600, 24)).video
    assert (rendition.config, rendition.timescale) == (VIDEO, 600)
    assert rendition.language == "und"
    assert rendition.track.kind is MediaKind.VIDEO
