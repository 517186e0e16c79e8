"""Where viewers stand, while the database answers and while it does not."""

from __future__ import annotations

import dataclasses
import logging
from collections.abc import AsyncIterator
from datetime import UTC, datetime, timedelta

import pytest

from catalog.postgres.database import Database
from catalog.postgres.errors import DatabaseAway
from catalog.postgres.records import Progress, TitleDraft, new_id
from origin.control.api import progress
from origin.control.api.progress import ProgressWriter

NOW = datetime(2026, 11, 24, 12, tzinfo=UTC)


@pytest.fixture
async def database(database_url: str) -> AsyncIterator[Database]:
    opened = await Database.open(database_url)
    yield opened
    await opened.aclose()


@pytest.fixture
async def away() -> AsyncIterator[Database]:
    """One that nobody answers for."""
    opened = await Database.open("postgresql://nobody@127.0.0.1:1/none")
    yield opened
    await opened.aclose()


@pytest.fixture
async def stands(database: Database) -> Progress:
    """At the beginning of a title, by somebody new."""
    account = await database.people.create(f"{new_id()}@example.com", "", "Ana", "en")
    [profile] = await database.people.profiles(account.id)
    await database.titles.put(TitleDraft("city"))
    return Progress(profile.id, "city", 0.0, 16.0, NOW)


def at(stands: Progress, position: float) -> Progress:
    updated = NOW + timedelta(seconds=position)
    return dataclasses.replace(stands, position=position, updated=updated)


async def test_what_is_put_now_is_written_with_what_waits(
    database: Database, stands: Progress
) -> None:
    writer = ProgressWriter(database)
    await database.titles.put(TitleDraft("film"))
    writer.put(dataclasses.replace(stands, title="film", position=3.0))
    await writer.put_now(at(stands, 5.0))
    written = await database.viewing.progress(stands.profile, ["city", "film"])
    assert {title: one.position for title, one in written.items()} == {"city": 5.0, "film": 3.0}
    assert writer.waiting(stands.profile, "city") is None
    await writer.aclose()


async def test_the_latest_is_written_at_the_end(database: Database, stands: Progress) -> None:
    writer = ProgressWriter(database)
    for position in (5.0, 7.0):
        writer.put(at(stands, position))
    assert await database.viewing.progress(stands.profile, ["city"]) == {}
    await writer.aclose()
    written = await database.viewing.progress(stands.profile, ["city"])
    assert written["city"] == at(stands, 7.0)


async def test_what_cannot_be_written_waits(
    database: Database, away: Database, stands: Progress
) -> None:
    writer = ProgressWriter(away)
    await writer.put_now(at(stands, 5.0))
    with pytest.raises(DatabaseAway):
        await writer.flush()
    assert writer.waiting(stands.profile, "city") == at(stands, 5.0)
    writer._database = database  # it is back
    await writer.flush()
    assert writer.waiting(stands.profile, "city") is None
    assert (await database.viewing.progress(stands.profile, ["city"]))["city"] == at(stands, 5.0)
    await writer.aclose()


async def test_what_is_lost_is_told(
    away: Database,
    stands: Progress,
    caplog: pytest.LogCaptureFixture,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    monkeypatch.setattr(progress, "MOST_WAITING", 1)
    writer = ProgressWriter(away)
    writer.put(at(stands, 5.0))
    writer.put(dataclasses.replace(stands, title="film"))
    assert "some is not kept" in caplog.text
    writer.put(at(stands, 6.0))  # takes the place it has
    assert writer.waiting(stands.profile, "city") == at(stands, 6.0)
    caplog.clear()
    await writer.aclose()
    assert caplog.record_tuples[-1][1:] == (
        logging.WARNING,
        "the progress of 1 playbacks is not kept",
    )
