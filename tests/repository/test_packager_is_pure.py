"""What import-linter cannot see: builtins and numpy functions that do I/O or roll dice."""

from __future__ import annotations

import ast
from collections.abc import Iterator
from pathlib import Path

import pytest

ROOT = Path(__file__).parents[2]
BUILTINS = {"breakpoint", "eval", "exec", "input", "open", "print"}
NUMPY = {"fromfile", "load", "loadtxt", "memmap", "random", "save", "savetxt", "savez"}
ASYNC = (ast.AsyncFor, ast.AsyncFunctionDef, ast.AsyncWith, ast.Await)


def impurities(source: str) -> Iterator[str]:
    for node in ast.walk(ast.parse(source)):
        match node:
            case ast.Call(func=ast.Name(id=name)) if name in BUILTINS:
                yield f"line {node.lineno}: {name}()"
            case ast.Attribute(value=ast.Name(id="np" | "numpy"), attr=name) if name in NUMPY:
                yield f"line {node.lineno}: np.{name}"
            case ast.Attribute(attr="tofile"):
                yield f"line {node.lineno}: .tofile"
            case _ if isinstance(node, ASYNC):
                yield f"line {node.lineno}: {type(node).__name__}"


@pytest.mark.parametrize(
    "path",
    sorted((ROOT / "packager").rglob("*.py")),
    ids=lambda path: path.relative_to(ROOT).as_posix(),
)
def test_packager_does_no_io(path: Path) -> None:
    assert list(impurities(path.read_text(encoding="utf-8"))) == []


@pytest.mark.parametrize(
    "source",
    [
        "open('x')",
        "print(1)",
        "np.fromfile('x')",
        "np.random.default_rng()",
        "a.tofile('x')",
        "async def f(): pass",
    ],
)
def test_an_impurity_is_seen(source: str) -> None:
    assert len(list(impurities(source))) == 1
