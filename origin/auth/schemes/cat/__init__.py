"""Common Access Token (CTA-5007): a CWT in COSE_Mac0 or COSE_Sign1, in base64url.

cose.py      the envelope: read by hand, and only then trusted
claims.py    what a token may be used for, one function a claim
renewal.py   what becomes of it at its end: ``catr``, ``catif``
labels.py    the numbers of all these

A token is looked for in ``/t/{token}/``, the field ``CTA-Common-Access-Token``, the cookie of that
name and the query parameter ``cat``, in this order.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass, field
from typing import Any

import cbor2

from origin.auth.path_token import closed
from origin.auth.schemes.cat import cose, labels
from origin.auth.schemes.cat.claims import (
    QUERY_NAME,
    BadClaim,
    Check,
    checks,
    numeric_date,
    session_of,
)
from origin.auth.schemes.cat.renewal import COOKIE, FIELD, Renewal, departures, renewal
from origin.auth.schemes.pinned import MOST_CHARACTERS, Key, Keys, read_pinned
from origin.auth.schemes.presented import cookies, parameter, text_field
from origin.auth.schemes.spelling import from_base64url, to_base64url
from origin.auth.visit import Fields, Visit
from origin.errors import Elsewhere, Refused

_IN_PATH = re.compile(r"(?:2D3[RS]|0[Yo])[A-Za-z0-9_-]+")
"""How a tag of 61, 17 or 18 begins."""
_MOST_DEPTH = 6

Claims = Mapping[object, Any]


@dataclass(frozen=True, slots=True)
class CatGrant:
    """``limits``: what else than its expiry must hold; ``leads``: where a claim that does not
    hold leads to."""

    expiry: float
    session: bytes | None
    key: Key
    claims: Claims = field(repr=False)
    limits: tuple[tuple[int, Check], ...] = field(repr=False)
    renewal: Renewal | None
    leads: Mapping[int, Elsewhere | None]

    def admit(self, visit: Visit, now: float) -> Fields:
        for label, holds in self.limits:
            if not holds(visit, now):
                raise self._refusal(label)
        if not now < self.expiry <= now + self.key.life:
            raise self._refusal(labels.EXP if now >= self.expiry else None)
        if self.renewal and now >= self.expiry - self.renewal.deadline and self.key.sign:
            return self.renewal.fields(self._renewed(self.renewal, now), _presented(visit)[0])
        return ()

    def _refusal(self, label: int | None) -> Refused | Elsewhere:
        lead = None if label is None else self.leads.get(label)
        return Elsewhere(lead.status, lead.location) if lead else closed()

    def _renewed(self, renewal: Renewal, now: float) -> str:
        """The same token with another end; it keeps its ``cti``, so what is revoked stays so."""
        expiry = int(now) + min(renewal.expadd, self.key.life)
        return encode(self.key, {**self.claims, labels.EXP: expiry, labels.IAT: int(now)})


@dataclass(frozen=True, slots=True)
class CatScheme:
    keys: Keys
    name: str = "cat"

    def find(self, visit: Visit) -> str | None:
        return _presented(visit)[1]

    def authenticate(self, credential: str) -> CatGrant:
        if len(credential) > MOST_CHARACTERS:
            raise closed()
        try:
            message = cose.parse(from_base64url(credential))
            key = self.keys.genuine(
                message.key_id, message.algorithm, message.signed, message.signature
            )
            if key is None:
                raise closed()
            return _grant(_claims(message.payload), key)
        except (ValueError, cbor2.CBORError):
            raise closed() from None

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        key = self.keys.issuing
        named = {"issuer": labels.ISS, "audience": labels.AUD}
        claims: dict[object, Any] = {
            label: key.options[name] for name, label in named.items() if name in key.options
        }
        claims |= {
            labels.EXP: expiry,
            labels.CTI: session,
            labels.CATV: 1,
            labels.CATU: {labels.PATH: {labels.PREFIX: scope}},
            labels.CATM: ["GET", "HEAD"],
        }
        return encode(key, claims)


def read(path: str) -> CatScheme:
    algorithms, options = frozenset(cose.ALGORITHMS), frozenset({"issuer", "audience"})
    return CatScheme(read_pinned(path, "CAT keys", algorithms, options))


def encode(key: Key, claims: Claims) -> str:
    """A token of any claims."""
    payload = cbor2.dumps(claims)
    protected = cose.protected_header(key.algorithm)
    signature = key.signature(cose.structure(key.algorithm, protected, payload))
    return to_base64url(cose.compose(key.algorithm, key.id, payload, signature))


def _presented(visit: Visit) -> tuple[str, str | None]:
    """Where the token is, and the token."""
    if visit.token is not None and _IN_PATH.fullmatch(visit.token):
        return "path", visit.token
    if token := text_field(visit, FIELD.lower().encode()):
        return "field", token
    if token := cookies(visit).get(COOKIE):
        return "cookie", token
    return "query", parameter(visit.query, QUERY_NAME)


def _claims(payload: bytes) -> dict[object, Any]:
    """Of a token whose signature is good."""
    claims = cbor2.loads(
        payload, max_depth=_MOST_DEPTH, allow_indefinite=False, allow_duplicate_keys=False
    )
    if not isinstance(claims, dict):
        raise BadClaim("no map of claims")
    return claims


def _grant(claims: dict[object, Any], key: Key) -> CatGrant:
    return CatGrant(
        expiry=numeric_date(claims.get(labels.EXP)),
        session=session_of(claims),
        key=key,
        claims=claims,
        limits=checks(claims, key),
        renewal=renewal(claims[labels.CATR]) if labels.CATR in claims else None,
        leads=departures(claims[labels.CATIF]) if labels.CATIF in claims else {},
    )
