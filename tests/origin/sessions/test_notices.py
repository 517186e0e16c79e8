"""What all workers learn: revocations, purges."""

from __future__ import annotations

import asyncio
import secrets
from pathlib import Path

import pytest

from embedded.process import Server
from embedded.valkey import start_valkey
from origin.errors import StoreAway, UnknownSession
from origin.sessions import Rate, Sessions
from tests.origin.sessions.working import (
    UNHURRIED,
    Workers,
    account,
    answered,
    playback,
    relay,
    until,
)
from tests.support.servers import server_folder

FIVE_SECONDS = 5.0
OFTEN = Rate(1000, 1)


async def refuses(worker: Sessions, sid: bytes, seconds: float = FIVE_SECONDS) -> None:
    async def is_refused() -> bool:
        return worker.is_revoked(sid)

    await until(is_refused, seconds)


async def test_a_revoked_session_is_refused_by_its_worker_at_once(sessions: Sessions) -> None:
    session = playback(account())
    await sessions.begin(session, 1)
    assert not sessions.is_revoked(session.sid)
    await sessions.revoke(session.sid)
    assert sessions.is_revoked(session.sid)
    assert await sessions.get(session.sid) is None
    with pytest.raises(UnknownSession):
        await sessions.beat(session.sid, 1.0)
    with pytest.raises(UnknownSession):
        await sessions.renew(session.sid, "device", session.expiry)
    await sessions.begin(playback(session.account), 1)


async def test_every_other_worker_refuses_it_within_five_seconds(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    session = playback(account())
    await sessions.begin(session, 1)
    other = await workers.open(valkey.url)
    assert await other.get(session.sid) == session
    await sessions.revoke(session.sid)
    await refuses(other, session.sid)
    assert await other.get(session.sid) is None


async def test_one_whose_subscription_is_cut_refuses_it_too(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    async with relay(valkey.url) as between:
        between.deaf = True
        other = await workers.open(between.url)
        sid = secrets.token_bytes(16)
        await sessions.revoke(sid)
        await refuses(other, sid)
        await other.aclose()


async def test_one_that_starts_later_refuses_it_too(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    sids = [secrets.token_bytes(16) for _ in range(6000)]
    await asyncio.gather(*(sessions._notices.revoke([sid.hex()]) for sid in sids))
    other = await workers.open(valkey.url)
    for sid in sids:
        await refuses(other, sid)


async def test_all_sessions_of_an_account_are_revoked(
    sessions: Sessions, workers: Workers, valkey: Server
) -> None:
    mine = account()
    playing = [playback(mine) for _ in range(3)]
    untouched = playback(account())
    for session in (*playing, untouched):
        await sessions.begin(session, 3)
    other = await workers.open(valkey.url)
    assert await sessions.revoke_user(mine) == 3
    for session in playing:
        await refuses(other, session.sid)
        assert await other.get(session.sid) is None
    assert await other.get(untouched.sid) == untouched
    assert await sessions.revoke_user(mine) == 0
    await sessions.begin(playback(mine), 1)


async def test_what_redis_has_lost_it_is_told_again(workers: Workers) -> None:
    """It comes back empty, as one without a disk does; and a worker that starts then knows."""
    with server_folder() as folder:
        path = folder / "valkey"
        with start_valkey(path) as server:
            first = await workers.open(server.url, patience=0.5)
            sid = secrets.token_bytes(16)
            await answered(lambda: first.revoke(sid))
        with pytest.raises(StoreAway):
            await first.allow("x", OFTEN)
        assert first.is_revoked(sid)
        with start_valkey(path) as server:
            second = await workers.open(server.url, patience=UNHURRIED)
            await refuses(second, sid, 30.0)
            await workers.aclose()


async def test_a_revocation_while_redis_is_away_is_told_later(workers: Workers) -> None:
    with server_folder() as folder:
        path: Path = folder / "valkey"
        with start_valkey(path) as server:
            url = server.url
            first = await workers.open(url, patience=0.5)
            await answered(lambda: first.allow("x", OFTEN))
        sid = secrets.token_bytes(16)
        with pytest.raises(StoreAway):
            await first.revoke(sid)
        assert first.is_revoked(sid)
        with start_valkey(path):
            second = await workers.open(url, patience=UNHURRIED)
            await refuses(second, sid, 30.0)
            await workers.aclose()


@pytest.mark.parametrize("deaf", [False, True], ids=["pushed", "polled"])
async def test_a_purge_reaches_every_worker(
    sessions: Sessions, workers: Workers, valkey: Server, deaf: bool
) -> None:
    here: list[str] = []
    there: list[str] = []
    asset = f"película {account()}"
    async with relay(valkey.url) as between:
        between.deaf = deaf
        other = await workers.open(between.url)
        sessions.on_purge(here.append)
        other.on_purge(fail)
        other.on_purge(there.append)
        await sessions.publish_purge(asset)

        async def is_known() -> bool:
            return asset in here and asset in there

        await until(is_known)
        await sessions.publish_purge(asset)

        async def is_known_again() -> bool:
            return here.count(asset) >= 2 and there.count(asset) >= 2

        await until(is_known_again)
        await other.aclose()


def fail(asset: str) -> None:
    raise RuntimeError("a defect")
