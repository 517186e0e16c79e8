"""Who is signed in."""

from __future__ import annotations

import hashlib
import time

import pytest

from embedded.process import Server
from origin.errors import StoreAway
from origin.sessions import Login, Sessions
from origin.sessions.logins import GRACE_SECONDS
from tests.origin.sessions.working import Workers, account, asking, subscribed, until
from tests.support.servers import frozen


def login(of: str) -> Login:
    return Login(of, "viewer", "standard", "Chrome on Linux", float(int(time.time())))


async def test_the_secret_says_who_one_is(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    mine = login(account())
    secret = await sessions.sign_in(mine)
    assert await sessions.login(secret) == mine
    assert await (await workers.open(valkey.url)).login(secret) == mine


@pytest.mark.parametrize("secret", ["", "a" * 43, "a" * 100_000, "\ud800", "vod:*"])
async def test_what_is_no_secret_is_nobody(sessions: Sessions, secret: str) -> None:
    assert await sessions.login(secret) is None
    await sessions.sign_out(secret)


async def test_redis_is_not_told_the_secret(sessions: Sessions, valkey: Server) -> None:
    secret = await sessions.sign_in(login(account()))
    digest = hashlib.sha256(secret.encode()).hexdigest()
    async with asking(valkey.url) as redis:
        keys = [key async for key in redis.scan_iter("*")]
        assert f"vod:login:{digest}" in keys
        assert secret not in str(keys)
        assert secret not in str(await redis.get(f"vod:login:{digest}"))
        assert await redis.ttl(f"vod:login:{digest}") > 0


async def test_who_signs_out_is_out(sessions: Sessions) -> None:
    mine = login(account())
    here, elsewhere = await sessions.sign_in(mine), await sessions.sign_in(mine)
    assert await sessions.login(here) == mine
    await sessions.sign_out(here)
    assert await sessions.login(here) is None
    assert await sessions.login(elsewhere) == mine


async def test_an_account_is_signed_out_wherever_it_is_in(sessions: Sessions) -> None:
    mine, other = login(account()), login(account())
    secrets = [await sessions.sign_in(mine) for _ in range(3)]
    theirs = await sessions.sign_in(other)
    await sessions.sign_out_account(mine.account)
    assert [await sessions.login(secret) for secret in secrets] == [None] * 3
    assert await sessions.login(theirs) == other
    await sessions.sign_out_account(mine.account)


async def test_a_sign_out_reaches_the_copies_of_other_workers(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    """Whose clock stands still, so that no copy ever grows old."""
    other = await workers.open(valkey.url, clock=lambda: 0.0)
    mine = login(account())
    secret = await sessions.sign_in(mine)

    async def is_out() -> bool:
        return await other.login(secret) is None

    await until(lambda: subscribed(valkey.url, 2))
    assert not await is_out()
    await sessions.sign_out(secret)
    await until(is_out)


async def test_while_redis_is_away_who_was_in_stays_in(workers: Workers, valkey: Server) -> None:
    now = 0.0
    sessions = await workers.open(valkey.url, clock=lambda: now, patience=0.05)
    mine = login(account())
    secret = ""
    while not secret:
        try:
            secret = await sessions.sign_in(mine)
            assert await sessions.login(secret) == mine
        except StoreAway:
            now += 1.0  # a busy machine
            secret = ""
    with frozen(valkey):
        now += GRACE_SECONDS - 1
        assert await sessions.login(secret) == mine
        with pytest.raises(StoreAway):
            await sessions.login("a" * 43)
        now += 2
        with pytest.raises(StoreAway):
            await sessions.login(secret)
