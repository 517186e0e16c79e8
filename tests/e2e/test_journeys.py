"""What people with accounts do, on a worker with tokens required, a real Valkey and a real
PostgreSQL."""

from __future__ import annotations

import json
import os
import re
import secrets
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator

import pytest
from axe_playwright_python.sync_playwright import Axe
from playwright.sync_api import Browser, Page, expect

from embedded.process import Server
from tests.e2e.accounts import PASSWORD, Device, Person, somebody
from tests.e2e.conftest import served
from tests.e2e.films import ROOT, sample
from tests.e2e.report import Report

DESKTOP, PHONE = {"width": 1280, "height": 800}, {"width": 360, "height": 740}

NewDevice = Callable[..., Device]


@pytest.fixture(scope="module")
def service(
    valkey: Server, postgres: Server, report: Report, tmp_path_factory: pytest.TempPathFactory
) -> Iterator[str]:
    """The address of a server with accounts over the sample library."""
    folder = tmp_path_factory.mktemp("accounts")
    library, keys = folder / "films", folder / "keys"
    shutil.copytree(sample(), library)
    told = library / "library.json"
    metadata = json.loads(told.read_text(encoding="utf-8"))
    metadata["titles"]["music-box"]["maturity"] = "16"
    told.write_text(json.dumps(metadata), encoding="utf-8")
    keys.write_text(f"1 {secrets.token_hex(32)}\n", encoding="ascii")
    settings = {
        "VOD_DATABASE_URL": postgres.url,
        "VOD_REDIS_URL": valkey.url,
        "VOD_TOKEN_KEY_FILE": str(keys),
    }
    for command in (["migrate"], ["catalogue", "import", str(library)]):
        _command(command, settings)
    log = report.folder / "accounts.log"
    with served(library, log, "--require-token", **settings) as address:
        yield address
    assert PASSWORD not in log.read_text(encoding="utf-8")


def _command(arguments: list[str], settings: dict[str, str]) -> None:
    subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        check=True,
        cwd=ROOT,
        env={**os.environ, **settings},
    )


@pytest.fixture
def device(browser: Browser, service: str) -> Iterator[NewDevice]:
    """Makes browsers; each must have been without a fault that its test did not expect."""
    made: list[Device] = []

    def make(locale: str = "en-GB") -> Device:
        made.append(Device(browser, service, locale))
        return made[-1]

    yield make
    for one in made:
        one.close()


@pytest.fixture(scope="module")
def ana(browser: Browser, service: str) -> Person:
    """Somebody who has an account already."""
    person = somebody()
    first = Device(browser, service)
    first.sign_up(person)
    first.close()
    return person


def test_sign_in_search_play_and_resume_after_a_reload(
    ana: Person, device: NewDevice, report: Report
) -> None:
    laptop = device()
    page = laptop.page
    laptop.sign_in(Person(ana.email, "not the password"))
    expect(page.get_by_role("alert")).to_contain_text("do not belong together")
    page.get_by_label("Password").fill(ana.password)
    page.get_by_role("button", name="Sign in").click()
    expect(page.get_by_role("region", name="New")).to_be_visible()
    page.wait_for_load_state("networkidle")
    page.screenshot(path=report.picture("journey-home"))

    page.get_by_role("combobox", name="Search").fill("city li")
    suggestion = page.get_by_role("option", name="City lights")
    expect(suggestion).to_be_visible()
    page.screenshot(path=report.picture("journey-search"))
    suggestion.click()
    expect(page.get_by_role("heading", name="City lights")).to_be_visible()
    expect(page.get_by_text("English, Spanish").first).to_be_visible()
    page.screenshot(path=report.picture("journey-title"))

    page.get_by_role("link", name="Play", exact=True).click()
    laptop.until_playing()
    laptop.viewer.seek(12)
    laptop.viewer.until_time(13)
    page.reload()
    laptop.until_playing()
    assert 12 <= laptop.viewer.probe()["currentTime"] < 20
    page.screenshot(path=report.picture("journey-watch"))

    page.goto(page.url.split("#")[0])
    shelf = page.get_by_role("region", name="Continue watching")
    expect(shelf.get_by_role("link", name="City lights")).to_contain_text("% watched")


def test_one_device_more_than_the_plan_allows_is_refused(device: NewDevice, report: Report) -> None:
    person = somebody()
    devices = [device(), device(), device()]
    devices[0].sign_up(person)
    for other in devices[1:]:
        other.sign_in(person)
        expect(other.page.get_by_role("navigation")).to_be_visible()
    devices[0].watch("city-lights")
    devices[1].watch("lighthouse")
    third = devices[2].page
    devices[2].open("#/watch/music-box")
    dialog = third.get_by_role("dialog", name="Too many devices are watching")
    expect(dialog).to_contain_text("City lights")
    expect(dialog).to_contain_text("Lighthouse")
    expect(dialog).to_contain_text("Chrome · Linux")
    third.screenshot(path=report.picture("journey-too-many-devices"))

    devices[0].open("#/")  # gives its place back
    expect(devices[0].page.get_by_role("region", name="New")).to_be_visible()
    dialog.get_by_role("button", name="Try again").click()
    devices[2].until_playing()
    devices[2].forgive("409")


def test_a_stream_that_is_revoked_stops_and_says_so(
    ana: Person, device: NewDevice, report: Report, valkey: Server
) -> None:
    laptop = device()
    laptop.sign_in(ana)
    expect(laptop.page.get_by_role("navigation")).to_be_visible()
    laptop.watch("lighthouse")
    session = laptop.page.evaluate("sessionStorage.getItem('vod.session')")
    _command(["revoke", session], {"VOD_REDIS_URL": valkey.url})
    laptop.page.get_by_role("button", name="Pause (space)").click()
    dialog = laptop.page.get_by_role("dialog", name="Playback was stopped")
    expect(dialog).to_contain_text("It was ended from elsewhere")
    laptop.page.screenshot(path=report.picture("journey-stopped"))
    dialog.get_by_role("button", name="Continue watching").click()
    laptop.until_playing()
    laptop.forgive("410", "403")


def test_episodes_follow_each_other(ana: Person, device: NewDevice, report: Report) -> None:
    laptop = device()
    laptop.sign_in(ana)
    page = laptop.page
    expect(page.get_by_role("region", name="New")).to_be_visible()
    page.get_by_role("navigation").get_by_role("link", name="Series", exact=True).click()
    expect(page.get_by_role("heading", name="Series", level=1)).to_be_visible()
    page.get_by_role("link", name="Small hours").click()
    expect(page.get_by_role("heading", name="Season 1")).to_be_visible()
    page.screenshot(path=report.picture("journey-series"), full_page=True)
    page.get_by_role("link", name="The night train").click()
    laptop.until_playing()
    laptop.viewer.seek(laptop.viewer.probe()["duration"] - 0.5)
    onward = page.get_by_role("link", name="Play the next episode")
    expect(onward).to_be_focused()
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="The keeper")).to_be_visible()
    laptop.until_playing()


def test_a_list_of_ones_own(device: NewDevice) -> None:
    laptop = device()
    laptop.sign_up(somebody())
    page = laptop.page
    laptop.open("#/title/lighthouse")
    page.get_by_role("button", name="My list").click()
    expect(page.get_by_role("button", name="My list", pressed=True)).to_be_visible()
    expect(page.get_by_text("Lighthouse is in your list.")).to_be_attached()
    page.get_by_role("link", name="My list").click()
    expect(page.get_by_role("list").get_by_role("link", name="Lighthouse")).to_be_visible()


def test_profiles_have_a_name_a_language_and_places_of_their_own(
    device: NewDevice, report: Report
) -> None:
    laptop = device()
    laptop.sign_up(somebody())
    page = laptop.page
    page.get_by_role("button", name="Profile: Ana").click()
    page.get_by_role("link", name="Manage profiles").click()
    page.get_by_role("link", name="Add a profile").click()
    page.get_by_label("Name").fill("Luis")
    page.get_by_role("radio", name="Colour 2").check(force=True)
    page.get_by_role("combobox", name="Language").select_option("es")
    page.get_by_role("button", name="Save").click()
    page.screenshot(path=report.picture("journey-profiles"))
    page.get_by_role("button", name="Luis").click()
    expect(page.get_by_role("region", name="Novedades")).to_be_visible()
    expect(page.locator("html")).to_have_attribute("lang", "es")
    page.reload()
    expect(page.get_by_role("button", name="Perfil: Luis")).to_be_visible()

    laptop.open("#/profiles")
    page.get_by_role("button", name="Gestionar perfiles").click()
    page.get_by_role("link", name="Editar Luis").click()
    page.get_by_role("button", name="Eliminar este perfil").click()
    page.get_by_role("dialog").get_by_role("button", name="Eliminar este perfil").click()
    expect(page.get_by_role("button", name="Luis")).to_have_count(0)


def test_children_find_only_what_is_for_them(device: NewDevice) -> None:
    laptop = device()
    laptop.sign_up(somebody())
    page = laptop.page
    laptop.open("#/browse?kind=movie")
    expect(page.get_by_role("heading", name="Movies")).to_be_visible()
    expect(page.get_by_role("link", name="Music box")).to_be_visible()
    laptop.open("#/profiles/new")
    page.get_by_label("Name").fill("Leo")
    page.get_by_role("checkbox", name="For children").check(force=True)
    page.get_by_role("button", name="Save").click()
    page.get_by_role("button", name="Leo").click()
    expect(page.get_by_role("region", name="New")).to_be_visible()
    laptop.open("#/browse?kind=movie")
    expect(page.get_by_role("heading", name="Movies")).to_be_visible()
    expect(page.get_by_role("link", name="Lighthouse")).to_be_visible()
    expect(page.get_by_role("link", name="Music box")).to_have_count(0)
    laptop.open("#/search?q=music")
    expect(page.get_by_role("heading", name="Results for “music”")).to_be_visible()
    expect(page.get_by_role("link", name="Music box")).to_have_count(0)


def test_the_language_is_the_browsers_until_it_is_switched(
    device: NewDevice, report: Report
) -> None:
    laptop = device("es-MX")
    page = laptop.page
    laptop.open()
    expect(page.get_by_role("heading", name="Iniciar sesión")).to_be_visible()
    page.get_by_role("button", name="English").click()
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    laptop.sign_up(somebody())
    page.get_by_role("button", name="Profile: Ana").click()
    page.get_by_role("button", name="Español").click()
    expect(page.get_by_role("region", name="Novedades")).to_be_visible()
    expect(page.get_by_role("link", name="El faro").first).to_be_visible()
    page.screenshot(path=report.picture("journey-spanish"))


def test_who_signs_out_is_out(ana: Person, device: NewDevice) -> None:
    laptop = device()
    laptop.sign_in(ana)
    page = laptop.page
    page.get_by_role("button", name="Profile: Ana").click()
    page.get_by_role("button", name="Sign out").click()
    expect(page.get_by_text("You have signed out.")).to_be_visible()
    laptop.open("#/title/city-lights")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    laptop.sign_in(ana)
    expect(page.get_by_role("navigation")).to_be_visible()


def test_a_link_waits_for_the_sign_in(ana: Person, device: NewDevice) -> None:
    laptop = device()
    laptop.open("#/title/lighthouse")
    page = laptop.page
    page.get_by_label("E-mail").fill(ana.email)
    page.get_by_label("Password").fill(ana.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("heading", name="Lighthouse")).to_be_visible()


def test_all_of_it_by_keyboard(ana: Person, device: NewDevice) -> None:
    laptop = device()
    page = laptop.page
    laptop.open()
    page.get_by_label("E-mail").focus()
    page.keyboard.type(ana.email)
    page.keyboard.press("Tab")
    page.keyboard.type(ana.password)
    page.keyboard.press("Enter")
    expect(page.get_by_role("region", name="New")).to_be_visible()
    expect(page.get_by_role("heading", level=1)).to_be_focused()

    shelf = page.get_by_role("region", name="New").get_by_role("link")
    shelf.first.focus()
    page.keyboard.press("ArrowRight")
    expect(shelf.nth(1)).to_be_focused()
    assert [link.get_attribute("tabindex") for link in shelf.all()].count("0") == 1
    page.keyboard.press("Home")
    expect(shelf.first).to_be_focused()
    page.keyboard.press("ArrowDown")
    expect(shelf.first).not_to_be_focused()
    page.keyboard.press("ArrowUp")
    expect(shelf.first).to_be_focused()

    page.get_by_role("combobox", name="Search").focus()
    page.keyboard.type("faro")  # nothing in English has that name
    page.keyboard.press("ControlOrMeta+a")
    page.keyboard.type("light")
    option = page.get_by_role("option", name="Lighthouse")
    expect(option).to_be_visible()
    for _ in range(4):
        if option.get_attribute("aria-selected") == "true":
            break
        page.keyboard.press("ArrowDown")
    page.keyboard.press("Enter")
    heading = page.get_by_role("heading", name="Lighthouse")
    expect(heading).to_be_focused()
    page.keyboard.press("Tab")
    expect(page.get_by_role("link", name=re.compile("Play|Resume"))).to_be_focused()
    page.keyboard.press("Enter")
    laptop.until_playing()
    page.keyboard.press("Space")
    laptop.viewer.until("a pause", lambda: laptop.viewer.probe()["state"] == "paused")
    page.go_back()
    expect(page.get_by_role("link", name="Resume")).to_be_focused()


VIEWS = {
    "home": "#/",
    "title": "#/title/city-lights",
    "series": "#/title/small-hours",
    "search": "#/search?q=light",
    "browse": "#/browse?kind=series",
    "my-list": "#/my-list",
    "profiles": "#/profiles",
    "profile": "#/profiles/new",
    "account": "#/account",
    "watch": "#/watch/city-lights",
    "nothing": "#/title/nobody",
}


@pytest.mark.parametrize("size", [DESKTOP, PHONE], ids=["desktop", "phone"])
def test_every_view_fits_and_axe_finds_nothing_serious(
    ana: Person, device: NewDevice, report: Report, size: dict[str, int]
) -> None:
    laptop = device()
    page = laptop.page
    page.set_viewport_size({"width": size["width"], "height": size["height"]})
    page.emulate_media(reduced_motion="reduce")  # no colour half-way between two
    laptop.open("#/sign-up")
    expect(page.get_by_role("heading", name="Create an account")).to_be_visible()
    _sound(page, "sign-up")
    laptop.open("#/sign-in")
    expect(page.get_by_role("heading", name="Sign in")).to_be_visible()
    _sound(page, "sign-in")
    laptop.sign_in(ana)
    expect(page.get_by_role("navigation")).to_be_visible()
    for name, hash_ in VIEWS.items():
        laptop.open(hash_)
        expect(page.get_by_role("heading", level=1)).to_be_attached()
        page.wait_for_load_state("networkidle")
        _sound(page, name)
        page.screenshot(path=report.picture(f"view-{size['width']}-{name}"))
        if name == "watch":
            laptop.until_playing()
            bar = page.get_by_role("button", name="Full screen (f)")
            expect(bar).to_be_in_viewport(ratio=1)
    laptop.open("#/")
    page.get_by_role("button", name="Profile: Ana").click()
    _sound(page, "menu")
    page.get_by_role("combobox", name="Search").fill("light")
    expect(page.get_by_role("option").first).to_be_visible()
    page.keyboard.press("ArrowDown")
    _sound(page, "suggestions")
    laptop.forgive("404")


def _sound(page: Page, view: str) -> None:
    """Nothing to scroll to sideways, and nothing that axe calls serious or critical."""
    assert page.evaluate("document.documentElement.scrollWidth <= innerWidth"), view
    violations = Axe().run(page).response["violations"]
    grave = [
        (one["id"], [node["target"] for node in one["nodes"]])
        for one in violations
        if one["impact"] in ("serious", "critical")
    ]
    assert grave == [], view
