"""AWS Signature Version 4 in header fields, for requests without a body.

A signature takes some 10 µs: the day's key is derived once, and what is left is a hash and an HMAC.
A key is percent-encoded once, by ``encode_path``, and sent as it was signed.
"""

from __future__ import annotations

import hashlib
import hmac
import time
from collections.abc import Iterable, Mapping
from dataclasses import dataclass, field
from functools import lru_cache
from urllib.parse import quote

EMPTY_SHA256 = hashlib.sha256(b"").hexdigest()

_ALGORITHM = "AWS4-HMAC-SHA256"


@dataclass(frozen=True, slots=True)
class Credentials:
    access_key: str = field(repr=False)
    secret_key: str = field(repr=False)
    token: str | None = field(default=None, repr=False)
    """Of a session, which ends."""


def encode_path(key: str) -> str:
    """All but unreserved characters and the slash in percent-encoding (RFC 3986 section 2.3)."""
    return quote(key, safe="/")


def encode_query(pairs: Iterable[tuple[str, str]]) -> str:
    """In the order in which it is signed."""
    return "&".join(f"{n}={v}" for n, v in sorted((quote(n, ""), quote(v, "")) for n, v in pairs))


def sign(
    credentials: Credentials,
    region: str,
    path: str,
    query: str,
    headers: Mapping[str, str],
    at: float,
) -> dict[str, str]:
    """``headers`` of a GET, and with them what signs it at the time ``at`` (seconds since 1970).

    ``path`` and ``query`` are encoded; names of ``headers`` are in lower case, ``host`` is among
    them, and no value has blanks at its ends or two in a row.
    """
    moment = _moment(int(at))
    fields = {**headers, "x-amz-content-sha256": EMPTY_SHA256, "x-amz-date": moment}
    if credentials.token is not None:
        fields["x-amz-security-token"] = credentials.token
    names = sorted(fields)
    signed = ";".join(names)
    lines = "\n".join([f"{name}:{fields[name]}" for name in names])
    canonical = f"GET\n{path}\n{query}\n{lines}\n\n{signed}\n{EMPTY_SHA256}"
    day = moment[:8]
    scope = f"{day}/{region}/s3/aws4_request"
    digest = hashlib.sha256(canonical.encode()).hexdigest()
    key = _signing_key(credentials.secret_key, day, region)
    signature = _hmac(key, f"{_ALGORITHM}\n{moment}\n{scope}\n{digest}").hex()
    fields["authorization"] = (
        f"{_ALGORITHM} Credential={credentials.access_key}/{scope}, "
        f"SignedHeaders={signed}, Signature={signature}"
    )
    return fields


@lru_cache(maxsize=2)
def _moment(second: int) -> str:
    return time.strftime("%Y%m%dT%H%M%SZ", time.gmtime(second))


@lru_cache(maxsize=8)
def _signing_key(secret_key: str, day: str, region: str) -> bytes:
    key = f"AWS4{secret_key}".encode()
    for part in (day, region, "s3", "aws4_request"):
        key = _hmac(key, part)
    return key


def _hmac(key: bytes, message: str) -> bytes:
    return hmac.digest(key, message.encode(), "sha256")
