"""The path token (``origin/auth/path_token.py``) as one of the schemes.

Its mac is about the title, so what is looked at is the token and ``/v/{asset}/`` behind it. The
gate has a faster way for these, with the same answers.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

from origin.auth.keys import Keys, read_keys
from origin.auth.path_token import CHARACTERS, MOST_SECONDS, authenticate, closed, issue
from origin.auth.visit import Fields, Visit

_CREDENTIAL = re.compile(rf"[A-Za-z0-9_-]{{{CHARACTERS}}}")


@dataclass(frozen=True, slots=True)
class PathGrant:
    expiry: float
    session: bytes | None
    scope: str

    def admit(self, visit: Visit, now: float) -> Fields:
        if not visit.path.startswith(self.scope) or not now < self.expiry <= now + MOST_SECONDS:
            raise closed()
        return ()


@dataclass(frozen=True, slots=True)
class PathScheme:
    keys: Keys = field(repr=False)
    name: str = "path"

    def find(self, visit: Visit) -> str | None:
        if visit.token is None or not _CREDENTIAL.fullmatch(visit.token):
            return None
        return visit.token + visit.path[: visit.path.find("/", len("/v/")) + 1]

    def authenticate(self, credential: str) -> PathGrant:
        token, scope = credential[:CHARACTERS], credential[CHARACTERS:]
        expiry, session = authenticate(self.keys, token, scope)
        return PathGrant(expiry, session, scope)

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        return issue(self.keys, scope, expiry, session)


def read(path: str) -> PathScheme:
    return PathScheme(read_keys(path))
