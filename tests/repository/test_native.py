"""The compiled hot path is optional: it is built where it can be, and nothing needs it."""

from __future__ import annotations

import importlib.util
import os
import subprocess
import sys
from pathlib import Path
from types import ModuleType

import pytest

ROOT = Path(__file__).parents[2]
SOURCE = ROOT / "origin" / "_native.c"


@pytest.fixture(scope="module")
def hook() -> ModuleType:
    spec = importlib.util.spec_from_file_location("hatch_build", ROOT / "hatch_build.py")
    assert spec is not None
    assert spec.loader is not None
    module = importlib.util.module_from_spec(spec)
    spec.loader.exec_module(module)
    return module


def test_without_a_compiler_nothing_is_built(hook: ModuleType, tmp_path: Path) -> None:
    library = tmp_path / "_native.abi3.so"
    assert "no-such-compiler" in hook.build(SOURCE, library, "no-such-compiler")
    assert not library.exists()


def test_what_does_not_compile_is_said_in_one_line(hook: ModuleType, tmp_path: Path) -> None:
    library = tmp_path / "_native.abi3.so"
    library.write_bytes(b"of an earlier build")
    said = hook.build(SOURCE, library, f"{sys.executable} -c 'raise SystemExit(\"no headers\")'")
    assert said == "no headers"
    assert not library.exists()


def test_it_compiles_without_a_warning(hook: ModuleType, tmp_path: Path) -> None:
    if reason := hook.why_not() or hook.build(SOURCE, tmp_path / "plain.so"):
        pytest.skip(reason)
    assert hook.build(SOURCE, tmp_path / "strict.so", "cc -Werror -Wshadow") == ""


def test_one_who_wants_python_only_has_it() -> None:
    script = "from origin.native import NATIVE; print(NATIVE)"
    found = subprocess.run(
        [sys.executable, "-c", script],
        env={**os.environ, "VOD_PURE": "1"},
        cwd=ROOT,
        check=True,
        capture_output=True,
        text=True,
    )
    assert found.stdout == "None\n"
