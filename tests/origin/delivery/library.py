"""Resources for the tests, in memory and on disk, and what their bodies are."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from origin.delivery.resource import FileSpan, OpenFile, Part, Resource, part_size


def noise(size: int, seed: int = 1) -> bytes:
    return random.Random(seed).randbytes(size)


def open_file(path: Path, content: bytes) -> OpenFile:
    path.write_bytes(content)
    return OpenFile(os.open(path, os.O_RDONLY))


def resource(*parts: Part, etag: str = '"r1"', **changes: object) -> Resource:
    given: dict[str, object] = {
        "media_type": "video/mp4",
        "etag": etag,
        "cache_control": "public, max-age=31536000, immutable",
        "size": sum(map(part_size, parts)),
        "parts": parts,
    }
    return Resource(**(given | changes))  # type: ignore[arg-type]


def content(parts: Sequence[Part]) -> bytes:
    """The bytes of a body, read the plain way."""
    return b"".join(map(_content, parts))


def _content(part: Part) -> bytes:
    if isinstance(part, FileSpan):
        return os.pread(part.file.fileno(), part.length, part.start)
    return part if isinstance(part, bytes) else bytes(part.view(0, part.length))


def interleaved(file: OpenFile, count: int, length: int, gap: int) -> tuple[Part, ...]:
    """A head and ``count`` spans with a gap after each, as an interleaved MP4 gives."""
    spans = (FileSpan(file, index * (length + gap), length) for index in range(count))
    return (b"head of a segment", *spans)
