"""L2: whether the session that a credential is of still goes on.

Every request is refused whose session is known to be revoked: that is known without asking. For
manifests, or for everything, it can be asked that the session is also there: that the store knows,
which keeps answers for some seconds. While it is away viewers are trusted, for a time; past that
they are not.
"""

from __future__ import annotations

from collections.abc import Iterator
from enum import Enum
from typing import Protocol

from origin.auth.path_token import closed
from origin.errors import StoreAway
from origin.telemetry.auth import DECISIONS, GRACE
from origin.telemetry.remote import Count

ASKED: dict[str, tuple[str, ...]] = {
    "revoked": (),
    "manifests": (".m3u8", ".mpd"),
    "all": ("",),
}
"""By what ``session_check`` says."""


class Store(Protocol):
    """Of sessions, as far as the gate asks."""

    def is_revoked(self, sid: bytes) -> bool: ...

    def grace(self) -> Enum:
        """Its value is ``over`` when the store has been away for too long."""

    async def get(self, sid: bytes) -> object | None: ...


class SessionCheck:
    """``asked``: the endings of paths whose session is asked for; ``("",)``: all of them."""

    def __init__(self, store: Store, asked: tuple[str, ...]) -> None:
        self._store = store
        self._asked = asked
        self.is_revoked = store.is_revoked
        self._graced = 0
        self._ended = 0

    def counts(self) -> Iterator[Count]:
        yield Count(GRACE, (), float(self._graced))
        yield Count(DECISIONS, ("path", "deny", "ended"), float(self._ended))

    def asks_for(self, path: str) -> bool:
        return path.endswith(self._asked)

    async def require(self, sid: bytes) -> None:
        """``Refused`` where it has ended; ``StoreAway`` where that has not been known for long."""
        try:
            session = await self._store.get(sid)
        except StoreAway:
            if self._store.grace().value == "over":
                raise
            self._graced += 1
            return
        if session is None:
            self._ended += 1
            raise closed()
