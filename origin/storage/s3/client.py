"""Ranges of objects: every byte the right one, each once and in order, or an error.

A read is held to one version of its object, by ``If-Match`` or by version id, from the first reply
at the latest. A reply is checked before a byte of it is passed on, and what was passed on is never
asked for again: a body that stops short goes on from there, in another request.
"""

from __future__ import annotations

import asyncio
import math
import random
import ssl
import time
from collections import Counter
from collections.abc import Awaitable, Iterator
from dataclasses import dataclass, field
from functools import lru_cache
from typing import Protocol

from origin.breaker import Breaker
from origin.errors import ObjectChanged
from origin.storage.s3.connection import Answer, Connection, Head, Room, Sink, Stale
from origin.storage.s3.credentials import CredentialSource
from origin.storage.s3.faults import OVERLOAD, NotAccepted, Passing, Reason
from origin.storage.s3.listing import MOST_BYTES, Page, query_of, read_page
from origin.storage.s3.options import Endpoint, HttpOptions, Limits, S3Options, endpoint_of
from origin.storage.s3.pool import Pool
from origin.storage.s3.replies import ObjectInfo, Wanted, check, is_etag, refusal_of
from origin.storage.s3.restraint import Budget, FirstBytes, watch
from origin.storage.s3.sigv4 import Credentials, encode_path, encode_query, sign
from origin.telemetry import remote
from origin.telemetry.remote import Count

ERROR_BYTES = 64 * 1024
ASIDE_BYTES = 64 * 1024
"""A listing from there on is read in a thread."""


@dataclass(slots=True)
class Tally:
    """Counts since the start, for metrics. ``failures``: of attempts; ``hedges``: second requests,
    and how many of them were the quicker."""

    gets: int = 0
    requests: int = 0
    bytes: int = 0
    retries: int = 0
    hedges: int = 0
    hedges_won: int = 0
    failures: Counter[Reason] = field(default_factory=Counter)


def counts(tally: Tally, bucket: str) -> Iterator[Count]:
    """For metrics."""
    yield Count(remote.READS, (bucket,), tally.gets)
    yield Count(remote.REQUESTS, (bucket,), tally.requests)
    yield Count(remote.BYTES, (bucket,), tally.bytes)
    yield Count(remote.RETRIES, (bucket,), tally.retries)
    yield Count(remote.HEDGES, (bucket, "0"), tally.hedges - tally.hedges_won)
    yield Count(remote.HEDGES, (bucket, "1"), tally.hedges_won)
    for reason, times in tally.failures.items():
        yield Count(remote.FAILURES, (bucket, reason.value), times)


class S3Client:
    """``credentials``: None for a bucket that is open to all. Of one loop."""

    def __init__(
        self,
        options: S3Options | HttpOptions,
        credentials: CredentialSource | None,
        limits: Limits | None = None,
        breaker: Breaker | None = None,
    ) -> None:
        self.tally = Tally()
        self._options = options
        self._limits = limits or Limits()
        self._credentials = credentials
        self._endpoint = endpoint_of(options)
        tls = None
        if self._endpoint.tls:
            tls = ssl.create_default_context(cafile=options.ca_file or None)
        self._pool = Pool(self._endpoint, self._limits, tls)
        self._budget = Budget()
        self._breaker = breaker or Breaker()
        self._first_bytes = FirstBytes()

    @property
    def concurrency(self) -> int:
        """How many requests at once the bucket is believed to bear."""
        return self._pool.slots.limit

    async def get_range(
        self,
        key: str,
        start: int,
        stop: int,
        version: str,
        sink: Sink,
        room: Room | None = None,
    ) -> None:
        """Bytes ``start`` to in front of ``stop`` of an object's ``version``: its ETag, with the
        quotes, or its version id.

        ``ObjectChanged``: that version is not there; ``Archived``: it cannot be read now;
        ``StorageError``: S3 fails. What ``sink`` raises is raised.
        """
        if start < stop:
            await self._get(Wanted(key, start, stop, version), sink, room)

    async def peek(self, key: str, count: int, version: str = "") -> tuple[ObjectInfo, bytes]:
        """What an object is, and up to ``count`` of its first bytes, in one request; without a
        ``version``, of the one there is now. An object without a byte counts as changed."""
        data = bytearray()
        info = await self._get(Wanted(key, 0, count, version, open_ended=True), data.extend)
        return info, bytes(data)

    async def list_page(
        self,
        prefix: str = "",
        *,
        delimiter: str = "",
        after: str = "",
        token: str | None = None,
        limit: int = 1000,
    ) -> Page:
        """Up to ``limit`` keys and folders, in the order of their UTF-8; ``after``: of keys behind
        that one only; ``token``: the page it stands for."""
        what = prefix or "/"
        try:
            query = query_of(prefix, delimiter, after, token, limit)
        except UnicodeEncodeError:
            raise ObjectChanged(f"{what} is no name of an object") from None
        listing = _Listing(what, query, time.monotonic() + self._limits.patience_seconds)
        await self._ask(listing)
        document = bytes(listing.document)
        if len(document) < ASIDE_BYTES:
            return read_page(what, document)
        return await asyncio.to_thread(read_page, what, document)

    async def aclose(self) -> None:
        await self._pool.aclose()
        if self._credentials is not None:
            await self._credentials.aclose()

    async def _get(self, wanted: Wanted, sink: Sink, room: Room | None = None) -> ObjectInfo:
        get = _Get(wanted, sink, time.monotonic() + self._limits.patience_seconds, room)
        await self._ask(get)
        assert get.info is not None
        return get.info

    async def _ask(self, asked: _Asked) -> None:
        """Attempts, until one succeeds or enough is enough."""
        self.tally.gets += 1
        self._budget.earn()
        longest_wait = self._limits.backoff_seconds
        for left in range(self._limits.retries, -1, -1):
            credentials = await self._credentials.get() if self._credentials else None
            request = asked.request(self._endpoint, self._options.region, credentials)
            try:
                with watch(self._breaker):
                    await _Race(self, asked, request).run()
                    return
            except NotAccepted:
                if not left or not self._has_others(credentials):
                    raise
            except Passing as fault:
                self._note(fault)
                is_late = time.monotonic() > asked.until
                if not left or is_late or not self._budget.spend():
                    raise
            self.tally.retries += 1
            await asyncio.sleep(random.random() * longest_wait)
            longest_wait *= 2
        raise AssertionError("the last attempt returns or raises")

    def _has_others(self, refused: Credentials | None) -> bool:
        source = self._credentials
        return source is not None and refused is not None and source.refused(refused)

    def _note(self, fault: Passing) -> None:
        self.tally.failures[fault.reason] += 1
        if fault.reason in OVERLOAD:
            self._pool.slots.shrink(time.monotonic())

    def _came(self, seconds: float) -> None:
        """A first byte. One that nearly came too late says that too much is asked."""
        self._first_bytes.add(seconds)
        if seconds < self._limits.first_byte_seconds / 2:
            self._pool.slots.grow()
        else:
            self._pool.slots.shrink(time.monotonic())


@lru_cache(maxsize=1024)
def _head(
    place: Endpoint,
    region: str,
    key: str,
    version: str,
    credentials: Credentials | None,
    minute: int,
) -> bytes:
    """A request for ``key``, but for its Range and its end. S3 does not want the Range signed, so a
    signature is good for all ranges of an object, for the ``minute`` (since 1970)."""
    try:
        path = f"{place.root}/{encode_path(key)}"
    except UnicodeEncodeError:
        raise ObjectChanged(f"{key} is no name of an object") from None
    fields, query = {"host": place.authority}, ""
    if is_etag(version):
        fields["if-match"] = version
    elif version:
        query = encode_query([("versionId", version)])
    return _lines(path, query, fields, region, credentials, minute)


def _lines(
    path: str,
    query: str,
    fields: dict[str, str],
    region: str,
    credentials: Credentials | None,
    minute: int,
) -> bytes:
    if credentials is not None:
        fields = sign(credentials, region, path, query, fields, minute * 60)
    target = f"{path}?{query}" if query else path
    lines = "".join([f"{name}: {value}\r\n" for name, value in fields.items()])
    return f"GET {target} HTTP/1.1\r\n{lines}".encode("latin-1")


class _Asked(Protocol):
    """Something to be had of a bucket. ``until``: the time after which no more attempts are
    begun."""

    until: float
    room: Room | None

    @property
    def what(self) -> str:
        """For messages."""

    def request(self, place: Endpoint, region: str, credentials: Credentials | None) -> bytes:
        """All of it."""

    def accept(self, head: Head) -> None:
        """The head of a good reply, or raise why it is none."""

    def take(self, piece: memoryview) -> Awaitable[None] | None:
        """The next of its body."""


class _Listing:
    """An attempt that fails within the page is begun anew."""

    __slots__ = ("document", "query", "room", "until", "what")

    def __init__(self, what: str, query: str, until: float) -> None:
        self.what = what
        self.query = query
        self.until = until
        self.room: Room | None = None
        self.document = bytearray()

    def request(self, place: Endpoint, region: str, credentials: Credentials | None) -> bytes:
        path, fields, minute = place.root or "/", {"host": place.authority}, int(time.time()) // 60
        return _lines(path, self.query, fields, region, credentials, minute) + b"\r\n"

    def accept(self, head: Head) -> None:
        self.document.clear()

    def take(self, piece: memoryview) -> None:
        self.document += piece
        if len(self.document) > MOST_BYTES:
            raise Passing(Reason.BAD_REPLY, f"{self.what}: a listing without end")


class _Get:
    """What is still to come and where it goes. ``until``: the time after which no more attempts are
    begun, as long as nothing has come."""

    __slots__ = ("info", "room", "sink", "until", "wanted")

    def __init__(self, wanted: Wanted, sink: Sink, until: float, room: Room | None = None) -> None:
        self.wanted = wanted
        self.sink = sink
        self.room = room
        self.until = until
        self.info: ObjectInfo | None = None

    @property
    def what(self) -> str:
        return self.wanted.key

    def request(self, place: Endpoint, region: str, credentials: Credentials | None) -> bytes:
        wanted, minute = self.wanted, int(time.time()) // 60
        head = _head(place, region, wanted.key, wanted.version, credentials, minute)
        return b"%brange: bytes=%d-%d\r\n\r\n" % (head, wanted.start, wanted.stop - 1)

    def accept(self, head: Head) -> None:
        self.info = check(head, self.wanted)
        self.wanted.hold(self.info)
        self.until = math.inf

    def take(self, piece: memoryview) -> Awaitable[None] | None:
        self.wanted.start += len(piece)
        return self.sink(piece)


class _Beaten(Passing):
    def __init__(self) -> None:
        super().__init__(Reason.BEATEN, "another request for the same was the quicker")


class _Race:
    """One attempt: a request, and a second one for the same if the first is later than most are.
    The first reply that is right has won, and is the one whose body is taken."""

    __slots__ = ("_asked", "_client", "_first", "_request", "_second", "_started", "_won")

    def __init__(self, client: S3Client, asked: _Asked, request: bytes) -> None:
        self._client = client
        self._asked = asked
        self._request = request
        self._won = False
        self._first: Connection | None = None
        self._second: asyncio.Task[None] | None = None
        self._started = 0.0

    async def run(self) -> None:
        client = self._client
        self._first = await client._pool.take()
        self._started = time.monotonic()
        late = client._first_bytes.late
        loop = asyncio.get_running_loop()
        timer = None if late is None else loop.call_later(late, self._ask_twice)
        try:
            await self._fetch(self._first, is_second=False)
        except Passing as fault:
            self._first = None
            is_late = fault.reason is Reason.TIMEOUT and not self._won
            if self._second is None or is_late:
                raise
            await self._second
        finally:
            if timer is not None:
                timer.cancel()
            if self._second is not None:
                self._second.cancel()

    def _ask_twice(self) -> None:
        client = self._client
        if not self._won and client._pool.slots.has_spare and client._budget.spend():
            client.tally.hedges += 1
            self._second = asyncio.ensure_future(self._fetch_again())
            self._second.add_done_callback(_look_at)

    async def _fetch_again(self) -> None:
        await self._fetch(await self._client._pool.take(), is_second=True)

    async def _fetch(self, connection: Connection, *, is_second: bool) -> None:
        client = self._client
        started = time.monotonic()
        refused: Head | None = None
        said = bytearray()

        def answer(head: Head) -> Sink:
            nonlocal refused
            client._came(time.monotonic() - started)
            if head.status in (200, 206):
                return self._win(head, is_second)
            refused = head
            return keep

        def keep(piece: memoryview) -> None:
            said.extend(piece)
            if len(said) > ERROR_BYTES:
                raise Passing(Reason.BAD_REPLY, f"{self._asked.what}: an error without end")

        await self._send(connection, answer, is_second)
        if refused is not None:
            what, region = self._asked.what, client._options.region
            raise refusal_of(what, refused, bytes(said), region, time.time())

    async def _send(self, connection: Connection, answer: Answer, is_second: bool) -> None:
        pool = self._client._pool
        self._client.tally.requests += 1
        try:
            await pool.fetch(connection, self._request, answer, self._asked.room)
        except Stale:
            if self._won:
                raise
            connection = await pool.take(new=True)
            if not is_second:
                self._first = connection
            await pool.fetch(connection, self._request, answer, self._asked.room)

    def _win(self, head: Head, is_second: bool) -> Sink:
        if self._won:
            raise _Beaten
        self._asked.accept(head)
        self._won = True
        if is_second:
            self._client.tally.hedges_won += 1
            if self._first is not None:
                # Its answer would have come later than now.
                self._client._first_bytes.add(time.monotonic() - self._started)
                self._first.fail(_Beaten())
        elif self._second is not None:
            self._second.cancel()
            self._second = None
        return self._take

    def _take(self, piece: memoryview) -> Awaitable[None] | None:
        self._client.tally.bytes += len(piece)
        return self._asked.take(piece)


def _look_at(task: asyncio.Task[None]) -> None:
    """At the failure of a second request that nobody waits for, or asyncio complains."""
    if not task.cancelled():
        task.exception()
