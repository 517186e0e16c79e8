"""What is sent to the API and what it answers, as JSON Schema (2020-12, as OpenAPI 3.1 has it).

Bodies are closed, as ``forms`` reads them; answers are open, so that a later version may say more.
Limits and patterns are those of ``forms``. Times are in seconds unless they are dates.
"""

from __future__ import annotations

import re
from typing import Any

from origin.control.api.forms import (
    COLOUR,
    EMAIL,
    LANGUAGE,
    LONGEST_GUESS,
    LONGEST_NAME,
    LONGEST_PASSWORD,
    MOST_INTEGER,
    SHORTEST_PASSWORD,
)
from origin.storage.restoring import MOST_DAYS, TIERS, Outcome
from origin.telemetry import qoe

Schema = dict[str, Any]


def ref(name: str) -> Schema:
    return {"$ref": f"#/components/schemas/{name}"}


def _object(**properties: Schema) -> Schema:
    return {"type": "object", "properties": properties, "required": list(properties)}


def _body(**properties: Schema) -> Schema:
    return _object(**properties) | {"additionalProperties": False}


def _changes(**properties: Schema) -> Schema:
    """What is not said stays, or is as usual."""
    return _optional(_body(**properties), *properties)


def _optional(schema: Schema, *names: str) -> Schema:
    return schema | {"required": [name for name in schema["required"] if name not in names]}


def _list(items: Schema, most: int | None = None) -> Schema:
    return {"type": "array", "items": items} | ({"maxItems": most} if most else {})


def _nullable(schema: Schema) -> Schema:
    return {"anyOf": [schema, {"type": "null"}]}


def text(longest: int) -> Schema:
    printable = r"^[^\x00-\x1f\x7f]*$"
    return {"type": "string", "minLength": 1, "maxLength": longest, "pattern": printable}


def _matching(pattern: re.Pattern[str], longest: int, **more: Any) -> Schema:
    return {"type": "string", "maxLength": longest, "pattern": f"^(?:{pattern.pattern})$", **more}


def _texts(longest: int) -> Schema:
    """By a word, such as a language."""
    names = text(35)
    return {
        "type": "object",
        "propertyNames": names,
        "additionalProperties": text(longest),
        "maxProperties": 100,
    }


def _page(rows: str, schema: Schema) -> Schema:
    return _object(**{rows: _list(schema), "next": _nullable(STRING)})


STRING: Schema = {"type": "string"}
BOOLEAN: Schema = {"type": "boolean"}
NUMBER: Schema = {"type": "number"}
COUNT: Schema = {"type": "integer", "minimum": 0}
WHOLE: Schema = {"type": "integer", "minimum": 0, "maximum": MOST_INTEGER - 1}
SECONDS: Schema = {"type": "number", "minimum": 0, "maximum": 1e6}
DATE: Schema = {"type": "string", "format": "date-time"}
ADDRESS: Schema = {"type": "string", "format": "uri-reference"}
WORD: Schema = text(35)
WORDS: Schema = _list(WORD, 100)

KIND: Schema = {"type": "string", "enum": ["movie", "series", "episode"]}
ROLE: Schema = {"type": "string", "enum": ["viewer", "admin"]}

_CARD: dict[str, Schema] = {
    "id": ref("TitleId"),
    "kind": KIND,
    "name": STRING,
    "year": _nullable(WHOLE),
    "duration": _nullable(NUMBER),
    "maturity": _nullable(STRING),
    "genres": _list(STRING),
    "artwork": _object(poster=_nullable(ADDRESS), backdrop=_nullable(ADDRESS)),
    "progress": _nullable(_object(position=NUMBER, duration=NUMBER)),
    "series": _nullable(_object(id=ref("TitleId"), season=WHOLE, episode=WHOLE)),
}
_EPISODE = {**_CARD, "synopsis": _nullable(STRING)}

_PROFILE = {
    "name": text(LONGEST_NAME),
    "colour": ref("Colour"),
    "language": ref("Language"),
    "kids": BOOLEAN,
}

_PERSON: dict[str, Schema] = {
    "id": ref("AccountId"),
    "email": STRING,
    "name": STRING,
    "language": STRING,
    "plan": STRING,
    "role": ROLE,
    "streams": COUNT,
}

_DRAFT: dict[str, Schema] = {
    "kind": KIND,
    "names": _texts(4000),
    "synopses": _texts(4000),
    "year": _nullable(WHOLE),
    "genres": WORDS,
    "maturity": _nullable(text(20)),
    "duration_seconds": _nullable(SECONDS),
    "languages": WORDS,
    "subtitles": WORDS,
    "artwork": _texts(4000) | {"description": "`poster` and `backdrop`: files of the library."},
    "series": _nullable(text(200))
    | {"description": "What the episode is one of; what an episode has, and only that."},
    "season": _nullable(WHOLE),
    "episode": _nullable(WHOLE),
    "windows": _list(ref("Window"), 100),
}

_DISTRIBUTION = _object(
    bounds=_list(NUMBER),
    counts=_list(COUNT),
    count=COUNT,
    mean=_nullable(NUMBER),
    p50=_nullable(NUMBER),
    p95=_nullable(NUMBER),
)


def _counts(*names: str) -> Schema:
    return _object(**{name.replace("-", "_"): COUNT for name in names})


SCHEMAS: dict[str, Schema] = {
    # Words
    "TitleId": text(200),
    "ProfileId": text(64),
    "AccountId": text(64),
    "SessionId": {"type": "string", "pattern": "^[0-9a-f]{32}$"},
    "Cursor": STRING | {"description": "`next` of the page before."},
    "Email": _matching(EMAIL, 254),
    "Colour": _matching(COLOUR, 7, examples=["#4f6bed"]),
    "Language": _matching(LANGUAGE, 35, examples=["es", "pt-BR"]),
    "NewPassword": {
        "type": "string",
        "minLength": SHORTEST_PASSWORD,
        "maxLength": LONGEST_PASSWORD,
        "description": "Four of its characters differ, and it is not the e-mail address.",
    },
    "Password": {"type": "string", "minLength": 1, "maxLength": LONGEST_GUESS},
    "Device": text(200) | {"description": "What its owner calls it.", "examples": ["TV"]},
    "Problem": _optional(
        _object(
            type=STRING,
            title=STRING,
            status={"type": "integer"},
            code=STRING | {"description": "What went wrong, in a word that stays the same."},
            detail=STRING | {"description": "The same for people."},
            field=STRING | {"description": "What is wrong of what was sent, or taken."},
            streams=_list(ref("Stream")) | {"description": "What the account plays, by device."},
        ),
        "field",
        "streams",
    )
    | {"description": "RFC 9457."},
    "Stream": _object(device=STRING, title=STRING, since=NUMBER),
    # The server
    "Status": _object(accounts=BOOLEAN, sign_up=BOOLEAN),
    "Listed": _object(
        id=STRING,
        name=STRING,
        hls=ADDRESS,
        dash=ADDRESS,
        duration=_nullable(NUMBER),
        problem=_nullable(STRING),
    ),
    "Listing": _page("titles", ref("Listed")),
    "Qoe": _object(
        startup=_object(**dict.fromkeys(qoe.SOURCES, _DISTRIBUTION)),
        rebuffer=_object(seconds=NUMBER, play_seconds=NUMBER, ratio=_nullable(NUMBER)),
        sessions=_counts("active", *qoe.OUTCOMES),
        reports=_counts(*qoe.RESULTS),
    ),
    "Document": {"type": "object"},
    # Accounts
    "SignUp": _body(
        email=ref("Email"),
        password=ref("NewPassword"),
        name=text(LONGEST_NAME),
        language=ref("Language"),
    ),
    "SignIn": _optional(
        _body(email=ref("Email"), password=ref("Password"), device=ref("Device")), "device"
    ),
    "PasswordChange": _body(current=ref("Password"), new=ref("NewPassword")),
    "Person": _object(**_PERSON),
    "SignedIn": _object(account=ref("Person"), profiles=_list(ref("Profile"))),
    "Profile": _object(id=ref("ProfileId"), **_PROFILE),
    "NewProfile": _body(**_PROFILE),
    "ProfileChange": _changes(**_PROFILE),
    # Browsing
    "Card": _object(**_CARD),
    "Episode": _object(**_EPISODE),
    "Detail": _object(
        **_EPISODE,
        languages=_list(STRING),
        subtitles=_list(STRING),
        in_list=BOOLEAN,
        playable=BOOLEAN,
        seasons=_list(_object(number=WHOLE, episodes=_list(ref("Episode")))),
    ),
    "Home": _object(rows=_list(_object(id=STRING, name=STRING, titles=_list(ref("Card"))))),
    "Found": _page("titles", ref("Card")),
    "Held": _object(in_list=BOOLEAN),
    # Playback
    "Start": _body(title=ref("TitleId"), profile=ref("ProfileId"), device=ref("Device")),
    "Renewal": _body(device=ref("Device")),
    "Heartbeat": _optional(_body(position=SECONDS, state=text(20)), "state"),
    "Playing": _object(
        session=ref("SessionId"),
        hls=ADDRESS,
        dash=ADDRESS,
        expires=NUMBER | {"description": "Of the addresses, in seconds since 1970."},
        heartbeat_seconds=NUMBER,
        resume=NUMBER | {"description": "Where to go on, in seconds."},
        title=ref("Card"),
        next=_nullable(ref("Card")),
    ),
    "Beaten": _object(expires=NUMBER),
    # Administration
    "Window": _changes(
        opens=_nullable(DATE),
        closes=_nullable(DATE),
        countries=_nullable(WORDS),
    )
    | {"description": "When and where a title is available; without a limit where none is said."},
    "TitleDraft": _changes(**_DRAFT),
    "Title": _object(id=ref("TitleId"), **_DRAFT, added=DATE, playable=BOOLEAN),
    "Titles": _page("titles", ref("Title")),
    "User": _object(**_PERSON, disabled=BOOLEAN, created=DATE),
    "Users": _page("users", ref("User")),
    "UserChange": _changes(plan=text(50), disabled=BOOLEAN, role=ROLE) | {"minProperties": 1},
    "Stopped": _object(stopped=COUNT),
    "Restoring": _changes(
        days={"type": "integer", "minimum": 1, "maximum": MOST_DAYS, "default": 7},
        tier={"type": "string", "enum": list(TIERS), "default": TIERS[0]},
    ),
    "Restored": _object(files=_list(ref("RestoredFile"))),
    "RestoredFile": _object(
        key=STRING,
        outcome={"type": "string", "enum": [outcome.value for outcome in Outcome]},
        problem=_nullable(_object(code=STRING, detail=STRING)),
    ),
    "Entry": _object(
        id=STRING, at=DATE, actor=STRING, action=STRING, subject=STRING, details={"type": "object"}
    ),
    "Entries": _page("entries", ref("Entry")),
}
