"""Real files from public test suites, kept beside the project and never inside it."""

from __future__ import annotations

from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "media"

needs_shared_media = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs the real media files of ../shared/media"
)


def shared_files(pattern: str, *, without: tuple[str, ...] = ()) -> list[object]:
    """Names to parametrize with; where the folder is absent, one that is skipped and says why."""
    names: list[object] = [
        path.name for path in sorted(FOLDER.glob(pattern)) if path.name not in without
    ]
    return names or [pytest.param(pattern, marks=needs_shared_media)]


def read_shared(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
