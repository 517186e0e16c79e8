"""What a viewer finds, in which language, and what a child does not."""

from __future__ import annotations

from datetime import UTC, datetime, timedelta
from typing import Any

import pytest

from catalog.postgres.records import Progress, TitleDraft, Window
from embedded.process import Server
from tests.origin.control_api.conftest import Answer, Api, Someone
from tests.support.servers import frozen

NOW = datetime.now(UTC)
DAY = timedelta(days=1)

NIGHTS = TitleDraft(
    "nights",
    kind="series",
    names={"es": "Noches", "pt": "Noites"},
    synopses={"es": "Tres noches."},
    genres=("science-fiction",),
    maturity="7",
)
EPISODES = [
    TitleDraft(
        f"nights-{season}-{number}",
        kind="episode",
        names={"en": f"Night {season}.{number}"},
        synopses={"en": f"It is night {number}."},
        maturity="7",
        series="nights",
        season=season,
        episode=number,
    )
    for season, number in ((2, 1), (1, 10), (1, 2))
]
OTHERS = [
    TitleDraft("grim", names={"en": "Grim evening"}, genres=("horror",), maturity="18"),
    TitleDraft("unrated-evening", genres=("horror",)),
    TitleDraft("gone", names={"en": "Gone evening"}, windows=(Window(None, NOW - DAY),)),
    TitleDraft(
        "spanish",
        names={"en": "Evening of Spain"},
        windows=(Window(NOW - DAY, None, ("ES",)),),
    ),
]


@pytest.fixture
async def titles(api: Api) -> None:
    for draft in (NIGHTS, *EPISODES, *OTHERS):
        await api.database.titles.put(draft)


@pytest.fixture
async def ana(api: Api, titles: None) -> Someone:
    return await api.person()


async def child_of(api: Api, someone: Someone) -> str:
    people = api.database.people
    made = await people.add_profile(someone.account.id, "Leo", "#112233", "es", True)
    return made.id


async def ask(api: Api, someone: Someone, path: str) -> Any:
    answer = await api.get(path, login=someone.login)
    assert answer.status == 200, answer.json
    return answer.json


async def home(api: Api, someone: Someone, profile: str = "", language: str = "en") -> Any:
    wanted = profile or someone.profile.id
    body = await ask(api, someone, f"/api/home?profile={wanted}&language={language}")
    return {row["id"]: row for row in body["rows"]}


async def detail(api: Api, someone: Someone, title: str, language: str = "en") -> Any:
    path = f"/api/titles/{title}?profile={someone.profile.id}&language={language}"
    return await ask(api, someone, path)


def ids(body: Any) -> list[str]:
    return [card["id"] for card in body["titles"]]


def refused(answer: Answer) -> tuple[int, str]:
    return answer.status, answer.json["code"]


async def watch(api: Api, someone: Someone, title: str, position: float) -> None:
    progress = Progress(someone.profile.id, title, position, 16.0, NOW)
    await api.database.viewing.save_progress([progress])


async def test_a_card_says_what_the_page_shows(api: Api, ana: Someone) -> None:
    body = await ask(api, ana, "/api/search?q=city&language=es")
    assert body == {
        "titles": [
            {
                "id": "city",
                "kind": "movie",
                "name": "Luces de la ciudad",
                "year": 2024,
                "duration": 16.0,
                "maturity": "7",
                "genres": ["drama"],
                "artwork": {"poster": "/api/artwork/city/poster", "backdrop": None},
                "progress": None,
                "series": None,
            }
        ],
        "next": None,
    }


@pytest.mark.parametrize(
    ("title", "language", "name"),
    [
        ("city", "es-MX", "Luces de la ciudad"),
        ("city", "ES", "Luces de la ciudad"),
        ("city", "fr", "City lights"),
        ("nights", "pt", "Noites"),
        ("nights", "pt-BR", "Noites"),
        ("unrated-evening", "es", "Unrated evening"),
    ],
)
async def test_a_name_is_found_in_the_nearest_language(
    api: Api, ana: Someone, title: str, language: str, name: str
) -> None:
    assert (await detail(api, ana, title, language))["name"] == name


async def test_in_no_language_that_was_asked_for_any_will_do(api: Api, ana: Someone) -> None:
    assert (await detail(api, ana, "nights", "fr"))["name"] in ("Noches", "Noites")


async def test_a_series_has_its_seasons_in_order(api: Api, ana: Someone) -> None:
    await watch(api, ana, "nights-1-10", 4.0)
    body = await detail(api, ana, "nights")
    assert body["synopsis"] == "Tres noches."
    assert [
        (season["number"], ids({"titles": season["episodes"]})) for season in body["seasons"]
    ] == [(1, ["nights-1-2", "nights-1-10"]), (2, ["nights-2-1"])]
    second, tenth = body["seasons"][0]["episodes"]
    assert second["synopsis"] == "It is night 2."
    assert second["series"] == {"id": "nights", "season": 1, "episode": 2}
    assert second["progress"] is None
    assert tenth["progress"] == {"position": 4.0, "duration": 16.0}


async def test_a_title_says_what_it_is_and_whether_it_plays(api: Api, ana: Someone) -> None:
    city = await detail(api, ana, "city")
    assert (city["languages"], city["subtitles"]) == (["en", "es"], ["en", "es"])
    assert (city["playable"], city["in_list"], city["seasons"]) == (True, False, [])
    assert not (await detail(api, ana, "grim"))["playable"]  # it has no media


async def test_what_the_plan_does_not_hold_does_not_play(api: Api, titles: None) -> None:
    async with api.database.connection() as connection:
        await connection.execute(
            "insert into plans values ('one', 1, false) on conflict do nothing"
        )
        await connection.execute(
            "insert into plan_titles values ('one', 'city') on conflict do nothing"
        )
    someone = await api.person(plan="one")
    assert (await detail(api, someone, "city"))["playable"]
    assert not (await detail(api, someone, "film"))["playable"]


async def test_home_goes_on_where_one_stopped(api: Api, ana: Someone) -> None:
    assert not {"continue", "my-list"} & set(await home(api, ana))
    await watch(api, ana, "city", 5.0)
    await watch(api, ana, "film", 15.9)  # seen to its end
    await api.database.viewing.add_to_list(ana.profile.id, "nights")
    await api.database.viewing.add_to_list(ana.profile.id, "city")
    rows = await home(api, ana)
    assert list(rows)[:4] == ["continue", "my-list", "new", "series"]
    assert ids(rows["continue"]) == ["city"]
    assert ids(rows["my-list"]) == ["city", "nights"]
    assert rows["my-list"]["titles"][0]["progress"] == {"position": 5.0, "duration": 16.0}
    assert ids(rows["series"]) == ["nights"]
    assert ids(rows["genre:drama"]) == ["city"]


async def test_rows_have_names_in_the_language_asked_for(api: Api, ana: Someone) -> None:
    names = {row: said["name"] for row, said in (await home(api, ana)).items()}
    assert names["new"] == "New"
    assert names["genre:science-fiction"] == "Science fiction"
    names = {row: said["name"] for row, said in (await home(api, ana, "", "es-AR")).items()}
    assert names["new"] == "Novedades"
    assert names["genre:science-fiction"] == "Ciencia ficción"
    assert (await home(api, ana, "", "fr"))["new"]["name"] == "New"


async def test_another_profile_has_other_places(api: Api, ana: Someone) -> None:
    await watch(api, ana, "city", 5.0)
    child = await child_of(api, ana)
    assert "continue" not in await home(api, ana, child)


async def test_pages_of_titles_follow_each_other(api: Api, ana: Someone) -> None:
    found, cursor = [], ""
    while True:
        body = await ask(api, ana, f"/api/titles?limit=2{cursor}")
        found.append(ids(body))
        if body["next"] is None:
            break
        cursor = f"&cursor={body['next']}"
    assert found == [["city", "film"], ["grim", "nights"], ["unrated-evening"]]


async def test_titles_of_a_kind_and_of_a_genre(api: Api, ana: Someone) -> None:
    assert ids(await ask(api, ana, "/api/titles?kind=series")) == ["nights"]
    assert ids(await ask(api, ana, "/api/titles?genre=horror")) == ["grim", "unrated-evening"]
    assert ids(await ask(api, ana, "/api/titles?genre=none&kind=movie")) == []


async def test_the_search_goes_on_behind_its_first_page(api: Api, ana: Someone) -> None:
    first = await ask(api, ana, "/api/search?q=evening&limit=1")
    second = await ask(api, ana, f"/api/search?q=evening&limit=1&cursor={first['next']}")
    assert {*ids(first), *ids(second)} == {"grim", "unrated-evening"}
    assert second["next"] is None


async def test_with_a_profile_lists_say_where_it_stands(api: Api, ana: Someone) -> None:
    await watch(api, ana, "city", 3.0)
    for path in ("/api/search?q=city", "/api/titles?genre=drama"):
        body = await ask(api, ana, f"{path}&profile={ana.profile.id}")
        assert body["titles"][0]["progress"] == {"position": 3.0, "duration": 16.0}


async def test_where_a_playback_is_is_known_at_once(api: Api, ana: Someone) -> None:
    await watch(api, ana, "city", 3.0)
    wanted = {"title": "city", "profile": ana.profile.id, "device": "a television"}
    started = await api.post("/api/playback", wanted, login=ana.login)
    session = started.json["session"]
    beat = {"position": 7.5, "state": "playing"}
    await api.post(f"/api/playback/{session}/heartbeat", beat, login=ana.login)
    assert (await detail(api, ana, "city"))["progress"]["position"] == 7.5


async def test_a_child_sees_only_what_is_for_its_age(api: Api, ana: Someone) -> None:
    for title in ("city", "film", "grim", "unrated-evening"):
        await watch(api, ana, title, 4.0)
    child = await child_of(api, ana)
    viewing = api.database.viewing
    for title in ("film", "grim", "city", "unrated-evening"):
        await viewing.add_to_list(child, title)
        await viewing.save_progress([Progress(child, title, 4.0, 16.0, NOW)])
    seen = {card for row in (await home(api, ana, child)).values() for card in ids(row)}
    assert seen == {"city", "nights"}
    assert ids(await ask(api, ana, f"/api/titles?profile={child}")) == ["city", "nights"]
    assert ids(await ask(api, ana, f"/api/search?q=evening&profile={child}")) == []
    assert ids(await ask(api, ana, f"/api/search?q=city&profile={child}")) == ["city"]
    answer = await api.get(f"/api/titles/grim?profile={child}", login=ana.login)
    assert refused(answer) == (404, "no-such-row")
    assert len((await ask(api, ana, f"/api/titles/nights?profile={child}"))["seasons"]) == 2


async def test_what_is_not_available_is_nowhere(api: Api, ana: Someone) -> None:
    found = ids(await ask(api, ana, "/api/search?q=evening"))
    assert not {"gone", "spanish"} & set(found)
    for title in ("gone", "spanish", "never-was", "%2Fetc", "%00"):
        path = f"/api/titles/{title}?profile={ana.profile.id}"
        assert refused(await api.get(path, login=ana.login)) == (404, "no-such-row")


async def test_only_people_of_the_account_look(api: Api, ana: Someone) -> None:
    other = await api.person()
    for path in ("home?", "titles?", "titles/city?", "search?q=city&"):
        address = f"/api/{path}profile={other.profile.id}"
        assert refused(await api.get(address)) == (401, "unauthenticated")
        assert refused(await api.get(address, login=ana.login)) == (404, "no-such-row")


@pytest.mark.parametrize(
    ("path", "field"),
    [
        ("home", "profile"),
        ("titles/city", "profile"),
        ("search", "q"),
        ("search?q=" + "a" * 301, "q"),
        ("titles?kind=song", "kind"),
        ("titles?limit=0", "limit"),
        ("titles?limit=101", "limit"),
        ("titles?language=not%20one", "language"),
        ("titles?cursor=%00", "cursor"),
        ("titles?genre=" + "a" * 36, "genre"),
    ],
)
async def test_a_wrong_question_is_told_what_is_wrong(
    api: Api, ana: Someone, path: str, field: str
) -> None:
    answer = await api.get(f"/api/{path}", login=ana.login)
    assert refused(answer) == (422, "invalid")
    assert answer.json["field"] == field


async def test_nobody_but_the_viewer_keeps_what_was_found(api: Api, ana: Someone) -> None:
    kept = {
        path: (await api.get(f"/api/{path}profile={ana.profile.id}", login=ana.login)).headers[
            "cache-control"
        ]
        for path in ("home?", "titles/city?", "titles?", "search?q=city&")
    }
    assert kept == {
        "home?": "no-store",
        "titles/city?": "no-store",
        "titles?": "private, max-age=30",
        "search?q=city&": "private, max-age=30",
    }


async def test_what_was_seen_of_late_is_there_while_postgresql_is_away(
    api: Api, ana: Someone, postgres: Server
) -> None:
    await watch(api, ana, "city", 5.0)
    profile = f"profile={ana.profile.id}"
    seen = (
        f"home?{profile}",
        f"titles/nights?{profile}",
        f"titles?kind=movie&limit=1&{profile}",
        f"titles?kind=movie&limit=1&cursor=city&{profile}",
        f"titles?kind=movie&limit=1&genre=horror&{profile}",
    )
    before = {path: await ask(api, ana, f"/api/{path}") for path in seen}
    with frozen(postgres):
        for path in seen:
            assert await ask(api, ana, f"/api/{path}") == before[path]
        answer = await api.get(f"/api/titles/film?{profile}", login=ana.login)
        assert refused(answer) == (503, "database-away")
        assert answer.headers["retry-after"] == "2"
