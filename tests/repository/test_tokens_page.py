"""docs/tokens.md is what others implement: its vectors and its code are held to ours."""

from __future__ import annotations

import re
import time
from pathlib import Path
from typing import Any

from origin.auth.keys import MAKE_A_KEY, Keys
from origin.auth.path_token import _TOKEN, MOST_SECONDS, issue, verify
from packager.address import MultivariantPlaylist

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
        assert verify(mine, token, scope, int(expiry) - 1.0) == int(expiry)


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
