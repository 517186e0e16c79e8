"""What all workers are to know: sessions that are revoked, titles to be read anew, copies to drop.

It comes twice. Pub/sub tells at once whoever listens, and nothing to who does not. So what matters,
revocations and purges, is also kept in sorted sets by Redis' time, and each worker asks once a
second for what is new there: it learns of it within seconds whatever happens to its subscription.
Copies are dropped by pub/sub alone; they are no older than a few seconds anyhow. (Redis' own client
tracking would do that last part only, and redis-py's asyncio has no use for it.)

A worker goes on refusing what it knows is revoked while Redis is away; and when one comes back that
has lost it, by a failover or without a disk, the worker tells it again.
"""

from __future__ import annotations

import asyncio
import logging
import random
import time
from collections.abc import Callable, Iterable, Sequence
from contextlib import suppress
from typing import Any

from redis.asyncio import Redis
from redis.asyncio.client import PubSub
from redis.exceptions import RedisError

from origin.errors import StoreAway
from origin.sessions.client import Client, listener, number, run

log = logging.getLogger(__name__)

CHANNEL = "vod:news"
REVOKED = "vod:revoked"
PURGED = "vod:purged"

POLL_SECONDS = 1.0
QUIET_SECONDS = 2.0
"""With no news for so long the subscription is tried with a PING, and given up after as long."""
AGAIN_SECONDS = 0.5
REVOKED_SECONDS = 25 * 60 * 60
"""Longer than any token lives."""
PURGED_SECONDS = 60 * 60
OVERLAP_SECONDS = 60.0
"""What is asked for again each time: it may have come later than its time says."""
PAGE = 5000
AT_ONCE = 1000
"""Told in one go, which is one moment: fewer than a page."""
MOST_REVOKED = 500_000

Hear = Callable[[str], None]
Learn = Callable[[str, float], None]
"""What, and when: seconds since 1970 by Redis' clock."""


class Notices:
    """One worker's."""

    def __init__(
        self,
        url: str,
        client: Client,
        hear: dict[str, Hear],
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        """``hear``: what to do with news of a kind, and with ``""`` when some may have been
        missed."""
        self._url = url
        self._client = client
        self._hear = hear
        self._clock = clock
        self._revoked: dict[str, float] = {}
        self._purged: dict[str, float] = {}
        self._newest = {REVOKED: 0.0, PURGED: 0.0}
        self._purges: list[Hear] = []
        self._told = client.recoveries
        self._tasks = [asyncio.create_task(self._poll()), asyncio.create_task(self._listen())]

    def is_revoked(self, session: str) -> bool:
        return session in self._revoked

    def on_purge(self, callback: Hear) -> None:
        self._purges.append(callback)

    async def revoke(self, sessions: Iterable[str]) -> None:
        """Here at once, elsewhere soon; ``StoreAway`` where that cannot be said to others."""
        sessions = tuple(sessions)
        for session in sessions:
            self._learn_revoked(session)
        try:
            await self._tell(sessions)
        except BaseException:
            self._told = -1
            raise

    async def purge(self, asset: str) -> None:
        notice = run("notice", (PURGED,), CHANNEL, "purged", PURGED_SECONDS, "again", asset)
        await self._client.ask("purge", notice)

    async def _tell(self, sessions: Sequence[str]) -> None:
        for at in range(0, len(sessions), AT_ONCE):
            some = sessions[at : at + AT_ONCE]
            notice = run("notice", (REVOKED,), CHANNEL, "revoked", REVOKED_SECONDS, "once", *some)
            await self._client.ask("revoke", notice)

    def _learn_revoked(self, session: str, _: float = 0.0) -> None:
        if session not in self._revoked:
            self._revoked[session] = self._clock()
            self._hear["ended"](session)

    def _learn_purged(self, asset: str, when: float) -> None:
        if self._purged.get(asset, 0.0) >= when:
            return
        self._purged[asset] = when
        for callback in self._purges:
            try:
                callback(asset)
            except Exception:
                log.exception("a title was not purged on a defect of ours")

    # The sorted sets

    async def _poll(self) -> None:
        while True:
            try:
                await self._catch_up(REVOKED, self._learn_revoked)
                await self._catch_up(PURGED, self._learn_purged)
                await self._tell_again()
            except StoreAway:
                pass
            except Exception:
                log.exception("notices were not read on a defect of ours")
            self._drop_old()
            await asyncio.sleep(POLL_SECONDS)

    async def _catch_up(self, kept: str, learn: Learn) -> None:
        since = max(self._newest[kept] - OVERLAP_SECONDS, 0.0)
        while True:
            command = ("ZRANGEBYSCORE", kept, repr(since), "+inf", "WITHSCORES", "LIMIT", 0, PAGE)
            [found] = await self._client.ask("poll", command)
            pairs = _pairs(found)
            for what, when in pairs:
                learn(what, when)
                self._newest[kept] = max(self._newest[kept], when)
            if len(pairs) < PAGE or pairs[-1][1] == since:
                return
            since = pairs[-1][1]

    async def _tell_again(self) -> None:
        recoveries = self._client.recoveries
        if self._told != recoveries:
            self._told = recoveries
            try:
                await self._tell(list(self._revoked))
            except BaseException:
                self._told = -1
                raise

    def _drop_old(self) -> None:
        """What was learnt so long ago that its tokens have expired, and what is too much."""
        oldest = self._clock() - REVOKED_SECONDS
        over = len(self._revoked) - MOST_REVOKED
        if over > 0:
            log.error(
                "%d sessions are revoked; the oldest %d are let go", MOST_REVOKED + over, over
            )
        for session, learnt in list(self._revoked.items()):
            if learnt >= oldest and over <= 0:
                break
            del self._revoked[session]
            over -= 1
        if len(self._purged) > PAGE:
            self._purged = dict(sorted(self._purged.items(), key=lambda item: item[1])[-PAGE:])

    # Pub/sub

    async def _listen(self) -> None:
        while True:
            redis = listener(self._url)
            try:
                await self._hear_all(redis)
            except (RedisError, OSError, TimeoutError, EOFError) as error:
                log.debug("no news: %s", type(error).__name__)
            except Exception:
                log.exception("news were not read on a defect of ours")
            finally:
                with suppress(RedisError, OSError):
                    await redis.aclose()
                    await redis.connection_pool.disconnect()
            await asyncio.sleep(AGAIN_SECONDS * random.uniform(1.0, 2.0))

    async def _hear_all(self, redis: Redis) -> None:
        async with redis.pubsub() as news:
            await news.subscribe(CHANNEL)
            while True:
                message = await _next(news)
                if message["type"] == "subscribe":
                    self._hear[""]("")
                elif message["type"] == "message":
                    self._hear_one(message["data"].decode(errors="replace"))

    def _hear_one(self, news: str) -> None:
        kind, _, rest = news.partition(" ")
        if kind in self._hear:
            self._hear[kind](rest)
            return
        when, _, what = rest.partition(" ")
        kinds: dict[str, Learn] = {"revoked": self._learn_revoked, "purged": self._learn_purged}
        learn = kinds.get(kind)
        if learn is None:
            log.warning("news of a kind that is not known here: %.20r", kind)
            return
        with suppress(StoreAway):
            learn(what, number(when))

    async def aclose(self) -> None:
        for task in self._tasks:
            task.cancel()
        await asyncio.wait(self._tasks)


async def _next(news: PubSub) -> dict[str, Any]:
    """The next message; ``TimeoutError`` where not even a PING is answered."""
    message: dict[str, Any] | None = await news.get_message(timeout=QUIET_SECONDS)
    if message is None:
        await news.ping()
        message = await news.get_message(timeout=QUIET_SECONDS)
    if message is None:
        raise TimeoutError
    return message


def _pairs(found: list[bytes]) -> list[tuple[str, float]]:
    """What and when, of a reply that has them by turns."""
    times = map(number, found[1::2])
    names = (name.decode(errors="replace") for name in found[::2])
    return list(zip(names, times, strict=True))
