"""Preconditions (RFC 9110 section 13) of GET and HEAD against a strong entity tag.

There is no Last-Modified: a mezzanine's time is not its packaging's. So If-Unmodified-Since and
If-Modified-Since are ignored, as 13.1.4 and 13.1.3 require of a resource without a modification
date, and an If-Range that holds a date never matches (13.1.5).
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from typing import Literal

# One list element and its comma; empty elements are allowed (RFC 9110 section 5.6.1.2).
_ELEMENT = re.compile(rb'[ \t]*(?:((?:W/)?"[\x21\x23-\x7e\x80-\xff]*")[ \t]*)?(?:,|\Z)')


def precondition(headers: Mapping[bytes, bytes], etag: bytes) -> Literal[200, 304, 412]:
    """The status that the preconditions leave for the answer, in the order of section 13.2.2."""
    if_match = headers.get(b"if-match")
    if if_match is not None and not _names(if_match, etag, weak=False):
        return 412
    if_none_match = headers.get(b"if-none-match")
    if if_none_match is not None and _names(if_none_match, etag, weak=True):
        return 304
    return 200


def range_holds(headers: Mapping[bytes, bytes], etag: bytes) -> bool:
    """Whether Range is to be looked at: no If-Range, or one that is exactly this strong tag."""
    if_range = headers.get(b"if-range")
    return if_range is None or if_range.strip(b" \t") == etag


def _names(value: bytes, etag: bytes, *, weak: bool) -> bool:
    if value.strip(b" \t") == b"*":
        return True
    named = _entity_tags(value)
    return etag in named or (weak and b"W/" + etag in named)


def _entity_tags(value: bytes) -> list[bytes]:
    """The tags of a list; what is no list of entity tags names none."""
    tags = []
    position = 0
    while position < len(value):
        element = _ELEMENT.match(value, position)
        if element is None:
            return []
        if element[1] is not None:
            tags.append(element[1])
        position = element.end()
    return tags
