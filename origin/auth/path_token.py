"""The path token: ``/t/{token}/v/{asset}/…`` opens one title's media until it expires.

    byte 0       version: 1
         1       id of the key
         2..5    expiry, in seconds since 1970, big-endian
         6..21   session id
         22..37  first 16 bytes of HMAC-SHA256(key, "vod1" + bytes 0..21 + "/v/{asset}/")

These 38 bytes are 51 characters of base64url without padding, in one spelling only: the two bits
of the last character that carry nothing are zero. The asset is signed as it stands in the path,
percent-encoding and all. It stands in front of the media path, so that relative URLs of manifests
keep it, and manifests and segments are the same bytes for every viewer.
"""

from __future__ import annotations

import hmac
import re
import secrets
from base64 import urlsafe_b64decode, urlsafe_b64encode

from origin.auth.keys import Keys
from origin.errors import Refused

PREFIX = "/t/"
CHARACTERS = 51
SESSION_BYTES = 16
MOST_SECONDS = 24 * 60 * 60
"""No token lives longer: one that says so is refused until it does not."""

_VERSION = 1
_SIGNED = 22
_TOKEN = re.compile(r"[A-Za-z0-9_-]{50}[AEIMQUYcgkosw048]")
_SCOPE = re.compile(r"/v/[^/]+/")
_NOBODYS_KEY = secrets.token_bytes(32)
"""For ids that no key has: refusing them takes as long as refusing a wrong mac."""


def issue(keys: Keys, scope: str, expiry: int, session: bytes) -> str:
    """A token for the media under ``scope`` (``/v/{asset}/``); ``session``: ``SESSION_BYTES``."""
    signed = bytes((_VERSION, keys.issuing)) + expiry.to_bytes(4, "big") + session
    mac = _mac(keys.by_id[keys.issuing], signed, scope)
    return urlsafe_b64encode(signed + mac).decode().rstrip("=")


def verify(keys: Keys, token: str, scope: str, now: float) -> tuple[int, bytes]:
    """When ``token`` ceases to open ``scope``, and its session id; ``Refused`` if it does not open
    it, and never says why."""
    expiry, session = authenticate(keys, token, scope)
    if not now < expiry <= now + MOST_SECONDS:
        raise closed()
    return expiry, session


def authenticate(keys: Keys, token: str, scope: str) -> tuple[int, bytes]:
    """Expiry, whenever that is, and session id of a token that was made for ``scope``."""
    if not _TOKEN.fullmatch(token) or not _SCOPE.fullmatch(scope):
        raise closed()
    content = urlsafe_b64decode(token + "=")
    signed, mac = content[:_SIGNED], content[_SIGNED:]
    key = keys.by_id.get(signed[1], _NOBODYS_KEY)
    genuine = hmac.compare_digest(mac, _mac(key, signed, scope))
    if not (genuine and signed[0] == _VERSION):
        raise closed()
    return int.from_bytes(signed[2:6], "big"), signed[6:]


def closed() -> Refused:
    return Refused("The token does not open this path.")


def _mac(key: bytes, signed: bytes, scope: str) -> bytes:
    return hmac.digest(key, b"vod1" + signed + scope.encode(), "sha256")[:16]
