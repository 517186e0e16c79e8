"""Redis killed, frozen, failed over: what is answered meanwhile, and how soon all is well again."""

from __future__ import annotations

import asyncio
import secrets
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest

from embedded.process import Server
from embedded.valkey import start_valkey
from origin.errors import StoreAway, describe
from origin.sessions import Grace, Login, Rate, Sessions
from origin.sessions.store import GRACE_SECONDS
from tests.origin.sessions.working import Workers, account, answered, asking, playback, relay, until
from tests.support.servers import frozen, server_folder

OFTEN = Rate(1_000_000, 1)
RESTART_SECONDS = 30.0
AT_ONCE = ("--repl-diskless-sync-delay", "0")


@pytest.fixture
async def prompt(workers: Workers, valkey: Server) -> Sessions:
    """Which waits no longer than in earnest, on a server that answers."""
    opened = await workers.open(valkey.url, patience=0.05)
    await answered(lambda: opened.allow("x", OFTEN), RESTART_SECONDS)
    return opened


async def everything_is_refused(sessions: Sessions) -> None:
    session, secret = playback(account()), secrets.token_urlsafe(32)
    login = Login("a", "viewer", "standard", "Chrome", 0.0)
    for asked in (
        sessions.begin(session, 1),
        sessions.beat(session.sid, 1.0),
        sessions.renew(session.sid, "device", session.expiry),
        sessions.get(session.sid),
        sessions.end(session.sid),
        sessions.sign_in(login),
        sessions.login(secret),
        sessions.sign_out(secret),
        sessions.sign_out_account("a"),
        sessions.allow("x", OFTEN),
        sessions.publish_purge("film"),
        sessions.revoke(session.sid),
        sessions.revoke_user("a"),
    ):
        with pytest.raises(StoreAway):
            await asked


async def test_a_frozen_one_is_told_of_and_is_back_within_two_seconds(
    prompt: Sessions, valkey: Server
) -> None:
    revoked = secrets.token_bytes(16)
    await answered(lambda: prompt.revoke(revoked), RESTART_SECONDS)
    with frozen(valkey):
        await everything_is_refused(prompt)
        assert prompt.is_revoked(revoked)
        assert prompt.grace() is Grace.GRACE
    await answered(lambda: prompt.allow("x", OFTEN))
    assert prompt.grace() is Grace.OK
    assert prompt.is_revoked(revoked)


async def test_once_it_has_failed_nobody_waits(prompt: Sessions, valkey: Server) -> None:
    """A thousand more than the machine could wait for one after the other."""
    with frozen(valkey):
        await everything_is_refused(prompt)
        async with asyncio.timeout(20):  # 50 ms each would take 50 s
            for _ in range(1000):
                with pytest.raises(StoreAway):
                    await prompt.allow("x", OFTEN)
        breaker = next(count for count in prompt.counts() if count.child == ("redis",))
        assert breaker.total == 1.0
    await answered(lambda: prompt.allow("x", OFTEN))


async def test_one_that_is_killed_is_back_two_seconds_after_its_start(workers: Workers) -> None:
    with server_folder() as folder:
        path = folder / "valkey"
        first = start_valkey(path)
        sessions = await workers.open(first.url, patience=0.05)
        revoked = secrets.token_bytes(16)
        await answered(lambda: sessions.revoke(revoked), RESTART_SECONDS)
        first.process.kill()
        first.process.wait()
        await everything_is_refused(sessions)
        assert sessions.is_revoked(revoked)
        problem = describe(StoreAway())
        assert (problem.status, problem.retry_after) == (503, 2)
        with start_valkey(path):
            await answered(lambda: sessions.allow("x", OFTEN))
            session = playback(account())
            await answered(lambda: sessions.begin(session, 1))
            assert await answered(lambda: sessions.get(session.sid)) == session
            await workers.aclose()


async def test_one_that_was_never_there_may_come_later(workers: Workers, tmp_path: Path) -> None:
    with server_folder() as folder:
        path = folder / "valkey"
        sessions = await workers.open(f"unix://{path / 'valkey.sock'}", patience=0.05)
        await everything_is_refused(sessions)
        with start_valkey(path):
            await answered(lambda: sessions.allow("x", OFTEN))
            await workers.aclose()


async def test_grace_ends(workers: Workers) -> None:
    now = 0.0
    with server_folder() as folder:
        path = folder / "valkey"
        url = f"unix://{path / 'valkey.sock'}"
        sessions = await workers.open(url, clock=lambda: now)
        with pytest.raises(StoreAway):
            await sessions.allow("x", OFTEN)
        now = 1.0
        assert sessions.grace() is Grace.GRACE
        now = GRACE_SECONDS + 1.0
        assert sessions.grace() is Grace.OVER
        with start_valkey(path):
            now += 10.0
            await answered(lambda: sessions.allow("x", OFTEN), RESTART_SECONDS)
            assert sessions.grace() is Grace.OK
            await workers.aclose()


@asynccontextmanager
async def pair() -> AsyncIterator[tuple[Server, Server]]:
    """A primary and its replica."""
    with server_folder() as folder:
        port = free_port()
        with (
            start_valkey(folder / "first", *AT_ONCE, port=port) as first,
            start_valkey(folder / "second", "--replicaof", f"127.0.0.1 {port}") as second,
        ):

            async def is_in_step() -> bool:
                async with asking(second.url) as redis:
                    return bool((await redis.info("replication"))["master_link_status"] == "up")

            await until(is_in_step)
            yield first, second


def free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        return int(taken.getsockname()[1])


@pytest.mark.parametrize("killed", [True, False], ids=["killed", "demoted"])
async def test_after_a_failover_sessions_go_on(workers: Workers, killed: bool) -> None:
    """The name leads to the replica, which is the primary now. A first one that goes on as a
    replica refuses to write, on connections that were made before."""
    async with pair() as (first, second), relay(first.url) as between:
        sessions = await workers.open(between.url, patience=0.25)
        session, revoked = playback(account()), secrets.token_bytes(16)
        await answered(lambda: sessions.begin(session, 1), RESTART_SECONDS)
        await answered(lambda: sessions.revoke(revoked), RESTART_SECONDS)
        async with asking(first.url) as redis:
            assert await redis.wait(1, 10_000) == 1
        between.path = second.url.removeprefix("unix://")
        if killed:
            first.process.kill()
            first.process.wait()
        async with asking(second.url) as redis:
            await redis.replicaof("NO", "ONE")
        if not killed:
            async with asking(first.url) as redis:
                await redis.replicaof("127.0.0.1", str(free_port()))
        assert (await answered(lambda: sessions.beat(session.sid, 5.0))).position == 5.0
        other = await workers.open(between.url)

        async def is_refused() -> bool:
            return other.is_revoked(revoked)

        await until(is_refused)
        await workers.aclose()
