"""The tables, brought up to date by numbered files, forward only.

Each file is applied once, in a transaction of its own that also notes its checksum: a file that
fails leaves nothing. An advisory lock is held meanwhile, so any number may start at once. A file
that was applied and has changed since is refused: what it would make is not what is there.
"""

from __future__ import annotations

import hashlib
from collections.abc import Sequence
from dataclasses import dataclass
from pathlib import Path

import asyncpg

from catalog.postgres.errors import DatabaseAway

FOLDER = Path(__file__).parent / "migrations"
CONNECT_SECONDS = 10

_LOCK = 0x766F642D6F726967  # "vod-orig"
_NOTES = """
    create table if not exists migrations (
        name text primary key,
        checksum text not null,
        applied timestamptz not null default now()
    )
"""


class CannotMigrate(Exception):
    """The files do not fit the database, or one of them fails."""


@dataclass(frozen=True, slots=True)
class Migration:
    name: str
    text: str

    @property
    def checksum(self) -> str:
        return hashlib.sha256(self.text.encode()).hexdigest()


def read_migrations(folder: Path = FOLDER) -> tuple[Migration, ...]:
    """In the order of their names, which begin with their numbers."""
    return tuple(
        Migration(path.name, path.read_text(encoding="utf-8"))
        for path in sorted(folder.glob("*.sql"))
    )


async def migrate(url: str, migrations: Sequence[Migration]) -> tuple[str, ...]:
    """The names of those that had to be applied. Raises ``CannotMigrate`` and ``DatabaseAway``."""
    try:
        connection = await asyncpg.connect(url, timeout=CONNECT_SECONDS)
    except (OSError, TimeoutError, asyncpg.PostgresError, asyncpg.InterfaceError) as error:
        raise DatabaseAway(f"the database cannot be reached: {type(error).__name__}") from error
    try:
        await connection.execute(f"select pg_advisory_lock({_LOCK})")
        return await _apply(connection, migrations)
    except asyncpg.InterfaceError as error:
        raise DatabaseAway("the connection to the database was lost") from error
    finally:
        await connection.close()


async def _apply(
    connection: asyncpg.Connection, migrations: Sequence[Migration]
) -> tuple[str, ...]:
    await connection.execute(_NOTES)
    known = {row["name"]: row["checksum"] for row in await connection.fetch("table migrations")}
    _refuse_others(known, migrations)
    missing = [migration for migration in migrations if migration.name not in known]
    for migration in missing:
        try:
            async with connection.transaction():
                await connection.execute(migration.text)
                await connection.execute(
                    "insert into migrations (name, checksum) values ($1, $2)",
                    migration.name,
                    migration.checksum,
                )
        except asyncpg.PostgresError as error:
            raise CannotMigrate(f"{migration.name}: {error}") from error
    return tuple(migration.name for migration in missing)


def _refuse_others(known: dict[str, str], migrations: Sequence[Migration]) -> None:
    for migration in migrations:
        if known.get(migration.name, migration.checksum) != migration.checksum:
            raise CannotMigrate(f"{migration.name}: not the file that was applied")
    ours = [migration.name for migration in migrations]
    newest = max(known, default="")
    if newest not in ["", *ours]:
        raise CannotMigrate(f"the database is of a newer version, which applied {newest}")
    for name in ours:
        if name not in known and name < newest:
            raise CannotMigrate(f"{name}: comes before {newest}, which is applied already")
