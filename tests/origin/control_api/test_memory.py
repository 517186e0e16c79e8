"""What is remembered of the database, and for how long."""

from __future__ import annotations

import asyncio

import pytest

from catalog.postgres.errors import DatabaseAway, NoSuchRow
from catalog.postgres.records import Page
from origin.control.api.memory import AWAY_SECONDS, MOST_ROWS, STALE_SECONDS, Memory


class Clock:
    """Stands still until a test moves it."""

    def __init__(self) -> None:
        self.now = 1000.0

    def __call__(self) -> float:
        return self.now


class Rows:
    """A database with one number in it, or an error."""

    def __init__(self) -> None:
        self.holds: int | Exception = 1
        self.asked = 0

    async def read(self) -> int:
        self.asked += 1
        await asyncio.sleep(0)
        if isinstance(self.holds, Exception):
            raise self.holds
        return self.holds


@pytest.fixture
def clock() -> Clock:
    return Clock()


@pytest.fixture
def memory(clock: Clock) -> Memory:
    return Memory(clock)


@pytest.fixture
def rows() -> Rows:
    return Rows()


async def test_while_there_is_an_answer_it_counts(memory: Memory, rows: Rows) -> None:
    assert await memory.ask("a", rows.read()) == 1
    rows.holds = 2
    assert await memory.ask("a", rows.read()) == 2


async def test_what_was_last_read_counts_for_an_hour(
    memory: Memory, rows: Rows, clock: Clock
) -> None:
    await memory.ask("a", rows.read())
    rows.holds = DatabaseAway()
    clock.now += STALE_SECONDS
    assert await memory.ask("a", rows.read()) == 1
    clock.now += 0.001
    with pytest.raises(DatabaseAway):
        await memory.ask("a", rows.read())


async def test_nothing_is_made_up(memory: Memory, rows: Rows) -> None:
    await memory.ask("a", rows.read())
    rows.holds = DatabaseAway()
    with pytest.raises(DatabaseAway):
        await memory.ask("b", rows.read())


async def test_what_is_known_does_not_wait_for_a_database_that_was_away(
    memory: Memory, rows: Rows, clock: Clock
) -> None:
    for key in ("a", "b"):
        await memory.ask(key, rows.read())
    rows.holds = DatabaseAway()
    await memory.ask("a", rows.read())
    asked = rows.asked
    assert await memory.ask("b", rows.read()) == 1
    assert rows.asked == asked
    rows.holds = 2
    clock.now += AWAY_SECONDS
    assert await memory.ask("b", rows.read()) == 2


async def test_what_is_gone_does_not_come_back(memory: Memory, rows: Rows) -> None:
    await memory.ask("a", rows.read())
    rows.holds = NoSuchRow()
    with pytest.raises(NoSuchRow):
        await memory.ask("a", rows.read())
    rows.holds = DatabaseAway()
    with pytest.raises(DatabaseAway):
        await memory.ask("a", rows.read())


async def test_the_recent_is_asked_for_once(memory: Memory, rows: Rows, clock: Clock) -> None:
    answers = await asyncio.gather(*(memory.recent("a", 10.0, rows.read) for _ in range(5)))
    assert (answers, rows.asked) == ([1] * 5, 1)
    rows.holds = 2
    clock.now += 10.0
    assert await memory.recent("a", 10.0, rows.read) == 1
    clock.now += 0.001
    assert await memory.recent("a", 10.0, rows.read) == 2


async def test_the_recent_is_no_older_than_an_hour_either(
    memory: Memory, rows: Rows, clock: Clock
) -> None:
    await memory.recent("a", 10.0, rows.read)
    rows.holds = DatabaseAway()
    for _ in range(2):  # an answer from memory makes it no younger
        clock.now += STALE_SECONDS / 2
        assert await memory.recent("a", 10.0, rows.read) == 1
    clock.now += 0.001
    with pytest.raises(DatabaseAway):
        await memory.recent("a", 10.0, rows.read)


async def test_it_holds_so_many_rows(memory: Memory, rows: Rows) -> None:
    async def page() -> Page[int]:
        return Page(tuple(range(MOST_ROWS // 4)), None)

    await memory.ask("first", rows.read())
    for number in range(4):
        await memory.ask(number, page())
    rows.holds = DatabaseAway()
    with pytest.raises(DatabaseAway):
        await memory.ask("first", rows.read())
