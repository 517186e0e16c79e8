"""Writing boxes: each function returns the complete box as bytes."""

from __future__ import annotations

import struct

_HEADER = struct.Struct(">I4s")


def box(name: str, *payload: bytes) -> bytes:
    size = 8 + sum(map(len, payload))
    return b"".join((_HEADER.pack(size, name.encode("latin-1")), *payload))


def full_box(name: str, version: int, flags: int, *payload: bytes) -> bytes:
    return box(name, struct.pack(">I", version << 24 | flags), *payload)
