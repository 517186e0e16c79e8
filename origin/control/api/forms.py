"""What is asked of the API, read strictly: each body becomes a frozen dataclass, or ``Invalid``
names the field that is wrong (422)."""

from __future__ import annotations

import math
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass
from datetime import datetime
from typing import Any, cast

import orjson
from aiohttp import web

from catalog.postgres.errors import NoSuchRow
from catalog.postgres.records import Kind, TitleDraft, Window
from origin.errors import Invalid, UnknownForm, UnknownSession, WeakPassword
from origin.storage.restoring import MOST_DAYS, TIERS

SHORTEST_PASSWORD, LONGEST_PASSWORD = 8, 128
LONGEST_GUESS = 1024
LONGEST_NAME = 50

_PART = r"[^@\s.\x00-\x1f\x7f-\x9f]"
EMAIL = re.compile(rf"(?:{_PART}|\.){{1,64}}@{_PART}+(\.{_PART}+)+")
COLOUR = re.compile(r"#[0-9a-fA-F]{6}")
LANGUAGE = re.compile(r"[A-Za-z]{2,3}(-[A-Za-z0-9]{2,8}){0,3}")
_CONTROL = re.compile(r"[\x00-\x1f\x7f]")
_SESSION = re.compile(r"[0-9a-f]{32}")
_ID = re.compile(r"[^/\x00-\x1f\x7f]{1,200}")
MOST_INTEGER = 1 << 31

Body = Mapping[str, Any]


async def read_body(request: web.Request, known: set[str]) -> Body:
    """The JSON object sent, of ``known`` fields only."""
    if request.content_type != "application/json":
        raise UnknownForm("The body is to be application/json.")
    if "Content-Encoding" in request.headers:
        raise UnknownForm("The body is to be without a content coding.")
    try:
        body = orjson.loads(await request.read())
    except orjson.JSONDecodeError:
        raise Invalid("body", "no JSON") from None
    if not isinstance(body, dict):
        raise Invalid("body", "no JSON object")
    for name in body:
        if name not in known:
            raise Invalid(name[:64], "not known here")
    return body


def text(body: Body, field: str, longest: int = 100, shortest: int = 1) -> str:
    value = body.get(field)
    if not isinstance(value, str):
        raise Invalid(field, "no text")
    if not shortest <= len(value) <= longest or _CONTROL.search(value):
        raise Invalid(field, f"not {shortest} to {longest} printable characters")
    return value


def matching(body: Body, field: str, pattern: re.Pattern[str], what: str) -> str:
    value = text(body, field, 254)
    if not pattern.fullmatch(value):
        raise Invalid(field, f"not {what}")
    return value


def flag(body: Body, field: str) -> bool:
    value = body.get(field)
    if not isinstance(value, bool):
        raise Invalid(field, "neither true nor false")
    return value


def seconds(value: object, field: str) -> float:
    if isinstance(value, bool) or not isinstance(value, int | float):
        raise Invalid(field, "no number")
    if not (math.isfinite(value) and 0 <= value <= 1e6):
        raise Invalid(field, "not from 0 to 1000000 seconds")
    return float(value)


def _optional(body: Body, field: str, read: Callable[[Body, str], Any]) -> Any:
    return read(body, field) if body.get(field) is not None else None


def _language(body: Body, field: str = "language") -> str:
    return matching(body, field, LANGUAGE, "a language such as es or pt-BR")


def _email(body: Body) -> str:
    return matching(body, "email", EMAIL, "an e-mail address")


def _colour(body: Body) -> str:
    return matching(body, "colour", COLOUR, "a colour such as #4f6bed")


def _password(body: Body, field: str) -> str:
    """One that is to be set."""
    value = body.get(field)
    if not isinstance(value, str) or len(value) > LONGEST_PASSWORD:
        raise Invalid(field, f"no text of at most {LONGEST_PASSWORD} characters")
    if len(value) < SHORTEST_PASSWORD or len(set(value)) < 4 or value == body.get("email"):
        raise WeakPassword(
            field,
            f"too easy to guess: at least {SHORTEST_PASSWORD} characters, four of them different",
        )
    return value


def _guess(body: Body, field: str) -> str:
    """A password that may be the right one, of any characters."""
    value = body.get(field)
    if not isinstance(value, str) or not 1 <= len(value) <= LONGEST_GUESS:
        raise Invalid(field, f"no text of 1 to {LONGEST_GUESS} characters")
    return value


@dataclass(frozen=True, slots=True)
class SignUp:
    email: str
    password: str
    name: str
    language: str


def sign_up(body: Body) -> SignUp:
    name = text(body, "name", LONGEST_NAME)
    return SignUp(_email(body), _password(body, "password"), name, _language(body))


@dataclass(frozen=True, slots=True)
class SignIn:
    email: str
    password: str
    device: str


def sign_in(body: Body) -> SignIn:
    device = text(body, "device", 200) if "device" in body else ""
    return SignIn(_email(body), _guess(body, "password"), device)


@dataclass(frozen=True, slots=True)
class NewPassword:
    current: str
    new: str


def new_password(body: Body) -> NewPassword:
    return NewPassword(_guess(body, "current"), _password(body, "new"))


@dataclass(frozen=True, slots=True)
class NewProfile:
    name: str
    colour: str
    language: str
    kids: bool


def new_profile(body: Body) -> NewProfile:
    name = text(body, "name", LONGEST_NAME)
    return NewProfile(name, _colour(body), _language(body), flag(body, "kids"))


@dataclass(frozen=True, slots=True)
class ProfileChange:
    name: str | None
    colour: str | None
    language: str | None
    kids: bool | None


def profile_change(body: Body) -> ProfileChange:
    return ProfileChange(
        text(body, "name", LONGEST_NAME) if "name" in body else None,
        _colour(body) if "colour" in body else None,
        _language(body) if "language" in body else None,
        flag(body, "kids") if "kids" in body else None,
    )


@dataclass(frozen=True, slots=True)
class Start:
    title: str
    profile: str
    device: str


START_FIELDS = set(Start.__slots__)


def start(body: Body) -> Start:
    return Start(text(body, "title", 200), text(body, "profile", 64), device(body))


def device(body: Body) -> str:
    return text(body, "device", 200)


@dataclass(frozen=True, slots=True)
class Beat:
    position: float
    state: str


BEAT_FIELDS = set(Beat.__slots__)


def beat(body: Body) -> Beat:
    state = text(body, "state", 20) if "state" in body else "playing"
    return Beat(seconds(body.get("position"), "position"), state)


@dataclass(frozen=True, slots=True)
class AccountChange:
    plan: str | None
    disabled: bool | None
    role: str | None


def account_change(body: Body) -> AccountChange:
    role = text(body, "role", 20) if "role" in body else None
    if role not in (None, "viewer", "admin"):
        raise Invalid("role", "neither viewer nor admin")
    return AccountChange(
        text(body, "plan", 50) if "plan" in body else None,
        flag(body, "disabled") if "disabled" in body else None,
        role,
    )


ACCOUNT_FIELDS = set(AccountChange.__slots__)


@dataclass(frozen=True, slots=True)
class Restoring:
    """For how many days copies are kept, and how soon they are there."""

    days: int
    tier: str


RESTORING_FIELDS = set(Restoring.__slots__)


def restoring(body: Body) -> Restoring:
    """What a title is restored by; nothing has to be said."""
    days = _integer(body, "days") if "days" in body else 7
    if not 1 <= days <= MOST_DAYS:
        raise Invalid("days", f"not from 1 to {MOST_DAYS}")
    tier = text(body, "tier", 20) if "tier" in body else TIERS[0]
    if tier not in TIERS:
        raise Invalid("tier", f"none of {', '.join(TIERS)}")
    return Restoring(days, tier)


TITLE_FIELDS = set(TitleDraft.__slots__) - {"id"}


def title_draft(title: str, body: Body) -> TitleDraft:
    kind = body.get("kind", "movie")
    if kind not in ("movie", "series", "episode"):
        raise Invalid("kind", "neither movie, series nor episode")
    series = _optional(body, "series", lambda b, f: text(b, f, 200))
    if (kind == "episode") != (series is not None):
        raise Invalid("series", "what an episode has, and only that")
    return TitleDraft(
        id=title,
        kind=cast(Kind, kind),
        names=_texts(body, "names"),
        synopses=_texts(body, "synopses"),
        year=_optional(body, "year", _integer),
        genres=_words(body, "genres"),
        maturity=_optional(body, "maturity", lambda b, f: text(b, f, 20)),
        duration_seconds=_optional(body, "duration_seconds", lambda b, f: seconds(b[f], f)),
        languages=_words(body, "languages"),
        subtitles=_words(body, "subtitles"),
        artwork=_texts(body, "artwork"),
        series=series,
        season=_optional(body, "season", _integer),
        episode=_optional(body, "episode", _integer),
        windows=_windows(body.get("windows", [])),
    )


def _integer(body: Body, field: str) -> int:
    """Also 7.0, which is the same number in JSON."""
    value = body[field]
    is_whole = isinstance(value, int | float) and not isinstance(value, bool) and value % 1 == 0
    if not is_whole or not 0 <= value < MOST_INTEGER:
        raise Invalid(field, "no whole number from 0")
    return int(value)


def _texts(body: Body, field: str) -> dict[str, str]:
    value = body.get(field, {})
    if not isinstance(value, dict) or len(value) > 100:
        raise Invalid(field, "no object of at most 100 texts")
    for name in value:
        if not name or len(name) > 35 or _CONTROL.search(name):
            raise Invalid(field, "a name in it is no word")
    return {name: text(value, name, 4000) for name in value}


def _words(body: Body, field: str) -> tuple[str, ...]:
    value = body.get(field, [])
    if not isinstance(value, list) or len(value) > 100:
        raise Invalid(field, "no list of at most 100 words")
    return tuple(text({field: word}, field, 35) for word in value)


def _windows(value: object) -> tuple[Window, ...]:
    if not isinstance(value, list) or len(value) > 100:
        raise Invalid("windows", "no list of at most 100 windows")
    return tuple(map(_window, value))


def _window(value: object) -> Window:
    if not isinstance(value, dict) or not set(value) <= {"opens", "closes", "countries"}:
        raise Invalid("windows", "one has other fields than opens, closes and countries")
    opens, closes = _time(value.get("opens")), _time(value.get("closes"))
    if opens and closes and not opens < closes:
        raise Invalid("windows", "one closes before it opens")
    countries = _words(value, "countries") if value.get("countries") is not None else None
    return Window(opens, closes, countries)


def _time(value: object) -> datetime | None:
    if value is None:
        return None
    try:
        time = datetime.fromisoformat(value if isinstance(value, str) else "")
        aware = time.tzinfo is not None and 1970 <= time.year <= 9000
    except ValueError:
        aware = False
    if not aware:
        raise Invalid("windows", "a time is not like 2026-11-24T00:00:00Z")
    return time


# What stands in the path and in the query.


def path_id(request: web.Request, field: str = "id") -> str:
    value = request.match_info[field]
    if not _ID.fullmatch(value) or not _is_unicode(value):
        raise NoSuchRow("There is no such thing.")
    return value


def session(request: web.Request) -> bytes:
    """The id of a playback session: 32 hexadecimal digits."""
    value = request.match_info["session"]
    if not _SESSION.fullmatch(value):
        raise UnknownSession("There is no such session.")
    return bytes.fromhex(value)


def asked(request: web.Request, field: str, longest: int = 300) -> str | None:
    """A field of the query; None where it is not there, or empty."""
    value = request.query.get(field)
    if not value:
        return None
    if len(value) > longest or _CONTROL.search(value) or not _is_unicode(value):
        raise Invalid(field, f"not at most {longest} printable characters")
    return value


def required(request: web.Request, field: str) -> str:
    value = asked(request, field)
    if value is None:
        raise Invalid(field, "missing")
    return value


def limit(request: web.Request, most: int = 100, usual: int = 24) -> int:
    value = asked(request, "limit", 10)
    if value is None:
        return usual
    if not re.fullmatch(r"[0-9]{1,6}", value) or not 1 <= int(value) <= most:
        raise Invalid("limit", f"not from 1 to {most}")
    return int(value)


def kind(request: web.Request) -> Kind | None:
    value = asked(request, "kind", 20)
    if value not in (None, "movie", "series", "episode"):
        raise Invalid("kind", "neither movie, series nor episode")
    return cast("Kind | None", value)


def position(request: web.Request) -> float | None:
    value = asked(request, "position", 30)
    if value is None:
        return None
    try:
        return seconds(float(value), "position")
    except ValueError:
        raise Invalid("position", "no number") from None


def language(request: web.Request) -> str:
    value = asked(request, "language", 35) or "en"
    if not LANGUAGE.fullmatch(value):
        raise Invalid("language", "not a language such as es")
    return value


def _is_unicode(value: str) -> bool:
    return not any("\ud800" <= sign <= "\udfff" for sign in value)
