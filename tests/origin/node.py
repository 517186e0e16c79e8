"""One worker's origin over a folder, with a clock of its own; served, if a test wants sockets."""

from __future__ import annotations

import asyncio
import socket
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

from aiohttp import web

from catalog.library import LibraryCatalogue
from origin.control.app import control_app
from origin.control.health import Health
from origin.delivery.resource import Resource
from origin.delivery.server import serve
from origin.errors import describe
from origin.service import Origin
from origin.storage.local import LocalStorage
from origin.storage.media import LocalMedia
from packager.address import IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist, parse
from tests.origin.delivery.library import content
from tests.origin.delivery.serving import PATIENCE, Reply, Wire
from tests.packager.manifests.reading import urls

MIB = 1 << 20


class Node:
    def __init__(
        self, library: Path, *, title_cache: int = 16 * MIB, resource_cache: int = 16 * MIB
    ) -> None:
        self.now = 1000.0
        self.storage = LocalStorage(str(library))
        self.catalogue = LibraryCatalogue(self.storage)
        self.health = Health(self.storage)
        self.origin = Origin(
            self.catalogue,
            self.storage,
            LocalMedia(self.storage, None),
            title_cache_bytes=title_cache,
            resource_cache_bytes=resource_cache,
            clock=lambda: self.now,
        )

    def age(self) -> None:
        """Let what is known of files be too old to be trusted."""
        self.now += self.storage.fresh_seconds + self.storage.stale_seconds

    async def resource(self, path: str) -> Resource:
        found = self.origin.resolve(path)
        return found if isinstance(found, Resource) else await found

    async def body(self, path: str) -> bytes:
        return content((await self.resource(path)).parts)

    async def every_path(self, asset_id: str) -> list[str]:
        """The title's two manifests, and all that they lead to."""
        found: dict[str, None] = {}
        ahead = [str(MultivariantPlaylist(asset_id)), str(Mpd(asset_id))]
        while ahead:
            path = ahead.pop()
            if path in found:
                continue
            found[path] = None
            address = parse(path)
            if isinstance(address, MultivariantPlaylist | Mpd | MediaPlaylist | IFramePlaylist):
                ahead += urls(address, (await self.body(path)).decode())
        return list(found)


class Served:
    """A node on a port; requests go over one connection in turn."""

    def __init__(self, node: Node, port: int, wire: Wire) -> None:
        self.node = node
        self.port = port
        self._wire = wire

    async def get(self, path: str, *lines: str, method: str = "GET") -> Reply:
        return await self._wire.get(path, *lines, method=method)

    async def once(self, path: str, *lines: str) -> Reply:
        """Over a connection of its own."""
        wire = Wire(*await asyncio.open_connection("127.0.0.1", self.port))
        try:
            return await wire.get(path, *lines)
        finally:
            await wire.close()


@asynccontextmanager
async def served(node: Node) -> AsyncIterator[Served]:
    app = control_app(node.origin, node.catalogue, node.health)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = await serve(
        listener, lambda request: node.origin.resolve(request.path), runner.server, describe
    )
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
    try:
        yield Served(node, port, wire)
    finally:
        await wire.close()
        await server.close(grace=PATIENCE)
        await runner.cleanup()
