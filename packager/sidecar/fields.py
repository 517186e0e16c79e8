"""Numbers, texts and blobs one after the other, none read beyond the bytes that are there.

All numbers are little-endian; what has a length says it in four bytes in front.
"""

from __future__ import annotations

import struct

from packager.errors import BadSidecar

_LENGTH = struct.Struct("<I")
_LONG = 16


def blob(data: bytes) -> bytes:
    return _LENGTH.pack(len(data)) + data


def text(value: str) -> bytes:
    return blob(value.encode())


def long(value: int) -> bytes:
    """An integer of up to 128 bits: an edit in a fine timescale may pass 64."""
    return value.to_bytes(_LONG, "little", signed=True)


class Fields:
    """Reads ``data`` from its start; ``BadSidecar`` where it is asked for more than is left."""

    def __init__(self, data: memoryview) -> None:
        self._data = data
        self._at = 0

    def take(self, length: int) -> memoryview:
        left = len(self._data) - self._at
        if length > left:
            raise BadSidecar(f"it is cut short: {length} bytes wanted where {left} are left")
        self._at += length
        return self._data[self._at - length : self._at]

    def unpack(self, layout: struct.Struct) -> tuple[int, ...]:
        return layout.unpack(self.take(layout.size))

    def blob(self) -> bytes:
        (length,) = self.unpack(_LENGTH)
        return bytes(self.take(length))

    def text(self) -> str:
        try:
            return self.blob().decode()
        except UnicodeDecodeError:
            raise BadSidecar("it has a text that is not UTF-8") from None

    def long(self) -> int:
        return int.from_bytes(self.take(_LONG), "little", signed=True)

    def end(self) -> None:
        left = len(self._data) - self._at
        if left:
            raise BadSidecar(f"it has {left} bytes too many")
