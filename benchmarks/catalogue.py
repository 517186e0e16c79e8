"""What a large catalogue costs: ``python -m benchmarks.catalogue [TITLES]``.

A PostgreSQL of our own gets as many titles (100,000), with renditions, windows, and profiles that
have watched a hundred of them each. Then each question that a page asks is asked, with its plan:
how many milliseconds it takes, how many rows are read for it, and which tables are read from end to
end.
"""

from __future__ import annotations

import argparse
import asyncio
import os
import sys
import tempfile
import time
from collections.abc import AsyncIterator, Awaitable, Callable, Iterator
from contextlib import aclosing, asynccontextmanager
from dataclasses import dataclass, field
from datetime import UTC, datetime
from pathlib import Path
from typing import TYPE_CHECKING, Any

import orjson

from catalog.postgres.database import Database
from catalog.postgres.migrate import migrate, read_migrations
from catalog.postgres.records import Audience
from catalog.postgres.titles import Titles
from catalog.postgres.viewing import Viewing
from embedded.postgres import start_postgres

if TYPE_CHECKING:
    from catalog.postgres.rows import Connection

TITLES = 100_000
TIMES = 5
FILL_SECONDS = 300

# Of 50 titles one is a series and ten are its episodes; one in ten has windows of its own.
_TITLES = """
    insert into titles (
        id, kind, series, season, episode, names, synopses, year, genres, maturity,
        duration_seconds, languages, subtitles, artwork, words, added
    )
    select id, kind, case kind when 'episode' then first end, case kind when 'episode' then 1 end,
        case kind when 'episode' then n % 50 end, jsonb_build_object('en', name), '{}',
        2000 + n % 25, genres, (array['0', '7', '12', '16'])[1 + n % 4], 5400, '{en,es}', '{es}',
        '{}',
        setweight(to_tsvector('simple', name), 'A')
            || setweight(to_tsvector('english', name) || to_tsvector('spanish', name), 'B')
            || setweight(to_tsvector('english', 'a tale of the sea ' || n % 1000), 'D'),
        now() - make_interval(secs => n::bigint * 7919 % 1000000)
    from (
        select n, 't' || lpad(n::text, 7, '0') as id,
            't' || lpad((n - n % 50 + 1)::text, 7, '0') as first, 'The city of word' || n as name,
            case when n % 50 = 1 then 'series' when n % 50 between 2 and 11 then 'episode'
                else 'movie' end as kind,
            case when n % 5000 = 777 then array['rare'] else array['g' || n % 13, 'h' || n % 7] end
                as genres
        from generate_series(0, $1::int - 1) n
    ) numbered order by n
"""
_AROUND = (
    """
    insert into renditions
        select id, id || '/' || height || '.mp4', 'v', 1, null
        from titles, unnest(array[360, 720, 1080]) height where kind <> 'series'
    """,
    """
    insert into windows
        select id, '2020-01-01', '2100-01-01',
            case when hashtext(id) % 3 = 0 then array['ES', 'MX'] end
        from titles where hashtext(id) % 10 = 0
    """,
    """
    insert into profiles
        select 'p' || n, account, 'p' || n, colour, language, kids
        from profiles, generate_series(1, 500) n
    """,
    """
    insert into progress
        select p.id, t.id, 100, 5400, now() from profiles p, (
            select id from titles where kind = 'movie' order by id limit 100
        ) t
    """,
    "insert into my_list select profile, title from progress",
    "vacuum analyze",
)


@dataclass
class Answer:
    """``read``: rows, of all tables, for the last time it was asked; ``in_full``: tables that were
    read from end to end."""

    milliseconds: float
    read: int
    in_full: set[str]


@dataclass
class Plans:
    """Runs each question twice: for its plan, and for its rows."""

    database: Database
    plans: list[dict[str, Any]] = field(default_factory=list)

    @asynccontextmanager
    async def connect(self) -> AsyncIterator[Any]:
        async with self.database.connection() as connection:
            yield _Explaining(connection, self.plans)


@dataclass
class _Explaining:
    connection: Connection
    plans: list[dict[str, Any]]

    async def fetch(self, query: str, *arguments: Any) -> Any:
        plan = await self.connection.fetchval(f"explain (analyze, format json) {query}", *arguments)
        self.plans.append(orjson.loads(plan)[0]["Plan"])
        return await self.connection.fetch(query, *arguments)


async def fill(database: Database, titles: int) -> str:
    """A catalogue of so many titles; the profile that watches."""
    account = await database.people.create("viewer@example.com", "", "Viewer", "en")
    [profile] = await database.people.profiles(account.id)
    async with database.connection() as connection:
        await connection.execute("set statement_timeout = 0")
        await connection.execute(_TITLES, titles, timeout=FILL_SECONDS)
        for statement in _AROUND:
            await connection.execute(statement, timeout=FILL_SECONDS)
    return profile.id


Question = Callable[[Titles, Viewing], Awaitable[Any]]


def questions(profile: str, audience: Audience) -> dict[str, Question]:
    return {
        "a title": lambda titles, _: titles.get("t0000777", audience),
        "a series' episodes": lambda titles, _: titles.episodes("t0000001", audience),
        "the next episode": lambda titles, _: titles.next_episode("t0000003", audience),
        "browse": lambda titles, _: titles.browse(audience),
        "browse, far down": lambda titles, _: titles.browse(audience, after="t0015000"),
        "browse series": lambda titles, _: titles.browse(audience, kind="series"),
        "browse a genre": lambda titles, _: titles.browse(audience, genre="g1"),
        "browse a rare genre": lambda titles, _: titles.browse(audience, genre="rare"),
        "browse series of a genre": lambda titles, _: titles.browse(
            audience, kind="series", genre="g1"
        ),
        "search a word of one": lambda titles, _: titles.search("word777", audience),
        "search a word of all": lambda titles, _: titles.search("city", audience),
        "search a letter": lambda titles, _: titles.search("w", audience),
        "the shelves of home": lambda titles, _: titles.shelves(audience),
        "continue watching": lambda _, viewing: viewing.continue_watching(profile, audience),
        "my list": lambda _, viewing: viewing.my_list(profile, audience),
        "where one stands": lambda _, viewing: viewing.progress(profile, ["t0000777"]),
    }


async def ask(database: Database, profile: str) -> dict[str, Answer]:
    """The best of a few times each, and what was read."""
    plans = Plans(database)
    explained = Titles(plans.connect), Viewing(plans.connect)
    answers = {}
    for name, question in questions(profile, Audience("ES", datetime.now(UTC))).items():
        best = min([await _milliseconds(question, database) for _ in range(TIMES)])
        await question(*explained)
        scans = [scan for plan in plans.plans for scan in _scans(plan)]
        plans.plans.clear()
        answers[name] = Answer(
            best,
            sum(_rows(scan) for scan in scans),
            {scan["Relation Name"] for scan in scans if scan["Node Type"] == "Seq Scan"},
        )
    return answers


async def _milliseconds(question: Question, database: Database) -> float:
    began = time.perf_counter()
    await question(database.titles, database.viewing)
    return (time.perf_counter() - began) * 1e3


def _scans(plan: dict[str, Any]) -> Iterator[dict[str, Any]]:
    """The parts of a plan that read a table."""
    if "Relation Name" in plan:
        yield plan
    for part in plan.get("Plans", ()):
        yield from _scans(part)


def _rows(scan: dict[str, Any]) -> int:
    each: float = scan["Actual Rows"] + scan.get("Rows Removed by Filter", 0)
    loops: float = scan["Actual Loops"]
    return round(each * loops)


async def measure(folder: Path, titles: int) -> dict[str, Answer]:
    with start_postgres(folder / "postgres", "-F") as server:
        await migrate(server.url, read_migrations())
        database = await Database.open(server.url)
        async with aclosing(database):
            profile = await fill(database, titles)
            return await ask(database, profile)


def main() -> int:
    parser = argparse.ArgumentParser(description="What a large catalogue costs.")
    parser.add_argument("titles", type=int, nargs="?", default=TITLES)
    titles = parser.parse_args().titles
    with tempfile.TemporaryDirectory(prefix="vod-") as folder:
        os.chmod(folder, 0o755)
        answers = asyncio.run(measure(Path(folder), titles))
    print(f"{titles:,} titles{'ms':>26}{'rows read':>11}  read from end to end")
    for name, answer in answers.items():
        in_full = ", ".join(sorted(answer.in_full))
        print(f"{name:30}{answer.milliseconds:>8.1f}{answer.read:>11,}  {in_full}".rstrip())
    return 0


if __name__ == "__main__":
    sys.exit(main())
