from __future__ import annotations

import asyncio
import unicodedata

import pytest
from argon2 import extract_parameters
from argon2.low_level import Type

from origin.control.api.passwords import AT_ONCE, MOST_WAITING, Passwords
from origin.errors import TooMany

PASSWORD = "la contraseña del faro"


@pytest.fixture(scope="module")
def passwords() -> Passwords:
    return Passwords()


async def test_a_password_matches_its_own_hash_only(passwords: Passwords) -> None:
    hashed = await passwords.hash(PASSWORD)
    assert await passwords.matches(hashed, PASSWORD)
    assert not await passwords.matches(hashed, PASSWORD + " ")
    assert not await passwords.matches(hashed, "")


async def test_two_hashes_of_a_password_differ(passwords: Passwords) -> None:
    assert await passwords.hash(PASSWORD) != await passwords.hash(PASSWORD)


async def test_hashes_cost_what_owasp_asks_for(passwords: Passwords) -> None:
    parameters = extract_parameters(await passwords.hash(PASSWORD))
    assert parameters.type is Type.ID
    assert parameters.memory_cost >= 19 * 1024
    assert parameters.time_cost >= 2


async def test_nobody_has_a_password(passwords: Passwords) -> None:
    for guess in ("", PASSWORD, "nobody's"):
        assert not await passwords.matches(None, guess)


@pytest.mark.parametrize("broken", ["", "plain text", "$argon2id$v=19$m=1", "$2b$12$abc"])
async def test_what_is_no_hash_is_matched_by_nothing(passwords: Passwords, broken: str) -> None:
    assert not await passwords.matches(broken, PASSWORD)


async def test_letters_may_be_typed_in_one_or_two_parts(passwords: Passwords) -> None:
    parts = unicodedata.normalize("NFD", PASSWORD)
    assert parts != PASSWORD
    assert await passwords.matches(await passwords.hash(parts), PASSWORD)
    assert await passwords.matches(await passwords.hash(PASSWORD), parts)


async def test_few_wait_and_the_rest_are_told_at_once(passwords: Passwords) -> None:
    tries = [passwords.matches(None, "a guess") for _ in range(MOST_WAITING + AT_ONCE)]
    answers = await asyncio.gather(*tries, return_exceptions=True)
    assert [type(answer) for answer in answers] == [bool] * MOST_WAITING + [TooMany] * AT_ONCE
    assert not await passwords.matches(None, "a guess")  # there is room again
