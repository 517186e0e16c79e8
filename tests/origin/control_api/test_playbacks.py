"""What begins a playback, keeps it, and ends it, asked of a worker that lets nobody in without a
token."""

from __future__ import annotations

import asyncio
import time
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from datetime import UTC, datetime
from pathlib import Path
from typing import Any

import pytest

from catalog.library import LibraryCatalogue
from catalog.postgres.records import Found, TitleDraft, Window
from embedded.process import Server
from origin.storage.local import LocalStorage
from tests.origin.control_api.conftest import Answer, Api, Someone
from tests.support.films import ODD_NAME
from tests.support.servers import frozen

DURATION = 16
"""Of each of the tests' films, in seconds."""
LIFE = DURATION * 1.5 + 15 * 60


async def start(
    api: Api,
    person: Someone,
    title: str = "city",
    device: str = "Chrome · Linux",
    profile: str = "",
) -> Answer:
    asked = {"title": title, "profile": profile or person.profile.id, "device": device}
    return await api.post("/api/playback", asked, login=person.login)


async def begun(api: Api, person: Someone, title: str = "city", device: str = "a phone") -> Any:
    answer = await start(api, person, title, device)
    assert answer.status == 201, answer
    return answer.json


async def beat(api: Api, person: Someone, session: str, position: float = 0.0) -> Answer:
    told = {"position": position, "state": "playing"}
    return await api.post(f"/api/playback/{session}/heartbeat", told, login=person.login)


@asynccontextmanager
async def only(api: Api, window: Window) -> AsyncIterator[None]:
    """As long as that, "film" is available only then and there."""
    await api.database.titles.put(TitleDraft("film", windows=(window,)))
    yield
    await api.database.titles.put(TitleDraft("film"))


def said(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


async def test_a_start_opens_the_title_and_nothing_else(api: Api) -> None:
    person = await api.person()
    before = time.time()
    answer = await start(api, person)
    after = time.time()
    assert answer.status == 201
    assert answer.headers["cache-control"] == "no-store"
    started = answer.json
    assert int(before + LIFE) <= started["expires"] <= after + LIFE
    assert started["heartbeat_seconds"] == 15
    assert started["resume"] == 0
    assert started["next"] is None
    assert started["title"]["name"] == "City lights"
    for manifest in (started["hls"], started["dash"]):
        assert (await api.get(manifest)).status == 200
        assert (await api.get(manifest.replace("/v/city/", "/v/film/"))).status == 403
    assert (await api.get("/v/city/master.m3u8")).status in (401, 403)


async def test_who_is_not_signed_in_begins_nothing(api: Api) -> None:
    person = await api.person()
    asked = {"title": "city", "profile": person.profile.id, "device": "a phone"}
    assert said(await api.post("/api/playback", asked)) == (401, "unauthenticated")


@pytest.mark.parametrize(
    ("asked", "field"),
    [
        ({"title": 7}, "title"),
        ({"device": ""}, "device"),
        ({"profile": None}, "profile"),
        ({"position": 3}, "position"),
    ],
)
async def test_what_cannot_be_read(api: Api, asked: dict[str, object], field: str) -> None:
    person = await api.person()
    body = {"title": "city", "profile": person.profile.id, "device": "a phone"} | asked
    answer = await api.post("/api/playback", body, login=person.login)
    assert (*said(answer), answer.json["field"]) == (422, "invalid", field)


# What may be watched


async def test_a_title_that_there_is_not(api: Api) -> None:
    assert said(await start(api, await api.person(), "nothing")) == (404, "no-such-row")


async def test_the_profile_of_another_account(api: Api) -> None:
    mine, other = await api.person(), await api.person()
    answer = await start(api, mine, profile=other.profile.id)
    assert said(answer) == (404, "no-such-row")


@pytest.mark.parametrize(
    "window",
    [
        Window(closes=datetime(2020, 1, 1, tzinfo=UTC)),
        Window(opens=datetime(2900, 1, 1, tzinfo=UTC)),
        Window(countries=("ES",)),
    ],
)
async def test_a_title_that_is_not_available_now_or_here(api: Api, window: Window) -> None:
    async with only(api, window):
        assert said(await start(api, await api.person(), "film")) == (403, "not-available")


async def test_a_title_without_media(api: Api) -> None:
    await api.database.titles.put(TitleDraft("to-come"))
    assert said(await start(api, await api.person(), "to-come")) == (403, "not-available")


async def test_a_child_may_watch_what_is_for_children(api: Api) -> None:
    person = await api.person()
    people = api.database.people
    child = await people.add_profile(person.account.id, "Leo", "#112233", "es", True)
    assert said(await start(api, person, "film", profile=child.id)) == (403, "not-available")
    answer = await start(api, person, "city", profile=child.id)
    assert answer.status == 201
    assert answer.json["title"]["name"] == "Luces de la ciudad"


async def test_a_plan_opens_what_it_names(api: Api) -> None:
    async with api.database.connection() as connection:
        await connection.execute(
            "insert into plans values ('little', 1, false) on conflict do nothing"
        )
        await connection.execute("insert into plan_titles values ('little', 'film')")
    person = await api.person(plan="little")
    assert said(await start(api, person, "city")) == (403, "not-entitled")
    assert (await start(api, person, "film")).status == 201


async def test_a_disabled_account_begins_nothing(api: Api) -> None:
    person = await api.person()
    await api.database.people.change(person.account.id, disabled=True)
    assert said(await start(api, person)) == (401, "unauthenticated")


async def test_the_next_episode_is_told(api: Api, films: Path) -> None:
    catalogue = LibraryCatalogue(LocalStorage(str(films)))
    found = [Found(TitleDraft("hours", "series", names={"en": "Small hours"}), None)]
    for number, title in enumerate(("uneven", ODD_NAME), start=1):
        draft = TitleDraft(
            title,
            "episode",
            names={"en": f"Part {number}"},
            series="hours",
            season=1,
            episode=number,
        )
        found.append(Found(draft, await catalogue.asset(title)))
    await api.database.titles.import_assets(found)
    person = await api.person()
    first = await begun(api, person, "uneven")
    assert first["title"]["series"] == {"id": "hours", "season": 1, "episode": 1}
    assert (first["next"]["id"], first["next"]["name"]) == (ODD_NAME, "Part 2")
    second = await begun(api, person, ODD_NAME)
    assert second["next"] is None
    assert (await api.get(second["hls"])).status == 200
    assert said(await start(api, person, "hours")) == (403, "not-available")


# Places


async def test_one_stream_too_many_is_told_what_plays(api: Api) -> None:
    person = await api.person()
    before = time.time()
    await begun(api, person, "city", "Chrome · Linux")
    await begun(api, person, "film", "a television")
    answer = await start(api, person, "city", "a phone")
    assert said(answer) == (409, "too-many-streams")
    streams = answer.json["streams"]
    shown = {(stream["device"], stream["title"]) for stream in streams}
    assert shown == {("Chrome · Linux", "City lights"), ("a television", "A film")}
    assert all(before <= stream["since"] <= time.time() for stream in streams)


async def test_titles_are_named_in_the_language_of_the_account(api: Api) -> None:
    person = await api.person(plan="basic")
    async with api.database.connection() as connection:
        await connection.execute(
            "update accounts set language = 'es-MX' where id = $1", person.account.id
        )
    await begun(api, person, "city")
    [stream] = (await start(api, person, "film")).json["streams"]
    assert stream["title"] == "Luces de la ciudad"


async def test_of_two_who_begin_at_once_for_one_place_one_does(api: Api) -> None:
    person = await api.person(plan="basic")
    answers = await asyncio.gather(*(start(api, person, device=f"{n}") for n in range(2)))
    assert sorted(answer.status for answer in answers) == [201, 409]


async def test_what_has_ended_gives_its_place_back(api: Api) -> None:
    person = await api.person(plan="basic")
    session = (await begun(api, person))["session"]
    assert (await start(api, person)).status == 409
    assert (await api.delete(f"/api/playback/{session}", login=person.login)).status == 204
    assert said(await beat(api, person, session)) == (410, "ended")
    assert (await start(api, person)).status == 201


# Heartbeats and where one stands


async def test_where_a_playback_was_ended_the_next_goes_on(api: Api) -> None:
    person = await api.person()
    session = (await begun(api, person))["session"]
    path = f"/api/playback/{session}?position=7.250"
    assert (await api.delete(path, login=person.login)).status == 204
    written = await api.database.viewing.progress(person.profile.id, ["city"])
    assert written["city"].position == 7.25  # so that any other worker finds it
    again = await begun(api, person)
    assert again["resume"] == 7.25
    assert again["title"]["progress"] == {"position": 7.25, "duration": DURATION}


async def test_a_heartbeat_is_where_the_next_goes_on(api: Api) -> None:
    person = await api.person()
    started = await begun(api, person)
    answer = await beat(api, person, started["session"], 5.5)
    assert (answer.status, answer.json) == (200, {"expires": started["expires"]})
    assert (await begun(api, person))["resume"] == 5.5


async def test_what_was_seen_begins_anew(api: Api) -> None:
    person = await api.person()
    session = (await begun(api, person))["session"]
    assert (await beat(api, person, session, 15.9)).status == 200
    assert (await begun(api, person))["resume"] == 0


async def test_no_position_is_far_behind_the_end(api: Api) -> None:
    """Of "film" nobody has said how long it is: its files have."""
    person = await api.person()
    session = (await begun(api, person, "film"))["session"]
    answer = await beat(api, person, session, DURATION + 11)
    assert (*said(answer), answer.json["field"]) == (422, "invalid", "position")
    assert (await beat(api, person, session, DURATION + 2)).status == 200
    path = f"/api/playback/{session}?position={DURATION + 11}"
    assert said(await api.delete(path, login=person.login)) == (422, "invalid")


async def test_heartbeats_come_about_once_a_second(api: Api) -> None:
    person = await api.person()
    one, other = await begun(api, person), await begun(api, person)
    answers = [await beat(api, person, one["session"])]
    while answers[-1].status == 200 and len(answers) < 200:
        answers.append(await beat(api, person, one["session"]))
    assert said(answers[-1]) == (429, "too-many-requests")
    assert int(answers[-1].headers["retry-after"]) >= 1
    assert len(answers) > 15
    assert (await beat(api, person, other["session"])).status == 200


# Whose it is


@pytest.mark.parametrize("session", ["0" * 32, "x", "A" * 32])
async def test_a_session_that_there_is_not(api: Api, session: str) -> None:
    assert said(await beat(api, await api.person(), session)) == (410, "ended")


async def test_a_session_is_its_accounts(api: Api) -> None:
    mine, other = await api.person(), await api.person()
    started = await begun(api, mine)
    path = f"/api/playback/{started['session']}"
    renewal = {"device": "a phone"}
    for answer in (
        await beat(api, other, started["session"], 9),
        await api.post(f"{path}/renew", renewal, login=other.login),
        await api.delete(f"{path}?position=9", login=other.login),
    ):
        assert said(answer) == (410, "ended")
    assert (await beat(api, mine, started["session"])).status == 200
    assert await api.database.viewing.progress(other.profile.id, ["city"]) == {}


async def test_what_is_renewed_has_new_tokens(api: Api) -> None:
    person = await api.person()
    started = await begun(api, person)
    path = f"/api/playback/{started['session']}/renew"
    answer = await api.post(path, {"device": "another phone"}, login=person.login)
    assert said(answer) == (403, "wrong-device")
    before = time.time()
    answer = await api.post(path, {"device": "a phone"}, login=person.login)
    assert answer.status == 200
    assert answer.json["session"] == started["session"]
    assert answer.json["expires"] >= int(before + LIFE)
    assert (await api.get(answer.json["dash"])).status == 200


async def test_what_may_not_be_watched_any_more_is_not_renewed(api: Api) -> None:
    person = await api.person()
    session = (await begun(api, person, "film"))["session"]
    path = f"/api/playback/{session}/renew"
    async with only(api, Window(closes=datetime(2020, 1, 1, tzinfo=UTC))):
        answer = await api.post(path, {"device": "a phone"}, login=person.login)
    assert said(answer) == (403, "not-available")


async def test_a_revoked_session_plays_nothing(api: Api) -> None:
    person, admin = await api.person(), await api.person("admin")
    started = await begun(api, person)
    assert (await api.get(started["hls"])).status == 200
    path = f"/api/admin/sessions/{started['session']}/revoke"
    assert (await api.post(path, login=admin.login)).status == 204
    assert said(await beat(api, person, started["session"], 3)) == (410, "revoked")
    answer = await api.delete(f"/api/playback/{started['session']}", login=person.login)
    assert said(answer) == (410, "revoked")
    for manifest in (started["hls"], started["dash"]):
        assert (await api.get(manifest)).status == 403
    assert (await start(api, person)).status == 201  # it was the session, not the person


# When others are away


async def test_without_postgresql_what_was_looked_up_of_late_goes_on(
    api: Api, postgres: Server
) -> None:
    person = await api.person()
    started = await begun(api, person)
    assert (await api.get(started["hls"])).status == 200
    with frozen(postgres):
        assert (await beat(api, person, started["session"], 6.0)).status == 200
        warm = await start(api, person)
        assert warm.status == 201
        assert warm.json["resume"] == 6.0
        assert (await api.get(warm.json["hls"])).status == 200
        cold = await start(api, person, "film")
        assert said(cold) == (503, "database-away")
        assert "retry-after" in cold.headers
        path = f"/api/playback/{warm.json['session']}?position=8"
        assert (await api.delete(path, login=person.login)).status == 204
    assert (await begun(api, person))["resume"] == 8.0


async def test_without_redis_nothing_begins_and_what_plays_goes_on(
    api: Api, valkey: Server
) -> None:
    person = await api.person()
    started = await begun(api, person)
    with frozen(valkey):
        for answer in (await start(api, person), await beat(api, person, started["session"])):
            assert said(answer) == (503, "store-away")
            assert answer.headers["retry-after"] == "2"
        assert (await api.get(started["hls"])).status == 200
