"""The compiled hot path (``_native.c``), if it was built: a media request costs less with it.

What it has exists in Python too, beside its use: it is chosen when a module is loaded. ``VOD_PURE``
in the environment, whatever its value, has the Python chosen everywhere.
"""

from __future__ import annotations

import os
from collections.abc import Sequence
from importlib import import_module
from typing import Protocol, cast

Head = tuple[str, str, bytes, dict[bytes, bytes], bool]
"""Method, path, target, by lower-case name the headers that an answer may depend on, and whether
there may be a CMCD report in it."""


class Descriptor(Protocol):
    def fileno(self) -> int: ...


Places = tuple[int, int, int, int]
"""In a row of numbers: of requests, of those aborted, of bytes, and the first of a histogram of
seconds."""


class Native(Protocol):
    def read_head(
        self,
        data: bytes,
        media: tuple[str, ...],
        head_bytes: int,
        target_bytes: int,
        header_lines: int,
        /,
    ) -> Head | None:
        """As ``request.read_head_in_python``."""

    def send_now(self, sock: int, parts: tuple[bytes, ...], /) -> int:
        """As ``spans.send_now_in_python``."""

    def push_all(
        self, pushes: Sequence[tuple[Descriptor, bytes, Descriptor, int, int, bool]], /
    ) -> list[tuple[int, int]]:
        """Of a list; as ``spans.push_all_in_python``."""

    def stamp(self, file: int, /) -> tuple[int, int]:
        """As ``resource.stamp_in_python``."""

    def count(
        self,
        row: memoryview[float],
        places: Places,
        bounds: Sequence[float],
        sent: int,
        seconds: float,
        aborted: bool,
        /,
    ) -> None:
        """As ``telemetry.http.count_in_python``."""


def _load() -> Native | None:
    if "VOD_PURE" in os.environ:
        return None
    try:
        return cast("Native", import_module("origin._native"))
    except ImportError:
        return None


NATIVE = _load()
