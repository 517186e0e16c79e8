"""What a catalogue says of the sample titles, in English and Spanish: ``library.json``, and a
``title.json`` in the folder of a title that is one. ``vod-origin catalogue import`` reads both."""

from __future__ import annotations

import json
from typing import Any

CITY_LIGHTS: dict[str, Any] = {
    "kind": "movie",
    "names": {"en": "City lights", "es": "Luces de la ciudad"},
    "synopses": {
        "en": "A train crosses the river while a whole city stays up late. Each second has its "
        "firework, and nobody in the carriages looks away.",
        "es": "Un tren cruza el río mientras una ciudad entera trasnocha. Cada segundo tiene su "
        "fuego artificial, y en los vagones nadie aparta la vista.",
    },
    "genres": ["drama", "music"],
    "year": 2025,
    "maturity": "0",
    "artwork": {"poster": "poster.jpg", "backdrop": "backdrop.jpg"},
}


def _entry(title: str, kind: str, year: int, maturity: str, genres: list[str], **words: Any) -> Any:
    artwork = {"poster": f"{title}.poster.jpg", "backdrop": f"{title}.backdrop.jpg"}
    facts = {"genres": genres, "year": year, "maturity": maturity, "artwork": artwork}
    return {"kind": kind, **words, **facts}


def _episode(number: int, **words: Any) -> Any:
    place = {"series": "small-hours", "season": 1, "episode": number}
    title = f"small-hours-{number}"
    return {**_entry(title, "episode", 2026, "7", ["drama", "mystery"], **words), **place}


TITLES: dict[str, Any] = {
    "lighthouse": _entry(
        "lighthouse",
        "movie",
        2024,
        "0",
        ["nature", "family"],
        names={"en": "Lighthouse", "es": "El faro"},
        synopses={
            "en": "Evening at the edge of the sea. A small boat rides the waves home, and the lamp "
            "counts the seconds for it.",
            "es": "Atardecer a la orilla del mar. Una barca vuelve a casa sobre las olas, y la "
            "lámpara le va contando los segundos.",
        },
    ),
    "music-box": _entry(
        "music-box",
        "movie",
        2023,
        "0",
        ["music", "family"],
        names={"en": "Music box", "es": "La caja de música"},
        synopses={
            "en": "Sixteen notes, a brass drum and a steel comb: a piece for listening, without a "
            "picture.",
            "es": "Dieciséis notas, un tambor de latón y un peine de acero: una pieza para "
            "escuchar, sin imagen.",
        },
    ),
    "small-hours": _entry(
        "small-hours",
        "series",
        2026,
        "7",
        ["drama", "mystery"],
        names={"en": "Small hours", "es": "Altas horas"},
        synopses={
            "en": "Three short stories of those who are awake when everybody else sleeps.",
            "es": "Tres historias breves de quienes velan mientras todos los demás duermen.",
        },
    ),
    "small-hours-1": _episode(
        1,
        names={"en": "The night train", "es": "El tren nocturno"},
        synopses={
            "en": "The last train of the day has one passenger more than tickets.",
            "es": "El último tren del día lleva un pasajero más que billetes.",
        },
    ),
    "small-hours-2": _episode(
        2,
        names={"en": "The keeper", "es": "La farera"},
        synopses={
            "en": "A light answers the lighthouse from where there is no land.",
            "es": "Una luz contesta al faro desde donde no hay tierra.",
        },
    ),
    "small-hours-3": _episode(
        3,
        names={"en": "Before dawn", "es": "Antes del alba"},
        synopses={
            "en": "The train comes back, and the city is not quite the one it left.",
            "es": "El tren regresa, y la ciudad no es del todo la que dejó.",
        },
    ),
}


def documents() -> dict[str, str]:
    """The files to write, by their paths in the library."""
    return {
        "city-lights/title.json": _json(CITY_LIGHTS),
        "library.json": _json({"titles": TITLES}),
    }


def _json(body: dict[str, Any]) -> str:
    return json.dumps(body, ensure_ascii=False, indent=2) + "\n"
