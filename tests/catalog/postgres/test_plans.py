"""Of a large catalogue no more is read than is shown."""

from __future__ import annotations

from benchmarks.catalogue import ask, fill
from catalog.postgres.database import Database

TITLES = 20_000
OF_ALL = {"search a word of all", "search a letter"}
"""These find every title, and rank them."""


async def test_no_question_of_a_page_reads_a_table_from_end_to_end(database: Database) -> None:
    answers = await ask(database, await fill(database, TITLES))
    few = {name: answer for name, answer in answers.items() if name not in OF_ALL}
    assert {name: answer.in_full for name, answer in few.items() if answer.in_full} == {}
    few.pop("the shelves of home")  # up to a thousand titles of each genre are counted
    assert {name: answer.read for name, answer in few.items() if answer.read > TITLES / 4} == {}
