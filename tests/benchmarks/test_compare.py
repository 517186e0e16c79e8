from __future__ import annotations

import copy
import json
from pathlib import Path
from typing import Any

import pytest

from benchmarks.compare import Change, Measure, Verdict, changes, main, measures
from benchmarks.report import FORMAT


def rounds(*rates: float, disturbed: bool = False) -> list[dict[str, Any]]:
    return [
        {"requests_per_second": rate, "p99": 0.004, "server": 1.0, "disturbed": disturbed}
        for rate in rates
    ]


def served(*rates: float) -> dict[str, Any]:
    return {
        "summary": {"server": 1.0},
        "trouble": None,
        "client_bound": False,
        "rounds": rounds(*rates),
    }


def document(ours: dict[str, Any], nginx: dict[str, Any], milliseconds: float) -> dict[str, Any]:
    figure = {"part": "index", "row": "2 h", "column": "one track", "unit": "ms"}
    return {
        "format": FORMAT,
        "machine": {"processor": "x", "cores": "2", "kernel": "6.1"},
        "macro": [{"name": "hd", "servers": {"vod-origin": ours, "nginx": nginx}}],
        "figures": [figure | {"value": milliseconds, "spread": 0.02}],
    }


STEADY = served(1000, 1010, 990)
OLD = document(STEADY, STEADY, 10.0)


def compared(tmp_path: Path, old: object, new: object, *options: str) -> int:
    for name, content in (("old", old), ("new", new)):
        (tmp_path / name).write_text(json.dumps(content))
    return main([str(tmp_path / "old"), str(tmp_path / "new"), *options])


def verdicts(old: dict[str, Any], new: dict[str, Any]) -> dict[str, Verdict]:
    return {change.name: change.verdict for change in changes(old, new)}


def test_nothing_is_worse_where_nothing_changed(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(tmp_path, OLD, OLD) == 0
    lines = capsys.readouterr().out.splitlines()
    assert [line.split()[-1] for line in lines[1:]] == ["same"] * 3 + ["yardstick"] * 3 + ["same"]


def test_what_got_slower_is_flagged(tmp_path: Path, capsys: pytest.CaptureFixture[str]) -> None:
    new = document(served(800, 810, 790), STEADY, 12.0)
    assert compared(tmp_path, OLD, new) == 1
    lines = capsys.readouterr().out.splitlines()
    (rate,) = (line for line in lines if line.startswith("hd, vod-origin "))
    assert rate.split()[2:] == ["1,000", "800", "req/s", "-20%", "WORSE"]
    assert verdicts(OLD, new) == {
        "hd, vod-origin": Verdict.WORSE,
        "hd, vod-origin, p99": Verdict.SAME,
        "hd, vod-origin, CPU": Verdict.WORSE,
        "hd, nginx": Verdict.YARDSTICK,
        "hd, nginx, p99": Verdict.YARDSTICK,
        "hd, nginx, CPU": Verdict.YARDSTICK,
        "index: 2 h, one track": Verdict.WORSE,
    }


def test_what_got_faster_is_no_reason_to_fail(tmp_path: Path) -> None:
    new = document(served(1500, 1510, 1490), STEADY, 5.0)
    assert compared(tmp_path, OLD, new) == 0
    found = verdicts(OLD, new)
    assert found["hd, vod-origin"] is found["index: 2 h, one track"] is Verdict.BETTER


@pytest.mark.parametrize(
    ("old", "new", "more_is_better", "verdict"),
    [
        ((100, 0.0), (91, 0.0), True, Verdict.SAME),
        ((100, 0.0), (89, 0.0), True, Verdict.WORSE),
        ((100, 0.0), (89, 0.0), False, Verdict.BETTER),
        ((100, 0.0), (111, 0.0), False, Verdict.WORSE),
        ((100, 0.15), (85, 0.15), True, Verdict.SAME),
        ((100, 0.15), (75, 0.15), True, Verdict.WORSE),
        ((100, 0.0), (75, 0.3), True, Verdict.SAME),
        ((0, 0.0), (75, 0.0), True, Verdict.UNSURE),
    ],
)
def test_a_change_counts_beyond_the_floor_and_both_spreads(
    old: tuple[float, float], new: tuple[float, float], more_is_better: bool, verdict: Verdict
) -> None:
    before, now = (
        Measure("x", value, "ms", spread, more_is_better=more_is_better)
        for value, spread in (old, new)
    )
    assert Change("x", before, now).verdict is verdict


def test_figures_that_are_not_to_be_relied_on_fail_nothing() -> None:
    slow = served(500, 510, 490)
    for trouble in ({"trouble": "disturbed: 1 of 9 rounds were clean"}, {"client_bound": True}):
        new = document(slow | trouble, STEADY, 10.0)
        assert verdicts(OLD, new)["hd, vod-origin"] is Verdict.UNSURE
    # What the client held back is still told by the CPU that it took.
    assert verdicts(OLD, new)["hd, vod-origin, CPU"] is Verdict.WORSE


def test_disturbed_rounds_count_for_nothing() -> None:
    mixed = served(1000, 1010, 990)
    mixed["rounds"] += rounds(1, 2, 3, 4, disturbed=True)
    assert measures(document(mixed, STEADY, 10.0)).__next__().value == 1000


def test_what_is_only_in_one_is_told() -> None:
    new = copy.deepcopy(OLD)
    new["macro"][0]["name"] = "mix"
    found = verdicts(OLD, new)
    assert found["mix, vod-origin"] is Verdict.NEW
    assert found["hd, vod-origin"] is Verdict.GONE


def test_a_yardstick_that_changed_is_said(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert compared(tmp_path, OLD, document(STEADY, served(700, 710, 690), 10.0)) == 0
    assert "so may the machine have" in capsys.readouterr().out


def test_a_peer_has_no_cpu_and_fails_nothing() -> None:
    def with_peer(rate: float) -> dict[str, Any]:
        run = document(STEADY, STEADY, 10.0)
        peer = served(rate, rate, rate) | {"summary": {"server": None}}
        for item in peer["rounds"]:
            item["server"] = None
        run["macro"][0]["servers"]["127.0.0.1:9000"] = peer
        return run

    found = verdicts(with_peer(1000), with_peer(100))
    assert found["hd, 127.0.0.1:9000"] is Verdict.YARDSTICK
    assert "hd, 127.0.0.1:9000, CPU" not in found
    assert Verdict.WORSE not in found.values()


def test_another_machine_is_refused_unless_forced(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    new = OLD | {"machine": OLD["machine"] | {"cores": "64", "kernel": "7.0"}}
    assert compared(tmp_path, OLD, new) == 2
    assert "another cores: 2, now 64" in capsys.readouterr().err
    assert compared(tmp_path, OLD, new, "--force") == 0


@pytest.mark.parametrize("content", [{"format": 1}, [], "x", OLD | {"format": FORMAT + 1}])
def test_another_format_is_refused_even_then(content: object, tmp_path: Path) -> None:
    assert compared(tmp_path, OLD, content, "--force") == 2


def test_a_file_that_is_not_there_is_named(
    tmp_path: Path, capsys: pytest.CaptureFixture[str]
) -> None:
    assert main([str(tmp_path / "no"), str(tmp_path / "no")]) == 2
    assert str(tmp_path / "no") in capsys.readouterr().err
