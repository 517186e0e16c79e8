from __future__ import annotations

import json
from collections.abc import Sequence
from dataclasses import replace
from pathlib import Path
from xml.etree import ElementTree

import pytest

from benchmarks.crowds import MEMORY
from benchmarks.effort import QUICK
from benchmarks.figures import figure
from benchmarks.findings import Findings, Outcome
from benchmarks.micro import LENGTH
from benchmarks.plot import plot
from benchmarks.report import (
    BEGIN,
    END,
    Results,
    number,
    put_between_markers,
    tables,
    write_json,
)
from benchmarks.rounds import Target
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
FIGURES = (
    figure(LENGTH, "1 h", "one track", "ms", [12.345, 12.345, 12.345]),
    figure(LENGTH, "1 h", "interleaved", "ms", [20.0, 40.0, 60.0]),
    figure(LENGTH, "2 h", "interleaved", "ms", [123.4]),
    figure(MEMORY, "idle", "vod-origin", "KB", [2.0]),
    figure(MEMORY, "idle", "nginx", "KB", [-0.1]),
)


def outcome(number: int, ours: Round, theirs: Round, nbytes: int = 9000) -> Outcome:
    target = Target(WORKLOADS[number], ("/v/x",), nbytes)
    return Outcome(target, {"vod-origin": [ours] * 3, "nginx": [theirs] * 3})


def results(*outcomes: Outcome, **more: Sequence[str]) -> Results:
    notes = ["wrk is not installed."]
    found = Findings(outcomes, FIGURES, notes, ["vod-origin 1", "nginx 2"], **more)
    return Results({"kernel": "6.1"}, QUICK, found, 90.0)


def test_the_table_has_a_line_a_server_with_its_ratio() -> None:
    lines = tables(results(outcome(0, FAST, SLOW))).splitlines()
    ours, theirs = (line for line in lines if line.startswith(f"| {WORKLOADS[0].meaning}"))
    assert lines[0] == "Measured on: kernel 6.1, vod-origin 1, nginx 2, in 1.5 minutes."
    assert ours.endswith("| vod-origin | 3,000 | 16.0 | 1.00 | 4.00 | 0.50 | 333.3 |  |")
    assert theirs.endswith("| 1.50x |")
    assert "- wrk is not installed." in lines
    assert len({line.count("|") for line in (ours, theirs)}) == 1


def test_figures_of_a_part_are_a_table() -> None:
    lines = tables(results()).splitlines()
    start = lines.index(f"| {LENGTH} | one track, ms | interleaved, ms |")
    assert lines[start + 1 : start + 4] == [
        "|---|--:|--:|",
        "| 1 h | 12.3 | 40 |",
        "| 2 h |  | 123 |",
    ]
    assert f"- {LENGTH}, 1 h, interleaved: unsteady: half of the 3 runs are 50% apart." in lines


def test_a_server_of_somebody_else_has_empty_cells() -> None:
    text = tables(results(outcome(0, FAST, replace(SLOW, server=None))))
    assert "| 4.00 |  |  | 1.50x |" in text


def test_what_is_refused_or_bounded_is_said() -> None:
    disturbed = outcome(0, FAST, replace(SLOW, others=0.5))
    bound = outcome(1, replace(FAST, client=0.95), SLOW)
    squeezed = outcome(2, replace(FAST, squeezed=True), SLOW)
    other = replace(outcome(3, FAST, SLOW), different={"nginx": "other bytes"})
    text = tables(results(disturbed, bound, squeezed, other))
    assert "| not comparable |" in text
    assert "not compared with nginx, disturbed: 0 of 3 rounds were clean." in text
    assert "| ≥1.50x |" in text
    assert "the client was the limit, at 95% of its core; the server used 100% of its own." in text
    assert "the client had no core of its own" in text
    assert f"{WORKLOADS[3].meaning}: not compared with nginx, other bytes." in text


def test_what_failed_is_said_first() -> None:
    lines = tables(results(failures=["hd: not a 200"])).splitlines()
    assert next(line for line in lines if line.startswith("- ")) == "- FAILED: hd: not a 200"


def test_json_keeps_every_round(tmp_path: Path) -> None:
    write_json(results(outcome(0, FAST, SLOW)), tmp_path / "results.json")
    document = json.loads((tmp_path / "results.json").read_text())
    (macro,) = document["macro"]
    assert [len(server["rounds"]) for server in macro["servers"].values()] == [3, 3]
    assert macro["servers"]["nginx"]["rounds"][0]["requests_per_second"] == 2000
    assert macro["ratios"]["nginx"]["value"] == pytest.approx(1.5)
    assert document["figures"][0]["value"] == 12.345
    assert document["seconds"] == 90


@pytest.mark.parametrize(
    ("value", "text"),
    [(12345.6, "12,346"), (100.4, "100"), (99.96, "100"), (5.0, "5"), (0.01234, "0.0123")],
)
def test_three_digits_count(value: float, text: str) -> None:
    assert number(value) == text


def bars(svg: str) -> tuple[list[str | None], list[float]]:
    """Texts, and the widths of all bars."""
    root = ElementTree.fromstring(svg)
    space = "{http://www.w3.org/2000/svg}"
    texts = [element.text for element in root.iter(f"{space}text")]
    return texts, [float(r.attrib["width"]) for r in root.iter(f"{space}rect")]


def test_the_plot_is_svg_with_bars_to_scale() -> None:
    found = Findings([outcome(0, FAST, SLOW), outcome(1, FAST, FAST, 600_000)])
    texts, widths = bars(plot(found))
    assert {"vod-origin", "nginx", WORKLOADS[0].meaning, "3.0", "2.0", "16.0"} <= set(texts)
    assert widths[3] / widths[4] == pytest.approx(1.5, rel=0.01)
    assert widths[5] == widths[6]


def test_the_plot_has_the_other_parts_too() -> None:
    texts, widths = bars(plot(Findings(figures=FIGURES)))
    assert {"idle", "2", "12.3, one track", "123, interleaved"} <= set(texts)
    assert "Gbit/s on one core" not in texts
    assert min(widths) > 0


def test_only_what_is_between_the_markers_changes(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"before\n{BEGIN}\nold\n{END}\nafter\n")
    for _ in range(2):
        put_between_markers(page, "new\n")
        assert page.read_text() == f"before\n{BEGIN}\nnew\n{END}\nafter\n"
    page.write_text("none")
    with pytest.raises(ValueError, match="does not hold"):
        put_between_markers(page, "new\n")
