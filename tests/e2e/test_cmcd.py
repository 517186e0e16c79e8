"""What the page's players tell of a playback is what its viewer saw."""

from __future__ import annotations

import re
from collections.abc import Iterator
from pathlib import Path
from typing import Any
from urllib.request import urlopen

import orjson
import pytest
from playwright.sync_api import Browser, Page

from tests.e2e.combinations import EVERY, LIBRARIES, Combination
from tests.e2e.conftest import served, watched
from tests.e2e.report import Report
from tests.e2e.watching import Viewer

TITLE = "city-lights"
DIFFERENCE_MS = 50  # between what the server is told and what the page itself has measured


@pytest.fixture
def origin(library: Path, report: Report) -> Iterator[str]:
    """A server that nobody has told anything."""
    with served(library, report.folder / "cmcd.log", "--workers", "2") as address:
        yield address


@pytest.fixture
def page(browser: Browser, origin: str, page_faults: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield watched(context.new_page(), origin, page_faults)
    context.close()
    assert page_faults == []


def figures(origin: str) -> dict[str, Any]:
    with urlopen(f"{origin}api/qoe") as reply:
        found: dict[str, Any] = orjson.loads(reply.read())
    return found


def reports(origin: str, mode: str) -> int:
    """Those in this mode that were good."""
    with urlopen(f"{origin}metrics") as reply:
        page = reply.read().decode()
    wanted = rf'vod_cmcd_reports_total{{mode="{mode}",result="ok",version="\d"}} ([\d.]+)'
    return sum(int(float(found)) for found in re.findall(wanted, page))


@pytest.mark.parametrize("combination", EVERY, ids=str)
def test_the_server_learns_what_the_viewer_saw(
    origin: str, page: Page, combination: Combination, report: Report
) -> None:
    viewer = Viewer(page, origin)
    viewer.open(TITLE, combination)
    took = viewer.play()
    viewer.watch_on(3)
    viewer.until("the start to be told", lambda: figures(origin)["sessions"]["started"] == 1)
    startup = figures(origin)["startup"]["player"]
    assert startup["count"] == 1
    learnt = startup["mean"] * 1000
    report.note(combination, "start-up by CMCD", f"{learnt:.0f} ms")
    assert learnt == pytest.approx(took, abs=DIFFERENCE_MS)
    assert figures(origin)["sessions"]["active"] == 1
    page.goto(f"{origin}#/")
    viewer.until("the end to be told", lambda: figures(origin)["sessions"]["active"] == 0)
    found = figures(origin)
    assert found["rebuffer"]["play_seconds"] > 2
    assert found["rebuffer"]["seconds"] == 0
    assert found["sessions"] == {
        "active": 0,
        "started": 1,
        "failed_start": 0,
        "left_before_start": 0,
        "unknown": 0,
    }
    assert found["reports"]["invalid"] == found["reports"]["dropped"] == 0
    assert reports(origin, "event") >= 3
    assert (reports(origin, "request") > 3) is (combination in LIBRARIES)


def test_the_page_of_figures_shows_them(origin: str, page: Page, report: Report) -> None:
    viewer = Viewer(page, origin)
    viewer.open(TITLE, LIBRARIES[0])
    viewer.play()
    figures_page = page.context.new_page()
    faults: list[str] = []
    watched(figures_page, origin, faults)
    figures_page.goto(f"{origin}qoe")
    figures_page.locator("#p50", has_text=re.compile(r"\d\.\d\d s")).wait_for()
    figures_page.locator("#active", has_text="1").wait_for()
    assert figures_page.locator("#started").text_content() == "1"
    figures_page.get_by_label("Last minute").check(force=True)
    figures_page.locator("#started", has_text="0").wait_for()  # it was before this page came
    figures_page.screenshot(path=report.picture("qoe"))
    assert faults == []
