"""Where reports come from: the query or the fields of a request, the body of a POST.

A request carries at most one report, of 4 KiB; a body has one for each line (version 2), or is
JSON: an object or a list of them (version 1). Sizes are looked at before anything is read.
"""

from __future__ import annotations

import math
from collections.abc import Iterator
from typing import Any, Protocol
from urllib.parse import unquote

import orjson

from origin.cmcd.report import EVENT, REQUEST, Report, to_report
from origin.cmcd.structured import MOST_ITEMS, Value, read_dictionary
from origin.errors import BadReport, UnknownForm

REPORT_BYTES = 4096
BODY_BYTES = 64 * 1024
FIELDS = (b"cmcd-session", b"cmcd-request", b"cmcd-object", b"cmcd-status")
TYPES = ("application/cmcd", "application/json", "text/plain")
"""Of bodies; beacons of pages elsewhere may say text/plain and need not ask beforehand."""

_PARAMETER = "CMCD="
# None is "%" or a hexadecimal digit, so that decoding them first makes no other escape.
_COMMON = (
    *(("+", " "), ("%20", " "), ("%22", '"'), ("%28", "("), ("%29", ")"), ("%2C", ",")),
    *(("%2F", "/"), ("%3B", ";"), ("%3D", "=")),
)


class Asking(Protocol):
    """A request, as the data plane has it."""

    @property
    def path(self) -> str: ...
    @property
    def query(self) -> str: ...
    @property
    def target(self) -> bytes: ...
    @property
    def tells(self) -> bool:
        """Whether there may be a report in it."""

    def field(self, name: bytes) -> bytes | None:
        """By its lower-case name."""


def of_request(request: Asking) -> str | None:
    """What a request says, as one structured field, unread; None if it says nothing."""
    if b"?" in request.target:
        for part in request.query.split("&"):
            if part.startswith(_PARAMETER):
                return _decoded(part[len(_PARAMETER) :]) if len(part) <= REPORT_BYTES else part
    found = [value for name in FIELDS if (value := request.field(name))]
    return b",".join(found).decode("utf-8", "replace") if found else None


def _decoded(text: str) -> str:
    """As ``unquote_plus``, which takes ten times as long for what players send."""
    for escape, character in _COMMON:
        text = text.replace(escape, character)
    return unquote(text) if "%" in text else text


def read_request(text: str) -> Report:
    """Of what ``of_request`` gave; raises ``BadReport``."""
    return to_report(read_bounded(text), REQUEST)


def read_bounded(text: str) -> dict[str, Value]:
    """The values of one report; raises ``BadReport``."""
    if len(text) > REPORT_BYTES or len(text.encode("utf-8", "replace")) > REPORT_BYTES:
        raise BadReport(f"a report of more than {REPORT_BYTES} bytes")
    return read_dictionary(text)


def read_body(body: bytes, content_type: str) -> Iterator[Report | BadReport]:
    """The reports of a POST in their order, each with what was wrong with it, if it was. Raises
    ``UnknownForm``, and ``BadReport`` for a body that is none at all."""
    if content_type not in TYPES:
        raise UnknownForm(f"a report is {' or '.join(TYPES)}, not '{content_type[:64]}'")
    if len(body) > BODY_BYTES:
        raise BadReport(f"a body of more than {BODY_BYTES} bytes")
    return _of_json(body) if content_type == "application/json" else _of_lines(body)


def _of_lines(body: bytes) -> Iterator[Report | BadReport]:
    for line in body.splitlines():
        if line:
            yield _try_read(line)


def _try_read(line: bytes) -> Report | BadReport:
    try:
        return to_report(read_bounded(line.decode("utf-8", "replace")), EVENT)
    except BadReport as error:
        return error


def _of_json(body: bytes) -> Iterator[Report | BadReport]:
    try:
        told = orjson.loads(body)
    except orjson.JSONDecodeError as error:
        raise BadReport(f"not JSON: {error}") from None
    for entry in told if isinstance(told, list) else [told]:
        try:
            yield _of_object(entry)
        except BadReport as error:
            yield error


def _of_object(entry: Any) -> Report:
    if not isinstance(entry, dict):
        raise BadReport("a report is an object of keys and values")
    values = {
        key: value for key, raw in entry.items() if (value := _of_json_value(raw)) is not None
    }
    # Version 1 tells of requests in JSON too; what tells of an event names it.
    return to_report(values, EVENT if "e" in values else REQUEST)


def _of_json_value(raw: Any) -> Value | None:
    """None for what has no place in a structured field; lists are flat there."""
    if isinstance(raw, list):
        return [item for item in raw[:MOST_ITEMS] if _is_bare(item)]
    return raw if _is_bare(raw) else None


def _is_bare(raw: Any) -> bool:
    return isinstance(raw, str | bool | int) or (isinstance(raw, float) and math.isfinite(raw))
