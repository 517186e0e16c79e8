"""One title on the page, driven and watched as a viewer would."""

from __future__ import annotations

from collections.abc import Callable
from typing import Any
from urllib.parse import quote, urlencode

import pytest
from playwright.sync_api import CDPSession, Locator, Page

from tests.e2e.combinations import Combination

PATIENCE_SECONDS = 30  # before a test is given up; not a measure of anything
_TICK_MS = 50


class Viewer:
    def __init__(self, page: Page, origin: str) -> None:
        self.page = page
        self._origin = origin

    def open(self, title: str, combination: Combination, **settings: str) -> None:
        """The page of a title, ready to play: the player's code is there, no media is."""
        query = urlencode({**combination._asdict(), "stats": "1", **settings})
        self.page.goto(f"{self._origin}#/title/{quote(title)}?{query}")
        self.page.locator(".stage").wait_for()
        self.page.wait_for_load_state("networkidle")

    def play(self) -> int:
        """Press Play; the milliseconds to the first frame."""
        self.page.locator(".big-play").click()
        self.until("the first frame", lambda: self.probe()["startupMs"] is not None)
        return int(self.probe()["startupMs"])

    def probe(self) -> dict[str, Any]:
        """``window.vodPlayer`` now."""
        state: dict[str, Any] = self.page.evaluate("({...window.vodPlayer})")
        return state

    def video(self, member: str) -> Any:
        return self.page.evaluate(f"document.querySelector('video').{member}")

    def until(
        self, what: str, condition: Callable[[], bool], seconds: float = PATIENCE_SECONDS
    ) -> None:
        for _ in range(int(seconds * 1000 / _TICK_MS)):
            if condition():
                return
            self.page.wait_for_timeout(_TICK_MS)
        pytest.fail(f"waited in vain for {what}: {self.probe()}")

    def until_time(self, seconds: float) -> None:
        self.until(f"{seconds} s", lambda: self.probe()["currentTime"] >= seconds)

    def watch_on(self, seconds: float) -> None:
        """Watch that much more of the title."""
        self.until_time(self.probe()["currentTime"] + seconds)

    def seek(self, seconds: float) -> None:
        """As a drag of the slider does."""
        slider = self.page.get_by_role("slider", name="Seek")
        slider.evaluate(
            "(slider, to) => { slider.value = to; slider.dispatchEvent(new Event('input')); }",
            seconds,
        )

    def choose(self, menu: str, option: str) -> None:
        """An option by its id, from the menu of that name."""
        self.page.mouse.move(640, 400)
        self.page.get_by_role("button", name=menu, exact=True).click()
        self.option(menu, option).click()

    def option(self, menu: str, option: str) -> Locator:
        return self.page.locator(f"[data-menu='{menu}'] [data-id='{option}']")

    def shown_cues(self) -> list[str]:
        """The subtitles on the picture at this moment."""
        cues: list[str] = self.page.evaluate(
            """[...document.querySelector('video').textTracks]
               .filter((track) => track.mode === 'showing')
               .flatMap((track) => [...(track.activeCues ?? [])].map((cue) => cue.text))"""
        )
        return cues

    def played_without_fault(self) -> None:
        probe = self.probe()
        assert (probe["errors"], probe["stalls"]) == ([], 0), probe


def hold_line(page: Page, bits_per_second: float, latency_ms: int) -> CDPSession:
    """All that the page loads from now on comes over a line like that."""
    session = page.context.new_cdp_session(page)
    session.send("Network.enable")
    session.send(
        "Network.emulateNetworkConditions",
        {
            "offline": False,
            "latency": latency_ms,
            "downloadThroughput": bits_per_second / 8,
            "uploadThroughput": bits_per_second / 8,
        },
    )
    return session
