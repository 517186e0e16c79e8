from __future__ import annotations

from collections.abc import Callable
from fractions import Fraction

import m3u8
import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.address import IFramePlaylist, MediaPlaylist
from packager.manifests import hls, render
from packager.model import Cue, Presentation
from packager.mux.fmp4 import plan_segment
from tests.packager.manifests import titles
from tests.packager.manifests.reading import extinf, manifests
from tests.packager.manifests.titles import REVISION, TITLES

GOLDEN = {
    "film": ("video1", "audio1", "audio3", "text1"),
    "concert": ("audio2",),
    "silent": ("video1", "video2"),
    "many-lines": (),
}


@pytest.mark.parametrize("name", TITLES)
def test_golden(name: str, golden: Callable[[str, str], None]) -> None:
    presentation = TITLES[name]()
    golden(f"manifests/{name}.master.m3u8", hls.multivariant_playlist(presentation))
    for track in GOLDEN[name]:
        media = MediaPlaylist(presentation.asset, REVISION, track)
        golden(f"manifests/{name}.{track}.media.m3u8", render(presentation, media)[1])
        if track.startswith("video"):
            iframes = IFramePlaylist(presentation.asset, REVISION, track)
            golden(f"manifests/{name}.{track}.iframes.m3u8", render(presentation, iframes)[1])


@pytest.mark.parametrize("name", TITLES)
def test_an_independent_parser_reads_every_playlist(name: str) -> None:
    presentation = TITLES[name]()
    for address, text in manifests(presentation).items():
        if str(address).endswith(".mpd"):
            continue
        playlist = m3u8.loads(text)
        assert playlist.is_independent_segments
        if playlist.is_variant:
            assert len(playlist.iframe_playlists) == len(presentation.video)
        else:
            assert playlist.is_endlist
            assert playlist.playlist_type == "vod"
            assert playlist.is_i_frames_only == isinstance(address, IFramePlaylist)
            longest = max(segment.duration for segment in playlist.segments)
            assert int(longest + 0.5) <= playlist.target_duration


def variants(presentation: Presentation) -> list[dict[str, object]]:
    parsed = m3u8.loads(hls.multivariant_playlist(presentation))
    return [vars(playlist.stream_info) | {"uri": playlist.uri} for playlist in parsed.playlists]


def test_every_rung_comes_with_every_kind_of_sound() -> None:
    found = variants(titles.film())
    assert [(v["uri"], v["audio"]) for v in found] == [
        (f"{REVISION}/video{number}/media.m3u8", group)
        for group in ("aac-2", "ec-3-6", "ec-3-16/JOC")
        for number in range(1, 6)
    ]
    first = found[0]
    assert first["bandwidth"] == 800_000 + 131_000  # the dearest of the group
    assert first["average_bandwidth"] == (800_000 + 131_000) * 4 // 5
    assert first["codecs"] == "avc1.64001f,mp4a.40.2"
    assert first["resolution"] == (640, 360)
    assert first["frame_rate"] == 23.976
    assert first["video_range"] == "SDR"
    assert first["subtitles"] == "subtitles"
    assert first["closed_captions"] == "NONE"
    assert found[5]["codecs"] == "avc1.64001f,ec-3,mp4a.40.2"
    assert {v["video_range"] for v in found if "video5" in str(v["uri"])} == {"PQ"}


def test_all_audio_groups_offer_the_same_menu() -> None:
    """4.4.6.1.1: the members' attributes but URI and CHANNELS are the same in each group."""
    parsed = m3u8.loads(hls.multivariant_playlist(titles.film()))
    menus: dict[str, list[tuple[str, ...]]] = {}
    for media in parsed.media:
        if media.type == "AUDIO":
            entry = (media.name, media.language, media.default, media.autoselect)
            menus.setdefault(media.group_id, []).append(entry)
    english, french = ("English", "en", "YES", "YES"), ("Français", "fr", "NO", "YES")
    assert list(menus.values()) == [[english, french]] * 3
    assert [m.channels for m in parsed.media if m.type == "AUDIO"] == [
        *("2", "2"),
        *("6", "2"),
        *("16/JOC", "2"),
    ]


def test_subtitles_say_whom_they_are_for() -> None:
    parsed = m3u8.loads(hls.multivariant_playlist(titles.film()))
    texts = [media for media in parsed.media if media.type == "SUBTITLES"]
    assert [m.forced for m in texts] == ["NO", "NO", "YES", "NO"]
    assert {m.default for m in texts} == {"NO"}
    assert {m.autoselect for m in texts} == {"YES"}
    assert len({m.name for m in texts}) == 4
    assert [m.characteristics is not None for m in texts] == [False, True, False, False]


def test_sound_alone_is_its_own_variants() -> None:
    found = variants(titles.concert())
    assert [(v["uri"], v["audio"], v["codecs"]) for v in found] == [
        (f"{REVISION}/audio1/media.m3u8", "aac-2", "mp4a.40.2"),
        (f"{REVISION}/audio2/media.m3u8", "aac-2-2", "mp4a.40.5,mp4a.40.2"),
    ]
    assert {v["resolution"] for v in found} == {None}


def test_resolution_is_in_square_pixels() -> None:
    assert variants(titles.silent())[0]["resolution"] == (1024, 576)


def test_iframes_are_addressed_inside_the_segments() -> None:
    presentation = titles.film()
    video = presentation.video[0]
    playlist = m3u8.loads(hls.iframe_playlist(presentation, video))
    sizes = video.track.samples.rows().size[video.segments.edges[:-1]]
    assert [segment.byterange for segment in playlist.segments] == [
        f"{len(plan_segment(video, index).parts[0]) + size}@0" for index, size in enumerate(sizes)
    ]


def test_iframe_bandwidth_is_that_of_the_iframes() -> None:
    presentation = titles.film()
    parsed = m3u8.loads(hls.multivariant_playlist(presentation))
    entries = m3u8.loads(hls.iframe_playlist(presentation, presentation.video[0])).segments
    bits = [8 * int(entry.byterange.split("@")[0]) for entry in entries]
    seconds = [entry.duration for entry in entries]
    info = parsed.iframe_playlists[0].iframe_stream_info
    assert info.bandwidth == np.ceil(max(b / s for b, s in zip(bits, seconds, strict=True)))
    assert info.average_bandwidth == np.ceil(sum(bits) / sum(seconds))


@given(
    frames=st.lists(st.integers(1, 40), min_size=1, max_size=30),
    timescale=st.sampled_from([1, 25, 1000, 12_800, 44_100, 90_000, 10_000_000]),
    step=st.integers(1, 50_000),
    start=st.integers(-5_000, 5_000),
)
def test_durations_never_drift(frames: list[int], timescale: int, step: int, start: int) -> None:
    start = max(start, 1 - step)  # the first sample shows something after zero
    video = titles.rendition(
        titles.avc(640, 360), frames, timescale=timescale, step=step, start=start
    )
    durations = [
        Fraction(text) for text in extinf(hls.media_playlist(titles.title([video]), video))
    ]
    ends = np.cumsum(video.segments.duration).tolist()
    half = Fraction(1, 2_000_000)
    assert len(durations) == len(frames)
    for index, end in enumerate(ends, 1):
        assert abs(sum(durations[:index]) - Fraction(end, timescale)) <= half


@given(st.lists(st.integers(1, 200_000), min_size=1, max_size=20))
def test_text_durations_are_exact(lengths: list[int]) -> None:
    edges = (0, *np.cumsum(lengths).tolist())
    text = titles.text("text1", "en", "English", (Cue(0, 1, "x"),), edges)
    presentation = titles.title(titles.film().video, text=[text])
    playlist = hls.media_playlist(presentation, text)
    assert [Fraction(text) * 1000 for text in extinf(playlist)] == lengths
    target = m3u8.loads(playlist).target_duration
    assert target >= max(lengths) / 1000 - 0.5


def test_long_titles_at_fine_timescales_do_not_overflow() -> None:
    sound = titles.rendition(
        titles.STEREO, [1000] * 6, timescale=10_000_000, step=2_000_000_000, name="audio1"
    )
    playlist = hls.media_playlist(titles.title(audio=[sound]), sound)
    assert extinf(playlist) == ["200000.000000"] * 6
