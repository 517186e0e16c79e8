"""All of a worker's sessions, joined."""

from __future__ import annotations

import time
from collections import Counter
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from enum import Enum

from origin.errors import StoreAway, TooMany, TooManyStreams, UnknownSession, WrongDevice
from origin.sessions.client import PATIENCE_SECONDS, Client
from origin.sessions.kept import Kept
from origin.sessions.logins import Login, Logins, kept_logins
from origin.sessions.notices import Hear, Notices
from origin.sessions.playback import FRESH_SECONDS, Playback, Playbacks, kept_playbacks
from origin.sessions.rates import Rate, allow
from origin.telemetry.remote import Count
from origin.telemetry.sessions import BREAKER, REJECTED

GRACE_SECONDS = 15 * 60.0


class Grace(Enum):
    """How it is with Redis; ``GRACE``: away, but not for so long that nobody is trusted."""

    OK = "ok"
    GRACE = "grace"
    OVER = "over"


_REJECTIONS: dict[type[Exception], str] = {
    TooManyStreams: "streams",
    TooMany: "rate",
    UnknownSession: "ended",
    WrongDevice: "device",
    StoreAway: "away",
}


class Sessions:
    """One worker's; of one loop. Whatever is asked may be answered ``StoreAway``, soon."""

    @classmethod
    async def open(
        cls,
        url: str,
        *,
        clock: Callable[[], float] = time.monotonic,
        observe: Callable[[str, float], None] | None = None,
        patience: float = PATIENCE_SECONDS,
    ) -> Sessions:
        """A Redis that is away may come later; ``BadSetting`` for a URL that is none.

        ``observe``: told how many seconds each operation took; ``patience``: how many seconds an
        answer is waited for."""
        return cls(url, clock, observe, patience)

    def __init__(
        self,
        url: str,
        clock: Callable[[], float],
        observe: Callable[[str, float], None] | None,
        patience: float,
    ) -> None:
        client = Client(url, clock, observe, patience)
        playbacks, logins = kept_playbacks(clock), kept_logins(clock)
        hear: dict[str, Hear] = {
            "ended": playbacks.forget,
            "signed-out": logins.forget,
            "": lambda _: _age(playbacks, logins),
        }
        self._client = client
        self._notices = Notices(url, client, hear, clock)
        self._playbacks = Playbacks(client, self._notices, playbacks)
        self._logins = Logins(client, logins)
        self._rejected: Counter[str] = Counter()

    # Playback

    async def begin(self, session: Playback, limit: int) -> None:
        """Of an account that may have ``limit`` streams at once, or it is ``TooManyStreams``."""
        with self._counted():
            await self._playbacks.begin(session, limit)

    async def beat(self, sid: bytes, position: float) -> Playback:
        """It plays on. ``UnknownSession``; ``TooManyStreams`` where it was silent for so long that
        others have taken its place."""
        with self._counted():
            return await self._playbacks.beat(sid, position)

    async def renew(self, sid: bytes, device: str, expiry: int) -> Playback:
        """``device``: what the device says of itself, as it was given to ``bind``.
        ``UnknownSession``, ``WrongDevice``, ``TooManyStreams``."""
        with self._counted():
            return await self._playbacks.renew(sid, device, expiry)

    async def end(self, sid: bytes) -> None:
        with self._counted():
            await self._playbacks.end(sid)

    async def get(self, sid: bytes) -> Playback | None:
        """As it was at most 5 s ago; None where it has ended."""
        return await self._playbacks.get(sid)

    async def revoke(self, sid: bytes) -> None:
        """Every worker refuses it within seconds. After ``StoreAway`` only this one does, and says
        so to the others once Redis is back."""
        await self._playbacks.revoke(sid)

    async def revoke_user(self, account: str) -> int:
        """All its sessions; how many these were."""
        return await self._playbacks.revoke_account(account)

    def is_revoked(self, sid: bytes) -> bool:
        return self._notices.is_revoked(sid.hex())

    def grace(self) -> Grace:
        away = self._client.away_seconds
        if not away:
            return Grace.OK
        return Grace.GRACE if away < GRACE_SECONDS else Grace.OVER

    # Logins

    async def sign_in(self, login: Login) -> str:
        """The secret that says who one is, from now on."""
        return await self._logins.sign_in(login)

    async def login(self, secret: str) -> Login | None:
        """As it was at most 5 s ago, while Redis is away 15 min; None where nobody is signed in."""
        return await self._logins.get(secret)

    async def sign_out(self, secret: str) -> None:
        await self._logins.sign_out(secret)

    async def sign_out_account(self, account: str) -> None:
        await self._logins.sign_out_account(account)

    # The rest

    async def allow(self, bucket: str, limit: Rate) -> None:
        """``TooMany`` for who asks more often; ``bucket``: who, and for what."""
        with self._counted():
            await allow(self._client, bucket, limit)

    async def publish_purge(self, asset: str) -> None:
        """Every worker that has said ``on_purge`` is called, this one too."""
        await self._notices.purge(asset)

    def on_purge(self, callback: Callable[[str], None]) -> None:
        """Called with the asset's id, now and then once too often."""
        self._notices.on_purge(callback)

    def counts(self) -> Iterator[Count]:
        yield Count(BREAKER, ("redis",), float(self._client.is_resting))
        for reason in _REJECTIONS.values():
            yield Count(REJECTED, (reason,), float(self._rejected[reason]))

    async def aclose(self) -> None:
        await self._notices.aclose()
        await self._client.aclose()

    @contextmanager
    def _counted(self) -> Iterator[None]:
        try:
            yield
        except Exception as error:
            if reason := _REJECTIONS.get(type(error)):
                self._rejected[reason] += 1
            raise


def _age(playbacks: Kept[str, tuple[Playback, int]], logins: Kept[str, Login]) -> None:
    """News may have been missed: no copy counts as fresh, though it may serve while Redis is
    away."""
    playbacks.age_all(FRESH_SECONDS)
    logins.age_all(FRESH_SECONDS)
