"""Where the samples of a segment are to be had: what its answer is made of.

One port, of which there are two: files of this machine (``LocalMedia``), and objects that are
fetched and kept (``origin.storage.remote``).
"""

from __future__ import annotations

from collections.abc import Callable, Iterable
from typing import NamedTuple, Protocol

from origin.delivery.resource import FileSpan, Part
from origin.storage.local import LocalStorage
from origin.storage.tracks import TrackCache
from origin.telemetry.remote import Count
from packager.model import Rendition
from packager.plan import Splice
from packager.ranges import ByteRange


class Placed(NamedTuple):
    """``parts`` of a segment; ``holds``: whether they are still right, and the best there are, to
    be asked for each answer that is made of them."""

    parts: tuple[Part, ...]
    holds: Callable[[], bool]


class Media(Protocol):
    async def place(
        self,
        rendition: Rendition,
        row: int,
        plan: Splice,
        version: str,
        let_go: Callable[[], None],
    ) -> Placed:
        """Segment ``row``, of which ``plan`` is made, from that version of the plan's source.

        ``let_go`` is called when the parts are to be kept no longer. Raises ``StorageError``, and
        ``ObjectChanged`` where the source is another by now.
        """

    @property
    def reads_ahead(self) -> bool:
        """Whether it matters what is asked for next."""

    def expect(self, rendition: Rendition, row: int, version: str) -> None:
        """A player says that it will ask for that segment: it may come already."""

    def counts(self) -> Iterable[Count]:
        """For metrics: what was fetched from afar, and what was not."""

    async def aclose(self) -> None:
        """Let go of what is under way."""


class LocalMedia:
    """``tracks``: copies of what is interleaved in the files."""

    reads_ahead = False

    def __init__(self, storage: LocalStorage, tracks: TrackCache | None) -> None:
        self._storage = storage
        self._tracks = tracks

    async def place(
        self,
        rendition: Rendition,
        row: int,
        plan: Splice,
        version: str,
        let_go: Callable[[], None],
    ) -> Placed:
        opened = await self._storage.open(plan.source, version)
        pieces = tuple(FileSpan(opened, span.start, span.length) for span in ranges_of(plan))
        copy = None
        if self._tracks is not None:
            copy = await self._tracks.find(rendition, row, version, pieces, let_go)
        if copy is None:
            return Placed((head_of(plan), *pieces), opened.unchanged)
        if copy.span is not None:
            pieces = (copy.span,)
        return Placed((head_of(plan), *pieces), lambda: copy.touch() and opened.unchanged())

    def expect(self, rendition: Rendition, row: int, version: str) -> None:
        """Nothing has to come."""

    def counts(self) -> tuple[Count, ...]:
        """Nothing is far."""
        return ()

    async def aclose(self) -> None:
        """Nothing is under way."""


def head_of(plan: Splice) -> bytes:
    """What stands in front of a segment's samples."""
    return b"".join(part for part in plan.parts if isinstance(part, bytes))


def ranges_of(plan: Splice) -> list[ByteRange]:
    """Where its samples lie."""
    return [part for part in plan.parts if isinstance(part, ByteRange)]
