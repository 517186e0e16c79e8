"""The Range field (RFC 9110 section 14): what of a representation is asked for.

Answering it is optional, so what is malformed, of another unit, or would cost more than the whole
(many, overlapping or unordered ranges) is answered with the whole.
"""

from __future__ import annotations

import re
from itertools import pairwise
from typing import NamedTuple

MAX_FIELD = 1024
MAX_RANGES = 5

_BYTES = re.compile(rb"bytes=(.*)", re.IGNORECASE)
_SPEC = re.compile(rb"([0-9]*)-([0-9]*)")


class Interval(NamedTuple):
    """Bytes ``start`` up to ``stop`` of the representation, ``stop`` not included."""

    start: int
    stop: int


def requested(value: bytes, size: int, *, multipart: bool) -> tuple[Interval, ...] | None:
    """The satisfiable ranges, ascending and disjoint; none at all: 416; ``None``: a plain 200."""
    field = _BYTES.fullmatch(value) if len(value) <= MAX_FIELD else None
    if field is None:
        return None
    specs = [spec for member in field[1].split(b",") if (spec := member.strip(b" \t"))]
    if not specs or len(specs) > (MAX_RANGES if multipart else 1):
        return None
    found: list[Interval] = []
    for spec in specs:
        interval = _interval(spec, size)
        if interval is None:
            return None
        if interval.start < interval.stop:
            found.append(interval)
    if any(later.start < earlier.stop for earlier, later in pairwise(found)):
        return None
    return tuple(found)


def _interval(spec: bytes, size: int) -> Interval | None:
    """``None`` for what is no range; an unsatisfiable one comes out empty."""
    match = _SPEC.fullmatch(spec)
    if match is None or spec == b"-":
        return None
    first, last = match.groups()
    if not first:
        # The last n bytes; an empty representation has no position to name in a Content-Range.
        return Interval(max(size - int(last), 0), size) if size or not int(last) else None
    start = int(first)
    if last and int(last) < start:
        return None
    return Interval(start, min(int(last) + 1, size) if last else size)
