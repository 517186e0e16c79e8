"""The library under test: the sample titles, a broken one, and enough to need a second page."""

from __future__ import annotations

import hashlib
import shutil
import subprocess
import sys
from pathlib import Path

ROOT = Path(__file__).parents[2]
SAMPLE_SECONDS = 24
SHORTS = 60
TITLES = SHORTS + 7


def make_library(folder: Path) -> None:
    films = sample()
    shutil.copytree(films, folder)
    whole = (films / "lighthouse.mp4").read_bytes()
    (folder / "broken-upload.mp4").write_bytes(whole[:1000])
    for number in range(SHORTS):
        shutil.copy(films / "music-box.mp4", folder / f"short-{number:02}.mp4")


def sample() -> Path:
    """The sample library, made once for each version of what makes it."""
    digest = hashlib.sha256()
    for source in sorted((ROOT / "ingest" / "sample").glob("*.py")):
        digest.update(source.read_bytes())
    folder = ROOT / "build" / f"e2e-sample-{digest.hexdigest()[:12]}"
    if not folder.is_dir():
        command = [sys.executable, "-m", "ingest.sample", str(folder)]
        subprocess.run([*command, "--seconds", str(SAMPLE_SECONDS)], check=True, cwd=ROOT)
    return folder
