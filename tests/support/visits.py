"""Visits as the gate shows them to token schemes, and what becomes of them."""

from __future__ import annotations

from origin.auth.visit import Scheme, Visit
from origin.delivery.request import Request
from origin.errors import Elsewhere, Refused, Unauthenticated

NOW = 1_800_000_000
SESSION = bytes(range(16))
MEDIA = "/v/film/0123456789abcdef/video1/0.m4s"


def visit(
    path: str = MEDIA,
    *,
    token: str | None = None,
    query: str = "",
    method: str = "GET",
    host: str = "media.example",
    secure: bool = True,
    address: str = "192.0.2.7",
    country: str | None = None,
    asn: int | None = None,
    **fields: str,
) -> Visit:
    """``fields``: of the header, with ``_`` for ``-``."""
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    return Visit(method, path, query, host, secure, sent.get, address, country, asn, token)


def asked(path: str, method: str = "GET", query: str = "", **fields: str) -> Request:
    """The request that such a visit begins with."""
    sent = {name.replace("_", "-").encode(): value.encode() for name, value in fields.items()}
    target = b"/?" + query.encode()
    return Request(method, path, target, "1.1", sent, True, True, address="192.0.2.7")


def opens(scheme: Scheme, of: Visit, now: float = NOW) -> bool:
    """Whether the credential in the visit is one that opens it; never for a wrong reason."""
    credential = scheme.find(of)
    if credential is None:
        return False
    try:
        scheme.authenticate(credential).admit(of, now)
    except Refused as refused:
        said = str(refused)
    except (Elsewhere, Unauthenticated):
        return False
    else:
        return True
    assert said == "The token does not open this path."  # whatever is wrong with it
    return False
