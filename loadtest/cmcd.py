"""What a viewer tells of itself: Common Media Client Data, versions 1 (CTA-5004) and 2
(CTA-5004-A).

A payload is a dictionary of structured fields (RFC 9651), keys in alphabetical order. Either all of
it is one query parameter, or its keys are spread over four fields by the group they belong to.
"""

from __future__ import annotations

from collections.abc import Mapping
from functools import lru_cache
from urllib.parse import quote

Value = int | bool | str
Payload = Mapping[str, Value]

TOKENS = frozenset({"e", "ot", "sf", "st", "sta"})
LISTS = frozenset({"ab", "bl", "br", "bsa", "bsd", "bsda", "lab", "lb", "mtp", "nor", "pb", "tab",
                   "tb", "tbl", "tpb"})  # fmt: skip
"""Inner lists in version 2, plain in version 1."""
HUNDREDS = frozenset({"bl", "dl", "mtp", "rtp"})
"""Rounded to the nearest 100 ms or kbit/s."""
VERSION_2_ONLY = frozenset({"bsa", "bsd", "bsda", "cdn", "lb", "ltc", "msd", "pt", "sn", "sta"})
GROUPS: Mapping[str, frozenset[str]] = {
    "CMCD-Object": frozenset(["ab", "br", "d", "lab", "lb", "ot", "tab", "tb", "tpb"]),
    "CMCD-Request": frozenset(
        ["bl", "cs", "dfa", "dl", "ltc", "mtp", "nor", "nrr", "pb", "sn", "sta", "su", "tbl"]
    ),
    "CMCD-Session": frozenset(["cid", "msd", "sf", "sid", "st", "v"]),
    "CMCD-Status": frozenset(
        ["bg", "bs", "bsa", "bsd", "bsda", "cdn", "ec", "nr", "pr", "pt", "rtp"]
    ),
}


def as_query(payload: Payload, version: int) -> str:
    """``CMCD=…``, percent-encoded: as ``_member`` has it, but in one go, for it goes with every
    request. Numbers differ each time, and nothing in them has to be encoded."""
    members = []
    for key, value in sorted(payload.items()):
        if value is False or (version == 1 and key in VERSION_2_ONLY):
            continue
        if value.__class__ is not int:
            members.append(_encoded(key, value, version))
            continue
        if key in HUNDREDS:
            value = round(value / 100) * 100
        is_list = version == 2 and key in LISTS
        members.append(f"{key}%3D%28{value}%29" if is_list else f"{key}%3D{value}")
    if version != 1:
        members.append(f"v%3D{version}")  # no key comes behind it
    return "CMCD=" + "%2C".join(members)


def as_fields(payload: Payload, version: int) -> str:
    """Header field lines, each with its CRLF."""
    lines = []
    full = _full(payload, version)
    for name, keys in GROUPS.items():
        members = ",".join(_member(key, value, version) for key, value in full if key in keys)
        if members:
            lines.append(f"{name}: {members}\r\n")
    return "".join(lines)


def as_event(payload: Payload) -> str:
    """A line of a body in event mode, which only version 2 has."""
    return ",".join(_member(key, value, 2) for key, value in _full(payload, 2))


def _full(payload: Payload, version: int) -> list[tuple[str, Value]]:
    """What is told, in its order; where the version is missing, it is 1."""
    told = {
        key: round(value / 100) * 100 if key in HUNDREDS and isinstance(value, int) else value
        for key, value in payload.items()
        if value is not False and not (version == 1 and key in VERSION_2_ONLY)
    }
    if version != 1:
        told["v"] = version
    return sorted(told.items())


def _member(key: str, value: Value, version: int) -> str:
    if value is True:
        return key
    if version == 2 and key in LISTS:
        return f"{key}=({_bare(key, value)})"
    if key == "nor" and isinstance(value, str):  # version 1 encodes it once more
        return f'nor="{quote(value, safe="")}"'
    return f"{key}={_bare(key, value)}"


@lru_cache(maxsize=1 << 16, typed=True)
def _encoded(key: str, value: Value, version: int) -> str:
    """Kept, for viewers of the same title say nearly the same."""
    return quote(_member(key, value, version), safe="")


def _bare(key: str, value: Value) -> str:
    if isinstance(value, int):
        return str(value)
    if key in TOKENS:
        return value
    if not (value.isascii() and value.isprintable()):  # a String has no other characters
        value = quote(value, safe="")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
