"""The composition root: the only place that builds things and joins them.

A worker is one process with one event loop: storage, catalogue, service, the control application,
and the data plane on the listening socket that the supervisor opened.
"""

from __future__ import annotations

import asyncio
import gc
import logging
import os
import resource
import socket
from collections.abc import Callable, Iterator
from contextlib import AsyncExitStack, suppress
from dataclasses import dataclass
from importlib.util import find_spec
from itertools import chain
from typing import TYPE_CHECKING

import uvloop
from aiohttp import web
from prometheus_client import REGISTRY

from catalog.postgres.catalogue import PostgresCatalogue
from origin import workers
from origin.auth import path_token
from origin.auth.gate import Gate
from origin.auth.keys import MAKE_A_KEY, read_keys
from origin.auth.origin_verify import OriginVerify, read_secrets
from origin.auth.reread import Reread
from origin.auth.schemes import SCHEMES
from origin.auth.session import ASKED, SessionCheck
from origin.cmcd.inbox import Exchange, Inbox
from origin.control.app import control_app
from origin.control.health import Health
from origin.control.qoe import Qoe
from origin.delivery.limits import Limits
from origin.delivery.server import MEDIA, Server, serve
from origin.entrance import entrance
from origin.errors import StorageError, describe
from origin.service import Origin
from origin.settings import BadSetting, Settings
from origin.sidecars import SharedIndexes, SidecarWriter
from origin.storage import Library, Storage, open_library
from origin.storage.sparse import SparseFolder
from origin.storage.sparse_cache import SparseCache
from origin.telemetry.auth import VerifyTimes
from origin.telemetry.board import Board
from origin.telemetry.log import configure
from origin.telemetry.remote import Count
from origin.telemetry.sessions import RedisTimes
from origin.telemetry.worker import FAMILIES, Telemetry
from origin.tls import BadPair, Certificate

if TYPE_CHECKING:
    from catalog.postgres.database import Database
    from origin.control.api.api import Api
    from origin.sessions import Sessions

log = logging.getLogger(__name__)

MIB = 1 << 20
MOST_CONNECTIONS = 50_000
"""Of a worker, where nobody says how many: they take memory, too."""
CLEANUP_SECONDS = 0.5
"""For what the control plane still does for those who have left, or were cut."""
COLLECT = (700, 10, 1000)
"""Python's own thresholds, but the last: a full collection after so many of younger objects."""


def run(settings: Settings) -> int:
    """Serve until told to stop; the exit status."""
    open_library(settings)  # or it is no start
    if settings.cache_folder:
        _cache(settings)
    _gate(settings, _verify(settings))
    _has_redis(settings)
    certificate = _certificate(settings)
    _allow_many_files()
    sock = _listen(settings)
    configure(settings.log_level)  # from here on it serves: what went wrong before was raised
    address = _address(sock, "https" if certificate else "http")
    print(f"vod-origin serves {settings.library} at {address}", flush=True)
    count = settings.workers or os.cpu_count() or 1
    board = Board(FAMILIES, count)
    exchange = Exchange(count) if count > 1 else None
    REGISTRY.register(board)
    return workers.run(
        sock,
        count,
        lambda worker: uvloop.run(
            _serve(
                sock,
                settings,
                worker,
                Telemetry(board, worker.index, settings.log_every),
                certificate,
                exchange,
            )
        ),
    )


async def _serve(
    sock: socket.socket,
    settings: Settings,
    worker: workers.Worker,
    telemetry: Telemetry,
    certificate: Certificate | None,
    exchange: Exchange | None,
) -> None:
    running = await start(sock, settings, telemetry, certificate, exchange)
    beside = [
        asyncio.create_task(telemetry.pulse(lambda: running.server.connections, running.counts)),
        asyncio.create_task(_tell_whether_readable(running.library.storage)),
    ]
    if certificate is not None:
        beside.append(asyncio.create_task(certificate.watch(running.server.secure)))
    _collect_rarely()
    await worker.stopped()
    await running.close(settings.drain_seconds, settings.drain_delay_seconds)
    for task in beside:
        task.cancel()
    await asyncio.wait(beside)


async def _tell_whether_readable(storage: Storage) -> None:
    """A library that is away now may be there later: it is served all the same."""
    try:
        await storage.check()
    except StorageError as error:
        log.error("the library cannot be read now: %s", error)


def _collect_rarely() -> None:
    """A full collection looks at all objects there are: with 10,000 connections, for 100 to 250 ms
    in which nobody is answered. It finds next to nothing, as connections and titles go with the
    last reference to them; what does not is mostly young, and young ones are looked at as ever."""
    gc.collect()
    gc.freeze()
    gc.set_threshold(*COLLECT)


def _address(sock: socket.socket, scheme: str) -> str:
    host, port = sock.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


@dataclass(frozen=True, slots=True)
class Running:
    """A worker. ``beneath``: what is closed when nothing is answered any more; ``counts``: of all
    parts that count for themselves."""

    server: Server
    health: Health
    library: Library
    sidecars: SidecarWriter | None
    inbox: Inbox
    beneath: AsyncExitStack
    counts: Callable[[], Iterator[Count]]

    async def close(self, grace: float, delay: float = 0.0) -> None:
        """Serve on for ``delay`` seconds, so that all who send requests learn of the end; then
        accept no more, and let what is in flight end for ``grace`` seconds."""
        self.health.draining = True
        self.server.drain()
        await asyncio.sleep(delay)
        await self.server.close(grace)
        await self.beneath.aclose()


async def start(
    sock: socket.socket,
    settings: Settings,
    telemetry: Telemetry | None = None,
    certificate: Certificate | None = None,
    exchange: Exchange | None = None,
) -> Running:
    """One worker on ``sock``."""
    telemetry = telemetry or Telemetry(Board(FAMILIES, 1), 0, log_every=0)
    beneath = AsyncExitStack()  # closes in the reverse order
    library = open_library(settings, _cache(settings))
    beneath.push_async_callback(library.storage.aclose)
    beneath.push_async_callback(library.media.aclose)
    database = await _database(settings, beneath)
    catalogue = PostgresCatalogue(database) if database else library.catalogue
    sessions = await _sessions(settings, telemetry, beneath)
    shared = _shared_indexes(settings, library.storage, beneath)
    sidecars = SidecarWriter(library.storage) if settings.write_sidecars else None
    if sidecars is not None:
        beneath.push_async_callback(sidecars.aclose)
    origin = Origin(
        catalogue,
        library.storage,
        library.media,
        title_cache_bytes=settings.title_cache_mb * MIB,
        resource_cache_bytes=settings.resource_cache_mb * MIB,
        sidecars=sidecars,
        shared=shared,
    )
    if sessions is not None:
        sessions.on_purge(origin.forget)
    health = Health(library.storage)
    verify = _verify(settings)
    on_next = origin.expect if library.media.reads_ahead else None
    inbox = Inbox(telemetry.qoe, telemetry.worker, exchange, on_next)
    beneath.callback(inbox.close)
    api = _api(settings, database, sessions, origin, library.storage, beneath)
    qoe = Qoe(inbox, telemetry.board)
    control = control_app(origin, catalogue, health, qoe, verify, api.add_routes if api else None)
    runner = web.AppRunner(
        control,
        access_log=None,
        shutdown_timeout=CLEANUP_SECONDS,
        auto_decompress=False,  # bodies are as large as they arrive
    )
    await runner.setup()
    beneath.push_async_callback(runner.cleanup)  # it ends what is not yet answered
    assert runner.server is not None
    check = SessionCheck(sessions, ASKED[settings.session_check]) if sessions else None
    times = VerifyTimes(telemetry.board, telemetry.worker)
    gate = _gate(settings, verify, check, times.observe)
    server = await serve(
        sock,
        entrance(origin, inbox, gate, check),
        runner.server,
        describe,
        media=(*MEDIA, path_token.PREFIX) if gate else MEDIA,
        limits=Limits(connections=_connections(settings)),
        observe=telemetry.observe,
        shed=telemetry.shed,
        tls=certificate.context if certificate else None,
    )
    counting = [part for part in (library, gate, check, sessions) if part is not None]

    def counts() -> Iterator[Count]:
        return chain.from_iterable(part.counts() for part in counting)

    return Running(server, health, library, sidecars, inbox, beneath, counts)


async def _database(settings: Settings, beneath: AsyncExitStack) -> Database | None:
    """None where there is no PostgreSQL; imported where there is, as what follows."""
    if not settings.database_url:
        return None
    _require("asyncpg", "VOD_DATABASE_URL")
    from catalog.postgres.database import Database

    database = await Database.open(settings.database_url)
    beneath.push_async_callback(database.aclose)
    return database


async def _sessions(
    settings: Settings, telemetry: Telemetry, beneath: AsyncExitStack
) -> Sessions | None:
    """None where there is no Redis."""
    if not _has_redis(settings):
        return None
    from origin.sessions import Sessions

    times = RedisTimes(telemetry.board, telemetry.worker)
    sessions = await Sessions.open(settings.redis_url, observe=times.observe)
    beneath.push_async_callback(sessions.aclose)
    return sessions


def _api(
    settings: Settings,
    database: Database | None,
    sessions: Sessions | None,
    origin: Origin,
    storage: Storage,
    beneath: AsyncExitStack,
) -> Api | None:
    """Accounts take both: people in PostgreSQL, and who is signed in in Redis."""
    if database is None or sessions is None:
        return None
    _require("argon2", "VOD_DATABASE_URL")
    from origin.control.api.api import Api

    keys, verified = settings.token_key_file, bool(settings.origin_verify_file)
    api = Api(
        database,
        sessions,
        origin,
        storage,
        Reread(keys, read_keys).current if keys else None,
        secure=bool(settings.tls_certificate) or verified,  # a CDN's viewers come over TLS
        behind_cdn=verified,
    )
    beneath.push_async_callback(api.aclose)
    return api


def _shared_indexes(
    settings: Settings, storage: Storage, beneath: AsyncExitStack
) -> SharedIndexes | None:
    if not _has_redis(settings) or not settings.redis_index_mb:
        return None
    from origin.sessions.indexes import RedisIndexes

    shelf = RedisIndexes(settings.redis_url, settings.redis_index_mb * MIB)
    shared = SharedIndexes(shelf, storage.location)
    beneath.push_async_callback(shared.aclose)
    return shared


def _has_redis(settings: Settings) -> bool:
    if not settings.redis_url:
        if settings.redis_index_mb:
            raise BadSetting(
                "VOD_REDIS_INDEX_MB is of the Redis of VOD_REDIS_URL, which is not set"
            )
        return False
    _require("redis", "VOD_REDIS_URL")
    from origin.sessions.client import check_url

    check_url(settings.redis_url)
    return True


def _require(module: str, variable: str) -> None:
    """The core does not bring what databases need."""
    if find_spec(module) is None:
        raise BadSetting(f"{variable}: pip install 'vod-origin[accounts]' brings the client")


def _certificate(settings: Settings) -> Certificate | None:
    """None for plain HTTP."""
    if not settings.tls_certificate and not settings.tls_key:
        return None
    if not settings.tls_certificate or not settings.tls_key:
        raise BadSetting("tls_certificate and tls_key are set together, or neither is")
    try:
        return Certificate(settings.tls_certificate, settings.tls_key)
    except BadPair as error:
        raise BadSetting(f"TLS: {error}") from None


def _gate(
    settings: Settings,
    verify: OriginVerify | None,
    check: SessionCheck | None = None,
    observe: Callable[[str, float], None] | None = None,
) -> Gate | None:
    """None where nothing is asked for: media is open to all then, and no path is a token's."""
    keys = settings.token_key_file
    files = {name: getattr(settings, f"{name}_key_file") for name in SCHEMES if name != "path"}
    schemes = [Reread(file, SCHEMES[name]).current for name, file in files.items() if file]
    if settings.require_token and not keys and not schemes:
        raise BadSetting(
            "tokens are required, but VOD_TOKEN_KEY_FILE names no file of keys; "
            f"this makes one: {MAKE_A_KEY}"
        )
    if not keys and not schemes and verify is None:
        return None
    return Gate(
        Reread(keys, read_keys).current if keys else None,
        schemes,
        required=bool(settings.require_token),
        verify=verify,
        secure=bool(settings.tls_certificate),
        revoked=check.is_revoked if check else None,
        observe=observe,
    )


def _verify(settings: Settings) -> OriginVerify | None:
    file = settings.origin_verify_file
    return OriginVerify(Reread(file, read_secrets).current) if file else None


def _cache(settings: Settings) -> SparseCache | None:
    """None if it is not wanted, or if nobody said where and there is no place for it."""
    if not settings.cache_mb:
        return None
    try:
        folder = SparseFolder(settings.cache_folder, settings.cache_mb * MIB)
    except OSError as error:
        if settings.cache_folder:
            raise BadSetting(f"cache folder {error.filename}: {error.strerror}") from error
        log.warning("nothing is kept on the disk: %s", error)
        return None
    return SparseCache(folder)


def _allow_many_files() -> None:
    """Each viewer and each file that is served takes a descriptor; the usual limit of 1024 is for
    programs that call select() on them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, 10_240):  # macOS says "unlimited" and means this
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


def _connections(settings: Settings) -> int:
    """How many a worker may have. A viewer takes up to two descriptors; unless someone says
    otherwise, a quarter of all is kept for files and the rest."""
    most, _ = resource.getrlimit(resource.RLIMIT_NOFILE)
    if most == resource.RLIM_INFINITY:
        return settings.max_connections or MOST_CONNECTIONS
    if settings.max_connections * 2 > most:
        log.warning(
            "VOD_MAX_CONNECTIONS=%d: the limit of %d open files may not allow so many",
            settings.max_connections,
            most,
        )
    return settings.max_connections or max(1, min(MOST_CONNECTIONS, most * 3 // 8))


def _listen(settings: Settings) -> socket.socket:
    """The one listening socket, opened before any worker starts."""
    try:
        return socket.create_server(
            (settings.host, settings.port),
            family=socket.AF_INET6 if ":" in settings.host else socket.AF_INET,
            backlog=4096,
        )
    except OSError as error:
        reason = str(error.strerror).partition(" (while")[0]
        raise BadSetting(
            f"cannot listen on {settings.host} port {settings.port}: {reason}"
        ) from error
