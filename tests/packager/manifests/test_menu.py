"""Nothing that a file says of itself breaks a manifest."""

from __future__ import annotations

from dataclasses import replace
from xml.etree import ElementTree

import m3u8
import pytest
from hypothesis import example, given
from hypothesis import strategies as st

from packager.manifests import dash, hls
from packager.manifests.menu import MAX_LABEL, Entry, menu, printable
from packager.model import Presentation
from tests.packager.manifests import titles
from tests.packager.manifests.mpd_schema import violations

ANY_TEXT = st.text(st.characters(exclude_categories=()), max_size=20)


@pytest.mark.parametrize(
    ("label", "shown"),
    [
        ("English", "English"),
        (" two\r\nlines\t", "two lines"),
        ("\x1b[31mred\x7f\x85", "[31mred"),
        ("e\u0301", "\u00e9"),
        ("a\u2028b\ud800c\ufffed", "a b c d"),
        ("\0", ""),
        ("x" * 1000, "x" * MAX_LABEL),
    ],
)
def test_printable(label: str, shown: str) -> None:
    assert printable(label) == shown


def test_names_are_unique_and_choices_are_told_apart() -> None:
    items = [
        ("English", "en", None),
        ("English", "en", None),
        ("English 2", "en", "forced"),
        ("English", "x y", None),
        ("", "de", None),
        ("", "und", None),
        ('"Cut"', "de", "x"),
        ("'Cut'", "de", "y"),
    ]
    assert list(menu(items)) == [
        Entry("English", "en", True),
        Entry("English 2", "en", False),
        Entry("English 2 2", "en", True),
        Entry("English 3", None, True),
        Entry("de", "de", True),
        Entry("-", None, False),
        Entry("'Cut'", "de", True),
        Entry("'Cut' 2", "de", True),
    ]


def film_of(label: str, language: str) -> Presentation:
    film = titles.film()
    sound = [
        replace(track, label=label, track=replace(track.track, language=language))
        for track in film.audio
    ]
    return replace(
        film,
        audio=tuple(sound),
        text=tuple(replace(text, label=label, language=language) for text in film.text),
    )


@given(label=ANY_TEXT, language=ANY_TEXT)
@example(label='"', language="en-")
@example(label="]]>", language='en"')
@example(label="\n#EXT-X-ENDLIST", language="en\n")
def test_strange_labels_and_languages_stay_inside_their_attributes(
    label: str, language: str
) -> None:
    film, plain = film_of(label, language), film_of("English", "en")
    playlist, ours = hls.multivariant_playlist(film), hls.multivariant_playlist(plain)
    assert [line[:20] for line in playlist.split("\n")] == [line[:20] for line in ours.split("\n")]
    assert len(playlist.splitlines()) == len(ours.splitlines())  # whatever ends a line elsewhere
    parsed = m3u8.loads(playlist)
    assert len(parsed.media) == len(m3u8.loads(ours).media)
    mpd = ElementTree.fromstring(dash.mpd(film).encode())
    assert list(violations(mpd)) == []
