"""Rules for every file: nothing of the machine it was written on, nothing left undone."""

from __future__ import annotations

import os
import re
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
TEXT_ENDINGS = {
    ".css",
    ".html",
    ".js",
    ".json",
    ".md",
    ".py",
    ".sh",
    ".toml",
    ".ts",
    ".txt",
    ".yml",
}

# Spelt apart, so that this file keeps its own rules.
REGISTRIES = [
    ".".join(labels)
    for labels in (
        ("pypi", "org"),
        ("pythonhosted", "org"),
        ("npmjs", "org"),
        ("npmjs", "com"),
        ("yarnpkg", "com"),
        ("debian", "org"),
        ("proxy", "golang", "org"),
    )
]
HOMES = re.compile(rb"(?<![\w.}~-])/(?:root|home/\w+|Users/\w+|work/\w+)/")
UNDONE = re.compile("|".join(rf"\b{word}\b" for word in ("TO" + "DO", "FIX" + "ME")).encode())


def files() -> Iterator[Path]:
    """Every file that is the project's own: those that .gitignore does not name."""
    ignored = [".git", *(ROOT / ".gitignore").read_text(encoding="utf-8").split()]

    def own(path: Path) -> bool:
        return not any(path.match(pattern.strip("/")) for pattern in ignored)

    for folder, folders, names in os.walk(ROOT):
        here = Path(folder).relative_to(ROOT)
        folders[:] = [name for name in folders if own(here / name)]
        yield from filter(own, (here / name for name in names))


def offences(path: Path) -> Iterator[str]:
    content = (ROOT / path).read_bytes()
    yield from (f"{path} names {name}" for name in REGISTRIES if name.encode() in content)
    if path.suffix in TEXT_ENDINGS or not path.suffix:
        for found in (*HOMES.finditer(content), *UNDONE.finditer(content)):
            yield f"{path} has {found[0].decode()} at byte {found.start()}"
        if content and not content.endswith(b"\n"):
            yield f"{path} ends within a line"


def test_the_walk_finds_the_project() -> None:
    found = set(files())
    assert {Path("README.md"), Path("packager/errors.py"), Path(".ci/run")} <= found
    assert not any(part in {".venv", "node_modules"} for path in found for part in path.parts)


def test_files_are_clean() -> None:
    assert [offence for path in sorted(files()) for offence in offences(path)] == []


@pytest.mark.parametrize(
    "folders",
    [("root", "media"), ("home", "ann", "vod"), ("Users", "ann", "vod"), ("work", "main", "vod")],
)
def test_a_path_of_a_machine_is_seen(folders: tuple[str, ...]) -> None:
    assert HOMES.search(f"see /{'/'.join(folders)}/".encode())
