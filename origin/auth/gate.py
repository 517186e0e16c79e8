"""Which media path a request is for, if it may have it.

    origin verification -> credential -> session

A path token is verified once for each title; its verdict is kept under the path up to
``/v/{asset}/`` and holds until the token expires or the keys change. Credentials of other schemes
are authenticated once, which is what costs, and what they say of a visit is asked each time. The
oldest makes room, and costs its viewer one more verification. Refusals are not kept, so guessing
pushes nobody's verdict out. A session that was revoked is refused whatever its credential says.
"""

from __future__ import annotations

import re
import time
from collections import Counter, OrderedDict
from collections.abc import Callable, Iterator, Sequence
from typing import Protocol, TypeVar

from origin.auth.keys import Keys
from origin.auth.origin_verify import HEADER, OriginVerify
from origin.auth.path_token import CHARACTERS, PREFIX, closed, verify
from origin.auth.visit import Grant, Scheme, Visit
from origin.errors import Elsewhere, Refused, Unauthenticated
from origin.telemetry.auth import DECISIONS
from origin.telemetry.remote import Count

MOST_VERDICTS = 65_536
"""About 20 MB; a viewer of a title takes one."""
MOST_GRANTS = 16_384
MOST_CREDENTIAL = 4096
"""Characters; a longer one is not kept."""
LOOK_SECONDS = 1.0

_TOKEN_AT = len(PREFIX)
_MEDIA_AT = _TOKEN_AT + CHARACTERS
_ASSET_AT = _MEDIA_AT + len("/v/")
_ADDRESS = re.compile(r"\[?([0-9a-fA-F:.]+?)\]?:[0-9]+")

K = TypeVar("K")
V = TypeVar("V")
Lines = tuple[tuple[str, str], ...]
Revoked = Callable[[bytes], bool]


Admission = tuple[str, Lines, bytes | None]
"""The path of the media, fields for this viewer's answer, and the credential's session, if it has
one. A plain tuple: it is made for every request."""


class Asked(Protocol):
    """What is looked at of a request."""

    method: str
    path: str
    address: str

    @property
    def query(self) -> str: ...

    def field(self, name: bytes) -> bytes | None: ...


class Gate:
    """``required``: whether media needs a credential at all, or is also had at its plain path.

    ``keys`` gives the keys of path tokens as they are now, None where there are none, and each of
    ``schemes`` itself with the keys of now: the same object for as long as they are the same. They
    are asked once in ``LOOK_SECONDS``. ``secure``: whether viewers come by https; ``revoked``: of
    a session; ``observe``: told how many seconds a credential of a scheme took that was not seen
    before. ``clock``: seconds since 1970.
    """

    def __init__(
        self,
        keys: Callable[[], Keys] | None = None,
        schemes: Sequence[Callable[[], Scheme]] = (),
        *,
        required: bool,
        verify: OriginVerify | None = None,
        secure: bool = False,
        revoked: Revoked | None = None,
        observe: Callable[[str, float], None] | None = None,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._current_keys = keys
        self._current_schemes = schemes
        self._required = required
        self._verify = verify
        self._secure = secure
        self._revoked = revoked
        self._observe = observe
        self._clock = clock
        self._keys = keys() if keys else None
        self._schemes = [scheme() for scheme in schemes]
        self._looked = clock()
        self._verdicts: OrderedDict[str, tuple[int, bytes]] = OrderedDict()
        self._grants: OrderedDict[tuple[str, str], Grant] = OrderedDict()
        self._decisions: Counter[tuple[str, str]] = Counter()
        self._good = 0
        """Of path tokens, beside ``_decisions``: a number is counted up in less."""

    def counts(self) -> Iterator[Count]:
        good = Counter({("path", "ok"): self._good} if self._good else {})
        for (scheme, reason), times in (self._decisions + good).items():
            decision = "allow" if reason == "ok" else "deny"
            yield Count(DECISIONS, (scheme, decision, reason), float(times))

    def admit(self, request: Asked) -> Admission:
        """Of a request whose path begins with ``/t/`` or ``/v/``; or ``Refused``,
        ``Unauthenticated``, ``Elsewhere``."""
        if self._verify is not None:
            try:
                self._verify.check(request.field(HEADER))
            except Refused:
                self._decisions["none", "unverified"] += 1
                raise
        now = self._clock()
        if not self._looked <= now < self._looked + LOOK_SECONDS:  # clocks are set back, too
            self._look(now)
        path = request.path
        scope_end = path.find("/", _ASSET_AT) + 1
        verdict = self._verdicts.get(path[:scope_end])
        if verdict is None:
            return self._decide(request, scope_end, now)
        expiry, session = verdict
        if now >= expiry:
            raise self._closed("path", "refused")
        if self._revoked is not None and self._revoked(session):
            raise self._closed("path", "revoked")
        self._good += 1
        return path[_MEDIA_AT:], (), session

    def _decide(self, request: Asked, scope_end: int, now: float) -> Admission:
        token, media = _split(request.path)
        if token is not None and len(token) == CHARACTERS and self._keys is not None:
            return self._verify_path_token(token, request.path[:scope_end], media, now)
        return self._ask_schemes(self._visit(request, token, media), now)

    def _verify_path_token(self, token: str, scoped: str, media: str, now: float) -> Admission:
        """``scoped``: the path up to ``/v/{asset}/``."""
        assert self._keys is not None
        began = time.perf_counter()
        try:
            expiry, session = verify(self._keys, token, scoped[_MEDIA_AT:], now)
        except Refused:
            self._decisions["path", "refused"] += 1
            raise
        finally:
            self._took("path", began)
        if self._is_revoked(session):
            raise self._closed("path", "revoked")
        _keep(self._verdicts, scoped, (expiry, session), MOST_VERDICTS)
        self._good += 1
        return media, (), session

    def _ask_schemes(self, visit: Visit, now: float) -> Admission:
        """What one of them says is enough: a viewer may carry a credential of another, too."""
        refusal = None
        for scheme in self._schemes:
            credential = scheme.find(visit)
            if credential is None:
                continue
            try:
                return self._ask(scheme, credential, visit, now)
            except Refused as refused:
                refusal = refusal or refused
        if refusal is not None:
            raise refusal
        if visit.token is not None:
            raise self._closed("none", "refused")
        if self._required:
            self._decisions["none", "missing"] += 1
            raise Refused("Media needs a token here.")
        self._decisions["none", "ok"] += 1
        return visit.path, (), None

    def _ask(self, scheme: Scheme, credential: str, visit: Visit, now: float) -> Admission:
        reason = "refused"
        try:
            grant = self._grant(scheme, credential)
            if self._is_revoked(grant.session):
                reason = "revoked"
                raise closed()
            lines = grant.admit(visit, now)
            reason = "ok"
        except (Elsewhere, Unauthenticated):
            reason = "elsewhere"
            raise
        finally:
            self._decisions[scheme.name, reason] += 1
        named = tuple((name.decode("ascii"), value.decode("ascii")) for name, value in lines)
        return visit.path, named, grant.session

    def _grant(self, scheme: Scheme, credential: str) -> Grant:
        key = (scheme.name, credential)
        grant = self._grants.get(key)
        if grant is None:
            began = time.perf_counter()
            try:
                grant = scheme.authenticate(credential)
            finally:
                self._took(scheme.name, began)
            if len(credential) <= MOST_CREDENTIAL:
                _keep(self._grants, key, grant, MOST_GRANTS)
        return grant

    def _is_revoked(self, session: bytes | None) -> bool:
        return self._revoked is not None and session is not None and self._revoked(session)

    def _closed(self, scheme: str, reason: str) -> Refused:
        self._decisions[scheme, reason] += 1
        return closed()

    def _took(self, scheme: str, began: float) -> None:
        if self._observe is not None:
            self._observe(scheme, time.perf_counter() - began)

    def _visit(self, request: Asked, token: str | None, media: str) -> Visit:
        """Who stands in between is believed only where it has shown that it knows the secret."""
        trusted = self._verify is not None
        country = asn = address = None
        if trusted:
            country = _text(request.field(b"cloudfront-viewer-country"))
            asn = _text(request.field(b"cloudfront-viewer-asn"))
            address = _ADDRESS.fullmatch(_text(request.field(b"cloudfront-viewer-address")) or "")
        forwarded = _text(request.field(b"cloudfront-forwarded-proto")) if trusted else None
        return Visit(
            method=request.method,
            path=media,
            query=request.query,
            host=_text(request.field(b"host")) or "",
            secure=forwarded == "https" if forwarded else self._secure,
            field=request.field,
            address=address[1] if address else request.address,
            country=country,
            asn=int(asn) if asn and re.fullmatch("[0-9]{1,10}", asn) else None,
            token=token,
        )

    def _look(self, now: float) -> None:
        self._looked = now
        keys = self._current_keys() if self._current_keys else None
        if keys is not self._keys:
            self._keys = keys
            self._verdicts.clear()
        schemes = [scheme() for scheme in self._current_schemes]
        if any(new is not old for new, old in zip(schemes, self._schemes, strict=True)):
            self._schemes = schemes
            self._grants.clear()


def _split(path: str) -> tuple[str | None, str]:
    """What stands in ``/t/…/`` if that is there, and the media path, which ``Refused`` says is
    none."""
    if not path.startswith(PREFIX):
        return None, path
    end = path.find("/", _TOKEN_AT)
    if end < 0 or not path.startswith("/v/", end):
        raise closed()
    return path[_TOKEN_AT:end], path[end:]


def _keep(held: OrderedDict[K, V], key: K, value: V, most: int) -> None:
    if len(held) >= most:
        held.popitem(last=False)
    held[key] = value


def _text(value: bytes | None) -> str | None:
    return value.decode("latin-1").strip() if value is not None else None
