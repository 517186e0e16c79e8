"""What this process has open, as only /proc tells."""

from __future__ import annotations

import os
from contextlib import suppress
from pathlib import Path

import pytest

needs_proc = pytest.mark.skipif(not Path("/proc/self/fd").is_dir(), reason="needs /proc/self/fd")


def open_in(folder: Path) -> list[str]:
    """The files in ``folder`` that are open, unlinked or not; one for each descriptor."""
    found = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):  # of the listing itself
            found.append(os.readlink(f"/proc/self/fd/{name}"))
    return [target for target in found if target.startswith(f"{folder}/")]


def open_sockets() -> int:
    """How many: loops open descriptors of other kinds when it suits them."""
    targets = []
    for name in os.listdir("/proc/self/fd"):
        with suppress(FileNotFoundError):
            targets.append(os.readlink(f"/proc/self/fd/{name}"))
    return sum(target.startswith("socket:") for target in targets)
