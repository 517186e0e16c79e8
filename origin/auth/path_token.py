"""Signed tokens as a path prefix: ``/t/{token}/v/{asset}/…``.

Manifests hold relative URLs only, so the prefix follows from manifest to segment by itself and no
body depends on a viewer. A token is 38 bytes, base64url without padding (51 characters):

    version 1 | key id 1 | expiry 4, Unix seconds | session 16 | mac 16

The mac is the first half of HMAC-SHA256 under the key of that id, over the constant ``vod1``, the
22 bytes before it, and the scope ``/v/{asset}/``: a token opens one title. The algorithm is the
key's; nothing in the token chooses it.
"""

from __future__ import annotations

import hmac
import struct
from base64 import urlsafe_b64decode, urlsafe_b64encode
from binascii import Error as NotBase64
from collections.abc import Callable, Mapping
from hashlib import sha256

from origin.cache import Cache

PREFIX = "/t/"
LENGTH = 51
MAX_LIFE_SECONDS = 24 * 3600
LEEWAY_SECONDS = 30

_VERSION = 1
_FIELDS = struct.Struct(">BBI16s")
_MAC = 16
_KEPT_VERDICTS = 65_536


class Refused(Exception):
    """The token does not open what was asked for. Says why to the log, never to the client."""

    code = "forbidden"


def sign(key: bytes, key_id: int, asset_scope: str, expires: int, session: bytes) -> str:
    """A token for ``asset_scope`` (``/v/{asset}/``) until ``expires``; ``session``: 16 bytes."""
    fields = _FIELDS.pack(_VERSION, key_id, expires, session)
    return _encode(fields + _mac(key, fields, asset_scope))


def _encode(raw: bytes) -> str:
    return urlsafe_b64encode(raw).rstrip(b"=").decode()


def _mac(key: bytes, fields: bytes, scope: str) -> bytes:
    return hmac.digest(key, b"vod1" + fields + scope.encode(), sha256)[:_MAC]


class PathTokens:
    """Verifies the tokens of paths under ``keys`` by id; a verdict is kept until it expires."""

    def __init__(self, keys: Mapping[int, bytes], now: Callable[[], float]) -> None:
        self._keys = dict(keys)
        self._now = now
        self._verdicts: Cache[str, float] = Cache(_KEPT_VERDICTS, lambda _: 1)

    def strip(self, path: str) -> str:
        """The media path behind a valid token; raises ``Refused``."""
        end = path.find("/", len(PREFIX) + LENGTH + 3)  # past '/t/', the token and '/v/'
        opened = path[: end + 1]
        expires = self._verdicts.peek(opened)
        if expires is None:
            expires = self._verify(opened)
            self._verdicts.put(opened, expires)
        if expires < self._now():
            raise Refused("the token has expired")
        return path[len(PREFIX) + LENGTH :]

    def _verify(self, opened: str) -> float:
        """When the token in ``/t/{token}/v/{asset}/`` expires."""
        token, scope = opened[len(PREFIX) : len(PREFIX) + LENGTH], opened[len(PREFIX) + LENGTH :]
        if not opened.startswith(PREFIX) or not scope.startswith("/v/") or scope.count("/") != 3:
            raise Refused("no token")
        try:
            raw = urlsafe_b64decode(token + "=")
        except (NotBase64, ValueError):
            raise Refused("the token is not base64url") from None
        fields, mac = raw[:-_MAC], raw[-_MAC:]
        if len(fields) != _FIELDS.size or _encode(raw) != token:  # one spelling for one token
            raise Refused("the token is not base64url of 38 bytes")
        version, key_id, expires, _ = _FIELDS.unpack(fields)
        # An unknown key takes the same steps as a known one.
        key = self._keys.get(key_id)
        genuine = hmac.compare_digest(_mac(key or bytes(32), fields, scope), mac)
        if version != _VERSION or key is None or not genuine:
            raise Refused("the token is not ours, or not for this title")
        if expires > self._now() + MAX_LIFE_SECONDS + LEEWAY_SECONDS:
            raise Refused("the token lives too long")
        return float(expires)
