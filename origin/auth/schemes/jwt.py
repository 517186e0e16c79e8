"""JSON Web Tokens (RFC 7519) in their compact form, for the media that their claim ``vod`` names.

    {"alg": …, "kid": …, "typ": …}                       nothing else, so nothing critical
    {"exp": …, "vod": ["/v/film/"],                      a must
     "iss", "sub", "aud", "nbf", "iat", "jti"}           nothing else

``vod`` is a list of ``/v/{title}/``, or of ``/v/`` for all. The algorithm is that of the key which
``kid`` names. A token is looked for in ``/t/{token}/``, in ``Authorization: Bearer``, the query
parameter ``jwt`` and the cookie ``jwt``, in this order.
"""

from __future__ import annotations

import math
import re
from dataclasses import dataclass, field
from typing import Any

import orjson

from origin.auth.path_token import closed
from origin.auth.schemes.pinned import LEEWAY, MOST_CHARACTERS, Key, Keys, read_pinned
from origin.auth.schemes.presented import cookies, parameter, text_field
from origin.auth.schemes.spelling import from_base64url, to_base64url
from origin.auth.visit import Fields, Visit

ALGORITHMS = frozenset(("HS256", "RS256", "PS256", "ES256"))
NAME = "jwt"

_COMPACT = re.compile(r"[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+\.[A-Za-z0-9_-]+")
_SCOPE = re.compile(r"/v/(?:[^/]+/)?")
_SESSION = re.compile(r"[0-9a-f]{32}")
_HEADER = frozenset(("alg", "kid", "typ"))
_CLAIMS = frozenset(("iss", "sub", "aud", "exp", "nbf", "iat", "jti", "vod"))
_MOST_SCOPES = 256


@dataclass(frozen=True, slots=True)
class JwtGrant:
    expiry: float
    session: bytes | None
    begin: float
    key: Key
    scopes: tuple[str, ...] = field(repr=False)

    def admit(self, visit: Visit, now: float) -> Fields:
        good = (
            self.begin <= now + LEEWAY
            and now < self.expiry <= now + self.key.life
            and visit.path.startswith(self.scopes)
        )
        if not good:
            raise closed()
        return ()


@dataclass(frozen=True, slots=True)
class JwtScheme:
    keys: Keys
    name: str = "jwt"

    def find(self, visit: Visit) -> str | None:
        if visit.token is not None and _COMPACT.fullmatch(visit.token):
            return visit.token
        kind, _, token = (text_field(visit, b"authorization") or "").partition(" ")
        if kind.lower() == "bearer" and _COMPACT.fullmatch(token):
            return token
        return parameter(visit.query, NAME) or cookies(visit).get(NAME)

    def authenticate(self, credential: str) -> JwtGrant:
        if len(credential) > MOST_CHARACTERS or not _COMPACT.fullmatch(credential):
            raise closed()
        try:
            return self._authenticate(credential)
        except ValueError:
            raise closed() from None

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        key = self.keys.issuing
        named = {"issuer": "iss", "audience": "aud"}
        claims: dict[str, Any] = {
            claim: key.options[name] for name, claim in named.items() if name in key.options
        }
        return encode(key, claims | {"exp": expiry, "jti": session.hex(), "vod": [scope]})

    def _authenticate(self, credential: str) -> JwtGrant:
        signed, _, signature = credential.rpartition(".")
        first, _, second = signed.partition(".")
        header = _members(first, _HEADER)
        algorithm, key_id = header.get("alg"), header.get("kid")
        if not isinstance(algorithm, str) or not isinstance(key_id, str):
            raise ValueError("no algorithm, or no key")
        mac = from_base64url(signature)
        key = self.keys.genuine(key_id, algorithm, signed.encode(), mac)
        if key is None:
            raise ValueError("not signed so")
        return _grant(_members(second, _CLAIMS), key)


def read(path: str) -> JwtScheme:
    options = frozenset({"issuer", "audience"})
    return JwtScheme(read_pinned(path, "JWT keys", ALGORITHMS, options))


def encode(key: Key, claims: dict[str, Any]) -> str:
    """A token of any claims."""
    header = {"alg": key.algorithm, "kid": key.id, "typ": "JWT"}
    signed = ".".join(to_base64url(orjson.dumps(part)) for part in (header, claims))
    return f"{signed}.{to_base64url(key.signature(signed.encode()))}"


def _members(text: str, known: frozenset[str]) -> dict[str, Any]:
    found = orjson.loads(from_base64url(text))
    if not isinstance(found, dict) or not found.keys() <= known:
        raise ValueError("a member that is unknown")
    return found


def _grant(claims: dict[str, Any], key: Key) -> JwtGrant:
    issuer, audience = key.options.get("issuer"), key.options.get("audience")
    if issuer is not None and claims.get("iss") != issuer:
        raise ValueError("of another issuer")
    named = claims.get("aud")
    if named is not None and audience is None:
        raise ValueError("for somebody, and we have no name")
    if audience is not None and audience not in (named if isinstance(named, list) else [named]):
        raise ValueError("for somebody else")
    begins = [_time(claims[name]) for name in ("nbf", "iat") if name in claims]
    return JwtGrant(
        _time(claims.get("exp")), _session(claims), max(begins, default=0), key, _scopes(claims)
    )


def _scopes(claims: dict[str, Any]) -> tuple[str, ...]:
    scopes = claims.get("vod")
    if not isinstance(scopes, list) or not 1 <= len(scopes) <= _MOST_SCOPES:
        raise ValueError("no scopes")
    for scope in scopes:
        if not isinstance(scope, str) or not _SCOPE.fullmatch(scope):
            raise ValueError("no scope")
    return tuple(scopes)


def _session(claims: dict[str, Any]) -> bytes | None:
    """A ``jti`` of 16 bytes in hex, or of a UUID, is a session's id."""
    jti = claims.get("jti")
    if not isinstance(jti, str | None):
        raise ValueError("no id")
    digits = (jti or "").replace("-", "").lower()
    return bytes.fromhex(digits) if _SESSION.fullmatch(digits) else None


def _time(value: object) -> float:
    if type(value) not in (int, float) or not math.isfinite(value):  # type: ignore[arg-type]
        raise ValueError("no time")
    return value  # type: ignore[return-value]
