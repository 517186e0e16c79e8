"""The product imports what pyproject.toml declares, no more and no less; locks fit and name no
registry."""

from __future__ import annotations

import ast
import re
import sys
import tomllib
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
PRODUCT = ("packager", "catalog", "origin", "ingest", "embedded", "loadtest", "cli")
TOOLS = ("ingest", "loadtest")
NAMES = {"argon2": "argon2-cffi"}
"""Of distributions that are not called as what is imported."""
ALL = ("accounts", "loadtest", "s3", "sample", "tokens")
LOCKS = ("runtime.txt", "demo.txt", "test.txt")


def distribution(requirement: str) -> str:
    return re.split(r"[^A-Za-z0-9_.-]", requirement, maxsplit=1)[0].lower()


def declared(*extras: str) -> set[str]:
    project = tomllib.loads((ROOT / "pyproject.toml").read_text(encoding="utf-8"))["project"]
    wanted = list(project["dependencies"])
    for extra in extras:
        wanted += project["optional-dependencies"][extra]
    return {distribution(requirement) for requirement in wanted}


def imported(folder: Path) -> set[str]:
    names: set[str] = set()
    for path in folder.rglob("*.py"):
        for node in ast.walk(ast.parse(path.read_text(encoding="utf-8"))):
            if isinstance(node, ast.Import):
                names |= {alias.name for alias in node.names}
            elif isinstance(node, ast.ImportFrom) and node.module:
                names.add(node.module)
    roots = {name.split(".")[0] for name in names}
    names = roots - sys.stdlib_module_names - set(PRODUCT)
    return {NAMES.get(name, name.replace("_", "-")) for name in names}


def pins(lock: str) -> dict[str, str]:
    content = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    return dict(re.findall(r"^([\w.-]+)==([\w.]+)", content, re.MULTILINE))


def test_the_server_imports_what_is_declared() -> None:
    server = set().union(*(imported(ROOT / name) for name in PRODUCT if name not in TOOLS))
    tools = set().union(*(imported(ROOT / name) for name in TOOLS))
    assert server | tools == declared(*ALL)
    assert server <= declared("accounts", "s3", "tokens")


@pytest.mark.parametrize("lock", LOCKS)
def test_lock_has_hashes_and_no_address(lock: str) -> None:
    content = (ROOT / "requirements" / lock).read_text(encoding="utf-8")
    assert "://" not in content
    assert "--hash=sha256:" in content
    assert declared() <= pins(lock).keys()


def test_locks_agree() -> None:
    everything = pins("test.txt")
    for lock in LOCKS:
        assert pins(lock).items() <= everything.items()
