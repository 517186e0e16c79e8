"""Packed indexes of files in Redis: what one node has read of a title, none has to read again.

They take up to so many bytes, the least recently used go first. They go by connections of their
own, which wait longer: no session waits behind a large one. Whatever fails is a miss.
"""

from __future__ import annotations

from contextlib import suppress

from origin.errors import StoreAway
from origin.sessions.client import Client, run

PATIENCE_SECONDS = 0.25
KEPT_SECONDS = 7 * 24 * 60 * 60
MOST_BYTES = 8 << 20
"""Of one: a longer one would keep Redis from others."""

_PREFIX = "vod:{index}:of:"
_USED, _SIZES = "vod:{index}:used", "vod:{index}:sizes"


class RedisIndexes:
    """``limit``: bytes that all may take. Of one loop."""

    def __init__(self, url: str, limit: int, patience: float = PATIENCE_SECONDS) -> None:
        self._client = Client(url, patience=patience)
        self._limit = limit

    async def get(self, name: str) -> bytes | None:
        key = _PREFIX + name
        with suppress(StoreAway):
            used = run("touch", (key, _USED, _SIZES), KEPT_SECONDS)
            [data] = await self._client.ask("index", used)
            return bytes(data) if data is not None else None
        return None

    async def put(self, name: str, data: bytes) -> None:
        if len(data) > MOST_BYTES:
            return
        keys = (_PREFIX + name, _USED, _SIZES)
        with suppress(StoreAway):
            await self._client.ask("index", run("keep", keys, data, self._limit, KEPT_SECONDS))

    async def aclose(self) -> None:
        await self._client.aclose()
