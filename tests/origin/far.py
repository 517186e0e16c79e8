"""One worker's origin over a library that is far away, with a clock of its own."""

from __future__ import annotations

from pathlib import Path

from origin.delivery.resource import Resource
from origin.service import Origin
from origin.settings import Settings
from origin.sidecars import SidecarWriter
from origin.storage import open_library
from origin.storage.remote import RemoteMedia
from origin.storage.sparse import SparseFolder
from origin.storage.sparse_cache import SparseCache
from tests.origin.delivery.library import content
from tests.origin.delivery.serving import until
from tests.origin.node import MIB


class RemoteNode:
    """``folder``: for what it keeps."""

    def __init__(self, settings: Settings, folder: Path) -> None:
        cache = SparseCache(SparseFolder(str(folder), 1 << 30))
        self.now = 1000.0
        self.storage, self.catalogue, media = open_library(settings, cache)
        assert isinstance(media, RemoteMedia)
        self.media = media
        self.sidecars = SidecarWriter(self.storage) if settings.write_sidecars else None
        self.origin = Origin(
            self.catalogue,
            self.storage,
            media,
            title_cache_bytes=16 * MIB,
            resource_cache_bytes=16 * MIB,
            clock=lambda: self.now,
            sidecars=self.sidecars,
        )

    async def resource(self, path: str) -> Resource:
        found = self.origin.resolve(path)
        return found if isinstance(found, Resource) else await found

    async def body(self, path: str) -> bytes:
        found = await self.resource(path)
        spans = [part for part in found.parts if not isinstance(part, bytes)]
        await until(lambda: all(span.ready(0) == span.length for span in spans))
        return content(found.parts)

    async def revision(self, asset_id: str) -> str:
        return (await self.origin.title(asset_id)).presentation.revision

    async def aclose(self) -> None:
        await self.media.aclose()
        await self.storage.aclose()
