from __future__ import annotations

from pathlib import Path

from origin.telemetry.board import Gauge, Histogram
from origin.telemetry.worker import FAMILIES

PAGE = Path(__file__).parents[2] / "docs" / "operations.md"


def test_the_page_lists_each_metric() -> None:
    page = PAGE.read_text(encoding="utf-8")
    rows = []
    for family in FAMILIES:
        kinds = {Histogram: "histogram", Gauge: "gauge"}
        labels = ", ".join(f"`{label}`" for label in family.labels)
        kind = kinds.get(type(family), "counter")
        rows.append(f"| `{family.name}` | {kind} | {labels} | {family.help} |")
    assert "\n".join(rows) in page
