"""What a viewer tells of itself: Common Media Client Data, versions 1 (CTA-5004) and 2
(CTA-5004-A).

A payload is a dictionary of structured fields (RFC 9651), keys in alphabetical order. Either all of
it is one query parameter, or its keys are spread over four fields by the group they belong to.
"""

from __future__ import annotations

from collections.abc import Iterator, Mapping
from urllib.parse import quote

Value = int | bool | str
Payload = Mapping[str, Value]

TOKENS = frozenset({"ot", "sf", "st", "sta"})
LISTS = frozenset({"ab", "bl", "br", "bsa", "bsd", "bsda", "lab", "lb", "mtp", "nor", "pb", "tab",
                   "tb", "tbl", "tpb"})  # fmt: skip
"""Inner lists in version 2, plain in version 1."""
HUNDREDS = frozenset({"bl", "dl", "mtp", "rtp"})
"""Rounded to the nearest 100 ms or kbit/s."""
_ENCODED = {code: quote(chr(code), safe="") for code in range(128)}
"""quote() for ASCII, at a tenth of its time."""
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
    """``CMCD=…``, percent-encoded."""
    text = ",".join(_members(payload, version))
    return "CMCD=" + (text.translate(_ENCODED) if text.isascii() else quote(text, safe=""))


def as_fields(payload: Payload, version: int) -> str:
    """Header field lines, each with its CRLF."""
    lines = []
    for name, keys in GROUPS.items():
        part = {key: value for key, value in payload.items() if key in keys}
        if name == "CMCD-Session" and version != 1:
            part["v"] = version
        members = ",".join(_items(part, version))
        if members:
            lines.append(f"{name}: {members}\r\n")
    return "".join(lines)


def _members(payload: Payload, version: int) -> Iterator[str]:
    full = dict(payload)
    if version != 1:  # where it is missing, it is 1
        full["v"] = version
    yield from _items(full, version)


def _items(payload: Payload, version: int) -> Iterator[str]:
    for key in sorted(payload):
        value = payload[key]
        if value is False or (version == 1 and key in VERSION_2_ONLY):
            continue
        if value is True:
            yield key
        elif version == 2 and key in LISTS:
            yield f"{key}=({_bare(key, value)})"
        elif key == "nor" and isinstance(value, str):  # version 1 encodes it once more
            yield f'nor="{quote(value, safe="")}"'
        else:
            yield f"{key}={_bare(key, value)}"


def _bare(key: str, value: Value) -> str:
    if isinstance(value, int):
        return str(round(value / 100) * 100 if key in HUNDREDS else value)
    if key in TOKENS:
        return value
    if not (value.isascii() and value.isprintable()):  # a String has no other characters
        value = quote(value, safe="")
    escaped = value.replace("\\", "\\\\").replace('"', '\\"')
    return f'"{escaped}"'
