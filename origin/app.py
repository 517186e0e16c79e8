"""The composition root: the only place that builds things and joins them.

A worker is one process with one event loop: storage, catalogue, service, the control application,
and the data plane on the listening socket that the supervisor opened.
"""

from __future__ import annotations

import asyncio
import logging
import os
import resource
import socket
from collections.abc import Awaitable
from contextlib import suppress
from dataclasses import dataclass

import uvloop
from aiohttp import web
from prometheus_client import REGISTRY

from origin import workers
from origin.auth import path_token
from origin.auth.gate import Gate
from origin.auth.keys import MAKE_A_KEY, KeyFile
from origin.control.app import control_app
from origin.control.health import Health
from origin.delivery.limits import Limits
from origin.delivery.resource import Resource
from origin.delivery.server import MEDIA, Server, serve
from origin.delivery.site import Handler
from origin.errors import StorageError, describe
from origin.service import Origin
from origin.settings import BadSetting, Settings
from origin.sidecars import SidecarWriter
from origin.storage import Library, Storage, open_library
from origin.storage.sparse import SparseFolder
from origin.storage.sparse_cache import SparseCache
from origin.telemetry.board import Board
from origin.telemetry.log import configure
from origin.telemetry.worker import FAMILIES, Telemetry
from origin.tls import BadPair, Certificate

log = logging.getLogger(__name__)

MIB = 1 << 20
MOST_CONNECTIONS = 50_000
"""Of a worker, where nobody says how many: they take memory, too."""
CLEANUP_SECONDS = 0.5
"""For what the control plane still does for those who have left, or were cut."""


def run(settings: Settings) -> int:
    """Serve until told to stop; the exit status."""
    open_library(settings)  # or it is no start
    if settings.cache_folder:
        _cache(settings)
    _gate(settings)
    certificate = _certificate(settings)
    _allow_many_files()
    sock = _listen(settings)
    configure(settings.log_level)  # from here on it serves: what went wrong before was raised
    address = _address(sock, "https" if certificate else "http")
    print(f"vod-origin serves {settings.library} at {address}", flush=True)
    count = settings.workers or os.cpu_count() or 1
    board = Board(FAMILIES, count)
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
            )
        ),
    )


async def _serve(
    sock: socket.socket,
    settings: Settings,
    worker: workers.Worker,
    telemetry: Telemetry,
    certificate: Certificate | None,
) -> None:
    running = await start(sock, settings, telemetry, certificate)
    beside = [
        asyncio.create_task(
            telemetry.pulse(lambda: running.server.connections, running.library.counts)
        ),
        asyncio.create_task(_tell_whether_readable(running.library.storage)),
    ]
    if certificate is not None:
        beside.append(asyncio.create_task(certificate.watch(running.server.secure)))
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


def _address(sock: socket.socket, scheme: str) -> str:
    host, port = sock.getsockname()[:2]
    return f"{scheme}://{f'[{host}]' if ':' in host else host}:{port}/"


@dataclass(frozen=True, slots=True)
class Running:
    """The parts of a worker that are to know of its end."""

    server: Server
    health: Health
    runner: web.AppRunner
    library: Library
    sidecars: SidecarWriter | None

    async def close(self, grace: float, delay: float = 0.0) -> None:
        """Serve on for ``delay`` seconds, so that all who send requests learn of the end; then
        accept no more, and let what is in flight end for ``grace`` seconds."""
        self.health.draining = True
        self.server.drain()
        await asyncio.sleep(delay)
        await self.server.close(grace)
        await self.runner.cleanup()  # not before: it ends what is not yet answered
        if self.sidecars is not None:
            await self.sidecars.aclose()
        await self.library.media.aclose()
        await self.library.storage.aclose()


async def start(
    sock: socket.socket,
    settings: Settings,
    telemetry: Telemetry | None = None,
    certificate: Certificate | None = None,
) -> Running:
    """One worker on ``sock``."""
    library = open_library(settings, _cache(settings))
    sidecars = SidecarWriter(library.storage) if settings.write_sidecars else None
    origin = Origin(
        library.catalogue,
        library.storage,
        library.media,
        title_cache_bytes=settings.title_cache_mb * MIB,
        resource_cache_bytes=settings.resource_cache_mb * MIB,
        sidecars=sidecars,
    )
    health = Health(library.storage)
    runner = web.AppRunner(
        control_app(origin, library.catalogue, health),
        access_log=None,
        shutdown_timeout=CLEANUP_SECONDS,
    )
    await runner.setup()
    assert runner.server is not None
    gate = _gate(settings)
    server = await serve(
        sock,
        _guarded(origin, gate) if gate else origin.resolve,
        runner.server,
        describe,
        media=(*MEDIA, path_token.PREFIX) if gate else MEDIA,
        limits=Limits(connections=_connections(settings)),
        observe=telemetry.observe if telemetry else None,
        shed=telemetry.shed if telemetry else None,
        tls=certificate.context if certificate else None,
    )
    return Running(server, health, runner, library, sidecars)


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


def _gate(settings: Settings) -> Gate | None:
    """None where there are no keys: media is open to all then, and no path is a token's."""
    if settings.token_key_file:
        keys = KeyFile(settings.token_key_file).current
        return Gate(keys, required=bool(settings.require_token))
    if settings.require_token:
        raise BadSetting(
            "tokens are required, but VOD_TOKEN_KEY_FILE names no file of keys; "
            f"this makes one: {MAKE_A_KEY}"
        )
    return None


def _guarded(origin: Origin, gate: Gate) -> Handler:
    def resolve(path: str) -> Resource | Awaitable[Resource]:
        return origin.resolve(gate.admit(path))

    return resolve


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
