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
from contextlib import suppress

import uvloop
from aiohttp import web
from prometheus_client import REGISTRY

from catalog.library import LibraryCatalogue
from origin import workers
from origin.control.app import control_app
from origin.delivery.server import Server, serve
from origin.delivery.site import Observe
from origin.errors import describe
from origin.service import Origin
from origin.settings import BadSetting, Settings
from origin.storage import Storage, open_storage
from origin.storage.sparse import SparseFolder
from origin.storage.sparse_cache import SparseCache
from origin.storage.tracks import TrackCache
from origin.telemetry.board import Board
from origin.telemetry.log import configure
from origin.telemetry.worker import FAMILIES, Telemetry

log = logging.getLogger(__name__)

MIB = 1 << 20


def run(settings: Settings) -> int:
    """Serve until told to stop; the exit status."""
    storage = _storage(settings)
    if settings.cache_folder:
        _tracks(settings, storage)  # or it is no start
    _allow_many_files()
    sock = _listen(settings)
    configure(settings.log_level)  # from here on it serves: what went wrong before was raised
    print(f"vod-origin serves {settings.library} at {_address(sock)}", flush=True)
    count = settings.workers or os.cpu_count() or 1
    board = Board(FAMILIES, count)
    REGISTRY.register(board)
    return workers.run(
        sock,
        count,
        lambda worker: uvloop.run(
            _serve(sock, settings, worker, Telemetry(board, worker.index, settings.log_every))
        ),
    )


async def _serve(
    sock: socket.socket, settings: Settings, worker: workers.Worker, telemetry: Telemetry
) -> None:
    server = await start(sock, settings, telemetry.observe)
    pulse = asyncio.create_task(telemetry.pulse(lambda: server.connections))
    await worker.stopped()
    await server.close(settings.drain_seconds)
    pulse.cancel()
    await asyncio.wait([pulse])


def _address(sock: socket.socket) -> str:
    host, port = sock.getsockname()[:2]
    return f"http://{f'[{host}]' if ':' in host else host}:{port}/"


async def start(sock: socket.socket, settings: Settings, observe: Observe | None = None) -> Server:
    """One worker's server on ``sock``; ``observe`` hears of every answer."""
    storage = _storage(settings)
    catalogue = LibraryCatalogue(storage)
    origin = Origin(
        catalogue,
        storage,
        title_cache_bytes=settings.title_cache_mb * MIB,
        resource_cache_bytes=settings.resource_cache_mb * MIB,
        tracks=_tracks(settings, storage),
    )
    runner = web.AppRunner(control_app(origin, catalogue), access_log=None)
    await runner.setup()
    assert runner.server is not None
    return await serve(sock, origin.resolve, runner.server, describe, observe=observe)


def _storage(settings: Settings) -> Storage:
    try:
        return open_storage(settings.library)
    except (ValueError, NotADirectoryError) as error:
        raise BadSetting(f"library: {error}") from None


def _tracks(settings: Settings, storage: Storage) -> TrackCache | None:
    """None if it is not wanted, or if nobody said where and there is no place for it."""
    if not settings.cache_mb:
        return None
    try:
        folder = SparseFolder(settings.cache_folder, settings.cache_mb * MIB)
    except OSError as error:
        if settings.cache_folder:
            raise BadSetting(f"cache folder {error.filename}: {error.strerror}") from error
        log.warning("interleaved tracks are not copied: %s", error)
        return None
    return TrackCache(SparseCache(folder), storage)


def _allow_many_files() -> None:
    """Each viewer and each file that is served takes a descriptor; the usual limit of 1024 is for
    programs that call select() on them."""
    _, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    for wanted in (hard, 10_240):  # macOS says "unlimited" and means this
        with suppress(ValueError, OSError):
            resource.setrlimit(resource.RLIMIT_NOFILE, (wanted, hard))
            return


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
