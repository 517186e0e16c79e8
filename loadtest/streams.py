"""A title as a player sees it: rungs of pictures, choices of sound, and their segments.

Parsed once for all viewers: documents are kept by their content, for 10,000 joins within a minute
are 10,000 readings of a few different playlists. So URIs stay as they are written, and each viewer
resolves them against its own address.
"""

from __future__ import annotations

import re
from collections import OrderedDict
from collections.abc import Callable, Hashable
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Any, TypeVar
from urllib.parse import urljoin

MAX_SEGMENTS = 100_000
_UNUSUAL = re.compile(r"^(?:$|[/.?#])|:|//|/\.")
KEPT = 2_000


@dataclass(frozen=True, slots=True)
class Piece:
    """``span``: first byte and count; None is all of it. Seconds."""

    uri: str
    start: float = 0.0
    duration: float = 0.0
    span: tuple[int, int] | None = None

    @property
    def end(self) -> float:
        return self.start + self.duration


@dataclass(frozen=True, slots=True)
class Media:
    """Segments of one rung, without a gap; URIs are relative to the document they stood in.
    ``ends``: of the segments, to look one up by its time."""

    init: Piece | None
    segments: tuple[Piece, ...]
    ends: tuple[float, ...] = field(init=False, repr=False)

    def __post_init__(self) -> None:
        object.__setattr__(self, "ends", tuple(piece.end for piece in self.segments))

    @property
    def duration(self) -> float:
        return self.segments[-1].end


@dataclass(frozen=True, slots=True)
class Rung:
    """``playlist``: where its ``media`` is, unless that is known already. ``group``: of sound that
    goes with it, or that it belongs to."""

    bandwidth: int
    height: int
    name: str
    playlist: str = ""
    media: Media | None = None
    group: str = ""


@dataclass(frozen=True, slots=True)
class Presentation:
    """``main``: rising in bandwidth; pictures, or sound where a title has none. ``sound`` may be
    empty."""

    main: tuple[Rung, ...]
    sound: tuple[Rung, ...]


@lru_cache(maxsize=1 << 15)
def resolve(base: str, uri: str) -> str:
    """RFC 3986 5.2. Nearly all of them are of the simple form, and urljoin takes 10 us. Kept, so
    that viewers of a title have one string for it, whose hash is known."""
    if "?" not in base and not _UNUSUAL.search(uri):
        return base[: base.rfind("/") + 1] + uri
    return urljoin(base, uri)


T = TypeVar("T")


class Parsed:
    """What documents said, the most recently used first to stay."""

    def __init__(self) -> None:
        self._kept: OrderedDict[Hashable, Any] = OrderedDict()

    def get(
        self,
        sent: bytes,
        parse: Callable[[bytes], T],
        decode: Callable[[], bytes] | None = None,
    ) -> T:
        """``decode``: gives the document, where it was sent in a coding."""
        key = (parse, sent)
        found = self._kept.get(key)
        if found is None:
            found = self._kept[key] = parse(sent if decode is None else decode())
            if len(self._kept) > KEPT:
                self._kept.popitem(last=False)
        else:
            self._kept.move_to_end(key)
        return found
