"""Playback sessions: who plays what on which device, and how many at once."""

from __future__ import annotations

import asyncio
import dataclasses
import secrets
import time

import pytest

from embedded.process import Server
from origin.errors import TooManyStreams, UnknownSession, WrongDevice
from origin.sessions import Playback, Sessions
from origin.sessions.playback import QUIET_SECONDS
from tests.origin.sessions.working import Workers, account, asking, playback, subscribed, until
from tests.support.servers import frozen


async def fall_silent(valkey: Server, session: Playback) -> None:
    """As if nothing had been heard of it for longer than its place is kept."""
    async with asking(valkey.url) as redis:
        for key in [key async for key in redis.scan_iter("vod:{*}:streams")]:
            now = (await redis.time())[0]
            await redis.zadd(key, {session.sid.hex(): now - QUIET_SECONDS - 1}, xx=True)


async def test_what_has_begun_is_found_by_every_worker(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    session = playback(account(), title="película", duration=5400.5)
    await sessions.begin(session, 1)
    other = await workers.open(valkey.url)
    assert await sessions.get(session.sid) == await other.get(session.sid) == session


async def test_the_limit_is_of_an_account(sessions: Sessions) -> None:
    mine, mine_too = account(), account()
    for of in (mine, mine_too):
        for _ in range(2):
            await sessions.begin(playback(of), 2)
    with pytest.raises(TooManyStreams):
        await sessions.begin(playback(mine), 2)
    await sessions.begin(playback(mine), 3)


async def test_who_is_refused_is_shown_what_plays(sessions: Sessions) -> None:
    mine = account()
    playing = [playback(mine, title=title) for title in ("first", "second")]
    for session in playing:
        await sessions.begin(session, 2)
    refused = playback(mine)
    with pytest.raises(TooManyStreams) as caught:
        await sessions.begin(refused, 2)
    shown = {(stream.device, stream.title, stream.since) for stream in caught.value.streams}
    assert shown == {(one.device_name, one.title_id, one.began) for one in playing}
    assert await sessions.get(refused.sid) is None
    with pytest.raises(UnknownSession):
        await sessions.beat(refused.sid, 1.0)


async def test_an_account_that_may_not_play_does_not(sessions: Sessions) -> None:
    with pytest.raises(TooManyStreams) as caught:
        await sessions.begin(playback(account()), 0)
    assert caught.value.streams == ()


async def test_two_hundred_at_once_never_exceed_the_limit(workers: Workers, valkey: Server) -> None:
    mine = account()
    several = [await workers.open(valkey.url) for _ in range(4)]
    begins = (several[number % 4].begin(playback(mine), 3) for number in range(200))
    ends = await asyncio.gather(*begins, return_exceptions=True)
    assert ends.count(None) == 3
    assert sum(isinstance(end, TooManyStreams) for end in ends) == 197


async def test_an_end_leaves_the_place(sessions: Sessions) -> None:
    mine = account()
    first, second = playback(mine), playback(mine)
    await sessions.begin(first, 1)
    await sessions.end(first.sid)
    assert await sessions.get(first.sid) is None
    await sessions.begin(second, 1)
    await sessions.end(first.sid)
    with pytest.raises(TooManyStreams):
        await sessions.begin(playback(mine), 1)


async def test_who_is_silent_loses_the_place(sessions: Sessions, valkey: Server) -> None:
    mine = account()
    silent, next_one = playback(mine), playback(mine)
    await sessions.begin(silent, 1)
    await fall_silent(valkey, silent)
    await sessions.begin(next_one, 1)
    with pytest.raises(TooManyStreams):
        await sessions.beat(silent.sid, 10.0)
    await sessions.end(next_one.sid)
    assert (await sessions.beat(silent.sid, 11.0)).position == 11.0


async def test_a_heartbeat_keeps_the_place(sessions: Sessions, valkey: Server) -> None:
    mine = account()
    session = playback(mine)
    await sessions.begin(session, 1)
    await fall_silent(valkey, session)
    await sessions.beat(session.sid, 61.5)
    with pytest.raises(TooManyStreams):
        await sessions.begin(playback(mine), 1)


async def test_the_position_is_kept(sessions: Sessions, workers: Workers, valkey: Server) -> None:
    session = playback(account())
    await sessions.begin(session, 1)
    expected = dataclasses.replace(session, position=61.25)
    assert await sessions.beat(session.sid, 61.25) == expected
    assert await (await workers.open(valkey.url)).get(session.sid) == expected


async def test_who_renews_is_the_device_that_began(sessions: Sessions) -> None:
    session = playback(account(), device="the television")
    await sessions.begin(session, 1)
    expiry = session.expiry + 1000
    with pytest.raises(WrongDevice):
        await sessions.renew(session.sid, "a telephone", expiry)
    assert await sessions.get(session.sid) == session
    renewed = await sessions.renew(session.sid, "the television", expiry)
    assert renewed == dataclasses.replace(session, expiry=expiry)


async def test_a_device_leaves_no_trace_in_redis(sessions: Sessions, valkey: Server) -> None:
    mine, device = account(), secrets.token_hex(12)
    one, two = playback(mine, device=device), playback(mine, device=device)
    assert one.device != two.device
    await sessions.begin(one, 1)
    async with asking(valkey.url) as redis:
        kept = await redis.hgetall(f"vod:play:{one.sid.hex()}")
    assert device not in str(kept)


async def test_all_that_is_kept_of_a_session_expires(sessions: Sessions, valkey: Server) -> None:
    session = playback(account())
    async with asking(valkey.url) as redis:
        before = {key async for key in redis.scan_iter("*")}
        await sessions.begin(session, 1)
        made = {key async for key in redis.scan_iter("*")} - before
        assert len(made) == 4
        assert all([await redis.ttl(key) > 0 for key in made])
        assert await redis.expiretime(f"vod:play:{session.sid.hex()}") == session.expiry
        await sessions.renew(session.sid, "device", session.expiry + 500)
        assert await redis.expiretime(f"vod:play:{session.sid.hex()}") == session.expiry + 500


async def test_one_that_has_expired_is_none(sessions: Sessions) -> None:
    session = playback(account(), expiry=int(time.time()) - 1)
    await sessions.begin(session, 1)
    assert await sessions.get(session.sid) is None
    with pytest.raises(UnknownSession):
        await sessions.beat(session.sid, 1.0)


async def test_what_never_began_is_unknown(sessions: Sessions) -> None:
    sid = secrets.token_bytes(16)
    assert await sessions.get(sid) is None
    with pytest.raises(UnknownSession):
        await sessions.beat(sid, 1.0)
    with pytest.raises(UnknownSession):
        await sessions.renew(sid, "device", int(time.time()) + 60)
    await sessions.end(sid)


async def test_a_copy_serves_while_redis_does_not(workers: Workers, valkey: Server) -> None:
    now = 0.0
    sessions = await workers.open(valkey.url, clock=lambda: now)
    session = playback(account())
    await sessions.begin(session, 1)
    assert await sessions.get(session.sid) == session
    with frozen(valkey):
        assert await sessions.get(session.sid) == session


async def test_an_end_reaches_the_copies_of_other_workers(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    """Whose clocks stand still, so that no copy ever grows old."""
    session = playback(account())
    await sessions.begin(session, 1)
    other = await workers.open(valkey.url, clock=lambda: 0.0)
    await until(lambda: subscribed(valkey.url, 2))
    assert await other.get(session.sid) == session
    await sessions.end(session.sid)

    async def is_gone() -> bool:
        return await other.get(session.sid) is None

    await until(is_gone)


async def test_accounts_of_any_name_have_one_slot(sessions: Sessions, valkey: Server) -> None:
    """A brace in a name would end the hash tag."""
    session = playback("}{ }ñ" + account())
    await sessions.begin(session, 1)
    async with asking(valkey.url) as redis:
        tags = {
            name.partition("{")[2].partition("}")[0]
            async for name in redis.scan_iter("vod:{*")
            if await redis.type(name) == "zset"
            and await redis.zscore(name, session.sid.hex()) is not None
        }
    assert len(tags) == 1
    assert await sessions.revoke_user(session.account) == 1
