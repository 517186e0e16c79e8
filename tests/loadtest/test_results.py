"""Results as files, as a page, as lines, and side by side."""

from __future__ import annotations

import io
import json
from dataclasses import replace
from html.parser import HTMLParser
from pathlib import Path

import pytest

from loadtest import live, report, results
from loadtest.compare import change, compare
from loadtest.errors import BadResults
from loadtest.figures import Figures
from loadtest.results import Results, conclude, generator_limits
from loadtest.thresholds import parse
from tests.loadtest.grounds import scenario

BEGAN = 1_000_000


def figures(startup: float = 0.1, cpu: float = 0.4) -> Figures:
    made = Figures()
    for second in range(10):
        made.at = BEGAN + second
        made.observe("startup", startup)
        made.observe("segment", 0.01)
        made.observe("lag", 0.001)
        made.count("starts")
        made.count("requests", 100)
        made.count("bytes", 1_000_000)
        made.count("play_seconds", 10.0)
        made.gauge("cpu:one", cpu)
        made.gauge("viewers:one", second)
        made.gauge("server:cpu", 0.3)
    return made


def run(seen: Figures, *thresholds: str) -> Results:
    asked = [parse(text) for text in thresholds]
    return conclude("http://a/<b>", scenario(), BEGAN, 10.0, seen, asked, ["a <note>"])


def test_results_come_back_from_their_file(tmp_path: Path) -> None:
    seen = figures()
    seen.fail("segment", "status", "503")
    before = run(seen, "startup.p99<1s", "failures.count==0")
    results.write(before, tmp_path)
    after = results.read(tmp_path)
    assert after.figures.as_json() == before.figures.as_json()
    assert replace(after, figures=before.figures) == before
    assert results.read(tmp_path / "results.json").headlines == before.headlines
    assert [verdict.met for verdict in after.verdicts] == [True, False]
    assert not after.met


@pytest.mark.parametrize(
    "text", ["", "{}", "[]", '{"version": 2}', '{"version": 1, "url": 3}', "\0"]
)
def test_what_holds_no_results_is_refused(text: str, tmp_path: Path) -> None:
    (tmp_path / "results.json").write_text(text, encoding="utf-8")
    with pytest.raises(BadResults, match=r"results\.json"):
        results.read(tmp_path)


def test_seconds_outside_the_run_do_not_count() -> None:
    seen = figures()
    seen.at = BEGAN - 5
    seen.count("requests")
    seen.at = BEGAN + 500
    seen.gauge("cpu:one", 1.0)
    concluded = run(seen)
    assert len(concluded.figures.seconds) == 10
    assert concluded.headlines["generator.cpu"] == 0.4


def test_a_load_without_time_left_says_so() -> None:
    assert generator_limits(figures(cpu=0.4)) == []
    (limit,) = generator_limits(figures(cpu=0.97))
    assert "one of the load used 97%" in limit
    late = figures()
    for _ in range(5):
        late.observe("lag", 0.5)
    (limit,) = generator_limits(late)
    assert "500 ms late" in limit
    assert any("THE LOAD WAS THE LIMIT" in line for line in report.lines(run(late)))


class Tags(HTMLParser):
    """Whether every element is closed, and no text opens one."""

    VOID = frozenset({"meta", "br", "path"})

    def __init__(self) -> None:
        super().__init__()
        self.open: list[str] = []
        self.count = 0

    def handle_starttag(self, tag: str, attrs: list[tuple[str, str | None]]) -> None:
        self.count += 1
        assert tag != "b" or self.open[-1] in ("div", "p")
        if tag not in self.VOID:
            self.open.append(tag)

    def handle_endtag(self, tag: str) -> None:
        if tag not in self.VOID:
            assert self.open.pop() == tag


def test_the_page_is_whole_and_says_what_was_wrong() -> None:
    seen = figures()
    seen.fail("segment", "boxes", "<script>alert(1)</script>")
    page = report.page(run(seen, "startup.p99<1ms", "starts.count>=1"))
    reader = Tags()
    reader.feed(page)
    assert reader.open == []
    assert "<script" not in page
    assert "&lt;script&gt;" in page
    assert "thresholds not met" in page
    assert "a &lt;note&gt;" in page
    for title in ("Viewers", "Start-up in each second", "CPU, cores", "Segments"):
        assert f">{title}<" in page
    assert "prefers-color-scheme:dark" in page


def test_a_run_of_nothing_has_a_page_too() -> None:
    page = report.page(run(Figures(), "startup.p99<1s"))
    assert "not met" in page
    assert "nan" not in page.lower().replace("nanum", "")


def test_lines_say_figures_and_verdicts() -> None:
    said = "\n".join(report.lines(run(figures(), "startup.p99<1s", "startup.p99<1ms")))
    assert "met    startup.p99<1s  (100 ms)" in said
    assert "FAILED startup.p99<1ms  (100 ms)" in said
    assert "viewers at most" in said


def test_what_became_better_and_what_worse() -> None:
    before = run(figures(0.1), "startup.p99<1s")
    after = run(figures(2.0), "startup.p99<1s")
    said = list(compare(before, after))
    (line,) = [line for line in said if line.startswith("start-up, p99")]
    assert line.split() == ["start-up,", "p99", "100", "ms", "2.00", "s", "20", "times", "worse"]
    assert "startup.p99<1s: NO LONGER MET" in said
    assert list(compare(before, before))[4:] != []
    assert not any("worse" in line or "better" in line for line in compare(before, before))


@pytest.mark.parametrize(
    ("name", "a", "b", "said"),
    [
        ("startup.p99", 1.0, 0.5, "-50% better"),
        ("startup.p99", 1.0, 1.5, "+50% worse"),
        ("startup.p99", 1.0, 1.02, ""),
        ("traffic.rate", 1.0, 1.5, "+50% better"),
        ("traffic.rate", 1.0, 0.5, "-50% worse"),
        ("failures.count", 0.0, 3.0, "from nothing worse"),
        ("failures.count", 3.0, 0.0, "-100% better"),
        ("starts.count", 10.0, 20.0, "+100%"),
        ("startup.p99", None, 1.0, ""),
    ],
)
def test_a_change(name: str, a: float | None, b: float | None, said: str) -> None:
    assert change(name, a, b) == said


def test_the_view_shows_how_it_goes() -> None:
    out = io.StringIO()
    view = live.View(out, scenario())
    seen = figures()
    line = {
        "elapsed": 5.0,
        "recent": seen.window(BEGAN, BEGAN + 10).as_json(),
        "seconds": 10,
        "gauges": {"viewers:a": 3, "viewers:b": 4, "cpu:a": 0.5},
        "starts": 10,
        "failures": 2,
        "failed_starts": 0,
        "startup": 0.1,
    }
    view.show(json.dumps(line).encode())
    view.show(b"no json")
    view.show(b"{}")
    assert "7 viewers" in out.getvalue()
    assert "2 failures" in out.getvalue()
    assert "start-up p99 100 ms" in out.getvalue()
