"""What is said twice says the same."""

from __future__ import annotations

import re
import tomllib
from pathlib import Path
from typing import Any

ROOT = Path(__file__).parents[2]


def read(path: str) -> str:
    return (ROOT / path).read_text(encoding="utf-8")


def project() -> dict[str, Any]:
    return tomllib.loads(read("pyproject.toml"))


def test_changelog_has_the_version() -> None:
    version = re.escape(project()["project"]["version"])
    assert re.search(rf"^## \[{version}\]", read("CHANGELOG.md"), re.MULTILINE)


def test_ci_runs_the_test_command_of_the_readme() -> None:
    commands = [line for line in read(".ci/run").splitlines() if line and line[0] != "#"]
    assert commands == ["set -eu", 'cd "$(dirname "$0")/.."', "make test"]
    assert re.search(r"^make test\b", read("README.md"), re.MULTILINE)
    assert read(".github/workflows/ci.yml").endswith("run: make test\n")


def test_every_target_of_the_makefile_that_the_docs_name_exists() -> None:
    targets = set(re.findall(r"^([a-z]+):", read("Makefile"), re.MULTILINE))
    for page in ("README.md", "CONTRIBUTING.md"):
        named = set(re.findall(r"`make ([a-z]+)|^make ([a-z]+)", read(page), re.MULTILINE))
        assert {"".join(pair) for pair in named} <= targets


def test_every_link_of_the_docs_leads_somewhere() -> None:
    pages = [ROOT / name for name in ("README.md", "CONTRIBUTING.md", "CHANGELOG.md")]
    for page in [*pages, *(ROOT / "docs").rglob("*.md")]:
        for target in re.findall(r"\]\(([^)#\s]+)", page.read_text(encoding="utf-8")):
            if "://" not in target:
                assert (page.parent / target).exists(), f"{page.name}: {target}"
