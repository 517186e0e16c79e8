"""Byte ranges of an object, and how neighbours join into fewer reads."""

from __future__ import annotations

from collections.abc import Iterable
from typing import NamedTuple


class ByteRange(NamedTuple):
    """``length`` bytes from ``start``."""

    start: int
    length: int

    @property
    def stop(self) -> int:
        return self.start + self.length


def coalesce(ranges: Iterable[ByteRange]) -> tuple[ByteRange, ...]:
    """Join ranges that touch end to start; the order, which is the order of the body, is kept."""
    joined: list[ByteRange] = []
    for span in ranges:
        if joined and joined[-1].stop == span.start:
            joined[-1] = ByteRange(joined[-1].start, joined[-1].length + span.length)
        elif span.length:
            joined.append(span)
    return tuple(joined)
