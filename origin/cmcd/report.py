"""One report: what a player said of one playback at one time, as far as it means something here.

Players are taken at their best: a key that is unknown, of the wrong kind or outside its limits is
left out, and the rest counts. Version 1 has plain values where version 2 has lists; both are read.
"""

from __future__ import annotations

import math
from collections.abc import Mapping
from typing import NamedTuple
from urllib.parse import unquote

from origin.cmcd.structured import Bare, Item, Value
from origin.errors import BadReport

MOST_SECONDS = 600.0
"""Of a start-up or of one wait; what is longer says nothing of us."""
MOST_SESSION_SECONDS = 24 * 3600.0
SID_CHARACTERS = 64
NEXT_CHARACTERS = 1024
MOST_NEXT = 2
"""Objects a player may say that it will ask for next."""

REQUEST, EVENT, RESPONSE = "request", "event", "response"
MODES = (REQUEST, EVENT, RESPONSE)

PLAYING, STARTING, FAILED = "p", "s", "f"
ENDS = frozenset("efq")
"""States (``sta``) after which nothing plays: ended, failed, quit."""


class Report(NamedTuple):
    """Times are seconds; keys in brackets. None: not said."""

    mode: str
    version: int
    sid: str
    number: int | None
    """[sn]: rises by one with each report of its session and mode."""
    state: str
    """[sta]"""
    time: float | None
    """[ts]: of the player's clock."""
    startup: float | None
    """[msd]"""
    waited: float
    """[bsd]: of this report alone, summed."""
    waited_in_all: float
    """[bsda]: of the session."""
    object_type: str
    """[ot]"""
    in_startup: bool
    """[su]: the object is wanted for a start, or after a seek or a wait."""
    next: tuple[str, ...] = ()
    """[nor]: relative references of what the player will ask for next."""


def to_report(values: Mapping[str, Value], mode: str) -> Report:
    """``mode``: ``REQUEST`` or ``EVENT``; raises ``BadReport`` where there is no session id."""
    sid = _text(values.get("sid"))
    if not 0 < len(sid) <= SID_CHARACTERS:
        raise BadReport(f"no sid of 1 to {SID_CHARACTERS} characters")
    if mode == EVENT and _text(values.get("e")) == "rr":
        mode = RESPONSE
    version = 2 if mode != REQUEST or (_number(values.get("v")) or 1) >= 2 else 1
    time = _number(values.get("ts"))
    startup = _seconds(values.get("msd"))
    return Report(
        mode=mode,
        version=version,
        sid=sid,
        number=_serial(values.get("sn")),
        state=_text(values.get("sta")),
        time=None if time is None else time / 1000,
        startup=startup if startup is not None and startup <= MOST_SECONDS else None,
        waited=min(_longest(values.get("bsd")), MOST_SECONDS),
        waited_in_all=min(_longest(values.get("bsda")), MOST_SESSION_SECONDS),
        object_type=_text(values.get("ot")),
        in_startup=values.get("su") is True,
        next=_references(values.get("nor"), version),
    )


def _items(value: Value | None) -> list[Value]:
    """Those of a list; a plain value is the only one of its own."""
    if value is None:
        return []
    inner = value.value if isinstance(value, Item) else value
    return inner if isinstance(inner, list) else [value]


def _text(value: Value | None) -> str:
    if isinstance(value, Item):
        value = value.value
    return value if isinstance(value, str) else ""


def _number(value: Value | None) -> float | None:
    if value is None or value is True:
        return None
    if isinstance(value, Item):
        value = value.value
    is_number = isinstance(value, int | float) and not isinstance(value, bool)
    return float(value) if is_number and math.isfinite(value) else None  # type: ignore[arg-type]


def _serial(value: Value | None) -> int | None:
    number = _number(value)
    return int(number) if number is not None and number >= 0 else None


def _seconds(value: Value | None) -> float | None:
    """Of milliseconds."""
    number = _number(value)
    return number / 1000 if number is not None and number >= 0 else None


def _longest(value: Value | None) -> float:
    """Seconds of waiting: a list has the waits of each kind of object (a parameter names it), and
    what is waited for pictures and for sound passes at the same time."""
    if value is None:
        return 0.0
    sums: dict[str, float] = {}
    for item in _items(value):
        kind = _kind(item.parameters) if isinstance(item, Item) else ""
        sums[kind] = sums.get(kind, 0.0) + (_seconds(item) or 0.0)
    return max(sums.values(), default=0.0)


def _kind(parameters: Mapping[str, Bare]) -> str:
    return next((key for key, value in parameters.items() if value is True), "")


def _references(value: Value | None, version: int) -> tuple[str, ...]:
    """Percent-encoded once more in version 1."""
    if value is None:
        return ()
    found = (_text(item) for item in _items(value)[:MOST_NEXT])
    kept = (text for text in found if 0 < len(text) <= NEXT_CHARACTERS)
    return tuple(unquote(text) if version == 1 else text for text in kept)
