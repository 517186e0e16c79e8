from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.language import bcp47, is_language, label


@pytest.mark.parametrize(
    ("code", "tag"),
    [
        ("eng", "en"),
        ("ENG", "en"),
        ("deu", "de"),
        ("ger", "de"),
        ("fra", "fr"),
        ("fre", "fr"),
        ("zho", "zh"),
        ("chi", "zh"),
        ("nob", "nb"),
        ("fil", "fil"),  # has no two letters
        ("und", "und"),
        ("zxx", "zxx"),
        ("qaa", "qaa"),  # private use
        ("en", "en"),
        ("eng-GB", "en-GB"),
        ("es-419", "es-419"),
    ],
)
def test_bcp47_is_the_shortest_tag(code: str, tag: str) -> None:
    assert bcp47(code) == tag


@pytest.mark.parametrize(
    ("tag", "name"),
    [
        ("en", "English"),
        ("EN", "English"),
        ("eng", "English"),
        ("de", "Deutsch"),
        ("ja", "日本語"),
        ("es-419", "Español (Latinoamérica)"),
        ("pt-BR", "Português (Brasil)"),
        ("de-AT", "Deutsch (AT)"),
        ("zh-Hant", "中文 (繁體)"),
        ("und", "und"),
        ("tlh", "tlh"),
        ("", ""),
    ],
)
def test_label_is_the_language_s_own_name(tag: str, name: str) -> None:
    assert label(tag) == name


@pytest.mark.parametrize("code", ["en", "eng", "ger", "DE", "yue"])
def test_knows_languages(code: str) -> None:
    assert is_language(code)


@pytest.mark.parametrize("code", ["und", "the", "xx", "", "en-US", "english"])
def test_does_not_take_words_for_languages(code: str) -> None:
    assert not is_language(code)


@given(st.text())
def test_any_text_has_a_tag_and_a_label(text: str) -> None:
    assert bcp47(bcp47(text)) == bcp47(text)
    assert bool(label(text)) == bool(text)
