"""What every manifest format promises; a format added to ``FORMATS`` is tested by itself."""

from __future__ import annotations

import hashlib
import subprocess
import sys
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.address import (
    Address,
    IFramePlaylist,
    InitSegment,
    MediaPlaylist,
    MediaSegment,
    MultivariantPlaylist,
    TextSegment,
    WholeText,
    is_asset_id,
    parse,
)
from packager.errors import NotFound
from packager.manifests import FORMATS, ManifestFormat, render
from packager.model import Presentation
from tests.packager.manifests import titles
from tests.packager.manifests.reading import manifests, urls
from tests.packager.manifests.titles import REVISION, TITLES

ROOT = Path(__file__).parents[2]

ASSET_IDS = st.text(st.characters(exclude_categories=["Cs"]), min_size=1, max_size=40).filter(
    is_asset_id
)


@st.composite
def presentations(draw: st.DrawFn) -> Presentation:
    """Titles of any shape, each track with a timeline of its own."""
    lengths = st.lists(st.integers(1, 8), min_size=1, max_size=6)
    timescales = st.sampled_from([1, 25, 12_800, 24_000, 48_000])
    kinds = draw(st.lists(st.sampled_from(["video", "audio"]), min_size=1, max_size=4))
    tracks = [
        titles.rendition(
            titles.avc(640, 360) if kind == "video" else titles.STEREO,
            draw(lengths),
            timescale=draw(timescales),
            step=draw(st.integers(1, 2000)),
            start=draw(st.integers(0, 3000)),
            name=f"{kind}{number}",
            language=draw(st.sampled_from(["en", "fr", "und"])),
            label=draw(st.sampled_from(["", "English"])),
        )
        for number, kind in enumerate(kinds, 1)
    ]
    video = [track for track in tracks if track.name.startswith("video")]
    audio = [track for track in tracks if track.name.startswith("audio")]
    text = [titles.text("text1", "en", "English", edges=(0, 60_000, 95_000))]
    return titles.title(video, audio, text[: draw(st.integers(0, 1))], asset=draw(ASSET_IDS))


def holds(presentation: Presentation, address: Address) -> bool:
    """Whether the address is of something that the presentation has."""
    times = {track.name: track.segments.time.tolist() for track in presentation.renditions}
    texts = {text.name: text.edges[:-1] for text in presentation.text}
    match address:
        case MediaPlaylist(track=track):
            return track in times or track in texts
        case IFramePlaylist(track=track) | InitSegment(track=track):
            return track in times
        case WholeText(track=track):
            return track in texts
        case MediaSegment(track=track, time=time):
            return time in times[track]
        case TextSegment(track=track, time=time):
            return time in texts[track]
    return False


def check_urls(presentation: Presentation) -> None:
    for address, manifest in manifests(presentation).items():
        found = urls(address, manifest)
        assert found
        for url in found:
            target = parse(url)
            assert str(target) == url
            assert target.asset == presentation.asset
            assert holds(presentation, target)


def segments(presentation: Presentation, ending: str) -> set[str]:
    """All init and media segments that manifests of one protocol name."""
    return {
        url
        for address, manifest in manifests(presentation).items()
        if str(address).endswith(ending)
        for url in urls(address, manifest)
        if url.endswith((".m4s", ".mp4"))
    }


@pytest.mark.parametrize("name", TITLES)
def test_every_url_is_the_address_of_something(name: str) -> None:
    check_urls(TITLES[name]())


@given(presentations())
def test_every_url_of_any_title_is_the_address_of_something(presentation: Presentation) -> None:
    check_urls(presentation)


@given(presentations())
def test_hls_and_dash_name_the_same_segments(presentation: Presentation) -> None:
    named = segments(presentation, ".m3u8")
    assert named == segments(presentation, ".mpd")
    counts = sum(len(track.segments) + 1 for track in presentation.renditions)
    assert len(named) == counts


@pytest.mark.parametrize("form", FORMATS, ids=lambda form: form.address.__name__)
def test_each_address_has_one_format(form: ManifestFormat) -> None:
    presentation = titles.film()
    assert [other for other in FORMATS if other.address is form.address] == [form]
    rendered = [address for address in manifests(presentation) if type(address) is form.address]
    assert rendered
    for address in rendered:
        assert render(presentation, address)[0] == form.media_type


@pytest.mark.parametrize(
    "address",
    [
        MediaPlaylist("film", REVISION, "video9"),
        IFramePlaylist("film", REVISION, "audio1"),
        IFramePlaylist("film", REVISION, "text1"),
        InitSegment("film", REVISION, "video1"),
        MediaSegment("film", REVISION, "video1", 0),
    ],
    ids=str,
)
def test_what_is_not_there_is_not_found(address: Address) -> None:
    with pytest.raises(NotFound):
        render(titles.film(), address)


def test_the_multivariant_playlist_of_another_asset_says_the_same() -> None:
    """All URLs are relative: an asset's name is not printed."""
    film, other = (
        titles.film(),
        titles.title(titles.film().video, titles.film().audio, titles.film().text, asset="other"),
    )
    assert render(film, MultivariantPlaylist("film")) == render(
        other, MultivariantPlaylist("other")
    )


def digest() -> str:
    """Of every manifest of every title."""
    whole = hashlib.sha256()
    for make in TITLES.values():
        for text in manifests(make()).values():
            whole.update(text.encode())
    return whole.hexdigest()


@pytest.mark.parametrize("seed", ["0", "1", "2"])
def test_another_process_says_the_same(seed: str) -> None:
    program = "from tests.contracts.test_manifests import digest; print(digest())"
    result = subprocess.run(
        [sys.executable, "-c", program],
        env={"PYTHONHASHSEED": seed},
        cwd=ROOT,
        capture_output=True,
        text=True,
        check=True,
    )
    assert result.stdout.strip() == digest()
