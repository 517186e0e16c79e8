"""Titles as viewers see them: in the language they asked for, and only those for their age.

A text is found by the language asked for, then by what that is a kind of ("es" of "es-MX"), then
in English, then in any. A title without a name is called what its id says.
"""

from __future__ import annotations

from collections.abc import Iterable, Mapping
from dataclasses import replace
from itertools import groupby
from typing import Any
from urllib.parse import quote

from catalog.assets import display_name
from catalog.postgres.records import Audience, Profile, Progress, Title

KIDS_MATURITIES = ("0", "7")
"""What a child may see; a title that does not say for which age it is, no child may."""

PICTURES = ("poster", "backdrop")

Standing = Mapping[str, Progress]
"""Where a profile stands, by title."""


def of_profile(audience: Audience, profile: Profile) -> Audience:
    """The audience that finds what the profile may see, and nothing else."""
    return replace(audience, maturities=KIDS_MATURITIES) if profile.kids else audience


def name(title: Title, language: str) -> str:
    return _text(title.names, language) or display_name(title.id)


def card(title: Title, language: str, progress: Progress | None = None) -> dict[str, Any]:
    return {
        "id": title.id,
        "kind": title.kind,
        "name": name(title, language),
        "year": title.year,
        "duration": title.duration_seconds,
        "maturity": title.maturity,
        "genres": title.genres,
        "artwork": {picture: _picture(title, picture) for picture in PICTURES},
        "progress": _progress(progress),
        "series": _place(title),
    }


def episode(title: Title, language: str, progress: Progress | None = None) -> dict[str, Any]:
    return card(title, language, progress) | {"synopsis": _text(title.synopses, language)}


def detail(
    title: Title,
    episodes: Iterable[Title],
    language: str,
    standing: Standing,
    *,
    in_list: bool,
    playable: bool,
) -> dict[str, Any]:
    """``episodes``: of a series, in their order. ``playable``: by whoever asks."""
    return episode(title, language, standing.get(title.id)) | {
        "languages": title.languages,
        "subtitles": title.subtitles,
        "in_list": in_list,
        "playable": playable,
        "seasons": [
            {
                "number": number,
                "episodes": [episode(one, language, standing.get(one.id)) for one in season],
            }
            for number, season in groupby(episodes, key=lambda one: one.season or 0)
        ],
    }


def _text(texts: Mapping[str, str], language: str) -> str | None:
    by_language = {known.lower(): text for known, text in texts.items() if text}
    asked = language.lower()
    for wanted in (asked, asked.partition("-")[0], "en"):
        if wanted in by_language:
            return by_language[wanted]
    return next(iter(by_language.values()), None)


def _picture(title: Title, picture: str) -> str | None:
    if picture not in title.artwork:
        return None
    return f"/api/artwork/{quote(title.id, safe='')}/{picture}"


def _progress(progress: Progress | None) -> dict[str, float] | None:
    if progress is None:
        return None
    return {"position": progress.position, "duration": progress.duration}


def _place(title: Title) -> dict[str, Any] | None:
    if title.series is None:
        return None
    return {"id": title.series, "season": title.season or 0, "episode": title.episode or 0}
