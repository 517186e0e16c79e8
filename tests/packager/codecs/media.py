"""Sample entries of whole files, and what they are judged by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packager.isobmff.boxes import Box, children, find, walk
from tests.packager.codecs.assemble import as_box

SHARED = Path(__file__).resolve().parents[4] / "shared" / "media"


def sample_entries(path: Path) -> Iterator[Box]:
    """The first sample entry of each track."""
    for box in walk(memoryview(path.read_bytes()), 0):
        if box.type != "moov":
            continue
        for trak in children(box):
            stsd = find(trak, "mdia", "minf", "stbl", "stsd") if trak.type == "trak" else None
            if stsd:
                yield next(children(stsd, skip=8))


def without_size(entry: Box) -> Box:
    """The same video entry with width and height 0."""
    body = bytes(entry.body)
    size = (8 + len(body)).to_bytes(4, "big")
    return as_box(size + entry.type.encode() + body[:24] + bytes(4) + body[28:])
