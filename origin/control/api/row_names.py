"""What the rows of a home page are called, in the languages that the page speaks."""

from __future__ import annotations

from collections.abc import Mapping

_ROWS: Mapping[str, Mapping[str, str]] = {
    "en": {
        "continue": "Continue watching",
        "my-list": "My list",
        "new": "New",
        "series": "Series",
    },
    "es": {
        "continue": "Seguir viendo",
        "my-list": "Mi lista",
        "new": "Novedades",
        "series": "Series",
    },
}

_GENRES: Mapping[str, Mapping[str, str]] = {
    "en": {},
    "es": {
        "action": "acción",
        "adventure": "aventura",
        "animation": "animación",
        "comedy": "comedia",
        "crime": "crimen",
        "documentary": "documental",
        "drama": "drama",
        "family": "familiar",
        "fantasy": "fantasía",
        "history": "historia",
        "horror": "terror",
        "music": "música",
        "mystery": "misterio",
        "nature": "naturaleza",
        "romance": "romance",
        "science-fiction": "ciencia ficción",
        "sport": "deporte",
        "thriller": "suspense",
        "war": "bélico",
    },
}


def row_name(row: str, language: str) -> str:
    """``row``: as in "new" or "genre:science-fiction"; a genre that is not known is its own
    name, with a capital."""
    spoken = language.partition("-")[0].lower()
    spoken = spoken if spoken in _ROWS else "en"
    if row in _ROWS[spoken]:
        return _ROWS[spoken][row]
    genre = row.removeprefix("genre:")
    name = _GENRES[spoken].get(genre) or genre.replace("-", " ").replace("_", " ")
    return name[:1].upper() + name[1:]
