from __future__ import annotations

import re
from dataclasses import fields
from pathlib import Path

from origin.settings import Settings, variable

ROOT = Path(__file__).parents[2]


def test_the_page_lists_each_setting_with_its_default() -> None:
    page = (ROOT / "docs" / "settings.md").read_text(encoding="utf-8")
    assert re.findall(r"^\| `(VOD_\w+)` \| `(.*?)` \| \S", page, re.MULTILINE) == [
        (variable(item.name), str(item.default)) for item in fields(Settings)
    ]
