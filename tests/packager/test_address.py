"""The URL grammar: what is an address, what is not, and that both directions agree."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager import address
from packager.errors import BadAddress
from tests.support.tracks import PROPERTY

REVISION = "0123456789abcdef"

assets = st.text(min_size=1, max_size=80).filter(address.is_asset_id)
revisions = st.text("0123456789abcdef", min_size=16, max_size=16)
tracks = st.builds("{}{}".format, st.sampled_from(["video", "audio", "text"]), st.integers(1, 9999))
times = st.integers(0, 10**18 - 1)
addresses: st.SearchStrategy[address.Address] = st.one_of(
    st.builds(address.MultivariantPlaylist, assets),
    st.builds(address.Mpd, assets),
    *(
        st.builds(kind, assets, revisions, tracks)
        for kind in (
            address.MediaPlaylist,
            address.IFramePlaylist,
            address.InitSegment,
            address.WholeText,
        )
    ),
    *(
        st.builds(kind, assets, revisions, tracks, times)
        for kind in (address.MediaSegment, address.TextSegment)
    ),
)


@PROPERTY
@given(addresses)
def test_parse_and_str_are_inverses(where: address.Address) -> None:
    assert address.parse(str(where)) == where
    assert str(where).isascii()
    assert str(where).count("/") in (3, 5)


@PROPERTY
@given(st.text(max_size=60))
def test_any_other_text_is_refused_or_means_one_address(text: str) -> None:
    for path in (text, address.PREFIX + text, f"/v/a/{REVISION}/video1/{text}"):
        try:
            where = address.parse(path)
        except BadAddress:
            continue
        assert address.parse(str(where)) == where


@pytest.mark.parametrize(
    ("path", "expected"),
    [
        ("/v/film/master.m3u8", address.MultivariantPlaylist("film")),
        ("/v/film/manifest.mpd", address.Mpd("film")),
        ("/v/caf%C3%A9%20au%20lait/manifest.mpd", address.Mpd("café au lait")),
        (
            f"/v/film/{REVISION}/video1/media.m3u8",
            address.MediaPlaylist("film", REVISION, "video1"),
        ),
        (
            f"/v/film/{REVISION}/video12/iframes.m3u8",
            address.IFramePlaylist("film", REVISION, "video12"),
        ),
        (f"/v/film/{REVISION}/audio1/init.mp4", address.InitSegment("film", REVISION, "audio1")),
        (f"/v/film/{REVISION}/text1/text.vtt", address.WholeText("film", REVISION, "text1")),
        (f"/v/film/{REVISION}/video1/0.m4s", address.MediaSegment("film", REVISION, "video1", 0)),
        (
            f"/v/film/{REVISION}/text2/60000.vtt",
            address.TextSegment("film", REVISION, "text2", 60_000),
        ),
    ],
)
def test_the_grammar(path: str, expected: address.Address) -> None:
    assert address.parse(path) == expected


@pytest.mark.parametrize(
    "path",
    [
        "",
        "/",
        "/v/",
        "/v/film",
        "/v/film/",
        "/v//master.m3u8",
        "/V/film/master.m3u8",
        "/v/film/master.m3u8/",
        "/v/film/master.m3u8?x=1",
        "/v/film/other.m3u8",
        "/v/../master.m3u8",
        "/v/%2e%2e/master.m3u8",
        "/v/.hidden/master.m3u8",
        "/v/a%2Fb/master.m3u8",
        "/v/a%5Cb/master.m3u8",
        "/v/a%00b/master.m3u8",
        "/v/a%0Ab/master.m3u8",
        "/v/%FF/master.m3u8",
        "/v/%ED%A0%80/master.m3u8",
        f"/v/{'a' * 256}/master.m3u8",
        "/v/film/0123456789ABCDEF/video1/init.mp4",
        "/v/film/0123/video1/init.mp4",
        f"/v/film/{REVISION}/video0/init.mp4",
        f"/v/film/{REVISION}/video01/init.mp4",
        f"/v/film/{REVISION}/video10000/init.mp4",
        f"/v/film/{REVISION}/subtitle1/init.mp4",
        f"/v/film/{REVISION}/video1/00.m4s",
        f"/v/film/{REVISION}/video1/-1.m4s",
        f"/v/film/{REVISION}/video1/1.mp4",
        f"/v/film/{REVISION}/video1/{10**18}.m4s",
        f"/v/film/{REVISION}/video1/\u0661.m4s",
        f"/v/film/{REVISION}/video1/1.m4s\n",
    ],
)
def test_what_is_no_address(path: str) -> None:
    with pytest.raises(BadAddress):
        address.parse(path)


@pytest.mark.parametrize("name", ["", ".", "..", ".x", "a/b", "a\\b", "a\nb", "a\x7f"])
def test_what_is_no_asset_id(name: str) -> None:
    assert not address.is_asset_id(name)


def test_a_file_name_that_is_not_utf_8_is_no_asset_id() -> None:
    assert not address.is_asset_id("caf\udce9")
    assert not address.is_asset_id("\ud800")
