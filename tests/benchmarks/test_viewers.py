"""Thousands of viewers: what nginx is given, what is read of a run, and what is written of it."""

from __future__ import annotations

import json
from dataclasses import replace
from pathlib import Path
from urllib.parse import urlsplit

import pytest

from benchmarks.library import SD_SINGLE
from benchmarks.origins import Variant, vod_origin
from benchmarks.report import put_between_markers
from benchmarks.servers import Server
from benchmarks.targets import reading
from benchmarks.viewers.media import lay_out
from benchmarks.viewers.outcome import Outcome, read_outcome
from benchmarks.viewers.page import BEGIN, END, plot, table
from benchmarks.viewers.runs import COLD, PREMIERE, SMALL, STEADY, Load
from loadtest import dash, hls, results
from loadtest.figures import Figures
from loadtest.scenario import load
from loadtest.streams import resolve

BEGAN = 1_000_000
JOIN, SECONDS = 10, 30
SERVER = Server("vod-origin", "vod-origin 1", "127.0.0.1", 80, 1)


def outcome(folder: Path, *, lag: float = 0.001) -> Outcome:
    """A run whose server works more while viewers come than later."""
    seen = Figures()
    for second in range(SECONDS):
        seen.at = BEGAN + second
        seen.observe("startup", 0.1)
        seen.observe("lag", lag)
        seen.count("starts")
        seen.count("requests", 100)
        seen.count("bytes", 1_000_000)
        seen.count("play_seconds", 99.0)
        seen.count("rebuffer_seconds", 1.0)
        seen.gauge("viewers:one", 20)
        seen.gauge("viewers:two", 22)
        seen.gauge("cpu:one", 0.25)
        seen.gauge("cpu:two", 0.5)
        seen.gauge("server:cpu", 0.9 if second < JOIN else 0.3)
        seen.gauge("server:memory", 50e6)
    seen.counts["told_starts"] = SECONDS
    seen.counts["told_startup_seconds"] = SECONDS * 0.102  # type: ignore[assignment]
    scenario = load("steady")
    concluded = results.conclude("http://a", scenario, BEGAN, SECONDS, seen, scenario.thresholds)
    results.write(concluded, folder)
    return read_outcome("steady", "in real time", SERVER, folder, JOIN)


def test_rates_and_cpu_are_those_of_when_all_are_there(tmp_path: Path) -> None:
    found = outcome(tmp_path)
    assert found.viewers == 42
    assert found.traffic == pytest.approx(8e6)
    assert found.requests == pytest.approx(100)
    assert found.answer == pytest.approx(10_000)
    assert found.server_cpu == pytest.approx(0.3)
    assert found.load_cpu == pytest.approx(0.75)
    assert found.server_memory == 50e6
    assert found.rebuffer_ratio == pytest.approx(0.01)
    assert found.startup_gap == pytest.approx(0.002)
    assert not found.met  # 1 % of waiting is more than the scenario allows
    assert not found.limits


def test_the_table_has_a_line_a_server_and_says_where_the_load_was_the_limit(
    tmp_path: Path,
) -> None:
    ours = outcome(tmp_path)
    theirs = replace(outcome(tmp_path, lag=0.5), server="nginx", server_cpu=None, startup_gap=None)
    text = table([ours, theirs], {"cores": "2"}, Load(42, 0.5, 1))
    rows = [line for line in text.splitlines() if line.startswith("| in real time")]
    assert len({line.count("|") for line in text.splitlines() if line.startswith("|")}) == 1
    assert [row.split(" | ")[1] for row in rows] == ["vod-origin", "nginx"]
    assert " | 1.000% | " in rows[0]
    assert "the load" not in rows[0]
    assert rows[1].endswith("| the load |")
    assert "nginx: the load was the limit, timers of the load ran" in text
    drawn = plot([ours, theirs])
    assert "(the load was the limit)" in drawn
    assert drawn.count("in real time") == 4


def test_only_what_is_between_its_own_markers_is_replaced(tmp_path: Path) -> None:
    page = tmp_path / "page.md"
    page.write_text(f"a\n<!-- results begin -->\nb\n{BEGIN}\nold\n{END}\nc\n", encoding="utf-8")
    put_between_markers(page, "new\n", BEGIN, END)
    expected = f"a\n<!-- results begin -->\nb\n{BEGIN}\nnew\n{END}\nc\n"
    assert page.read_text(encoding="utf-8") == expected


def test_a_short_run_is_short_in_all_its_parts() -> None:
    short, whole = Load(200, 0.5, 1), Load(10_000, 5, 1)
    assert [short.seconds(run) for run in (STEADY, PREMIERE, COLD)] == [(30, 30)] * 3
    assert [whole.seconds(run) for run in (STEADY, SMALL)] == [(240, 300)] * 2
    assert [whole.seconds(run) for run in (PREMIERE, COLD)] == [(60, 60)] * 2
    assert (whole.viewers_of(PREMIERE), whole.viewers_of(COLD)) == (10_000, 500)


def test_nginx_has_every_object_that_viewers_ask_for(library: Path, tmp_path: Path) -> None:
    films, static = tmp_path / "films", tmp_path / "static"
    films.mkdir()
    (films / "film.mp4").hardlink_to(library / SD_SINGLE.file)
    with vod_origin(films, tmp_path, Variant(token=False)) as server:
        lay_out(server, static, lambda message: None)
        with reading(server) as reader:
            (title,) = json.loads((static / "api" / "library").read_bytes())["titles"]
            for url in (title["hls"], title["dash"]):
                for path in _asked(static, urlsplit(url).path):
                    assert (static / path.lstrip("/")).read_bytes() == reader.get(path)


def _asked(static: Path, manifest: str) -> list[str]:
    """By one who reads the files: manifests, inits, and some segments."""
    document = (static / manifest.lstrip("/")).read_bytes()
    parse = dash.parse_mpd if manifest.endswith(".mpd") else hls.parse_multivariant
    found = [manifest]
    for rung in (presentation := parse(document)).main + presentation.sound:
        base = manifest if rung.media else resolve(manifest, rung.playlist)
        media = rung.media or hls.parse_media((static / base.lstrip("/")).read_bytes())
        assert media.init is not None
        pieces = (media.init, *media.segments[:3], media.segments[-1])
        found += [base, *(resolve(base, piece.uri) for piece in pieces)]
    return found
