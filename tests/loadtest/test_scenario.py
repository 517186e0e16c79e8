from __future__ import annotations

import json
import random
from collections import Counter
from pathlib import Path

import pytest

from loadtest import settings
from loadtest.errors import BadScenario, BadThreshold, LoadTestError
from loadtest.scenario import load, names, parse
from loadtest.settings import Settings
from loadtest.titles import Library, Title, load_titles
from tests.loadtest.grounds import PLAIN, scenario
from tests.loadtest.scripted import Answer, Time, scripted


def test_ours_are_the_six() -> None:
    assert names() == ["cold", "premiere", "ramp", "smoke", "soak", "steady"]
    for name in names():
        assert load(name).name == name


def test_the_premiere_is_ten_thousand_joins_in_a_minute() -> None:
    premiere = load("premiere")
    assert (premiere.viewers, premiere.join_seconds) == (10_000, 60)
    assert [premiere.wanted(second) for second in (0, 30, 60, 90)] == [1, 5_000, 10_000, 10_000]


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("viewers = ", "x.toml"),
        ("", "description must be a text|description is missing"),
        (PLAIN + "speed = 1", "no setting 'speed'"),
        (PLAIN + "[player]\nspeed = 1", r"\[player\]: no setting 'speed'"),
        (PLAIN + '[player]\nabr = "magic"', "'magic' is none of throughput, buffer"),
        (PLAIN + "[player]\nbuffer_seconds = 0", "buffer_seconds 0 is outside"),
        (PLAIN + '[player]\nbuffer_seconds = "9"', "buffer_seconds must be a number"),
        (PLAIN + "[player]\nfirst_kbit = 1.5", "must be a whole number"),
        (PLAIN + "[player]\nresume_seconds = nan", "outside"),
        (PLAIN + "player = 3", "player. must be a table|player must be a table"),
        (PLAIN + "networks = [1]", "networks must be tables"),
        (PLAIN + '[[networks]]\nname = "a"', "share is missing"),
        (PLAIN + '[[networks]]\nname = "a"\nshare = 0', "share 0 is outside"),
        (PLAIN + 'thresholds = ["startup.p99<2"]', "startup.p99 is in s"),
        (PLAIN + "thresholds = [2]", "thresholds must be a list of texts"),
        (PLAIN + "[ramp]\nwindow_seconds = 5", "would never end"),
        (PLAIN.replace("viewers = 1", "viewers = true"), "viewers must be a number"),
        (PLAIN.replace("viewers = 1", "viewers = 0"), "viewers 0 is outside"),
        (PLAIN.replace('"hls"', '"smooth"'), "'smooth' is none of hls, dash, mixed"),
    ],
)
def test_what_is_wrong_in_a_scenario_is_named(text: str, words: str) -> None:
    with pytest.raises(BadScenario, match=words):
        parse(text, "x", "x.toml")


def test_a_scenario_that_is_not_there() -> None:
    with pytest.raises(BadScenario, match="there are cold, premiere"):
        load("nothing")
    with pytest.raises(BadScenario, match=r"nothing\.toml"):
        load("nothing.toml")


def test_the_environment_says_the_same_as_the_command_line() -> None:
    said = Settings(url="http://a/", scenario="steady", viewers="7", asserts="starts.count>1")
    read = settings.read(said.environment())
    assert read == said
    chosen = settings.scenario_of(read)
    assert (chosen.name, chosen.viewers, chosen.join_seconds) == ("steady", 7, 120)
    assert [item.text for item in settings.thresholds_of(read, chosen)] == ["starts.count>1"]
    plain = settings.read({})
    assert settings.thresholds_of(plain, load("smoke")) == load("smoke").thresholds


@pytest.mark.parametrize(
    "wrong",
    [{"viewers": "many"}, {"viewers": "0"}, {"hold": "-1"}, {"join": "nan"}, {"format": "x"},
     {"scenario": "x"}],
)  # fmt: skip
def test_settings_that_are_wrong(wrong: dict[str, str]) -> None:
    with pytest.raises(BadScenario):
        settings.scenario_of(Settings(**wrong))


def test_thresholds_that_are_wrong() -> None:
    with pytest.raises(BadThreshold):
        settings.thresholds_of(Settings(asserts="startup"), load("smoke"))


def titles(count: int) -> list[Title]:
    return [Title(str(number), f"http://a/{number}.m3u8", "") for number in range(count)]


def test_the_first_title_is_the_most_popular() -> None:
    library = Library(titles(100), scenario("[titles]\nzipf = 1.0").titles, 1)
    dice = random.Random(1)
    seen = Counter(library.choose(0, 0, dice).name for _ in range(20_000))
    shares = [seen[str(rank)] / 20_000 for rank in (0, 1, 9)]
    harmonic = sum(1 / rank for rank in range(1, 101))
    assert shares == pytest.approx([1 / harmonic, 0.5 / harmonic, 0.1 / harmonic], abs=0.01)


def test_each_viewer_takes_another_title() -> None:
    library = Library(titles(60), scenario('[titles]\norder = "each"').titles, 20)
    dice = random.Random(1)
    chosen = [library.choose(viewer, again, dice) for again in range(3) for viewer in range(20)]
    assert len(set(chosen)) == 60


def test_titles_come_from_all_pages_of_a_library() -> None:
    pages = [
        {
            "titles": [
                {"id": "a", "hls": "/v/a/m.m3u8", "dash": "/v/a/m.mpd", "problem": None},
                {"id": "b", "hls": "/v/b/m.m3u8", "dash": "/v/b/m.mpd", "problem": "broken"},
            ],
            "next": "b",
        },
        {"titles": [{"id": "c", "hls": "/v/c/m.m3u8", "dash": "/v/c/m.mpd"}], "next": None},
    ]
    one, two = (json.dumps(page).encode() for page in pages)
    with scripted({"/api/library": [Answer(one), Answer(two)]}, Time()) as server:
        found = load_titles(server.address)
        base = server.address
    assert found == [
        Title("a", f"{base}/v/a/m.m3u8", f"{base}/v/a/m.mpd"),
        Title("c", f"{base}/v/c/m.m3u8", f"{base}/v/c/m.mpd"),
    ]
    assert "cursor=b" in server.asked[1]


@pytest.mark.parametrize("body", [b"", b"[]", b'{"titles":3}', b'{"titles":[{}]}', b"\xff"])
def test_what_is_no_library_is_said(body: bytes) -> None:
    with (
        scripted({"/api/library": Answer(body)}, Time()) as server,
        pytest.raises(LoadTestError, match="/api/library"),
    ):
        load_titles(server.address)


def test_titles_of_a_list(tmp_path: Path) -> None:
    listed = tmp_path / "titles"
    listed.write_text("# ours\n/a/master.m3u8\n\nhttp://b/x.mpd?y=1\n", encoding="utf-8")
    assert load_titles("http://a", str(listed)) == [
        Title("/a/master.m3u8", "http://a/a/master.m3u8", ""),
        Title("/x.mpd", "", "http://b/x.mpd?y=1"),
    ]
    listed.write_text("\n", encoding="utf-8")
    with pytest.raises(LoadTestError, match="names none"):
        load_titles("http://a", str(listed))
    with pytest.raises(LoadTestError):
        load_titles("http://a", str(tmp_path / "missing"))
