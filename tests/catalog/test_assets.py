"""What file names say."""

from __future__ import annotations

import pytest

from catalog.assets import MediaFile, display_name, media_file, text_file


@pytest.mark.parametrize(
    ("key", "language"),
    [
        ("title/audio-es.mp4", "es"),
        ("title/audio_spa.m4a", "es"),
        ("title/audio.en.mp4", "en"),
        ("title/audio en.mp4", "en"),
        ("title/fr.m4a", "fr"),
        ("title/AUDIO-ES.MP4", "es"),
        ("title/audio-es-419.mp4", "es-419"),
        ("title/audio-pt-BR.mp4", "pt-BR"),
        ("title/audio.zh-Hans.mp4", "zh-Hans"),
        ("title/video-720p.mp4", None),
        ("title/video.mp4", None),
        ("title/audio-xx.mp4", None),
        ("title/audio-englisch.mp4", None),
        ("title.mp4", None),
    ],
)
def test_language_of_a_media_file(key: str, language: str | None) -> None:
    assert media_file("title", key, "v", 1).language == language


@pytest.mark.parametrize(
    ("key", "language", "forced", "hearing_impaired"),
    [
        ("title/subtitles.en.vtt", "en", False, False),
        ("title/en.srt", "en", False, False),
        ("title/subtitles.vtt", "und", False, False),
        ("title/subs.en.forced.vtt", "en", True, False),
        ("title/subs.en.Foreign.vtt", "en", True, False),
        ("title/subs.en.sdh.vtt", "en", False, True),
        ("title/subs.de.cc.srt", "de", False, True),
        ("title/subs.en.hi.srt", "en", False, True),
        ("title/subs.hi.srt", "hi", False, False),
        ("title/subs.hi.hi.srt", "hi", False, True),
        ("title/subs.hi.sdh.srt", "hi", False, True),
        ("title/subs.en.sdh.forced.vtt", "en", True, True),
        ("title/forced.vtt", "und", True, False),
        ("title/subs.en-GB.sdh.vtt", "en-GB", False, True),
        ("title/the-forced-march.en.vtt", "en", False, False),
        ("title.es.srt", "es", False, False),
        ("title.srt", "und", False, False),
    ],
)
def test_what_the_name_of_a_text_file_says(
    key: str, language: str, forced: bool, hearing_impaired: bool
) -> None:
    file = text_file("title", key, "v", 1)
    assert (file.language, file.forced, file.hearing_impaired) == (
        language,
        forced,
        hearing_impaired,
    )


def test_the_name_of_a_title_is_no_language() -> None:
    assert media_file("let-it-be", "let-it-be.mp4", "v", 1).language is None
    assert text_file("let-it-be", "let-it-be.srt", "v", 1).language == "und"
    assert text_file("let-it-be", "let-it-be.hi.srt", "v", 1).language == "hi"
    assert text_file("let-it-be", "let-it-be.en.hi.srt", "v", 1).hearing_impaired


def test_files_keep_key_version_and_size() -> None:
    for file in (media_file("t", "t/a.mp4", "v7", 42), text_file("t", "t/a.vtt", "v7", 42)):
        assert (file.version, file.size) == ("v7", 42)


@pytest.mark.parametrize(
    ("asset_id", "name"),
    [
        ("big-buck_bunny", "Big buck bunny"),
        ("Ünï", "Ünï"),
        ("élan", "Élan"),
        ("2001", "2001"),
        ("-", ""),
    ],
)
def test_display_name(asset_id: str, name: str) -> None:
    assert display_name(asset_id) == name


@pytest.mark.parametrize(
    ("key", "sidecar"),
    [
        ("film.mp4", ".vodx/film.mp4.vodx"),
        ("city/video-720p.mp4", "city/.vodx/video-720p.mp4.vodx"),
        ("a/b/100% Ünï+#1?.m4a", "a/b/.vodx/100% Ünï+#1?.m4a.vodx"),
    ],
)
def test_a_sidecar_has_a_key_of_its_own(key: str, sidecar: str) -> None:
    assert MediaFile(key, "1", 1).sidecar == sidecar
