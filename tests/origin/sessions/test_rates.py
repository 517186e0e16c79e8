"""How often somebody may do something."""

from __future__ import annotations

import asyncio

import pytest

from embedded.process import Server
from origin.errors import TooMany, describe
from origin.sessions import Rate, Sessions
from tests.origin.sessions.working import Workers, account, asking


async def test_so_many_at_once_and_no_more(sessions: Sessions) -> None:
    bucket = account()
    for _ in range(5):
        await sessions.allow(bucket, Rate(5, 3600))
    with pytest.raises(TooMany) as caught:
        await sessions.allow(bucket, Rate(5, 3600))
    assert 0 < caught.value.retry_after <= 3600 / 5
    problem = describe(caught.value)
    assert (problem.status, problem.retry_after) == (429, caught.value.retry_after)
    await sessions.allow(account(), Rate(5, 3600))


async def test_all_workers_count_together(workers: Workers, valkey: Server) -> None:
    bucket = account()
    several = [await workers.open(valkey.url) for _ in range(3)]
    asked = (several[number % 3].allow(bucket, Rate(10, 3600)) for number in range(100))
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert ends.count(None) == 10
    assert sum(isinstance(end, TooMany) for end in ends) == 90


async def test_room_comes_back_evenly(sessions: Sessions) -> None:
    """One in each 20 ms: who waits for as long as they are told to is admitted."""
    bucket, limit = account(), Rate(2, 0.04)
    admitted = refused = 0
    async with asyncio.timeout(30):
        while admitted < 10:
            try:
                await sessions.allow(bucket, limit)
                admitted += 1
            except TooMany:
                refused += 1
    assert refused


async def test_buckets_expire_and_do_not_tell_of_whom_they_are(
    sessions: Sessions, valkey: Server
) -> None:
    await sessions.allow("sign-in viewer@example.com", Rate(5, 60))
    async with asking(valkey.url) as redis:
        keys = [key async for key in redis.scan_iter("vod:rate:*")]
        assert keys
        assert "viewer" not in str(keys)
        assert all([0 < await redis.pttl(key) <= 3_600_000 for key in keys])
