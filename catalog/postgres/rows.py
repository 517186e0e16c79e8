"""Between rows and records."""

from __future__ import annotations

from collections.abc import Callable, Mapping
from contextlib import AbstractAsyncContextManager
from datetime import MAXYEAR, UTC, datetime
from typing import TYPE_CHECKING, Any

import orjson

from catalog.postgres.records import Account, Page, Profile, Progress, Row, Title, Window

if TYPE_CHECKING:
    import asyncpg

    Connection = asyncpg.pool.PoolConnectionProxy | asyncpg.Connection
    Connect = Callable[[], AbstractAsyncContextManager[Connection]]

ALWAYS = datetime(1, 1, 1, tzinfo=UTC)
NEVER = datetime(MAXYEAR, 12, 31, tzinfo=UTC)

TITLE = """
    t.*,
    coalesce((select true from renditions r where r.title = t.id limit 1), false) as playable,
    coalesce((
        select jsonb_agg(jsonb_build_array(
            extract(epoch from w.opens), extract(epoch from w.closes), to_jsonb(w.countries)
        ) order by w.opens, w.closes)
        from windows w where w.title = t.id
    ), '[]') as windows
"""
"""The columns of ``title_of``, where titles are called t. Each is looked up for the rows that are
shown: where ``exists`` asks, the server may read all renditions into a table of its own first."""


def title_of(row: Any) -> Title:
    return Title(
        id=row["id"],
        kind=row["kind"],
        names=orjson.loads(row["names"]),
        synopses=orjson.loads(row["synopses"]),
        year=row["year"],
        genres=tuple(row["genres"]),
        maturity=row["maturity"],
        duration_seconds=row["duration_seconds"],
        languages=tuple(row["languages"]),
        subtitles=tuple(row["subtitles"]),
        artwork=orjson.loads(row["artwork"]),
        series=row["series"],
        season=row["season"],
        episode=row["episode"],
        windows=tuple(_window(*window) for window in orjson.loads(row["windows"])),
        added=row["added"],
        playable=row["playable"],
    )


def _window(opens: float, closes: float, countries: list[str] | None) -> Window:
    return Window(
        _moment(opens, ALWAYS),
        _moment(closes, NEVER),
        None if countries is None else tuple(countries),
    )


def _moment(seconds: float | str, limit: datetime) -> datetime | None:
    """The driver writes the first moment there is as minus infinity, which comes as a word."""
    if isinstance(seconds, str):
        return None
    return None if seconds == limit.timestamp() else datetime.fromtimestamp(seconds, UTC)


def account_of(row: Any) -> Account:
    return Account(**{name: row[name] for name in Account.__slots__})


def profile_of(row: Any) -> Profile:
    return Profile(**{name: row[name] for name in Profile.__slots__})


def progress_of(row: Any) -> Progress:
    return Progress(**{name: row[name] for name in Progress.__slots__})


def page_of(rows: list[Row], limit: int, key: Callable[[Row], str]) -> Page[Row]:
    """``rows``: one more than ``limit`` where there is a page behind this one."""
    chosen = tuple(rows[:limit])
    return Page(chosen, key(chosen[-1]) if len(rows) > limit and chosen else None)


def dumps(value: Mapping[str, Any]) -> str:
    return orjson.dumps(value).decode()
