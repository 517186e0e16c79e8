"""Base64 in one spelling only: what has a second one could be told apart from the token issued."""

from __future__ import annotations

import binascii
from base64 import b64encode, urlsafe_b64decode, urlsafe_b64encode


def from_base64url(text: str) -> bytes:
    """Without padding (RFC 7515 section 2); ValueError where it is not what would be written."""
    try:
        content = urlsafe_b64decode(text + "=" * (-len(text) % 4))
    except ValueError:
        raise ValueError("no base64url") from None
    if to_base64url(content) != text:
        raise ValueError("another spelling of base64url")
    return content


def to_base64url(content: bytes) -> str:
    return urlsafe_b64encode(content).decode().rstrip("=")


_TO_CLOUDFRONT = str.maketrans("+=/", "-_~")
_FROM_CLOUDFRONT = str.maketrans("-_~", "+=/")


def from_cloudfront(text: str) -> bytes:
    """With ``-_~`` for ``+=/``."""
    try:
        content = binascii.a2b_base64(text.translate(_FROM_CLOUDFRONT))
    except ValueError:
        raise ValueError("no base64") from None
    if to_cloudfront(content) != text:
        raise ValueError("another spelling of base64")
    return content


def to_cloudfront(content: bytes) -> str:
    return b64encode(content).decode().translate(_TO_CLOUDFRONT)
