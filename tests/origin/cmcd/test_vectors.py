"""What players' own library (@svta/cml-cmcd, which hls.js and dash.js have in them) makes and reads
is read the same here."""

from __future__ import annotations

import json
import subprocess
import sys
from pathlib import Path
from typing import Any

import pytest

from origin.cmcd.parse import of_request, read_body, read_bounded, read_request
from origin.cmcd.report import Report
from origin.cmcd.structured import Item, Value
from tests.origin.cmcd.asking import Asks

ROOT = Path(__file__).parents[3]
LIBRARY = ROOT / "player" / "node_modules" / "@svta" / "cml-cmcd" / "dist" / "index.js"
NODE = Path(sys.executable).with_name("node")
COUNT = 3000

pytestmark = pytest.mark.skipif(
    not (LIBRARY.is_file() and NODE.exists()), reason="needs the page's modules: make install"
)


@pytest.fixture(scope="module")
def vectors() -> list[dict[str, Any]]:
    script = Path(__file__).with_name("vectors.mjs")
    made = subprocess.run(
        [NODE, script, LIBRARY, str(COUNT)], capture_output=True, text=True, check=True
    )
    return [json.loads(line) for line in made.stdout.splitlines()]


def plainly(value: Value) -> Any:
    """As the script writes it."""
    if isinstance(value, Item):
        return {"value": plainly(value.value), "params": dict(value.parameters)}
    return [plainly(item) for item in value] if isinstance(value, list) else value


def text_of(vector: dict[str, Any]) -> str:
    if vector["mode"] == "event":
        return str(vector["body"])
    headers = {k.lower().encode(): v.encode() for k, v in vector.get("headers", {}).items()}
    text = of_request(Asks(vector.get("query", ""), headers))
    assert text is not None
    return text


def test_all_values_are_the_same(vectors: list[dict[str, Any]]) -> None:
    assert {vector["mode"] for vector in vectors} == {"query", "headers", "event"}
    assert len(vectors) > COUNT // 2
    for vector in vectors:
        read = {key: plainly(value) for key, value in read_bounded(text_of(vector)).items()}
        assert read == vector["values"]


def test_reports_have_what_was_said(vectors: list[dict[str, Any]]) -> None:
    for vector in vectors:
        values = vector["values"]
        if vector["mode"] == "event":
            (report,) = read_body(vector["body"].encode(), "application/cmcd")
            assert isinstance(report, Report)
            assert report.mode == ("response" if values["e"] == "rr" else "event")
            assert report.time == values["ts"] / 1000
        else:
            report = read_request(text_of(vector))
            assert (report.mode, report.version) == ("request", values.get("v", 1))
        assert report.sid == values["sid"]
        assert report.number == values.get("sn")
        assert report.state == values.get("sta", "")
        assert report.object_type == values.get("ot", "")
        assert report.in_startup == values.get("su", False)
        startup = values.get("msd")
        expected = startup / 1000 if startup is not None and startup <= 600_000 else None
        assert report.startup == expected
