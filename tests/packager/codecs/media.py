"""Sample entries of whole files, and what they are judged by."""

from __future__ import annotations

from collections.abc import Iterator
from pathlib import Path

from packager.isobmff import writer
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


def with_entry(data: bytes, entry: bytes) -> bytes:
    """A file of one track, its 'moov' behind the media, with another sample entry."""
    return b"".join(_rebuilt(box, entry) for box in walk(memoryview(data), 0))


def _rebuilt(box: Box, entry: bytes) -> bytes:
    if box.type == "stsd":
        return writer.box("stsd", bytes(box.body[:8]), entry)
    if box.type in ("moov", "trak", "mdia", "minf", "stbl"):
        return writer.box(box.type, *(_rebuilt(child, entry) for child in children(box)))
    return writer.box(box.type, bytes(box.body))


def without_size(entry: Box) -> Box:
    """The same video entry with width and height 0."""
    body = bytes(entry.body)
    size = (8 + len(body)).to_bytes(4, "big")
    return as_box(size + entry.type.encode() + body[:24] + bytes(4) + body[28:])
