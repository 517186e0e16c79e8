"""Playback sessions: who plays what on which device, and how many at once for an account.

A session is a hash under its id; an account's keys are sorted sets and hashes of one slot, changed
by one script, so that two who begin at once never both get the last place. A place is lost when
nothing has been heard of its stream for ``QUIET_SECONDS``, and taken again when it is, if there is
room.

Devices are told apart by a keyed digest of what they say of themselves, the session's id being the
key: what is kept says nothing about the device, and not that two sessions are of the same.
"""

from __future__ import annotations

import hmac
import json
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from origin.errors import StoreAway, Stream, TooManyStreams, UnknownSession, WrongDevice
from origin.sessions.client import Client, Command, number, run, slot
from origin.sessions.kept import Kept
from origin.sessions.notices import CHANNEL, Notices

QUIET_SECONDS = 60
FRESH_SECONDS = 5.0
MOST_KEPT = 10_000
SHOWN = 20
"""Streams that are named to who is refused."""


@dataclass(frozen=True, slots=True)
class Playback:
    sid: bytes
    """16 bytes, the id in its tokens."""
    account: str
    profile: str
    asset: str
    title_id: str
    device: str
    """``bind(sid, …)`` of what the device says of itself."""
    device_name: str
    plan: str
    began: float
    """Seconds since 1970, as ``expiry``."""
    expiry: int
    position: float = 0.0
    """Seconds into the title."""
    duration: float = 0.0
    """The title's, in seconds."""


def bind(sid: bytes, device: str) -> str:
    """The digest that a session keeps of its device."""
    return hmac.digest(sid, b"vod-device" + device.encode(), "sha256").hex()


class Playbacks:
    """One worker's."""

    def __init__(
        self, client: Client, notices: Notices, kept: Kept[str, tuple[Playback, int]]
    ) -> None:
        self._client = client
        self._notices = notices
        self._kept = kept

    async def begin(self, session: Playback, limit: int) -> None:
        """``TooManyStreams`` where the account has ``limit`` others."""
        key = _key(session.sid)
        _, _, admitted = await self._client.ask(
            "begin",
            ("HSET", key, "is", _write(session, limit), "expiry", session.expiry, "position", 0),
            ("EXPIREAT", key, session.expiry),
            _admit(session, limit),
        )
        if admitted != 1:
            await self._client.ask("end", ("DEL", key))
            raise TooManyStreams(_streams(admitted))

    async def get(self, sid: bytes) -> Playback | None:
        """None where there is none that goes on; no older than ``FRESH_SECONDS``."""
        if self._notices.is_revoked(sid.hex()):
            return None
        held = self._kept.get(sid.hex(), FRESH_SECONDS) or await self._look_up(sid)
        return held[0] if held is not None else None

    async def beat(self, sid: bytes, position: float) -> Playback:
        """It goes on, and keeps its place or takes one; ``UnknownSession``, ``TooManyStreams``."""
        session, limit = await self._change(sid, "beat", "position", position)
        await self._hold("beat", session, limit)
        return session

    async def renew(self, sid: bytes, device: str, expiry: int) -> Playback:
        """It goes on until ``expiry``; ``UnknownSession``, ``WrongDevice``, ``TooManyStreams``.
        ``device``: what the device says of itself."""
        held = await self._look_up(sid)
        if held is None or self._notices.is_revoked(sid.hex()):
            raise _unknown()
        if not hmac.compare_digest(held[0].device, bind(sid, device)):
            raise WrongDevice("The session is another device's.")
        session, limit = await self._change(sid, "renew", "expiry", expiry)
        await self._hold("renew", session, limit)
        return session

    async def end(self, sid: bytes) -> None:
        held = await self._look_up(sid)
        self._kept.forget(sid.hex())
        if held is not None:
            streams, about, sessions = _keys(held[0].account)
            await self._client.ask(
                "end",
                ("DEL", _key(sid)),
                ("ZREM", streams, sid.hex()),
                ("HDEL", about, sid.hex()),
                ("ZREM", sessions, sid.hex()),
                ("PUBLISH", CHANNEL, f"ended {sid.hex()}"),
            )

    async def revoke(self, sid: bytes) -> None:
        """As ``end``, and its tokens open nothing any more."""
        await self._notices.revoke([sid.hex()])
        await self.end(sid)

    async def revoke_account(self, account: str) -> int:
        """Of all its sessions; how many."""
        streams, about, sessions = _keys(account)
        [found] = await self._client.ask("revoke", ("ZRANGE", sessions, 0, -1))
        names = [name.decode() for name in found]
        await self._notices.revoke(names)
        ends: list[Command] = [("DEL", f"vod:play:{name}") for name in names]
        await self._client.ask("end", *ends, *(("DEL", key) for key in (streams, about, sessions)))
        return len(names)

    async def _look_up(self, sid: bytes) -> tuple[Playback, int] | None:
        fields = ("HMGET", _key(sid), "is", "expiry", "position")
        [found] = await self._client.ask("get", fields)
        return self._read(sid, found)

    async def _change(self, sid: bytes, op: str, field: str, value: float) -> tuple[Playback, int]:
        if self._notices.is_revoked(sid.hex()):
            raise _unknown()
        [found] = await self._client.ask(op, run("change", (_key(sid),), field, value))
        held = self._read(sid, found)
        if held is None:
            raise _unknown()
        return held

    async def _hold(self, op: str, session: Playback, limit: int) -> None:
        [admitted] = await self._client.ask(op, _admit(session, limit))
        if admitted != 1:
            raise TooManyStreams(_streams(admitted))

    def _read(self, sid: bytes, found: list[Any] | None) -> tuple[Playback, int] | None:
        held = _parse(sid, *found) if found and found[0] is not None else None
        if held is None:
            self._kept.forget(sid.hex())
        else:
            self._kept.put(sid.hex(), held)
        return held


def kept_playbacks(clock: Callable[[], float] = time.monotonic) -> Kept[str, tuple[Playback, int]]:
    """With the limit that each began under."""
    return Kept(MOST_KEPT, clock)


def _unknown() -> UnknownSession:
    return UnknownSession("The session has ended.")


def _key(sid: bytes) -> str:
    return f"vod:play:{sid.hex()}"


def _keys(account: str) -> tuple[str, str, str]:
    prefix = f"vod:{slot(account)}"
    return f"{prefix}:streams", f"{prefix}:about", f"{prefix}:sessions"


def _admit(session: Playback, limit: int) -> Command:
    about = json.dumps([session.device_name, session.title_id, session.began])
    keys = _keys(session.account)
    name = session.sid.hex()
    return run("admit", keys, name, limit, QUIET_SECONDS, about, session.expiry, SHOWN)


def _write(session: Playback, limit: int) -> str:
    """What of a session never changes."""
    names = [session.account, session.profile, session.asset, session.title_id, session.device]
    numbers = [session.began, session.duration, limit]
    return json.dumps([*names, session.device_name, session.plan, *numbers])


def _parse(sid: bytes, about: Any, expiry: Any, position: Any) -> tuple[Playback, int]:
    try:
        told = json.loads(about)
        account, profile, asset, title, device, name, plan, began, duration, limit = told
        names = (str(account), str(profile), str(asset), str(title), str(device), str(name))
        times = (float(began), int(number(expiry)), number(position), float(duration))
        return Playback(sid, *names, str(plan), *times), int(limit)
    except (TypeError, ValueError):
        raise StoreAway("A session in the store cannot be read.") from None


def _streams(shown: Any) -> tuple[Stream, ...]:
    try:
        found = [json.loads(one) for one in shown if one is not None]
        return tuple(Stream(str(device), str(title), float(at)) for device, title, at in found)
    except (TypeError, ValueError):
        return ()
