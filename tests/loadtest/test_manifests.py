"""HLS and DASH as viewers read them."""

from __future__ import annotations

from pathlib import Path

import pytest

from loadtest import dash, hls
from loadtest.errors import Failure
from loadtest.streams import Media, Parsed, resolve

GOLDEN = Path(__file__).parents[1] / "golden"


def mpd(
    inner: str, attributes: str = 'mediaPresentationDuration="PT10S"', period: str = ""
) -> bytes:
    return (
        f'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011" {attributes}><Period>{period}'
        f'<AdaptationSet contentType="video">{inner}</AdaptationSet></Period></MPD>'
    ).encode()


def media_of(document: bytes) -> Media:
    media = dash.parse_mpd(document).main[0].media
    assert media is not None
    return media


def rows(media: Media) -> list[tuple[str, float, float]]:
    return [(piece.uri, piece.start, piece.duration) for piece in media.segments]


ONE = '<Representation id="v" bandwidth="1000" width="640" height="360"/>'


def test_a_timeline_repeats_and_skips() -> None:
    media = media_of(
        mpd(
            '<SegmentTemplate timescale="10" initialization="$RepresentationID$/i.mp4" '
            'media="$RepresentationID$/$Time$.m4s"><SegmentTimeline>'
            f'<S t="50" d="20" r="1"/><S d="5"/></SegmentTimeline></SegmentTemplate>{ONE}'
        )
    )
    assert rows(media) == [("v/50.m4s", 0, 2), ("v/70.m4s", 2, 2), ("v/90.m4s", 4, 0.5)]
    assert media.init is not None
    assert media.init.uri == "v/i.mp4"


def test_a_timeline_repeats_to_the_end_of_the_period() -> None:
    media = media_of(
        mpd(
            '<SegmentTemplate timescale="1" startNumber="7" media="$Number%04d$-$$.m4s">'
            f'<SegmentTimeline><S t="0" d="4" r="-1"/></SegmentTimeline></SegmentTemplate>{ONE}'
        )
    )
    assert [row[0] for row in rows(media)] == ["0007-$.m4s", "0008-$.m4s", "0009-$.m4s"]


def test_numbers_by_duration_end_with_the_presentation() -> None:
    media = media_of(
        mpd(f'<SegmentTemplate timescale="2" duration="8" media="$Bandwidth$/$Number$"/>{ONE}')
    )
    assert rows(media) == [("1000/1", 0, 4), ("1000/2", 4, 4), ("1000/3", 8, 2)]


def test_a_template_of_a_representation_goes_before_the_sets() -> None:
    inner = (
        '<SegmentTemplate timescale="1" duration="5" media="far.m4s"/>'
        '<Representation id="v" bandwidth="1" height="1"><BaseURL>deep/</BaseURL>'
        '<SegmentTemplate media="near-$Number$.m4s"/></Representation>'
    )
    media = media_of(mpd(inner, period="<BaseURL>base/</BaseURL>"))
    assert [row[0] for row in rows(media)] == ["base/deep/near-1.m4s", "base/deep/near-2.m4s"]


def test_a_list_of_segments_with_ranges() -> None:
    media = media_of(
        mpd(
            '<Representation id="v" bandwidth="1"><BaseURL>all.mp4</BaseURL>'
            '<SegmentList timescale="1" duration="5"><Initialization range="0-99"/>'
            '<SegmentURL mediaRange="100-199"/><SegmentURL mediaRange="200-249"/></SegmentList>'
            "</Representation>"
        )
    )
    assert media.init is not None
    assert (media.init.uri, media.init.span) == ("all.mp4", (0, 100))
    assert [piece.span for piece in media.segments] == [(100, 100), (200, 50)]


def test_rungs_rise_and_sound_is_one_a_language() -> None:
    document = (
        b'<MPD xmlns="urn:mpeg:dash:schema:mpd:2011"><Period duration="PT1M2.5S">'
        b'<AdaptationSet mimeType="video/mp4">'
        b'<SegmentTemplate duration="10" media="$RepresentationID$-$Number$"/>'
        b'<Representation id="b" bandwidth="2" height="720"/>'
        b'<Representation id="a" bandwidth="1" height="360"/></AdaptationSet>'
        b'<AdaptationSet contentType="audio" lang="en"><SegmentTemplate duration="10" media="x"/>'
        b'<Representation id="c" bandwidth="3"/><Representation id="d" bandwidth="4"/>'
        b'</AdaptationSet><AdaptationSet contentType="text" lang="en">'
        b'<Representation id="t"><BaseURL>t.vtt</BaseURL></Representation></AdaptationSet>'
        b"</Period></MPD>"
    )
    found = dash.parse_mpd(document)
    assert [rung.height for rung in found.main] == [360, 720]
    assert [rung.bandwidth for rung in found.sound] == [4]
    assert found.main[0].media is not None
    assert found.main[0].media.duration == 62.5


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (b"", "manifest"),
        (b"<MPD/>", "manifest"),
        (b"not xml", "manifest"),
        (b'<!DOCTYPE MPD [<!ENTITY a "aa">]><MPD/>', "manifest"),
        (mpd(ONE, 'type="dynamic"'), "unsupported"),
        (mpd(ONE), "unsupported"),
        (mpd(f'<SegmentTemplate media="x"/>{ONE}'), "manifest"),
        (mpd(f'<SegmentTemplate media="x" duration="1"/>{ONE}', ""), "manifest"),
        (mpd(f'<SegmentTemplate media="x" duration="0.00001"/>{ONE}'), "manifest"),
        (mpd(f'<SegmentTemplate media="x" duration="one"/>{ONE}'), "manifest"),
        (mpd(f'<SegmentTemplate media="x" timescale="a" duration="1"/>{ONE}'), "manifest"),
        (
            mpd(
                '<SegmentTemplate media="x"><SegmentTimeline><S d="1" r="99999999"/>'
                f"</SegmentTimeline></SegmentTemplate>{ONE}"
            ),
            "manifest",
        ),
        (
            mpd(
                '<SegmentTemplate media="x"><SegmentTimeline><S d="0" r="9"/>'
                f"</SegmentTimeline></SegmentTemplate>{ONE}"
            ),
            "manifest",
        ),
    ],
)
def test_an_mpd_that_cannot_be_played_is_a_failure(document: bytes, kind: str) -> None:
    with pytest.raises(Failure) as failure:
        dash.parse_mpd(document)
    assert failure.value.kind == kind


def test_byte_ranges_of_a_playlist_follow_each_other() -> None:
    media = hls.parse_media(
        b'#EXTM3U\n#EXT-X-TARGETDURATION:4\n#EXT-X-MAP:URI="all.mp4",BYTERANGE="100@0"\n'
        b"#EXTINF:4,\n#EXT-X-BYTERANGE:50@100\nall.mp4\n"
        b"#EXTINF:4,\n#EXT-X-BYTERANGE:70\nall.mp4\n#EXT-X-ENDLIST\n"
    )
    assert media.init is not None
    assert media.init.span == (0, 100)
    assert [piece.span for piece in media.segments] == [(100, 50), (150, 70)]
    assert media.duration == 8


def test_pictures_and_their_sound_are_found_in_a_multivariant_playlist() -> None:
    found = hls.parse_multivariant(
        b"#EXTM3U\n"
        b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="x",LANGUAGE="en",URI="en.m3u8"\n'
        b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="b",NAME="y",LANGUAGE="en",URI="better.m3u8"\n'
        b'#EXT-X-MEDIA:TYPE=SUBTITLES,GROUP-ID="s",NAME="z",LANGUAGE="en",URI="text.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=900,RESOLUTION=1280x720,AUDIO="a"\nhigh.m3u8\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=100,RESOLUTION=320x180,AUDIO="a"\nlow.m3u8\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=950,RESOLUTION=1280x720,AUDIO="b"\nhigh.m3u8\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=50,AUDIO="a"\nsound.m3u8\n'
    )
    assert [(rung.playlist, rung.height) for rung in found.main] == [
        ("low.m3u8", 180),
        ("high.m3u8", 720),
    ]
    assert [rung.playlist for rung in found.sound] == ["en.m3u8"]


@pytest.mark.parametrize(
    ("document", "kind"),
    [
        (b"", "manifest"),
        (b"<html>", "manifest"),
        (b"#EXTM3U\n\xff\n", "manifest"),
        (b"#EXTM3U\n#EXTINF:4,\na.m4s\n", "unsupported"),
        (b"#EXTM3U\n#EXT-X-ENDLIST\n", "manifest"),
        (b"#EXTM3U\n#EXTINF:nan,\na.m4s\n#EXT-X-ENDLIST\n", "manifest"),
        (b"#EXTM3U\n#EXTINF:four,\na.m4s\n#EXT-X-ENDLIST\n", "manifest"),
        (b"#EXTM3U\n#EXT-X-STREAM-INF:BANDWIDTH=1\nmedia.m3u8\n", "manifest"),
    ],
)
def test_a_playlist_that_cannot_be_played_is_a_failure(document: bytes, kind: str) -> None:
    with pytest.raises(Failure) as failure:
        hls.parse_media(document)
    assert failure.value.kind == kind


@pytest.mark.parametrize(
    ("base", "uri", "wanted"),
    [
        ("http://a/v/x/m.m3u8", "1/s.m4s", "http://a/v/x/1/s.m4s"),
        ("http://a/v/x/m.m3u8", "../s.m4s", "http://a/v/s.m4s"),
        ("http://a/v/x/m.m3u8", "a/../s.m4s", "http://a/v/x/s.m4s"),
        ("http://a/v/x/m.m3u8", "./s.m4s", "http://a/v/x/s.m4s"),
        ("http://a/v/x/m.m3u8", "/s.m4s", "http://a/s.m4s"),
        ("http://a/v/x/m.m3u8", "//b/s.m4s", "http://b/s.m4s"),
        ("http://a/v/x/m.m3u8", "http://b/s.m4s", "http://b/s.m4s"),
        ("http://a/v/x/m.m3u8", "s.m4s?a=/b", "http://a/v/x/s.m4s?a=/b"),
        ("http://a/v/x/m.m3u8?q=/z/", "s.m4s", "http://a/v/x/s.m4s"),
        ("base/", "s.m4s", "base/s.m4s"),
    ],
)
def test_addresses_are_resolved_as_rfc_3986_says(base: str, uri: str, wanted: str) -> None:
    assert resolve(base, uri) == wanted


def test_equal_documents_are_read_once() -> None:
    parsed, calls = Parsed(), []

    def parse(document: bytes) -> int:
        calls.append(document)
        return len(document)

    assert [parsed.get(item, parse) for item in (b"one", b"two", b"one")] == [3, 3, 3]
    assert calls == [b"one", b"two"]
