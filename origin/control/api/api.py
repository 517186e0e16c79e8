"""The groups of routes, and the parts that they share."""

from __future__ import annotations

from collections.abc import Callable

from aiohttp import web

from catalog.postgres.database import Database
from origin.auth.keys import Keys
from origin.control.api.accounts import Accounts
from origin.control.api.admin import Admin
from origin.control.api.artwork import Artwork
from origin.control.api.browsing import Browsing
from origin.control.api.callers import Callers
from origin.control.api.document import Document
from origin.control.api.lists import Lists
from origin.control.api.memory import Memory
from origin.control.api.parts import Parts
from origin.control.api.passwords import Passwords
from origin.control.api.playbacks import Playbacks
from origin.control.api.progress import ProgressWriter
from origin.service import Origin
from origin.sessions import Sessions
from origin.storage import Storage

GROUPS = (Accounts, Browsing, Artwork, Lists, Playbacks, Admin, Document)


class Api:
    """One worker's. ``secure``: viewers come over TLS; ``behind_cdn``: whoever asks has shown that
    it is our CDN."""

    def __init__(
        self,
        database: Database,
        sessions: Sessions,
        origin: Origin,
        storage: Storage,
        keys: Callable[[], Keys] | None,
        *,
        secure: bool,
        behind_cdn: bool,
    ) -> None:
        self._parts = Parts(
            database,
            sessions,
            origin,
            storage,
            keys,
            Callers(sessions, secure=secure, behind_cdn=behind_cdn),
            Passwords(),
            ProgressWriter(database),
            Memory(),
        )

    def add_routes(self, router: web.UrlDispatcher) -> None:
        for group in GROUPS:
            group(self._parts).add_routes(router)

    async def aclose(self) -> None:
        """What waits to be written is."""
        await self._parts.progress.aclose()
