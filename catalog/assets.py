"""Titles as the rest of the product sees them, and the port through which it asks.

An ``Asset`` names the files of one title; whoever opens them learns more. File names may say what
the files do not: ``audio-es.m4a`` its language, ``subs.en.sdh.vtt`` whom it is for. Where they
begin with the title's id, that part says nothing: ``let-it-be.srt`` is not Belarusian.
"""

from __future__ import annotations

import re
from collections.abc import Sequence
from dataclasses import dataclass
from typing import Protocol

from packager.language import bcp47, is_language

MEDIA_ENDINGS = (".mp4", ".m4v", ".m4a", ".mov")
TEXT_ENDINGS = (".vtt", ".srt")
SIDECARS = ".vodx"
"""The folder of sidecars, beside the files they are of. Hidden: no listing shows it, and writing in
it does not change the version of the folder it is in."""

_LAST_WORD = re.compile(r"(?:^|[._\s-]+)([^._\s-]+)$")
_TAGGED = re.compile(r"(?:^|[._\s-])([A-Za-z]{2,3}(?:-(?:[A-Za-z]{4}|[A-Za-z]{2}|[0-9]{3}))?)$")
_FORCED = {"forced", "foreign"}
_HEARING_IMPAIRED = {"sdh", "cc", "hi"}


@dataclass(frozen=True, slots=True)
class MediaFile:
    """``key`` addresses the file in its storage; ``version`` changes when its bytes do;
    ``language``: a BCP 47 tag in its name, to be used where the file itself says nothing."""

    key: str
    version: str
    size: int
    language: str | None = None

    @property
    def sidecar(self) -> str:
        """Where its packed index is, if it has one: a key made of nothing but its own."""
        folder, slash, name = self.key.rpartition("/")
        return f"{folder}{slash}{SIDECARS}/{name}.vodx"


@dataclass(frozen=True, slots=True)
class TextFile:
    key: str
    version: str
    size: int
    language: str = "und"
    forced: bool = False
    hearing_impaired: bool = False


@dataclass(frozen=True, slots=True)
class Asset:
    id: str
    media: tuple[MediaFile, ...]
    text: tuple[TextFile, ...]


@dataclass(frozen=True, slots=True)
class AssetPage:
    """``next``: what to pass for the page behind this one, None on the last."""

    ids: Sequence[str]
    next: str | None


class Catalogue(Protocol):
    async def asset(self, asset_id: str) -> Asset | None:
        """The title of that id with the files it has now, or None."""

    async def page(self, after: str | None, limit: int) -> AssetPage:
        """Up to ``limit`` ids in order, behind ``after``."""


def display_name(asset_id: str) -> str:
    words = re.sub(r"[-_]+", " ", asset_id).strip()
    return words[:1].upper() + words[1:]


def media_file(asset_id: str, key: str, version: str, size: int) -> MediaFile:
    return MediaFile(key, version, size, _language_of(_words(asset_id, key)))


def text_file(asset_id: str, key: str, version: str, size: int) -> TextFile:
    """``movie.en.forced.srt``: flags stand behind the language."""
    stem, flags = _words(asset_id, key), set()
    while flag := _flag_of(stem):
        flags.add(flag)
        stem = _LAST_WORD.sub("", stem)
    return TextFile(
        key,
        version,
        size,
        _language_of(stem) or "und",
        bool(flags & _FORCED),
        bool(flags & _HEARING_IMPAIRED),
    )


def _words(asset_id: str, key: str) -> str:
    """The file's name without what is the title's and without its ending."""
    return key.rpartition("/")[2].rpartition(".")[0].removeprefix(asset_id)


def _flag_of(stem: str) -> str | None:
    """The flag at the end of a name; "hi" is Hindi unless it stands behind a language."""
    word = _LAST_WORD.search(stem)
    flag = word[1].lower() if word else ""
    if word is None or flag not in _FORCED | _HEARING_IMPAIRED:
        return None
    return flag if flag != "hi" or _language_of(stem[: word.start()]) else None


def _language_of(stem: str) -> str | None:
    """The language tag at the end of a name."""
    tagged = _TAGGED.search(stem)
    if tagged is None:
        return None
    language, dash, rest = tagged[1].partition("-")
    return bcp47(language.lower()) + dash + rest if is_language(language.lower()) else None
