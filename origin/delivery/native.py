"""The compiled hot path (``_native.c``), if it was built: a media request costs less with it.

What it has exists in Python too, beside its use: it is chosen when a module is loaded. ``VOD_PURE``
in the environment, whatever its value, has the Python chosen everywhere.
"""

from __future__ import annotations

import os
from importlib import import_module
from typing import TYPE_CHECKING, Protocol, cast

if TYPE_CHECKING:
    from origin.delivery.spans import Push

Head = tuple[str, str, bytes, dict[bytes, bytes]]
"""Method, path, target, and by lower-case name the headers that an answer may depend on."""


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

    def push_all(self, pushes: list[Push], /) -> list[tuple[int, int]]:
        """As ``spans.push_all_in_python``."""

    def stamp(self, file: int, /) -> tuple[int, int]:
        """As ``resource.stamp_in_python``."""


def _load() -> Native | None:
    if "VOD_PURE" in os.environ:
        return None
    try:
        return cast("Native", import_module("origin.delivery._native"))
    except ImportError:
        return None


NATIVE = _load()
