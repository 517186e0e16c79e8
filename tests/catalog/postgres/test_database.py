from __future__ import annotations

import asyncio
from datetime import UTC, datetime, timedelta

import asyncpg
import pytest

from catalog.assets import Asset, MediaFile, TextFile
from catalog.postgres.catalogue import PostgresCatalogue
from catalog.postgres.database import Database
from catalog.postgres.errors import Conflict, DatabaseAway, NoSuchRow, TooManyProfiles
from catalog.postgres.migrate import CannotMigrate, Migration, migrate, read_migrations
from catalog.postgres.records import Audience, Found, Progress, TitleDraft, Window
from embedded.postgres import start_postgres
from embedded.process import Server
from tests.support.servers import frozen, server_folder

NOW = datetime(2026, 1, 1, tzinfo=UTC)
SPAIN = Audience("ES", NOW)
DAY = timedelta(days=1)


async def test_ten_migrations_at_once_apply_each_file_once(url: str) -> None:
    applied = await asyncio.gather(*(migrate(url, read_migrations()) for _ in range(10)))
    assert sorted(map(len, applied)) == [0] * 9 + [len(read_migrations())]


async def test_a_changed_file_is_refused(url: str) -> None:
    await migrate(url, [Migration("0001_a.sql", "create table a ()")])
    with pytest.raises(CannotMigrate, match="0001_a"):
        await migrate(url, [Migration("0001_a.sql", "create table b ()")])


async def test_a_failing_migration_leaves_nothing(url: str) -> None:
    with pytest.raises(CannotMigrate, match="0001_a"):
        await migrate(url, [Migration("0001_a.sql", "create table a (); select 1 / 0")])
    assert await migrate(url, [Migration("0001_a.sql", "create table a ()")]) == ("0001_a.sql",)


async def test_an_older_version_refuses_a_newer_database(url: str) -> None:
    first, second = Migration("0001_a.sql", "select 1"), Migration("0002_b.sql", "select 1")
    await migrate(url, [first, second])
    with pytest.raises(CannotMigrate, match="newer"):
        await migrate(url, [first])


async def test_without_tables_it_says_what_to_do(url: str) -> None:
    database = await Database.open(url)
    with pytest.raises(DatabaseAway, match="vod-origin migrate"):
        await database.titles.get("x", None)
    await database.aclose()


async def test_a_title_comes_back_as_it_was_put(database: Database) -> None:
    draft = TitleDraft(
        "luz",
        names={"es": "Luz", "en": "Light"},
        genres=("drama",),
        artwork={"poster": "luz.jpg"},
        windows=(Window(NOW, NOW + DAY, ("ES",)), Window(NOW + DAY, None, None)),
    )
    title = await database.titles.put(draft)
    assert {name: getattr(title, name) for name in TitleDraft.__slots__} == {
        name: getattr(draft, name) for name in TitleDraft.__slots__
    }
    assert not title.playable


async def test_windows_and_countries(database: Database) -> None:
    await database.titles.put(TitleDraft("a", windows=(Window(NOW, NOW + DAY, ("ES",)),)))
    await database.titles.get("a", SPAIN)
    await database.titles.get("a", None)
    for audience in (
        Audience("FR", NOW),
        Audience(None, NOW),
        Audience("ES", NOW - DAY / 2),
        Audience("ES", NOW + DAY),
    ):
        with pytest.raises(NoSuchRow):
            await database.titles.get("a", audience)


async def test_an_episode_is_only_where_its_series_is(database: Database) -> None:
    await database.titles.put(TitleDraft("s", "series", windows=(Window(countries=("ES",)),)))
    for number in (2, 1):
        await database.titles.put(
            TitleDraft(f"e{number}", "episode", series="s", season=1, episode=number)
        )
    found = await database.titles.episodes("s", SPAIN)
    assert [title.id for title in found] == ["e1", "e2"]
    assert await database.titles.episodes("s", Audience("FR", NOW)) == ()
    following = await database.titles.next_episode("e1", SPAIN)
    assert following is not None
    assert following.id == "e2"
    assert await database.titles.next_episode("e2", SPAIN) is None
    assert [title.id for title in (await database.titles.browse(SPAIN)).rows] == ["s"]


async def test_pages_have_every_title_once(database: Database) -> None:
    ids = [f"t{number}" for number in range(7)]
    for name in ids:
        await database.titles.put(TitleDraft(name, names={"en": "same words"}, genres=("x",)))
    browsed: list[str] = []
    searched: list[str] = []
    after = None
    while True:
        page = await database.titles.browse(SPAIN, genre="x", after=after, limit=3)
        browsed += [title.id for title in page.rows]
        if (after := page.next) is None:
            break
    while True:
        page = await database.titles.search("same", SPAIN, after=after, limit=3)
        searched += [title.id for title in page.rows]
        if (after := page.next) is None:
            break
    assert browsed == searched == ids


@pytest.mark.parametrize(
    "text", ["cancion", "CANCIÓN", "canc", "canciones", "niños", "songs of", "la canción"]
)
async def test_words_are_found_in_any_form(database: Database, text: str) -> None:
    await database.titles.put(
        TitleDraft(
            "song",
            names={"es": "La canción", "en": "The song"},
            synopses={"es": "Un niño canta.", "en": "A boy sings songs."},
        )
    )
    await database.titles.put(TitleDraft("other", names={"es": "Faro"}))
    page = await database.titles.search(text, SPAIN)
    assert [title.id for title in page.rows] == ["song"]


@pytest.mark.parametrize("text", ["", "  ", "' | & !:*", "\0", "zzz", "the"])
async def test_what_is_no_word_of_a_title_finds_nothing(database: Database, text: str) -> None:
    await database.titles.put(TitleDraft("a", names={"en": "Lighthouse"}))
    assert (await database.titles.search(text, SPAIN)).rows == ()


async def test_shelves(database: Database) -> None:
    await database.titles.put(TitleDraft("a", genres=("drama",)))
    await database.titles.put(TitleDraft("b", "series"))
    shelves = await database.titles.shelves(SPAIN)
    assert [(s.id, {t.id for t in s.titles}) for s in shelves] == [
        ("new", {"a", "b"}),
        ("series", {"b"}),
        ("genre:drama", {"a"}),
    ]


async def test_shelves_are_of_the_newest_and_of_the_genres_of_most_titles(
    database: Database,
) -> None:
    for number in range(12):
        genres = tuple(f"g{genre:02}" for genre in range(number + 1))
        await database.titles.put(TitleDraft(f"t{number:02}", genres=genres))
    shelves = {shelf.id: shelf.titles for shelf in await database.titles.shelves(SPAIN, limit=3)}
    assert list(shelves) == ["new", *(f"genre:g{genre:02}" for genre in range(10))]
    newest = ["t11", "t10", "t09"]
    assert [title.id for title in shelves["new"]] == newest
    assert [title.id for title in shelves["genre:g00"]] == newest


async def test_of_some_maturities_only_those_are_found(database: Database) -> None:
    titles, viewing = database.titles, database.viewing
    account = await database.people.create("leo@example.com", "h", "Leo", "es")
    [profile] = await database.people.profiles(account.id)
    for name, maturity in (("all", "0"), ("grown", "18"), ("unrated", None)):
        await titles.put(TitleDraft(name, names={"en": f"the {name}"}, maturity=maturity))
        await titles.put(TitleDraft(f"{name}-1", "episode", series="all", maturity=maturity))
        await viewing.add_to_list(profile.id, name)
        await viewing.save_progress([Progress(profile.id, name, 1.0, 9.0, NOW)])
    child = Audience("ES", NOW, ("0", "7"))
    found = {
        "many": await titles.many(["grown", "all", "unrated"], child),
        "episodes": await titles.episodes("all", child),
        "browse": (await titles.browse(child)).rows,
        "search": (await titles.search("the", child)).rows,
        "shelves": (await titles.shelves(child))[0].titles,
        "list": await viewing.my_list(profile.id, child),
        "continue": tuple(one.title for one in await viewing.continue_watching(profile.id, child)),
    }
    assert {name: [title.id for title in rows] for name, rows in found.items()} == {
        "many": ["all"],
        "episodes": ["all-1"],
        "browse": ["all"],
        "search": ["all"],
        "shelves": ["all"],
        "list": ["all"],
        "continue": ["all"],
    }


async def test_the_genres_of_a_title_are_those_it_was_told_last(database: Database) -> None:
    titles = database.titles
    await titles.put(TitleDraft("s", "series", genres=("drama", "drama")))
    await titles.put(TitleDraft("e", "episode", genres=("drama",), series="s", season=1, episode=1))
    await titles.put(TitleDraft("m", genres=("war",)))
    await titles.put(TitleDraft("m", genres=("crime", "drama")))

    async def found(kind: str | None, genre: str) -> list[str]:
        page = await titles.browse(SPAIN, kind=kind, genre=genre)
        return [title.id for title in page.rows]

    assert await found(None, "drama") == ["m", "s"]
    assert await found("series", "drama") == ["s"]
    assert await found("episode", "drama") == ["e"]
    assert await found(None, "war") == []
    genres = [shelf.id for shelf in await titles.shelves(SPAIN) if ":" in shelf.id]
    assert genres == ["genre:crime", "genre:drama"]
    await titles.remove("m")
    assert await found(None, "drama") == ["s"]


async def test_titles_of_the_first_version_have_their_genres(url: str) -> None:
    first, *later = read_migrations()
    await migrate(url, [first])
    connection = await asyncpg.connect(url)
    await connection.execute(
        "insert into titles values ('m', 'movie', null, null, null, '{}', '{}', null, '{war,war}', "
        "null, null, '{}', '{}', '{}', '')"
    )
    await connection.close()
    assert await migrate(url, [first, *later]) == tuple(one.name for one in later)
    database = await Database.open(url)
    page = await database.titles.browse(SPAIN, genre="war")
    await database.aclose()
    assert [title.id for title in page.rows] == ["m"]


async def test_people(database: Database) -> None:
    people = database.people
    made = await people.create("Ana@Example.com", "hash", "Ana", "es")
    assert await people.by_email(" ana@example.COM") == made
    assert (made.plan, made.streams, made.role, made.disabled) == ("standard", 2, "viewer", False)
    assert "hash" not in repr(made)
    with pytest.raises(Conflict) as conflict:
        await people.create("ana@example.com", "h", "B", "es")
    assert conflict.value.field == "email"
    await people.set_password(made.id, "new")
    assert (await people.get(made.id)).password_hash == "new"
    assert (await people.change(made.id, plan="premium", disabled=True)).streams == 4
    with pytest.raises(NoSuchRow):
        await people.change(made.id, plan="none")
    with pytest.raises(NoSuchRow):
        await people.get("nobody")
    other = await people.create("bo@example.com", "h", "Bo", "en")
    first = await people.page(limit=1)
    assert [a.id for a in first.rows] == [made.id]
    assert [a.id for a in (await people.page(first.next)).rows] == [other.id]
    assert [a.id for a in (await people.page(query="BO@")).rows] == [other.id]


async def test_profiles(database: Database) -> None:
    people = database.people
    ana = await people.create("a@example.com", "h", "Ana", "es")
    (own,) = await people.profiles(ana.id)
    assert own.name == "Ana"
    with pytest.raises(Conflict) as conflict:
        await people.add_profile(ana.id, "Ana", "#fff", "es", False)
    assert conflict.value.field == "name"
    added = await asyncio.gather(
        *(people.add_profile(ana.id, f"p{n}", "#fff", "es", True) for n in range(9)),
        return_exceptions=True,
    )
    assert sum(isinstance(one, TooManyProfiles) for one in added) == 2
    bo = await people.create("b@example.com", "h", "Bo", "en")
    with pytest.raises(NoSuchRow):
        await people.profile(bo.id, own.id)
    with pytest.raises(NoSuchRow):
        await people.remove_profile(bo.id, own.id)
    assert (await people.change_profile(ana.id, own.id, kids=True)).kids
    await people.remove_profile(ana.id, own.id)
    with pytest.raises(NoSuchRow):
        await people.profile(ana.id, own.id)


async def test_a_plan_entitles_to_all_or_to_what_is_listed(database: Database) -> None:
    await database.titles.put(TitleDraft("s", "series"))
    await database.titles.put(TitleDraft("e", "episode", series="s", season=1, episode=1))
    await database.titles.put(TitleDraft("m"))
    async with database.connection() as connection:
        await connection.execute("insert into plans values ('few', 1, false)")
        await connection.execute("insert into plan_titles values ('few', 's')")
    entitled = database.people.entitled
    assert await entitled("standard", "m")
    assert [await entitled("few", title) for title in ("s", "e", "m")] == [True, True, False]
    assert not await entitled("none", "m")


async def test_viewing(database: Database) -> None:
    ana = await database.people.create("a@example.com", "h", "Ana", "es")
    (profile,) = await database.people.profiles(ana.id)
    for name in ("a", "b", "c"):
        await database.titles.put(TitleDraft(name))
    await database.viewing.save_progress(
        [
            Progress(profile.id, "a", 10, 100, NOW),
            Progress(profile.id, "a", 20, 100, NOW + DAY),
            Progress(profile.id, "b", 99, 100, NOW),
            Progress(profile.id, "c", 5, 100, NOW + 2 * DAY),
            Progress(profile.id, "gone", 5, 100, NOW),
        ]
    )
    await database.viewing.save_progress([Progress(profile.id, "a", 1, 100, NOW)])
    watched = await database.viewing.continue_watching(profile.id, SPAIN)
    assert [(one.title.id, one.progress.position) for one in watched] == [("c", 5), ("a", 20)]
    known = await database.viewing.progress(profile.id, ["b", "gone"])
    assert known == {"b": Progress(profile.id, "b", 99, 100, NOW)}
    await database.viewing.add_to_list(profile.id, "a")
    await database.viewing.add_to_list(profile.id, "b")
    await database.viewing.add_to_list(profile.id, "a")
    assert [t.id for t in await database.viewing.my_list(profile.id, SPAIN)] == ["b", "a"]
    await database.viewing.remove_from_list(profile.id, "a")
    assert not await database.viewing.in_list(profile.id, "a")
    assert await database.viewing.in_list(profile.id, "b")
    with pytest.raises(NoSuchRow):
        await database.viewing.add_to_list(profile.id, "gone")


async def test_audit(database: Database) -> None:
    made = [await database.audit.append("me", "purge", f"t{n}", {"n": n}) for n in range(3)]
    first = await database.audit.page(limit=2)
    rest = await database.audit.page(first.next)
    assert {entry.id for entry in (*first.rows, *rest.rows)} == {entry.id for entry in made}
    assert rest.next is None


ASSET = Asset(
    "a",
    (MediaFile("a/1.mp4", "v1", 5_000_000_000), MediaFile("a/2.m4a", "v1", 7, "es")),
    (TextFile("a/s.vtt", "v1", 9, "en", True, False),),
)


async def test_the_catalogue_serves_what_was_imported_while_the_server_is_away() -> None:
    now = 0.0
    with server_folder() as folder:
        server = start_postgres(folder / "pg", "-F")
        try:
            await migrate(server.url, read_migrations())
            database = await Database.open(server.url)
            await database.titles.import_assets([Found(TitleDraft("a"), ASSET)])
            catalogue = PostgresCatalogue(database, lambda: now)
            assert await catalogue.asset("a") == ASSET
            assert await catalogue.asset("b") is None
            assert list((await catalogue.page(None, 5)).ids) == ["a"]
        finally:
            server.stop()
        now = 3599.0
        assert await catalogue.asset("a") == ASSET
        now = 3601.0
        with pytest.raises(DatabaseAway):
            await catalogue.asset("a")
        with start_postgres(folder / "pg", "-F"):
            assert await catalogue.asset("a") == ASSET
        await database.aclose()


async def test_a_frozen_server_is_away_and_comes_back(database: Database, postgres: Server) -> None:
    await database.titles.put(TitleDraft("a"))
    with frozen(postgres), pytest.raises(DatabaseAway):
        await database.titles.get("a", None)
    assert (await database.titles.get("a", None)).id == "a"


async def test_an_exhausted_pool_is_away_and_a_cancelled_question_gives_its_place_back(
    database: Database, url: str
) -> None:
    small = await Database.open(url, connections=1)

    async def hold() -> None:
        async with small.connection() as connection:
            held.set()
            await connection.execute("select pg_sleep(1.5)")

    held = asyncio.Event()
    holding = asyncio.create_task(hold())
    await held.wait()
    with pytest.raises(DatabaseAway):
        await small.titles.get("a", None)
    holding.cancel()
    with pytest.raises(asyncio.CancelledError):
        await holding
    with pytest.raises(NoSuchRow):
        await small.titles.get("a", None)
    await small.aclose()


async def test_a_server_that_never_was_is_no_failed_start() -> None:
    database = await Database.open("postgresql://vod@127.0.0.1:1/x")
    with pytest.raises(DatabaseAway):
        await database.people.get("x")
    await database.aclose()


async def test_a_statement_that_takes_too_long_is_ended_at_the_server(database: Database) -> None:
    async with database.connection() as connection:
        limit = await connection.fetchval("show statement_timeout")
    assert limit == "2s"
