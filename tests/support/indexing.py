"""Drive the packager over bytes in memory, the way the shell drives it over storage."""

from __future__ import annotations

from packager.model import MovieIndex, Presentation, Rendition
from packager.movie import index_movie
from packager.mux.fmp4 import init_segment, plan_segment
from packager.plan import Splice
from packager.presentation import Source, build_presentation


def index_bytes(data: bytes, source: str = "title.mp4", version: str = "1") -> MovieIndex:
    reader = index_movie(source, version, len(data))
    wanted = next(reader)
    while True:
        try:
            wanted = reader.send(data[wanted.start : wanted.stop])
        except StopIteration as finished:
            index: MovieIndex = finished.value
            return index


def present(data: bytes) -> Presentation:
    """The presentation of a title that is one file."""
    return build_presentation("title", [Source(index_bytes(data))])


def body(plan: Splice, data: bytes) -> bytes:
    """What a plan delivers when ``data`` is its mezzanine."""
    return b"".join(
        part if isinstance(part, bytes) else data[part.start : part.stop] for part in plan.parts
    )


def segments(rendition: Rendition, data: bytes) -> list[bytes]:
    return [body(plan_segment(rendition, n), data) for n in range(len(rendition.segments))]


def stitched(rendition: Rendition, data: bytes) -> bytes:
    """The init segment and every segment, which together are a playable file."""
    return init_segment(rendition) + b"".join(segments(rendition, data))
