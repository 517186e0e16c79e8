"""Dictionaries of structured fields (RFC 9651 section 3.2), as far as CMCD needs them.

One pass of one regular expression for each token: the time is proportional to the length. A member
as nearly all are, a key with a plain value or none, is one token by itself. Keys may
have capitals, which CMCD's own may in version 1, and strings may be more than ASCII: players send
both. Numbers are at most 15 digits long, so nothing here is infinite or no number.
"""

from __future__ import annotations

import re
from base64 import b64decode
from binascii import Error as BadBase64
from typing import NamedTuple

from origin.errors import BadReport

_KEY = re.compile(r"[A-Za-z*][A-Za-z0-9_.*-]{0,127}")
_SPACE = re.compile(r"[ \t]*")
_BARE = re.compile(
    r"(?P<number>-?[0-9]{1,15}(?![0-9.])|-?[0-9]{1,12}\.[0-9]{1,3}(?![0-9]))"
    r'|"(?P<string>(?:[^"\\\x00-\x1f\x7f]|\\["\\])*)"'
    r"|(?P<token>[A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)"
    r"|\?(?P<boolean>[01])"
    r"|@(?P<date>-?[0-9]{1,15})(?![0-9.])"
    r"|:(?P<bytes>[A-Za-z0-9+/=]*):"
)
_PLAIN = re.compile(
    r"([A-Za-z*][A-Za-z0-9_.*-]{0,127})"
    r"(?:=(?:(-?[0-9]{1,15})|\((-?[0-9]{1,15})\)"
    r'|"([^"\\\x00-\x1f\x7f]*)"'
    r"|([A-Za-z*][A-Za-z0-9!#$%&'*+.^_`|~:/-]*)))?"
    r"(?:,[ \t]*(?!\Z)|\Z)"
)
_ESCAPED = re.compile(r'\\(["\\])')

MOST_MEMBERS = 128
"""Of a dictionary; CMCD has some 60 keys."""
MOST_ITEMS = 64
"""Of an inner list, and of the parameters of one item."""

Bare = int | float | str | bool | bytes


class Item(NamedTuple):
    """What has parameters: a bare value, or a list of them."""

    value: Bare | list[Value]
    parameters: dict[str, Bare]


Value = Bare | Item | list["Value"]
"""Tokens are str, as strings are; what has no parameters stands for itself."""


def read_dictionary(text: str) -> dict[str, Value]:
    """``text`` no longer than the caller allows; raises ``BadReport``."""
    text = text.strip(" \t")
    found: dict[str, Value] = {}
    at = 0
    while at < len(text):
        plain = _PLAIN.match(text, at)
        if plain is None:
            at = _read_member(text, at, found)
        else:
            key, number, numbers, string, token = plain.groups()
            if number is not None:
                found[key] = int(number)
            elif numbers is not None:
                found[key] = [int(numbers)]
            else:
                found[key] = token or (True if string is None else string)
            at = plain.end()
        if len(found) > MOST_MEMBERS:
            raise BadReport(f"more than {MOST_MEMBERS} keys")
    return found


def _read_member(text: str, at: int, found: dict[str, Value]) -> int:
    """Any member into ``found``; where the next begins."""
    key, at = _key(text, at)
    if text[at : at + 1] == "=":
        found[key], at = _member(text, at + 1)
    else:
        parameters, at = _parameters(text, at)
        found[key] = Item(True, parameters) if parameters else True
    return _comma(text, at)


def _comma(text: str, at: int) -> int:
    """Past the comma behind a member, or at the end."""
    at = _skip(text, at)
    if at == len(text):
        return at
    if text[at] != ",":
        raise _bad("a comma", at)
    at = _skip(text, at + 1)
    if at == len(text):
        raise _bad("a key", at)
    return at


def _member(text: str, at: int) -> tuple[Value, int]:
    if text[at : at + 1] != "(":
        return _item(text, at)
    items: list[Value] = []
    at = _skip(text, at + 1)
    while text[at : at + 1] != ")":
        if len(items) == MOST_ITEMS:
            raise BadReport(f"more than {MOST_ITEMS} items in a list")
        item, behind = _item(text, at)
        items.append(item)
        at = _skip(text, behind)
        if at == behind and text[at : at + 1] != ")":
            raise _bad("a space or ')'", at)
    parameters, at = _parameters(text, at + 1)
    return (Item(items, parameters) if parameters else items), at


def _item(text: str, at: int) -> tuple[Value, int]:
    value, at = _bare(text, at)
    if text[at : at + 1] != ";":
        return value, at
    parameters, at = _parameters(text, at)
    return Item(value, parameters), at


def _parameters(text: str, at: int) -> tuple[dict[str, Bare], int]:
    found: dict[str, Bare] = {}
    while text[at : at + 1] == ";":
        key, at = _key(text, _skip(text, at + 1))
        value: Bare = True
        if text[at : at + 1] == "=":
            value, at = _bare(text, at + 1)
        found[key] = value
        if len(found) > MOST_ITEMS:
            raise BadReport(f"more than {MOST_ITEMS} parameters of one value")
    return found, at


def _bare(text: str, at: int) -> tuple[Bare, int]:
    match = _BARE.match(text, at)
    if match is None:
        raise _bad("a value", at)
    kind, raw = match.lastgroup, match[match.lastgroup or 0]
    behind = match.end()
    match kind:
        case "number":
            return (float(raw) if "." in raw else int(raw)), behind
        case "string":
            return (_ESCAPED.sub(r"\1", raw) if "\\" in raw else raw), behind
        case "boolean":
            return raw == "1", behind
        case "date":
            return int(raw), behind
        case "bytes":
            return _decoded(raw, at), behind
        case _:
            return raw, behind


def _decoded(raw: str, at: int) -> bytes:
    try:
        return b64decode(raw + "=" * (-len(raw) % 4))
    except BadBase64:
        raise _bad("base64", at) from None


def _key(text: str, at: int) -> tuple[str, int]:
    match = _KEY.match(text, at)
    if match is None:
        raise _bad("a key", at)
    return match[0], match.end()


def _skip(text: str, at: int) -> int:
    match = _SPACE.match(text, at)
    return match.end() if match else at


def _bad(wanted: str, at: int) -> BadReport:
    return BadReport(f"{wanted} is missing at character {at}")
