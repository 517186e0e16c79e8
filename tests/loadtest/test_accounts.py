"""People with accounts, and tokens, as the API and docs/tokens.md have them."""

from __future__ import annotations

import json
import random
import time
from dataclasses import replace
from pathlib import Path

import pytest

from loadtest.accounts import Accounts, read_people
from loadtest.errors import Failure, LoadTestError
from loadtest.titles import Access, Library, Title
from loadtest.tokens import make_token, read_key
from loadtest.viewer import Ground
from origin.auth.keys import Keys
from origin.auth.path_token import authenticate
from tests.loadtest.grounds import scenario, watch
from tests.loadtest.scripted import Answer, Time, scripted, title

SIGNED_IN = Answer(
    json.dumps({"account": {"id": "a"}, "profiles": [{"id": "p1"}]}).encode(),
    fields="Set-Cookie: vod_login=secret; HttpOnly\r\n",
)
PLAYBACK = Answer(
    json.dumps(
        {"session": "s1", "hls": "/film/master.m3u8", "dash": "/film/manifest.mpd"}
    ).encode(),
    status=201,
)


def people(tmp_path: Path, text: str) -> str:
    path = tmp_path / "people"
    path.write_text(text, encoding="utf-8")
    return str(path)


def test_a_viewer_signs_in_plays_and_ends_the_playback(tmp_path: Path) -> None:
    clock = Time()
    script = title([0.0, 0.0]) | {
        "/api/sign-in": SIGNED_IN,
        "/api/playback": PLAYBACK,
        "/api/playback/s1": Answer(b"", status=204, length=0),
    }
    named = read_people(people(tmp_path, "viewer@example.com pass word\n"))
    with scripted(script, clock) as server:
        access = Access(accounts=Accounts(server.address, named, clock))
        chosen = scenario()
        library = Library([Title("film", "", "")], chosen.titles, 1)
        played = Ground(chosen, library, access, clock, random.Random(1))
        watch(played)
        watch(played)
    assert played.figures.failures == {}
    assert played.figures.counts["starts"] == 2
    api = [head for head in server.asked if "/api/" in head]
    assert [head.split(" HTTP")[0] for head in api] == [
        "POST /api/sign-in",
        "POST /api/playback",
        "DELETE /api/playback/s1?position=8.0",
        "POST /api/playback",
        "DELETE /api/playback/s1?position=8.0",
    ]
    assert all("Cookie: vod_login=secret" in head for head in api[1:])
    assert all("Cookie" not in head for head in server.asked if "/film/" in head)


def test_who_is_refused_is_a_failed_start(tmp_path: Path) -> None:
    clock = Time()
    script = {"/api/sign-in": SIGNED_IN, "/api/playback": Answer(b"{}", status=409)}
    named = read_people(people(tmp_path, "viewer@example.com x\n"))
    with scripted(script, clock) as server:
        access = Access(accounts=Accounts(server.address, named, clock))
        chosen = scenario()
        library = Library([Title("film", "", "")], chosen.titles, 1)
        played = Ground(chosen, library, access, clock, random.Random(1))
        watch(played)
    assert played.figures.failures == {"api: status": 3}
    assert played.figures.counts["failed_starts"] == 1


@pytest.mark.parametrize("text", ["", "# none\n", "viewer@example.com\n"])
def test_a_list_of_accounts_that_is_none(text: str, tmp_path: Path) -> None:
    with pytest.raises(LoadTestError):
        read_people(people(tmp_path, text))


def test_passwords_and_keys_are_not_shown(tmp_path: Path) -> None:
    (person,) = read_people(people(tmp_path, "viewer@example.com hunter2\n"))
    assert "hunter2" not in repr(person)
    path = tmp_path / "keys"
    path.write_text(f"3 {'ab' * 16}\n", encoding="ascii")
    assert "ab" * 16 not in repr(read_key(str(path)))


@pytest.mark.parametrize("key", ["ab" * 16, "q" * 43])
def test_the_server_takes_the_tokens_that_viewers_make(key: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(f"# ours\n3 {key}\n", encoding="ascii")
    made = read_key(str(path))
    keys = Keys(issuing=3, by_id={3: made.secret})
    expiry, _ = authenticate(keys, make_token(made, "/v/film/"), "/v/film/")
    assert 0 < expiry - time.time() <= 24 * 3600


@pytest.mark.parametrize("line", ["", "key", "256 " + "ab" * 16, "1 abcd", "1 " + "é" * 16])
def test_keys_that_are_none_are_refused_and_not_shown(line: str, tmp_path: Path) -> None:
    path = tmp_path / "keys"
    path.write_text(line + "\n", encoding="utf-8")
    with pytest.raises(LoadTestError) as error:
        read_key(str(path))
    assert line == "" or line.split(" ")[-1] not in str(error.value).replace(str(path), "")


def test_a_command_is_asked_once_for_each_title(tmp_path: Path) -> None:
    asked = tmp_path / "asked"
    script = tmp_path / "token.sh"
    script.write_text(f'echo "$1" >>\'{asked}\'\necho noise\necho token-of-"$1"\n')
    access = Access(command=f"sh {script} {{}}")
    film = Title("film one", "http://a/v/film/master.m3u8", "http://a/v/film/manifest.mpd")
    urls = [access.enter(film, wanted, 0).url for wanted in ("hls", "dash")]
    assert urls == [
        "http://a/t/token-of-film one/v/film/master.m3u8",
        "http://a/t/token-of-film one/v/film/manifest.mpd",
    ]
    assert asked.read_text(encoding="utf-8") == "film one\n"


def test_a_command_that_gives_none_is_a_failure() -> None:
    film = Title("film", "http://a/v/film/master.m3u8", "")
    with pytest.raises(Failure, match="gave none"):
        Access(command="false").enter(film, "hls", 0)
    elsewhere = replace(film, hls="http://a/film/master.m3u8")
    with pytest.raises(Failure, match="has no place"):
        Access(command="echo x").enter(elsewhere, "hls", 0)
