"""hls.js, Shaka Player, dash.js and the browser itself play what the origin packages."""

from __future__ import annotations

import re

import pytest
from playwright.sync_api import Request

from tests.e2e.combinations import EVERY, LIBRARIES, Combination
from tests.e2e.report import Report
from tests.e2e.watching import Viewer, hold_line

TITLE = "city-lights"
MENU_OF_LANGUAGES = ["en", "es"]

SLOW_LINE_BITS = 1_200_000
SLOW_LINE_LATENCY_MS = 40
LAG_SECONDS = 0.5  # between what the browser showed and what the test then asked
START_UP_MS = 2000  # the product's promise on that line

each_player = pytest.mark.parametrize("combination", EVERY, ids=str)
each_library = pytest.mark.parametrize("combination", LIBRARIES, ids=str)


@each_player
def test_plays_to_the_end_and_again_after_a_seek(
    viewer: Viewer, combination: Combination, report: Report
) -> None:
    viewer.open(TITLE, combination)
    report.note(combination, "start-up", f"{viewer.play()} ms")
    viewer.until_time(6)
    viewer.page.screenshot(path=report.picture(f"player-{combination}"))
    viewer.until("the end", lambda: viewer.probe()["ended"], seconds=60)
    viewer.played_without_fault()
    assert viewer.probe()["state"] == "ended"

    viewer.seek(viewer.probe()["duration"] / 3)
    viewer.page.keyboard.press("Space")
    viewer.until("playing again", lambda: viewer.probe()["state"] == "playing")
    viewer.watch_on(3)
    viewer.played_without_fault()
    dropped = viewer.video("getVideoPlaybackQuality().droppedVideoFrames")
    report.note(combination, "dropped frames", str(dropped))


@each_player
def test_starts_fast_on_a_slow_line(
    viewer: Viewer, combination: Combination, report: Report
) -> None:
    viewer.open(TITLE, combination)
    hold_line(viewer.page, SLOW_LINE_BITS, SLOW_LINE_LATENCY_MS)
    took = viewer.play()
    report.note(combination, "on a slow line", f"{took} ms")
    assert took < START_UP_MS
    if combination in LIBRARIES:  # the browser itself asks such a line for more than it carries
        viewer.watch_on(4)
        viewer.played_without_fault()


@each_library
def test_menus_offer_what_the_title_has(viewer: Viewer, combination: Combination) -> None:
    viewer.open(TITLE, combination)
    viewer.play()
    viewer.until("subtitles", lambda: len(viewer.probe()["textTracks"]) > 1)
    probe = viewer.probe()
    ids = {name: [option["id"] for option in probe[name]] for name in ("levels", "audioTracks")}
    assert ids == {
        "levels": ["auto", "720", "540", "360", "180"],
        "audioTracks": MENU_OF_LANGUAGES,
    }
    assert [option["id"] for option in probe["textTracks"]] == ["off", *MENU_OF_LANGUAGES]
    assert [option["label"] for option in probe["audioTracks"]] == ["English", "Español"]


@each_library
def test_subtitles_appear_in_the_chosen_language(
    viewer: Viewer, combination: Combination, report: Report
) -> None:
    viewer.open(TITLE, combination)
    viewer.play()
    viewer.watch_on(1)
    assert viewer.shown_cues() == []
    viewer.choose("Subtitles", "es")
    viewer.until("a Spanish subtitle", lambda: viewer.shown_cues() != [])
    start, end = _span(viewer.shown_cues()[0], "De {} a {} segundos")
    assert start <= viewer.probe()["currentTime"] <= end + LAG_SECONDS
    viewer.page.screenshot(path=report.picture(f"subtitles-{combination}"))
    viewer.page.keyboard.press("c")
    viewer.until("no subtitle", lambda: viewer.shown_cues() == [])
    viewer.played_without_fault()


@each_library
def test_the_other_language_is_fetched_and_plays_on(
    viewer: Viewer, combination: Combination
) -> None:
    fetched: list[str] = []
    viewer.page.on("requestfinished", lambda request: fetched.append(_track(request)))
    viewer.open(TITLE, combination)
    viewer.play()
    viewer.watch_on(1)
    before = {track for track in fetched if track.startswith("audio")}
    assert len(before) == 1
    viewer.choose("Audio", "es")
    viewer.until("Spanish sound", lambda: bool(_audio(fetched) - before))
    viewer.watch_on(3)
    assert viewer.option("Audio", "es").get_attribute("aria-checked") == "true"
    viewer.played_without_fault()


@each_library
@pytest.mark.parametrize("height", [360, 720])
def test_the_chosen_quality_is_shown(viewer: Viewer, combination: Combination, height: int) -> None:
    viewer.open(TITLE, combination)
    viewer.play()
    viewer.choose("Quality", str(height))
    viewer.until(f"{height} lines", lambda: viewer.video("videoHeight") == height)
    viewer.watch_on(3)
    assert viewer.video("videoHeight") == height
    viewer.played_without_fault()


@each_library
def test_a_link_carries_the_choices(viewer: Viewer, combination: Combination) -> None:
    viewer.open(TITLE, combination, autoplay="1", t="9", quality="360", audio="es", text="en")
    viewer.until("360 lines", lambda: viewer.video("videoHeight") == 360)
    viewer.until("an English subtitle", lambda: viewer.shown_cues() != [])
    start, end = _span(viewer.shown_cues()[0], "From {} to {} seconds")
    assert start <= viewer.probe()["currentTime"] <= end + LAG_SECONDS
    assert viewer.probe()["currentTime"] >= 9
    assert viewer.option("Audio", "es").get_attribute("aria-checked") == "true"
    viewer.played_without_fault()


def _audio(tracks: list[str]) -> set[str]:
    return {track for track in tracks if track.startswith("audio")}


def _span(cue: str, words: str) -> tuple[float, float]:
    """The seconds that a subtitle of the sample says it is shown in."""
    found = re.fullmatch(words.replace("{}", r"([\d.]+)"), cue)
    assert found, cue
    return float(found[1]), float(found[2])


def _track(request: Request) -> str:
    """The track that a media path names, '' for other paths."""
    folders = request.url.split("/")
    return folders[-2] if folders[-1].endswith(".m4s") else ""
