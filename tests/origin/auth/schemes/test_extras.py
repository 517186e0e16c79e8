"""What is said where the packages of the extra ``tokens`` are not installed."""

from __future__ import annotations

import importlib.util
import subprocess
import sys
from pathlib import Path

import pytest

from tests.support.token_keys import SECRET, key_file, key_word

CORE = """\
import sys
from importlib.abc import MetaPathFinder

class Missing(MetaPathFinder):
    def find_spec(self, name, path=None, target=None):
        if name.partition(".")[0] in ("cbor2", "cryptography"):
            raise ModuleNotFoundError(name)

import importlib.util
found = importlib.util.find_spec
importlib.util.find_spec = lambda name: None if name in ("cbor2", "cryptography") else found(name)
sys.meta_path.insert(0, Missing())

from origin.auth.schemes import SCHEMES
from origin.settings import BadSetting
try:
    print(SCHEMES[sys.argv[1]](sys.argv[2]).issue("/v/film/", 1_800_000_000, bytes(16)))
except BadSetting as error:
    print(error)
"""


def core(name: str, path: str) -> str:
    """In a process to which they are missing."""
    ran = subprocess.run(
        [sys.executable, "-c", CORE, name, path],
        cwd=Path(__file__).parents[4],
        capture_output=True,
        text=True,
        timeout=60,
        check=True,
    )
    return ran.stdout.strip()


def test_the_extra_is_named(tmp_path: Path) -> None:
    assert importlib.util.find_spec("cbor2")
    word = key_word(tmp_path, "RS256")
    for name, line in (
        ("cat", f"1 HS256 {SECRET.hex()}"),
        ("cloudfront", f"1 RSA-SHA1 {word} url=https://media.example"),
        ("jwt", f"1 RS256 {word}"),
    ):
        assert core(name, key_file(tmp_path, line)).endswith("pip install 'vod-origin[tokens]'")


@pytest.mark.parametrize("name", ["path", "akamai", "jwt"])
def test_hmac_needs_none(name: str, tmp_path: Path) -> None:
    line = f"1 HS256 {SECRET.hex()}" if name == "jwt" else f"1 {SECRET.hex()}"
    assert len(core(name, key_file(tmp_path, line)).split()) == 1
