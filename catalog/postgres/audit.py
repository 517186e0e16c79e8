"""Who changed what. There is no way to change or remove an entry."""

from __future__ import annotations

from collections.abc import Mapping
from typing import TYPE_CHECKING, Any

import orjson

from catalog.postgres.records import Entry, Page, new_id
from catalog.postgres.rows import dumps, page_of

if TYPE_CHECKING:
    from catalog.postgres.rows import Connect


class Audit:
    def __init__(self, connect: Connect) -> None:
        self._connect = connect

    async def append(
        self, actor: str, action: str, subject: str, details: Mapping[str, Any]
    ) -> Entry:
        async with self._connect() as connection:
            row = await connection.fetchrow(
                "insert into audit (id, actor, action, subject, details) "
                "values ($1, $2, $3, $4, $5) returning *",
                new_id(),
                actor,
                action,
                subject,
                dumps(details),
            )
        return _entry_of(row)

    async def page(self, after: str | None = None, limit: int = 50) -> Page[Entry]:
        """The newest first."""
        async with self._connect() as connection:
            rows = await connection.fetch(
                "select * from audit where $1::text is null or id < $1 order by id desc limit $2",
                after,
                limit + 1,
            )
        return page_of([_entry_of(row) for row in rows], limit, lambda entry: entry.id)


def _entry_of(row: Any) -> Entry:
    return Entry(
        row["id"],
        row["at"],
        row["actor"],
        row["action"],
        row["subject"],
        orjson.loads(row["details"]),
    )
