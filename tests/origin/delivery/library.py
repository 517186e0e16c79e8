"""Resources for the tests, in memory and on disk, and what their bodies are."""

from __future__ import annotations

import os
import random
from collections.abc import Sequence
from pathlib import Path

from origin.delivery.resource import FileSpan, OpenFile, Part, Resource


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
        "size": sum(p.length if isinstance(p, FileSpan) else len(p) for p in parts),
        "parts": parts,
    }
    return Resource(**(given | changes))  # type: ignore[arg-type]


def content(parts: Sequence[Part]) -> bytes:
    """The bytes of a body, read the plain way."""
    return b"".join(
        os.pread(part.file.fileno(), part.length, part.start)
        if isinstance(part, FileSpan)
        else part
        for part in parts
    )


def interleaved(file: OpenFile, count: int, length: int, gap: int) -> tuple[Part, ...]:
    """A head and ``count`` spans with a gap after each, as an interleaved MP4 gives."""
    spans = (FileSpan(file, index * (length + gap), length) for index in range(count))
    return (b"head of a segment", *spans)
