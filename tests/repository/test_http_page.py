"""docs/http.md lists every refusal that a client can meet, with its status."""

from __future__ import annotations

import re
from pathlib import Path

from origin import errors
from packager.errors import BadSidecar, PackagerError

ROOT = Path(__file__).parents[2]


def listed() -> set[tuple[int, str]]:
    page = (ROOT / "docs" / "http.md").read_text(encoding="utf-8")
    rows = re.findall(r"^\| ([0-9, ]+) \| ((?:`[a-z-]+`(?:, )?)+) \|", page, re.MULTILINE)
    return {
        (int(status), code)
        for statuses, codes in rows
        for status in statuses.split(", ")
        for code in re.findall(r"`([a-z-]+)`", codes)
    }


def written(folder: str) -> set[tuple[int, str]]:
    """The refusals that the code under ``folder`` spells out."""
    refusal = re.compile(r"(?:Problem|_Refused)\(\s*([0-9]{3}),\s*\"([a-z-]+)\"")
    return {
        (int(status), code)
        for path in (ROOT / folder).rglob("*.py")
        for status, code in refusal.findall(path.read_text(encoding="utf-8"))
    }


def test_the_table_of_errors_is_listed() -> None:
    # PackagerError itself is raised by nobody, and a bad sidecar leads to reading the file.
    unmet = (PackagerError, BadSidecar)
    kinds = {kind: row for kind, row in errors.STATUS.items() if kind not in unmet}
    assert {(row.status, kind.code) for kind, row in kinds.items()} <= listed()  # type: ignore[attr-defined]


def test_every_other_refusal_is_listed() -> None:
    found = written("origin")
    assert {(400, "bad-request"), (405, "method-not-allowed"), (500, "internal-error")} <= found
    assert found <= listed()


def test_nothing_is_listed_that_cannot_happen() -> None:
    happen = written("origin") | {
        (row.status, kind.code)  # type: ignore[attr-defined]
        for kind, row in errors.STATUS.items()
    }
    assert {code for _, code in listed()} <= {code for _, code in happen}
