"""Path tokens, made as docs/tokens.md tells everyone to make them: each viewer has its own."""

from __future__ import annotations

import base64
import binascii
import hmac
import re
import secrets
import time
from dataclasses import dataclass, field
from pathlib import Path

from loadtest.errors import LoadTestError

SECONDS = 12 * 60 * 60


@dataclass(frozen=True, slots=True)
class Key:
    number: int
    secret: bytes = field(repr=False)


def read_key(path: str) -> Key:
    """The first line of a file of keys: ``ID KEY``, hex or base64url."""
    try:
        lines = Path(path).read_text(encoding="ascii").splitlines()
    except (OSError, UnicodeError):
        raise LoadTestError(f"no keys can be read from {path}") from None
    named = [line for line in lines if line.strip() and not line.startswith("#")]
    found = re.fullmatch(r"\s*(\d{1,3})\s+(\S+)\s*", named[0]) if named else None
    if found is None or int(found[1]) > 255:
        raise LoadTestError(f"{path}: the first line is not ID KEY")  # and is not shown
    return Key(int(found[1]), _secret(found[2], path))


def _secret(text: str, path: str) -> bytes:
    try:
        if re.fullmatch(r"(?:[0-9A-Fa-f]{2}){16,}", text):
            return bytes.fromhex(text)
        made = base64.urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except (ValueError, binascii.Error):
        raise LoadTestError(f"{path}: the first key is neither hex nor base64url") from None
    if len(made) < 16:
        raise LoadTestError(f"{path}: the first key has less than 16 bytes")
    return made


def make_token(key: Key | None, scope: str) -> str:
    """For ``scope``, ``/v/{title}/`` as it stands in the path."""
    assert key is not None
    expiry = int(time.time()) + SECONDS
    signed = bytes([1, key.number]) + expiry.to_bytes(4, "big") + secrets.token_bytes(16)
    mac = hmac.digest(key.secret, b"vod1" + signed + scope.encode(), "sha256")[:16]
    return base64.urlsafe_b64encode(signed + mac).decode().rstrip("=")
