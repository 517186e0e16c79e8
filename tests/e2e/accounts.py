"""People with accounts, and what they do on the page."""

from __future__ import annotations

import re
import secrets
from dataclasses import dataclass

from playwright.sync_api import Browser, BrowserContext, Page, expect

from tests.e2e.conftest import watched
from tests.e2e.watching import Viewer

PASSWORD = "a boat on the evening sea"
EXPECTED = re.compile(r"401|503")
"""Faults of pages that do well: one asks whether somebody is signed in; and what a busy machine has
no time for is asked again. Whoever waits for that in vain fails."""


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    password: str = PASSWORD


def somebody() -> Person:
    return Person(f"{secrets.token_hex(6)}@example.com")


class Device:
    """A browser of its own, with a page in it."""

    def __init__(self, browser: Browser, origin: str, locale: str = "en-GB") -> None:
        self.context: BrowserContext = browser.new_context(
            viewport={"width": 1280, "height": 800}, locale=locale
        )
        self.faults: list[str] = []
        self.page: Page = watched(self.context.new_page(), origin, self.faults)
        self.viewer = Viewer(self.page, origin)
        self._origin = origin

    def open(self, hash_: str = "#/") -> None:
        self.page.goto(f"{self._origin}{hash_}")

    def sign_up(self, person: Person) -> None:
        self.open()
        self.page.get_by_role("link", name="Create an account").click()
        self.page.get_by_label("Your name").fill("Ana")
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Create an account").click()
        expect(self.page.get_by_role("navigation")).to_be_visible()

    def sign_in(self, person: Person) -> None:
        self.open()
        self.page.get_by_label("E-mail").fill(person.email)
        self.page.get_by_label("Password").fill(person.password)
        self.page.get_by_role("button", name="Sign in").click()

    def watch(self, title: str) -> None:
        """Until pictures come."""
        self.open(f"#/watch/{title}")
        self.page.locator(".stage").wait_for()
        self.until_playing()

    def until_playing(self) -> None:
        self.viewer.until(
            "the first frame",
            lambda: (self.viewer.probe() or {}).get("startupMs") is not None,
        )

    def forgive(self, *signs: str) -> None:
        """Leave out the faults that a test has brought about."""
        self.faults[:] = [
            fault
            for fault in self.faults
            if not EXPECTED.search(fault) and not any(sign in fault for sign in signs)
        ]

    def close(self) -> None:
        self.context.close()
        self.forgive()
        assert not self.faults, self.faults
