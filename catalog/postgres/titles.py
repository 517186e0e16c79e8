"""Titles: cards, pages, shelves and the search.

What is not available to an audience is not there for it. An ``audience`` of None is the staff's:
it sees everything.

The search needs no extension of the server. Accents and case are folded here (``fold``), on both
sides, and a title's words are kept as they are, for prefixes, and as stems of English and Spanish,
for "luces" to find "luz". A page of anything goes on behind the last row's key.
"""

from __future__ import annotations

import re
import unicodedata
from collections.abc import Iterable, Sequence
from typing import TYPE_CHECKING, Any

from catalog.assets import Asset
from catalog.postgres.errors import NoSuchRow
from catalog.postgres.records import Audience, Found, Page, Shelf, Title, TitleDraft
from catalog.postgres.rows import ALWAYS, NEVER, TITLE, dumps, page_of, title_of

if TYPE_CHECKING:
    from catalog.postgres.rows import Connect, Connection

MOST_GENRES = 10
MOST_WORDS = 8

AVAILABLE = """(
    $1::timestamptz is null
    or ($3::text[] is null or t.maturity = any ($3))
    and has_window(t.id, $2::text, $1) and (t.series is null or has_window(t.series, $2, $1))
)"""
"""Of a title t, with the arguments of ``scope``."""

_SAVE = """
    insert into titles as t (
        id, kind, series, season, episode, names, synopses, year, genres, maturity,
        duration_seconds, languages, subtitles, artwork, words
    ) values (
        $1, $2, $3, $4, $5, $6, $7, $8, $9, $10, $11, $12, $13, $14,
        setweight(to_tsvector('simple', $15), 'A')
            || setweight(to_tsvector('english', $15) || to_tsvector('spanish', $15), 'B')
            || setweight(to_tsvector('english', $16) || to_tsvector('spanish', $16), 'D')
    )
    on conflict (id) do update set
        kind = excluded.kind, series = excluded.series, season = excluded.season,
        episode = excluded.episode, names = excluded.names, synopses = excluded.synopses,
        year = excluded.year, genres = excluded.genres, maturity = excluded.maturity,
        duration_seconds = coalesce(excluded.duration_seconds, t.duration_seconds),
        languages = excluded.languages, subtitles = excluded.subtitles,
        artwork = excluded.artwork, words = excluded.words
"""

# The rank is of all that is found; whether it is available, and what it is, is asked of a page.
_SEARCH = f"""
    with asked as (
        select to_tsquery('simple', $4) || plainto_tsquery('english', $5)
            || plainto_tsquery('spanish', $5) as query
    ), found as (
        select id, ts_rank(words, query)::float8 as rank
        from titles, asked where words @@ query
    ), ranked as (
        select * from found where $6::float8 is null or rank < $6 or rank = $6 and id > $7::text
        order by rank desc, id offset 0
    )
    select {TITLE}, ranked.rank from ranked join lateral (
        select * from titles where id = ranked.id offset 0
    ) t on {AVAILABLE}
    order by ranked.rank desc, ranked.id limit $8
"""

# Each shelf reads an index of the newest titles until it is full. Genres are ordered by how many
# titles they have, of which no more than a thousand are counted.
_SHELVES = f"""
    with recursive genres (genre) as (
        (select genre from title_genres order by genre limit 1)
        union all
        select (select genre from title_genres where genre > genres.genre order by genre limit 1)
        from genres where genre is not null
    ), chosen as (
        select genre from genres cross join lateral (
            select count(*) as titles from (
                select from title_genres g where g.genre = genres.genre and kind <> 'episode'
                order by added desc, title limit 1000  -- out of the index
            ) counted
        ) counted
        where titles > 0 order by titles desc, genre limit $5
    ), shelves as (
        (
            select 'new' as shelf, 0 as place, t.id, t.added from titles t
            where t.kind <> 'episode' and {AVAILABLE} order by t.added desc, t.id limit $4
        )
        union all
        (
            select 'series', 1, t.id, t.added from titles t
            where t.kind = 'series' and {AVAILABLE} order by t.added desc, t.id limit $4
        )
        union all
        select 'genre:' || genre, 2, newest.id, newest.added from chosen cross join lateral (
            select t.id, t.added from title_genres g join titles t on t.id = g.title
            where g.genre = chosen.genre and g.kind <> 'episode' and {AVAILABLE}
            order by g.added desc, g.title limit $4
        ) newest
    )
    select shelf, {TITLE} from shelves join titles t using (id)
    order by place, shelf, shelves.added desc, t.id
"""


def scope(audience: Audience | None) -> tuple[Any, Any, Any]:
    if audience is None:
        return None, None, None
    return audience.now, audience.country, audience.maturities


def fold(text: str) -> str:
    """Without accents and case: "Canción" and "cancion" are the same words."""
    apart = unicodedata.normalize("NFKD", text.replace("\0", " "))
    return "".join(sign for sign in apart if not unicodedata.combining(sign)).casefold()


class Query:
    """Its arguments, as its conditions come to need them."""

    def __init__(self, *arguments: Any) -> None:
        self.arguments = list(arguments)

    def bind(self, argument: Any) -> str:
        """What stands for it in the text."""
        self.arguments.append(argument)
        return f"${len(self.arguments)}"


class Titles:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def get(self, title: str, audience: Audience | None) -> Title:
        for found in await self.many([title], audience):
            return found
        raise NoSuchRow(f"There is no title '{title}'.")

    async def many(self, ids: Sequence[str], audience: Audience | None) -> tuple[Title, ...]:
        """Those of ``ids`` that there are, in that order."""
        return await self._titles(
            f"select {TITLE} from titles t where t.id = any ($4) and {AVAILABLE} "
            "order by array_position($4, t.id)",
            *scope(audience),
            list(ids),
        )

    async def episodes(self, series: str, audience: Audience | None) -> tuple[Title, ...]:
        return await self._titles(
            f"select {TITLE} from titles t where t.series = $4 and {AVAILABLE} "
            "order by t.season, t.episode, t.id",
            *scope(audience),
            series,
        )

    async def next_episode(self, title: str, audience: Audience | None) -> Title | None:
        found = await self._titles(
            f"select {TITLE} from titles t join titles before using (series) "
            "where before.id = $4 and (t.season, t.episode) > (before.season, before.episode) "
            f"and {AVAILABLE} order by t.season, t.episode limit 1",
            *scope(audience),
            title,
        )
        return found[0] if found else None

    async def browse(
        self,
        audience: Audience | None,
        *,
        kind: str | None = None,
        genre: str | None = None,
        after: str | None = None,
        limit: int = 50,
    ) -> Page[Title]:
        """In the order of their ids. Without a ``kind`` an audience is shown no episodes."""
        query = Query(*scope(audience))
        of_all, key = "titles t", "t.id"
        conditions = [AVAILABLE]
        if genre is not None:
            of_all, key = "title_genres g join titles t on t.id = g.title", "g.title"
            conditions.append(f"g.genre = {query.bind(genre)}")
        if kind is not None:
            conditions.append(f"t.kind = {query.bind(kind)}")
        elif audience is not None:
            conditions.append("t.kind <> 'episode'")
        if after is not None:
            conditions.append(f"{key} > {query.bind(after)}")
        rows = await self._titles(
            f"select {TITLE} from {of_all} where {' and '.join(conditions)} "
            f"order by {key} limit {query.bind(limit + 1)}",
            *query.arguments,
        )
        return page_of(list(rows), limit, lambda title: title.id)

    async def search(
        self, text: str, audience: Audience | None, *, after: str | None = None, limit: int = 24
    ) -> Page[Title]:
        """The best first. Each word may be the beginning of one in a name, or all be in names and
        synopses in whatever form."""
        words = re.findall(r"\w+", fold(text))[:MOST_WORDS]
        if not words:
            return Page((), None)
        prefixes = " & ".join(f"{word}:*" for word in words)
        rank, last = _place(after)
        async with self._connect() as connection:
            rows = await connection.fetch(
                _SEARCH, *scope(audience), prefixes, " ".join(words), rank, last, limit + 1
            )
        page = page_of(list(rows), limit, lambda row: f"{row['rank']!r}:{row['id']}")
        return Page(tuple(map(title_of, page.rows)), page.next)

    async def shelves(self, audience: Audience | None, limit: int = 20) -> tuple[Shelf, ...]:
        """The newest titles, the series, and those of the ten genres that most titles have, up to
        ``limit`` on each."""
        async with self._connect() as connection:
            rows = await connection.fetch(_SHELVES, *scope(audience), limit, MOST_GENRES)
        shelves: dict[str, list[Title]] = {}
        for row in rows:
            shelves.setdefault(row["shelf"], []).append(title_of(row))
        return tuple(Shelf(name, tuple(titles)) for name, titles in shelves.items())

    async def put(self, draft: TitleDraft) -> Title:
        """The title as told, in place of what was told of it before. Its media stay."""
        async with self._connect() as connection, connection.transaction():
            await _save(connection, draft)
        return await self.get(draft.id, None)

    async def remove(self, title: str) -> None:
        async with self._connect() as connection:
            if await connection.execute("delete from titles where id = $1", title) == "DELETE 0":
                raise NoSuchRow(f"There is no title '{title}'.")

    async def import_assets(self, found: Sequence[Found]) -> int:
        """Titles and the files that make them, in place of those before; all or none. What is no
        longer found stays. A title that had windows keeps them, where none are told."""
        ordered = sorted(found, key=lambda one: (one.title.kind == "episode", one.title.id))
        async with self._connect() as connection, connection.transaction():
            for one in ordered:
                await _save(connection, one.title, keep_windows=not one.title.windows)
                if one.asset is not None:
                    await _save_files(connection, one.asset)
        return len(ordered)

    async def _titles(self, query: str, *arguments: Any) -> tuple[Title, ...]:
        async with self._connect() as connection:
            return tuple(map(title_of, await connection.fetch(query, *arguments)))


def _place(after: str | None) -> tuple[float | None, str | None]:
    """Of a page of the search; one that is none begins at the beginning."""
    rank, _, last = (after or "").partition(":")
    try:
        return float(rank), last
    except ValueError:
        return None, None


async def _save(connection: Connection, draft: TitleDraft, *, keep_windows: bool = False) -> None:
    await connection.execute(
        _SAVE,
        draft.id,
        draft.kind,
        draft.series,
        draft.season,
        draft.episode,
        dumps(draft.names),
        dumps(draft.synopses),
        draft.year,
        draft.genres,
        draft.maturity,
        draft.duration_seconds,
        draft.languages,
        draft.subtitles,
        dumps(draft.artwork),
        _folded([draft.id, *draft.names.values()]),
        _folded([*draft.synopses.values(), *draft.genres]),
    )
    if keep_windows:
        return
    await connection.execute("delete from windows where title = $1", draft.id)
    await connection.executemany(
        "insert into windows values ($1, $2, $3, $4)",
        [
            (draft.id, window.opens or ALWAYS, window.closes or NEVER, window.countries)
            for window in draft.windows
        ],
    )


def _folded(texts: Iterable[str]) -> str:
    return " ".join(re.findall(r"\w+", fold(" ".join(texts))))


async def _save_files(connection: Connection, asset: Asset) -> None:
    await connection.execute("delete from renditions where title = $1", asset.id)
    await connection.execute("delete from text_tracks where title = $1", asset.id)
    await connection.executemany(
        "insert into renditions values ($1, $2, $3, $4, $5)",
        [(asset.id, file.key, file.version, file.size, file.language) for file in asset.media],
    )
    await connection.executemany(
        "insert into text_tracks values ($1, $2, $3, $4, $5, $6, $7)",
        [
            (asset.id, f.key, f.version, f.size, f.language, f.forced, f.hearing_impaired)
            for f in asset.text
        ],
    )
