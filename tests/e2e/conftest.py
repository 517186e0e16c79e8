"""A real browser, a real origin, and a library with a sound title, a broken one and many more.

What the browser says on its console, an answer of 400 or more, or a request to any other host
fails the test in which it happened, unless that test takes it out of ``page_faults``.
"""

from __future__ import annotations

import os
import re
import shutil
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest
from playwright.sync_api import Browser, Page, Request, Response, expect, sync_playwright

from tests.e2e.films import ROOT, make_library
from tests.e2e.report import Report
from tests.e2e.watching import PATIENCE_SECONDS, Viewer

ARTEFACTS = ROOT / "build" / "artefacts"

CHROMIUM_FLAGS = (
    "--no-sandbox",
    "--disable-gpu",
    "--disable-quic",
    "--no-first-run",
    "--disable-background-networking",
    "--disable-component-update",
    "--disable-sync",
    "--autoplay-policy=no-user-gesture-required",
)

_REPORT = pytest.StashKey[Report]()

expect.set_options(timeout=20_000)  # browser, server and databases share a machine


def pytest_configure(config: pytest.Config) -> None:
    config.stash[_REPORT] = Report(ARTEFACTS)


def pytest_terminal_summary(
    terminalreporter: pytest.TerminalReporter, config: pytest.Config
) -> None:
    report = config.stash[_REPORT]
    if lines := report.lines():
        terminalreporter.section(f"players in Chromium (pictures in {ARTEFACTS.relative_to(ROOT)})")
        terminalreporter.write_line("\n".join(lines))
        (report.folder / "players.txt").write_text("\n".join([*lines, ""]), encoding="utf-8")


@pytest.fixture(scope="session")
def report(request: pytest.FixtureRequest) -> Report:
    report = request.config.stash[_REPORT]
    shutil.rmtree(report.folder, ignore_errors=True)
    report.folder.mkdir(parents=True)
    return report


@pytest.fixture(scope="session")
def library(tmp_path_factory: pytest.TempPathFactory) -> Path:
    folder = tmp_path_factory.mktemp("library") / "films"
    make_library(folder)
    return folder


@pytest.fixture(scope="session")
def origin(library: Path, report: Report) -> Iterator[str]:
    """The address of ``vod-origin serve`` over the library."""
    with served(library, report.folder / "origin.log") as address:
        yield address


@contextmanager
def served(library: Path | str, log: Path, *options: str, **settings: str) -> Iterator[str]:
    """The address of ``vod-origin serve``; ``settings``: environment variables."""
    command = [sys.executable, "-m", "cli.main", "serve", str(library), "--port", "0", *options]
    environment = {**os.environ, **settings}
    with log.open("wb") as output:
        server = subprocess.Popen(
            command, cwd=ROOT, env=environment, stdout=output, stderr=subprocess.STDOUT
        )
    try:
        yield _printed_address(server, log)
    finally:
        server.terminate()
        server.wait(PATIENCE_SECONDS)


def _printed_address(server: subprocess.Popen[bytes], log: Path) -> str:
    for _ in range(PATIENCE_SECONDS * 10):
        if found := re.search(r"http://127\.0\.0\.1:\d+/", log.read_text(encoding="utf-8")):
            return found[0]
        if server.poll() is not None:
            break
        time.sleep(0.1)
    pytest.fail(f"the origin did not start:\n{log.read_text(encoding='utf-8')}")


@pytest.fixture(scope="session")
def browser(tmp_path_factory: pytest.TempPathFactory) -> Iterator[Browser]:
    """Behind the server in the line for the processor: viewers' machines are other ones."""
    chromium = os.environ.get("VOD_CHROMIUM") or shutil.which("chromium")
    if chromium is None:
        pytest.fail(
            "Chromium is not installed. 'make install' installs it on Debian as root; elsewhere "
            "install it yourself, or name one in VOD_CHROMIUM."
        )
    yielding = tmp_path_factory.mktemp("browser") / "chromium"
    yielding.write_text(f'#!/bin/sh\nexec nice -n 10 "{chromium}" "$@"\n', encoding="utf-8")
    yielding.chmod(0o755)
    with sync_playwright() as playwright:
        browser = playwright.chromium.launch(executable_path=yielding, args=CHROMIUM_FLAGS)
        yield browser
        browser.close()


@pytest.fixture
def page_faults() -> list[str]:
    return []


@pytest.fixture
def page(browser: Browser, origin: str, page_faults: list[str]) -> Iterator[Page]:
    context = browser.new_context(viewport={"width": 1280, "height": 800}, locale="en-GB")
    yield watched(context.new_page(), origin, page_faults)
    context.close()
    assert page_faults == []


def watched(page: Page, origin: str, page_faults: list[str]) -> Page:
    """The page; what goes wrong in it is added to ``page_faults``."""

    def on_request(request: Request) -> None:
        if not request.url.startswith((origin, f"blob:{origin}", "data:")):
            page_faults.append(f"asked another host: {request.url}")

    def on_response(response: Response) -> None:
        if response.status >= 400:
            page_faults.append(f"{response.status} {response.url}")

    page.on("request", on_request)
    page.on("response", on_response)
    page.on("pageerror", lambda error: page_faults.append(f"uncaught: {error}"))
    page.on(
        "console",
        lambda message: (
            page_faults.append(f"console: {message.text}")
            if message.type in ("error", "warning")
            else None
        ),
    )
    return page


@pytest.fixture
def viewer(page: Page, origin: str) -> Viewer:
    return Viewer(page, origin)
