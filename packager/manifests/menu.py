"""What a viewer's menus show, made safe to print.

Labels and languages come out of strangers' files. Here they lose what neither a playlist line
(RFC 8216bis 4.1: no control characters, NFC) nor XML 1.0 can hold, and menus get distinct names.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Iterator
from typing import NamedTuple

MAX_LABEL = 128

_UNPRINTABLE = re.compile("[\x00-\x1f\x7f-\x9f\u2028\u2029\ud800-\udfff\ufffe\uffff]")
_LANGUAGE = re.compile(r"[A-Za-z]{1,8}(?:-[A-Za-z0-9]{1,8}){0,8}")


class Entry(NamedTuple):
    """``name`` is unique in its menu and fits a quoted-string, which knows no escapes (RFC
    8216bis 4.2); ``autoselect``: first of what a player's automatic choice could not tell apart
    (4.4.6.1)."""

    name: str
    language: str | None
    autoselect: bool


def printable(label: str) -> str:
    """One clean line, possibly empty."""
    words = _UNPRINTABLE.sub(" ", label[:MAX_LABEL]).split()
    return unicodedata.normalize("NFC", " ".join(words))


def known_language(tag: str) -> str | None:
    """The tag if it says something and has the shape of BCP 47."""
    return tag if tag.lower() != "und" and _LANGUAGE.fullmatch(tag) else None


def menu(items: Iterable[tuple[str, str, object]]) -> Iterator[Entry]:
    """An entry for each (label, language, what else an automatic choice goes by)."""
    names: set[str] = set()
    choices: set[tuple[str | None, object]] = set()
    for label, tag, trait in items:
        language = known_language(tag)
        name = _unused(printable(label).replace('"', "'") or language or "-", names)
        names.add(name)
        yield Entry(name, language, (language, trait) not in choices)
        choices.add((language, trait))


def _unused(name: str, used: set[str]) -> str:
    numbered, count = name, 1
    while numbered in used:
        count += 1
        numbered = f"{name} {count}"
    return numbered
