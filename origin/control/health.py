"""Whether the process lives, and whether requests should come to it.

``/livez`` is 200 while the loop turns: a worker that has much to do, or whose library is away, is
not to be ended for it. ``/readyz`` is 503 while the worker drains, so that balancers send newcomers
elsewhere before it stops to accept them, and while the library cannot be read.
"""

from __future__ import annotations

import asyncio
import math
import time

from aiohttp import web

from origin.errors import Draining, StorageError
from origin.storage import Storage

FRESH_SECONDS = 1.0
PATIENCE_SECONDS = 0.8
"""Less than the second after which a probe is given up by those who send it."""


class Health:
    """``draining`` is set by whoever stops the worker."""

    def __init__(self, storage: Storage) -> None:
        self.draining = False
        self._storage = storage
        self._look: asyncio.Task[None] | None = None
        self._looked = -math.inf

    async def alive(self, _: web.Request) -> web.Response:
        return _ok()

    async def ready(self, _: web.Request) -> web.Response:
        if self.draining:
            raise Draining("the server is about to stop")
        await self._require_library()
        return _ok()

    async def _require_library(self) -> None:
        """One look at a time, however many ask, and however long it takes."""
        now = time.monotonic()
        look = self._look
        if look is None or (look.done() and now - self._looked >= FRESH_SECONDS):
            self._looked = now
            self._look = look = asyncio.create_task(self._read())
            look.add_done_callback(_seen)
        done, _ = await asyncio.wait([look], timeout=PATIENCE_SECONDS)
        if not done:
            raise StorageError(f"the library does not answer within {PATIENCE_SECONDS} s")
        look.result()

    async def _read(self) -> None:
        await self._storage.check()


def _seen(look: asyncio.Task[None]) -> None:
    """Nobody may be there by now to be told of an error."""
    if not look.cancelled():
        look.exception()


def _ok() -> web.Response:
    return web.Response(text="ok\n", headers={"Cache-Control": "no-store"})
