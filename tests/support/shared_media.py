"""Real files from public test suites, kept beside the project and never inside it."""

from __future__ import annotations

from collections.abc import Collection
from pathlib import Path

import pytest

FOLDER = Path(__file__).parents[3] / "shared" / "media"

needs_shared_media = pytest.mark.skipif(
    not FOLDER.is_dir(), reason="needs the real media files of ../shared/media"
)


REFUSED = {
    "cbcs.mp4": "encrypted input",
    "cbcs_audio.mp4": "encrypted input",
    "prog_8s_enc_dashinit.mp4": "encrypted input",
    "multi_sidx_segment.m4s": "has no 'moov'",
    "sample_malformed_free_box.mp4": "box size 3 is below its header",
}
"""Those that are not packaged, and what is said of them."""


def shared_files(pattern: str, *, without: Collection[str] = ()) -> list[object]:
    """Names to parametrize with; where the folder is absent, one that is skipped and says why."""
    names: list[object] = [
        path.name for path in sorted(FOLDER.glob(pattern)) if path.name not in without
    ]
    return names or [pytest.param(pattern, marks=needs_shared_media)]


def read_shared(name: str) -> bytes:
    return (FOLDER / name).read_bytes()
