"""Byte ranges of an object."""

from __future__ import annotations

from typing import NamedTuple


class ByteRange(NamedTuple):
    """``length`` bytes from ``start``."""

    start: int
    length: int

    @property
    def stop(self) -> int:
        return self.start + self.length
