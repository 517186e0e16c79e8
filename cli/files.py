"""Loading media for the commands that look at it: the same code that serves it, run to its end."""

from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator
from pathlib import Path

from catalog.assets import Catalogue
from origin.service import Origin
from origin.settings import read_settings
from origin.storage import Library, open_library
from origin.storage.local import LocalStorage
from packager.model import MovieIndex
from packager.movie import index_movie

_PAGE = 100
_CACHE_BYTES = 1 << 20


def index_file(path: Path) -> MovieIndex:
    """The index of one MP4."""
    return asyncio.run(_index_file(path))


async def _index_file(path: Path) -> MovieIndex:
    storage = LocalStorage(str(path.parent))
    found = await storage.stat([path.name])
    if not found:
        raise FileNotFoundError(f"no file {path}")
    entry = found[0]
    reader = index_movie(entry.key, entry.version, entry.size)
    return await storage.drive(entry.key, entry.version, reader)


def open_titles(location: str) -> tuple[Catalogue, Origin]:
    """The titles of a library: a folder, or a URL."""
    library = open_library(read_settings(library=location))
    return library.catalogue, origin_of(library)


def origin_of(library: Library) -> Origin:
    return Origin(
        library.catalogue,
        library.storage,
        library.media,
        title_cache_bytes=_CACHE_BYTES,
        resource_cache_bytes=_CACHE_BYTES,
    )


async def title_ids(catalogue: Catalogue) -> AsyncIterator[str]:
    after: str | None = None
    while True:
        page = await catalogue.page(after, _PAGE)
        for asset_id in page.ids:
            yield asset_id
        if page.next is None:
            return
        after = page.next
