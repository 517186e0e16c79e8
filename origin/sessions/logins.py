"""Logins of people: who has the secret is signed in.

The secret is 32 random bytes; what Redis keeps is its SHA-256, so that nobody who reads there can
sign in. Copies are believed for a few seconds, and while Redis is away for longer.
"""

from __future__ import annotations

import hashlib
import json
import secrets
import time
from collections.abc import Callable
from dataclasses import dataclass
from typing import Any

from origin.errors import StoreAway
from origin.sessions.client import Client, Command, slot
from origin.sessions.kept import Kept
from origin.sessions.notices import CHANNEL

LOGIN_SECONDS = 30 * 24 * 60 * 60
FRESH_SECONDS = 5.0
GRACE_SECONDS = 15 * 60.0
MOST_KEPT = 10_000
MOST_CHARACTERS = 128
"""Of what somebody says is a secret."""


@dataclass(frozen=True, slots=True)
class Login:
    account: str
    role: str
    plan: str
    device: str
    created: float
    """Seconds since 1970."""


class Logins:
    """One worker's."""

    def __init__(self, client: Client, kept: Kept[str, Login]) -> None:
        self._client = client
        self._kept = kept

    async def sign_in(self, login: Login) -> str:
        """The secret, for whoever has signed in."""
        secret = secrets.token_urlsafe(32)
        digest = _digest(secret)
        about = json.dumps([login.account, login.role, login.plan, login.device, login.created])
        index = _index(login.account)
        expiry = int(login.created) + LOGIN_SECONDS
        await self._client.ask(
            "sign-in",
            ("SET", _key(digest), about, "EX", LOGIN_SECONDS),
            ("ZREMRANGEBYSCORE", index, "-inf", int(login.created)),
            ("ZADD", index, expiry, digest),
            ("EXPIRE", index, LOGIN_SECONDS),
        )
        return secret

    async def get(self, secret: str) -> Login | None:
        """``StoreAway`` where that cannot be found out, nor was known of late."""
        if len(secret) > MOST_CHARACTERS:
            return None
        digest = _digest(secret)
        login = self._kept.get(digest, FRESH_SECONDS)
        if login is not None:
            return login
        try:
            [about] = await self._client.ask("login", ("GET", _key(digest)))
        except StoreAway:
            login = self._kept.get(digest, GRACE_SECONDS)
            if login is None:
                raise
            return login
        if about is None:
            self._kept.forget(digest)
            return None
        login = _parse(about)
        self._kept.put(digest, login)
        return login

    async def sign_out(self, secret: str) -> None:
        digest = _digest(secret)
        self._kept.forget(digest)
        [about] = await self._client.ask("login", ("GET", _key(digest)))
        if about is not None:
            index = _index(_parse(about).account)
            await self._client.ask("sign-out", *_ends(digest), ("ZREM", index, digest))
            self._kept.forget(digest)

    async def sign_out_account(self, account: str) -> None:
        """Wherever it is signed in."""
        index = _index(account)
        [found] = await self._client.ask("sign-out", ("ZRANGE", index, 0, -1))
        digests = [digest.decode() for digest in found]
        for digest in digests:
            self._kept.forget(digest)
        ends = [command for digest in digests for command in _ends(digest)]
        await self._client.ask("sign-out", *ends, ("DEL", index))


def kept_logins(clock: Callable[[], float] = time.monotonic) -> Kept[str, Login]:
    return Kept(MOST_KEPT, clock)


def _ends(digest: str) -> tuple[Command, Command]:
    return ("DEL", _key(digest)), ("PUBLISH", CHANNEL, f"signed-out {digest}")


def _digest(secret: str) -> str:
    return hashlib.sha256(secret.encode("utf-8", "surrogatepass")).hexdigest()


def _key(digest: str) -> str:
    return f"vod:login:{digest}"


def _index(account: str) -> str:
    return f"vod:{slot(account)}:logins"


def _parse(about: Any) -> Login:
    try:
        account, role, plan, device, created = json.loads(about)
        return Login(str(account), str(role), str(plan), str(device), float(created))
    except (TypeError, ValueError):
        raise StoreAway("A login in the store cannot be read.") from None
