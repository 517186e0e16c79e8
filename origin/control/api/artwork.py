"""Posters and backdrops out of the library, to whoever asks: browsers and CDNs keep them an hour.

Which object that is, the title's row says, never the address: so nothing else of the library can
be had here. What was read is kept for a while, in memory, up to a limit.
"""

from __future__ import annotations

import hashlib
import re
import time
from dataclasses import dataclass

from aiohttp import web

from catalog.postgres.errors import NoSuchRow
from origin.cache import Cache
from origin.control.api import forms
from origin.control.api.lookups import recent_title
from origin.control.api.parts import Parts
from origin.errors import StorageError

MOST_BYTES = 8 << 20
MOST_KEPT_BYTES = 32 << 20
FRESH_SECONDS = 5 * 60.0
CACHE_CONTROL = "public, max-age=3600"

_MEDIA_TYPES = {
    "avif": "image/avif",
    "jpeg": "image/jpeg",
    "jpg": "image/jpeg",
    "png": "image/png",
    "webp": "image/webp",
}
_ENDING = re.compile(rf"\.({'|'.join(_MEDIA_TYPES)})\Z", re.IGNORECASE)


@dataclass(frozen=True, slots=True)
class _Picture:
    """``tag``: that of the entity, without its quotes; ``read``: when it was."""

    data: bytes
    media_type: str
    tag: str
    read: float


class Artwork:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts
        self._pictures: Cache[str, _Picture] = Cache(
            MOST_KEPT_BYTES, lambda picture: len(picture.data)
        )

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/artwork/{id}/{file}", self.picture)

    async def picture(self, request: web.Request) -> web.Response:
        """``file``: "poster" or "backdrop". ``NoSuchRow`` where the title has none."""
        wanted = forms.path_id(request, "file")
        audience = self._parts.callers.audience(request)
        title = await recent_title(self._parts, forms.path_id(request), audience)
        key = title.artwork.get(wanted)
        if key is None:
            raise NoSuchRow(f"'{title.id}' has no such picture.")
        picture = await self._picture(key)
        headers = {
            "Cache-Control": CACHE_CONTROL,
            "ETag": f'"{picture.tag}"',
            "X-Content-Type-Options": "nosniff",
        }
        if any(held.value in (picture.tag, "*") for held in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=picture.data, content_type=picture.media_type, headers=headers)

    async def _picture(self, key: str) -> _Picture:
        kept = self._pictures.peek(key)
        if kept is not None and time.monotonic() - kept.read < FRESH_SECONDS:
            return kept
        try:
            return await self._pictures.load(key, lambda: self._read(key))
        except StorageError:
            if kept is None:
                raise
            return kept  # as it was, while the storage is away

    async def _read(self, key: str) -> _Picture:
        """``NoSuchRow`` for what is not there, is no picture or is too large for one."""
        ending = _ENDING.search(key)
        if ending is None or ".." in key.split("/"):
            raise NoSuchRow(f"The artwork '{key}' is no avif, jpeg, png or webp of the library.")
        data = await self._parts.storage.read_latest(key)
        if data is None:
            raise NoSuchRow(f"The artwork '{key}' is not in the library.")
        if len(data) > MOST_BYTES:
            raise NoSuchRow(f"The artwork '{key}' has more than {MOST_BYTES >> 20} MB.")
        tag = hashlib.blake2b(data, digest_size=16).hexdigest()
        return _Picture(data, _MEDIA_TYPES[ending[1].lower()], tag, time.monotonic())
