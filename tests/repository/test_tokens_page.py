"""docs/tokens.md is what others implement: its vectors and its code are held to ours."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from origin.auth.keys import MAKE_A_KEY, Keys
from origin.auth.path_token import _TOKEN, MOST_SECONDS, issue, verify
from origin.auth.schemes import SCHEMES
from packager.address import MultivariantPlaylist
from tests.support.token_keys import ec_key, key_file, private_pem, rsa_key
from tests.support.visits import NOW, SESSION, opens, visit

PAGE = (Path(__file__).parents[2] / "docs" / "tokens.md").read_text(encoding="utf-8")


def test_the_vectors() -> None:
    keys = {
        int(key_id): bytes.fromhex(key)
        for key_id, key in re.findall(r"^\| (\d+) \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE)
    }
    vectors = re.findall(
        r"^\| (\d+) \| (\d+) \| `([0-9a-f]{32})` \| `(/v/\S+/)` \| `(\S{51})` \|$",
        PAGE,
        re.MULTILINE,
    )
    assert len(keys) == len(vectors) == 2
    for key_id, expiry, session, scope, token in vectors:
        mine = Keys(int(key_id), keys)
        assert issue(mine, scope, int(expiry), bytes.fromhex(session)) == token
        assert verify(mine, token, scope, int(expiry) - 1.0)[0] == int(expiry)


def test_the_vectors_of_the_other_kinds(tmp_path: Path) -> None:
    vectors = re.findall(r"^\| `(cat|akamai|jwt)` \| `(\S+)` \|$", PAGE, re.MULTILINE)
    assert [name for name, _ in vectors] == ["cat", "akamai", "jwt"]
    key = re.findall(r"^\| 1 \| `([0-9a-f]+)` \|$", PAGE, re.MULTILINE)[0]
    (expiry, session) = re.findall(r"^\| 1 \| (\d+) \| `([0-9a-f]{32})` \|", PAGE, re.MULTILINE)[0]
    for name, token in vectors:
        path = tmp_path / name
        path.write_text(f"1 {key}" if name == "akamai" else f"1 HS256 {key}", encoding="ascii")
        scheme = SCHEMES[name](str(path))
        assert scheme.issue("/v/film/", int(expiry), bytes.fromhex(session)) == token
        assert opens(scheme, visit(token=token), int(expiry) - 1)


def test_the_keys_of_the_page_can_be_read(tmp_path: Path) -> None:
    (block,) = re.findall(r"^```\n(# ID ALGORITHM.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    hs256, es256, cloudfront, akamai = (
        line for line in block.splitlines() if not line.startswith("#")
    )
    (tmp_path / "pem").mkdir()
    for name, key in (("edge-1", ec_key()), ("cloudfront", rsa_key())):
        (tmp_path / "pem" / f"{name}.pem").write_bytes(private_pem(key))
    for kind, *lines in (
        ("cat", hs256, es256),
        ("jwt", hs256, es256),
        ("cloudfront", cloudfront),
        ("akamai", akamai),
    ):
        scheme = SCHEMES[kind](key_file(tmp_path, *lines))
        token = scheme.issue("/v/film/", NOW + 60, SESSION)
        assert opens(scheme, visit(token=token))


def test_the_code_makes_tokens_that_are_good() -> None:
    (code,) = re.findall(r"^```python\n(.*?)^```$", PAGE, re.MULTILINE | re.DOTALL)
    found: dict[str, Any] = {}
    exec(code, found)
    title, keys = "100% Ünï+#1?", Keys(9, {9: b"9" * 32})
    path = found["path_for"](title, MOST_SECONDS - 60, 9, keys.by_id[9])
    media = str(MultivariantPlaylist(title))
    assert path.startswith("/t/")
    assert path[54:] == media
    verify(keys, path[3:54], media.removesuffix("master.m3u8"), time.time())


def test_what_the_page_says_twice() -> None:
    assert MAKE_A_KEY in PAGE
    assert f"`{_TOKEN.pattern}`" in PAGE
