"""Viewers for the tests: one scenario, changed where a test wants another."""

from __future__ import annotations

import random

from loadtest.scenario import Scenario, parse
from loadtest.titles import Access, Library, Title
from loadtest.viewer import Ground, Viewer
from tests.loadtest.scripted import Scripted, Time

PLAIN = """
description = "one viewer"
viewers = 1
join_seconds = 0
hold_seconds = 60
format = "hls"
sample = 1.0
cmcd_mode = "off"
"""


def scenario(more: str = "") -> Scenario:
    return parse(PLAIN + more, "test", "test.toml")


def ground(
    server: Scripted, clock: Time, more: str = "", path: str = "/film/master.m3u8"
) -> Ground:
    is_dash = path.endswith(".mpd")
    url = server.address + path
    title = Title("film", "" if is_dash else url, url if is_dash else "")
    chosen = scenario(more)
    library = Library([title], chosen.titles, chosen.viewers)
    return Ground(chosen, library, Access(), clock, random.Random(1))


def watch(played: Ground, number: int = 0) -> None:
    """One session of one viewer."""
    viewer = Viewer(played, number)
    try:
        viewer.watch(0)
    finally:
        viewer.close()
