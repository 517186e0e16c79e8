"""Redis or Valkey, asked by many at once and never waited for longer than ``PATIENCE_SECONDS``.

What concurrent callers ask goes out together: the commands of one round of the event loop are one
pipeline, and a few pipelines are under way at a time, each on a connection of its own. So looking
up a hundred sessions costs one round trip; and a caller who is cancelled leaves its reply to
nobody, since it is the pipeline that reads, and a pipeline is never cancelled.

A caller waits ``PATIENCE_SECONDS``, unless told otherwise, and is told ``StoreAway`` then.
Pipelines that fail open a breaker: until one works again, callers are told at once. Nothing is sent
twice, as nobody knows whether it was carried out. Commands are sent in RESP2, which every Redis and
Valkey speaks.
"""

from __future__ import annotations

import asyncio
import hashlib
import logging
import math
import time
from collections import deque
from collections.abc import Callable, Iterable
from functools import cache
from importlib.resources import files
from typing import Any, NamedTuple

from redis.asyncio import BlockingConnectionPool, Redis
from redis.asyncio.retry import Retry
from redis.backoff import NoBackoff
from redis.exceptions import (
    MasterDownError,
    NoScriptError,
    ReadOnlyError,
    RedisError,
    ResponseError,
)

from origin.breaker import Breaker
from origin.errors import StoreAway
from origin.settings import BadSetting

log = logging.getLogger(__name__)

Command = tuple[bytes | str | int | float, ...]

PATIENCE_SECONDS = 0.05
"""How long a caller waits; a pipeline, for which nobody waits any more then, has twice as long."""
LATE_SECONDS = 0.005
"""An event loop that is later than this is busy, which is not Redis' fault: callers wait on, but in
all no longer than ``LONGEST`` times as long."""
LONGEST = 4
CONNECT_SECONDS = 0.5
"""For a connection with TLS and a password; callers do not wait that long."""
REST_SECONDS = 0.5
FAILURES = 2
"""Pipelines in a row that fail before Redis is left alone for ``REST_SECONDS``."""
PIPELINES = 4
COMMANDS = 256
"""About as many go out together."""
MOST_WAITING = 10_000

_NOT_THE_ONE = (ReadOnlyError, MasterDownError)
"""What a server says that is no primary, or no longer: another has its name by now, perhaps."""


class _Asked(NamedTuple):
    commands: tuple[Command, ...]
    replies: asyncio.Future[list[Any]]


class Client:
    """Of one loop."""

    def __init__(
        self,
        url: str,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[str, float], None] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> None:
        """``observe``: told how many seconds each operation took."""
        self._redis = _connect(url, PIPELINES, socket_timeout=2 * patience)
        self._patience = patience
        self._clock = clock
        self._observe = observe
        self._breaker = Breaker(clock, FAILURES, REST_SECONDS, REST_SECONDS)
        self._waiting: deque[_Asked] = deque()
        self._pipelines: set[asyncio.Task[None]] = set()
        self._due: asyncio.Handle | None = None
        self._away_since: float | None = None
        self.recoveries = 0
        """How often it has come back."""

    @property
    def is_resting(self) -> bool:
        """Whether Redis is left alone, for it has failed."""
        return self._breaker.is_open

    @property
    def away_seconds(self) -> float:
        """For how long nothing has been answered, though it was asked for."""
        return 0.0 if self._away_since is None else self._clock() - self._away_since

    async def ask(self, op: str, *commands: Command) -> list[Any]:
        """The replies to ``commands``, which go out together; ``StoreAway`` if there is one
        missing, or an error among them. ``op``: a word for metrics."""
        began = time.perf_counter()
        try:
            replies = await self._replies(commands)
        finally:
            if self._observe is not None:
                self._observe(op, time.perf_counter() - began)
        for reply in replies:
            if isinstance(reply, ResponseError):
                log.error("the store refuses '%s': %s", op, reply)
                raise StoreAway("The store of sessions refuses what is asked.")
        return replies

    async def _replies(self, commands: tuple[Command, ...]) -> list[Any]:
        if len(self._waiting) >= MOST_WAITING:
            raise StoreAway("The store of sessions is asked for too much at once.")
        loop = asyncio.get_running_loop()
        replies: asyncio.Future[list[Any]] = loop.create_future()
        self._waiting.append(_Asked(commands, replies))
        if self._due is None:
            self._due = loop.call_soon(self._send)
        last = loop.time() + LONGEST * self._patience
        _give_up_later(replies, self._patience, last)
        return await replies

    def _send(self) -> None:
        self._due = None
        while self._waiting and len(self._pipelines) < PIPELINES:
            together = self._take()
            if not together:
                continue
            if not self._breaker.admit():
                _end(together, StoreAway("The store of sessions does not answer."))
                continue
            pipeline = asyncio.create_task(self._exchange(together))
            self._pipelines.add(pipeline)
            pipeline.add_done_callback(self._done)

    def _take(self) -> list[_Asked]:
        """Those next in line; whoever has left meanwhile is not asked for."""
        together: list[_Asked] = []
        count = 0
        while self._waiting and count < COMMANDS:
            asked = self._waiting.popleft()
            if not asked.replies.done():
                together.append(asked)
                count += len(asked.commands)
        return together

    def _done(self, pipeline: asyncio.Task[None]) -> None:
        self._pipelines.discard(pipeline)
        self._send()

    async def _exchange(self, together: list[_Asked]) -> None:
        try:
            replies = await self._pipeline([one for asked in together for one in asked.commands])
        except (RedisError, OSError, TimeoutError, EOFError) as error:
            self._failed(error)
            _end(together, StoreAway("The store of sessions does not answer."))
            if isinstance(error, _NOT_THE_ONE):  # the next are made to where the name leads then
                await self._redis.connection_pool.disconnect(inuse_connections=False)
        except Exception as error:  # a defect of ours is the callers' to tell
            self._breaker.abandoned()
            _end(together, error)
        except asyncio.CancelledError:
            self._breaker.abandoned()
            _end(together, StoreAway("The store of sessions is no longer asked."))
            raise
        else:
            self._worked()
            at = 0
            for asked in together:
                end = at + len(asked.commands)
                if not asked.replies.done():
                    asked.replies.set_result(replies[at:end])
                at = end

    async def _pipeline(self, commands: list[Command]) -> list[Any]:
        replies = await self._round_trip(commands)
        unknown = [at for at, reply in enumerate(replies) if isinstance(reply, NoScriptError)]
        if unknown:
            await self._round_trip([("SCRIPT", "LOAD", text) for text in _loaded()])
            again = await self._round_trip([commands[at] for at in unknown])
            for at, reply in zip(unknown, again, strict=True):
                replies[at] = reply
        for reply in replies:
            if isinstance(reply, _NOT_THE_ONE):
                raise reply
        return replies

    async def _round_trip(self, commands: Iterable[Command]) -> list[Any]:
        async with self._redis.pipeline(transaction=False) as pipeline:
            for command in commands:
                pipeline.execute_command(*command)
            replies: list[Any] = await pipeline.execute(raise_on_error=False)
        return replies

    def _failed(self, error: BaseException) -> None:
        self._breaker.failed()
        if self._away_since is None:
            self._away_since = self._clock()
            log.warning("the store of sessions does not answer: %s", type(error).__name__)

    def _worked(self) -> None:
        self._breaker.worked()
        if self._away_since is not None:
            log.info("the store of sessions answers again, after %.1f s", self.away_seconds)
            self._away_since = None
            self.recoveries += 1

    async def aclose(self) -> None:
        if self._due is not None:
            self._due.cancel()
        for pipeline in self._pipelines:
            pipeline.remove_done_callback(self._done)
            pipeline.cancel()
        if self._pipelines:
            await asyncio.wait(self._pipelines)
        _end(self._waiting, StoreAway("The store of sessions is no longer asked."))
        await self._redis.aclose()
        await self._redis.connection_pool.disconnect()


def run(name: str, keys: tuple[str, ...], *arguments: bytes | str | int | float) -> Command:
    """The script ``name``.lua; its keys are of one slot of a cluster."""
    return ("EVALSHA", _sha1(_script(name)), len(keys), *keys, *arguments)


def check_url(url: str) -> None:
    """``BadSetting`` where it is none; nobody is asked."""
    _connect(url, 1, None)


def listener(url: str) -> Redis:
    """One that may wait for ever for what it is told."""
    return _connect(url, 1, socket_timeout=None)


def slot(account: str) -> str:
    """An account's part of a key: a hash tag, so that all its keys are in one slot."""
    return "{" + hashlib.sha256(account.encode()).hexdigest()[:24] + "}"


def _connect(url: str, connections: int, socket_timeout: float | None) -> Redis:
    try:
        pool = BlockingConnectionPool.from_url(
            url,
            max_connections=connections,
            timeout=PATIENCE_SECONDS,
            socket_timeout=socket_timeout,
            socket_connect_timeout=CONNECT_SECONDS,
            retry=Retry(NoBackoff(), 0),
            protocol=2,
        )
    except (ValueError, TypeError):
        raise BadSetting(  # which may hold a password
            "VOD_REDIS_URL is none of redis://host:port/0, rediss://host:port/0, unix:///path"
        ) from None
    return Redis(connection_pool=pool)


def _give_up_later(replies: asyncio.Future[list[Any]], patience: float, last: float) -> None:
    """After ``patience`` seconds, or when a loop that is late has had that many more; ``last``: by
    its clock."""
    loop = asyncio.get_running_loop()
    due = loop.time() + patience

    def give_up() -> None:
        now = loop.time()
        if replies.done():
            return
        if now - due > LATE_SECONDS and now < last:
            _give_up_later(replies, patience, last)
        else:
            replies.set_exception(StoreAway("The store of sessions does not answer in time."))

    loop.call_at(due, give_up)


def _end(together: Iterable[_Asked], error: Exception) -> None:
    for asked in together:
        if not asked.replies.done():
            asked.replies.set_exception(error)


@cache
def _script(name: str) -> str:
    return files(__package__).joinpath(f"{name}.lua").read_text(encoding="utf-8")


@cache
def _sha1(script: str) -> str:
    return hashlib.sha1(script.encode(), usedforsecurity=False).hexdigest()


@cache
def _loaded() -> tuple[str, ...]:
    """Every script."""
    found = (item.name for item in files(__package__).iterdir())
    return tuple(_script(name.removesuffix(".lua")) for name in sorted(found) if ".lua" in name)


def number(reply: Any) -> float:
    """A number as Redis spells it; ``StoreAway`` if it is none."""
    try:
        value = float(reply)
    except (TypeError, ValueError):
        value = math.nan
    if not math.isfinite(value):
        raise StoreAway("What the store of sessions keeps cannot be read.")
    return value
