"""The page around the player: the library, the keyboard, small screens, what cannot play."""

from __future__ import annotations

import re
from pathlib import Path

from playwright.sync_api import Browser, Page, ViewportSize, expect

from tests.e2e.combinations import LIBRARIES
from tests.e2e.conftest import served, watched
from tests.e2e.films import SHORTS, TITLES
from tests.e2e.report import Report
from tests.e2e.watching import Viewer, hold_line
from tests.support.web_server import files_over_http

PHONE = ViewportSize(width=390, height=844)
HLSJS = LIBRARIES[0]


def test_library_lists_every_title(page: Page, origin: str, report: Report) -> None:
    page.goto(origin)
    expect(page.get_by_role("link", name="City lights")).to_be_visible()
    page.screenshot(path=report.picture("library"))
    expect(page.get_by_role("link", name=re.compile("^Short"))).not_to_have_count(SHORTS)
    page.locator(".card").last.scroll_into_view_if_needed()
    expect(page.get_by_role("status")).to_have_text(f"{TITLES} titles")
    expect(page.get_by_role("link", name=re.compile("^Short"))).to_have_count(SHORTS)


def test_filter_finds_titles_that_are_not_on_the_first_page(page: Page, origin: str) -> None:
    page.goto(origin)
    page.get_by_label("Filter titles").fill("SHORT 29")
    expect(page.locator(".card:visible")).to_have_count(1)
    expect(page.get_by_role("status")).to_have_text("1 title")
    page.reload()
    expect(page.get_by_label("Filter titles")).to_have_value("SHORT 29")
    expect(page.locator(".card:visible")).to_have_count(1)
    page.get_by_label("Filter titles").fill("no such film")
    expect(page.get_by_text("No title matches “no such film”")).to_be_visible()


def test_a_card_plays_its_title_and_back_returns(page: Page, viewer: Viewer, origin: str) -> None:
    page.goto(origin)
    page.get_by_role("link", name="Lighthouse").click()
    expect(page.get_by_role("heading", name="Lighthouse")).to_be_visible()
    viewer.until("the first frame", lambda: viewer.probe()["startupMs"] is not None)
    page.go_back()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    assert page.evaluate("window.vodPlayer") is None


def test_only_the_chosen_player_is_loaded(page: Page, viewer: Viewer) -> None:
    scripts: list[str] = []
    page.on("request", lambda request: scripts.append(request.url.rsplit("/", 1)[-1]))
    viewer.open("city-lights", HLSJS)
    loaded = {name.split("-")[0] for name in scripts if name.endswith(".js")}
    assert loaded == {"index", "hlsjs"}


def test_a_broken_title_says_what_is_wrong_and_what_to_do(
    page: Page, viewer: Viewer, origin: str, report: Report
) -> None:
    page.goto(origin)
    card = page.get_by_role("link", name=re.compile("Broken upload"))
    expect(card).to_contain_text("Cannot play")
    card.click()
    alert = page.get_by_role("alert")
    expect(alert).to_contain_text("This title cannot be played")
    expect(alert).to_contain_text("passes the end of the file")
    expect(alert).to_contain_text("vod-origin check")
    assert viewer.probe()["state"] == "failed"
    page.screenshot(path=report.picture("broken-title"))


def test_an_unknown_title_leads_back_to_the_library(
    page: Page, origin: str, page_faults: list[str]
) -> None:
    page.goto(f"{origin}#/title/nobody?autoplay=1")
    expect(page.get_by_role("alert")).to_contain_text("nobody")
    page.get_by_role("link", name="Go to the library").click()
    expect(page.get_by_role("heading", name="Library")).to_be_visible()
    assert page_faults.pop(0) == f"404 {origin}api/library/nobody"
    assert "404" in page_faults.pop(0)  # the console says the same


def test_a_server_that_is_gone_is_said(page: Page, origin: str, page_faults: list[str]) -> None:
    page.route("**/api/library*", lambda route: route.abort())
    page.goto(origin)
    expect(page.get_by_text("The server does not answer")).to_be_visible()
    page.unroute("**/api/library*")
    page.get_by_role("button", name="Try again").click()
    expect(page.get_by_role("link", name="City lights")).to_be_visible()
    page_faults[:] = [fault for fault in page_faults if "ERR_FAILED" not in fault]


def test_a_library_without_a_list_says_so_and_opens_titles_by_id(
    browser: Browser, library: Path, report: Report, page_faults: list[str]
) -> None:
    with (
        files_over_http(library) as files,
        served(files, report.folder / "http.log", VOD_HTTP_HOSTS="127.0.0.1") as origin,
        browser.new_context() as context,
    ):
        page = watched(context.new_page(), origin, page_faults)
        page.goto(origin)
        expect(page.get_by_role("heading", name="no list of its titles")).to_be_visible()
        page.screenshot(path=report.picture("unlisted-library"))
        page.get_by_label("Id of a title").fill("lighthouse")
        page.keyboard.press("Enter")
        viewer = Viewer(page, origin)
        page.locator(".stage").wait_for()
        viewer.until("the first frame", lambda: viewer.probe()["startupMs"] is not None)
    assert [fault for fault in page_faults if "404" not in fault] == []


def test_keyboard(page: Page, viewer: Viewer) -> None:
    viewer.open("city-lights", HLSJS)
    page.keyboard.press("Space")
    viewer.until("the first frame", lambda: viewer.probe()["startupMs"] is not None)
    page.keyboard.press("Space")
    viewer.until("a pause", lambda: viewer.probe()["state"] == "paused")
    before = viewer.probe()["currentTime"]
    page.keyboard.press("ArrowRight")
    viewer.until("5 s on", lambda: abs(viewer.probe()["currentTime"] - before - 5) < 0.01)
    page.keyboard.press("ArrowLeft")
    viewer.until("5 s back", lambda: abs(viewer.probe()["currentTime"] - before) < 0.01)
    page.keyboard.press("ArrowDown")
    assert viewer.video("volume") == 0.9
    page.keyboard.press("m")
    assert viewer.video("muted")
    page.keyboard.press("c")
    expect(viewer.option("Subtitles", "en")).to_have_attribute("aria-checked", "true")
    page.keyboard.press("f")
    viewer.until("full screen", lambda: bool(page.evaluate("!!document.fullscreenElement")))
    page.keyboard.press("f")
    viewer.until("the page", lambda: not page.evaluate("!!document.fullscreenElement"))


def test_menus_work_by_keyboard(page: Page, viewer: Viewer) -> None:
    viewer.open("city-lights", HLSJS)
    viewer.play()
    button = page.get_by_role("button", name="Quality", exact=True)
    button.focus()
    page.keyboard.press("Enter")
    expect(viewer.option("Quality", "auto")).to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(viewer.option("Quality", "180")).to_be_focused()
    page.keyboard.press("Enter")
    expect(button).to_be_focused()
    expect(viewer.option("Quality", "180")).to_have_attribute("aria-checked", "true")


def test_switching_the_player_goes_on_from_the_same_place(page: Page, viewer: Viewer) -> None:
    viewer.open("city-lights", HLSJS, autoplay="1", t="10")
    viewer.until_time(11)
    page.get_by_text("DASH", exact=True).click()
    expect(page).to_have_url(re.compile("format=dash"))
    expect(page.get_by_role("radio", name="Shaka Player")).to_be_checked()
    viewer.until("DASH", lambda: viewer.probe()["state"] == "playing")
    assert viewer.probe()["currentTime"] >= 10
    viewer.played_without_fault()


def test_sound_without_pictures_plays(page: Page, viewer: Viewer) -> None:
    viewer.open("music-box", HLSJS)
    viewer.play()
    viewer.watch_on(2)
    expect(page.get_by_role("button", name="Quality", exact=True)).to_be_hidden()
    viewer.played_without_fault()


def test_phone(page: Page, viewer: Viewer, origin: str, report: Report) -> None:
    page.set_viewport_size(PHONE)
    page.goto(origin)
    expect(page.get_by_role("link", name="City lights")).to_be_visible()
    assert _fits(page)
    page.screenshot(path=report.picture("phone-library"))
    viewer.open("city-lights", HLSJS)
    viewer.play()
    viewer.watch_on(2)
    assert _fits(page)
    expect(page.get_by_role("button", name="Full screen (f)")).to_be_in_viewport(ratio=1)
    page.screenshot(path=report.picture("phone-player"))


def test_hovering_a_card_fetches_the_player_ahead(page: Page, origin: str, viewer: Viewer) -> None:
    page.goto(origin)
    card = page.get_by_role("link", name="City lights")
    with page.expect_response(re.compile(r"/assets/hlsjs-.*\.js$")):
        card.hover()
    hold_line(page, 1_200_000, 40)
    card.click()
    viewer.until("the first frame", lambda: viewer.probe()["startupMs"] is not None)


def _fits(page: Page) -> bool:
    """No part of the page is wider than the screen."""
    return bool(page.evaluate("document.documentElement.scrollWidth <= innerWidth"))
