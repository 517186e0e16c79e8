from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.micro import Timing
from benchmarks.report import (
    BEGIN,
    END,
    Outcome,
    Results,
    plot,
    put_between_markers,
    table,
    write_json,
)
from benchmarks.rounds import QUICK, Target
from benchmarks.verdict import Round
from benchmarks.workloads import WORKLOADS

FAST = Round(
    requests_per_second=3000.0,
    bytes_per_second=2e9,
    p50=0.001,
    p99=0.004,
    server=1.0,
    client=0.5,
    others=0.0,
    stolen=0.0,
)
SLOW = replace(FAST, requests_per_second=2000.0)


def outcome(number: int, ours: Round, theirs: Round) -> Outcome:
    target = Target(WORKLOADS[number], ("/v/x",), 9000)
    return Outcome(target, {"vod-origin": [ours] * 3, "nginx": [theirs] * 3})


def results(*outcomes: Outcome) -> Results:
    timing = Timing("index", "index, 2 hours", 9, 12.345, 0.1)
    return Results({"kernel": "6.1"}, QUICK, [timing], outcomes, ["wrk is not installed."])


def test_the_table_has_a_line_a_server_with_its_ratio() -> None:
    lines = table(results(outcome(0, FAST, SLOW))).splitlines()
    ours, theirs = (line for line in lines if line.startswith(f"| {WORKLOADS[0].meaning}"))
    assert ours.endswith("| vod-origin | 3,000 | 16.0 | 1.00 | 4.00 | 0.50 | 333.3 |  |")
    assert theirs.endswith("| 1.50x |")
    assert "| index, 2 hours | 12.3 | 9 |" in lines
    assert "- wrk is not installed." in lines
    assert len({line.count("|") for line in lines if WORKLOADS[0].meaning in line}) == 1


def test_what_is_refused_or_bounded_is_said() -> None:
    disturbed = outcome(0, FAST, replace(SLOW, others=0.5))
    bound = outcome(1, replace(FAST, client=0.95), SLOW)
    text = table(results(disturbed, bound))
    assert "| not comparable |" in text
    assert "not compared with nginx, disturbed: 0 of 3 rounds were clean." in text
    assert "| ≥1.50x |" in text
    assert "the client was the limit, at 95% of its core; the server used 100% of its own." in text


def test_json_keeps_every_round(tmp_path: Path) -> None:
    write_json(results(outcome(0, FAST, SLOW)), tmp_path / "results.json")
    document = json.loads((tmp_path / "results.json").read_text())
    (macro,) = document["macro"]
    assert [len(server["rounds"]) for server in macro["servers"].values()] == [3, 3]
    assert macro["servers"]["nginx"]["rounds"][0]["requests_per_second"] == 2000
    assert macro["ratios"]["nginx"]["value"] == pytest.approx(1.5)
    assert document["micro"][0]["milliseconds"] == 12.345


def test_the_plot_is_svg_with_bars_to_scale() -> None:
    svg = ElementTree.fromstring(plot([outcome(0, FAST, SLOW), outcome(1, FAST, FAST)]))
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in svg.iter(f"{space}text")]
    assert {"vod-origin", "nginx", WORKLOADS[0].meaning, "3.0", "2.0", "16.0"} <= set(texts)
    widths = [float(r.attrib["width"]) for r in svg.iter(f"{space}rect")][3:]
    assert widths[0] / widths[1] == pytest.approx(1.5, rel=0.01)
    assert widths[2] == widths[3]


def test_only_what_is_between_the_markers_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        put_between_markers(page, "new\n")
        assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("none")
    with pytest.raises(ValueError, match="does not hold"):
        put_between_markers(page, "new\n")
