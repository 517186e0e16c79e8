"""What profiles watch: where they stand, and what they keep for later."""

from __future__ import annotations

from collections.abc import Sequence
from typing import TYPE_CHECKING

from catalog.postgres.records import Audience, Progress, Title, Watched
from catalog.postgres.rows import TITLE, progress_of, title_of
from catalog.postgres.titles import AVAILABLE, scope

if TYPE_CHECKING:
    from catalog.postgres.rows import Connect

WATCHED = 0.95
"""The part of a title behind which it is seen: what follows are credits."""


class Viewing:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def progress(self, profile: str, titles: Sequence[str]) -> dict[str, Progress]:
        async with self._connect() as connection:
            rows = await connection.fetch(
                "select * from progress where profile = $1 and title = any ($2)",
                profile,
                list(titles),
            )
        return {row["title"]: progress_of(row) for row in rows}

    async def save_progress(self, progress: Sequence[Progress]) -> None:
        """In one statement; the latest of one title counts, and a later one that is known already.
        Of profiles and titles that are gone by now nothing is kept."""
        latest = {
            (one.profile, one.title): one for one in sorted(progress, key=lambda one: one.updated)
        }
        columns = [[getattr(one, name) for one in latest.values()] for name in Progress.__slots__]
        async with self._connect() as connection:
            await connection.execute(
                "insert into progress as p select s.* from unnest("
                "$1::text[], $2::text[], $3::float8[], $4::float8[], $5::timestamptz[]"
                ") as s (profile, title, position, duration, updated) "
                "join profiles on profiles.id = s.profile join titles on titles.id = s.title "
                "order by s.profile, s.title "  # or two that save the same may lock each other
                "on conflict (profile, title) do update set position = excluded.position, "
                "duration = excluded.duration, updated = excluded.updated "
                "where p.updated <= excluded.updated",
                *columns,
            )

    async def continue_watching(
        self, profile: str, audience: Audience | None, limit: int = 20
    ) -> tuple[Watched, ...]:
        """What was begun and not seen to its end, the latest first."""
        async with self._connect() as connection:
            rows = await connection.fetch(
                f"select {TITLE}, p.profile, p.title, p.position, p.duration, p.updated "
                "from progress p join titles t on t.id = p.title "
                f"where p.profile = $4 and p.position > 0 and p.position < p.duration * {WATCHED} "
                f"and {AVAILABLE} order by p.updated desc, t.id limit $5",
                *scope(audience),
                profile,
                limit,
            )
        return tuple(Watched(title_of(row), progress_of(row)) for row in rows)

    async def my_list(
        self, profile: str, audience: Audience | None, limit: int = 100
    ) -> tuple[Title, ...]:
        """The latest first."""
        async with self._connect() as connection:
            rows = await connection.fetch(
                f"select {TITLE} from my_list l join titles t on t.id = l.title "
                f"where l.profile = $4 and {AVAILABLE} order by l.added desc, t.id limit $5",
                *scope(audience),
                profile,
                limit,
            )
        return tuple(map(title_of, rows))

    async def in_list(self, profile: str, title: str) -> bool:
        async with self._connect() as connection:
            found = await connection.fetchval(
                "select exists (select from my_list where profile = $1 and title = $2)",
                profile,
                title,
            )
        return bool(found)

    async def add_to_list(self, profile: str, title: str) -> None:
        """``NoSuchRow``: there is no such title. Once more changes nothing."""
        async with self._connect() as connection:
            await connection.execute(
                "insert into my_list values ($1, $2) on conflict do nothing", profile, title
            )

    async def remove_from_list(self, profile: str, title: str) -> None:
        async with self._connect() as connection:
            await connection.execute(
                "delete from my_list where profile = $1 and title = $2", profile, title
            )
