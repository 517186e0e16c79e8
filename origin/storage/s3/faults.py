"""What S3 may answer but bytes, and which of it another try may not meet."""

from __future__ import annotations

from enum import Enum

from origin.errors import ObjectChanged, StorageError


class Reason(Enum):
    """A word for metrics."""

    QUEUE = "queue"
    """No turn in time: more is wanted at once than is asked for."""
    CONNECT = "connect"
    TIMEOUT = "timeout"
    """No first byte in time."""
    RESET = "reset"
    """The connection ended within a reply, or in front of it."""
    STALL = "stall"
    """Too few bytes of a body in time."""
    BAD_REPLY = "bad-reply"
    """Not HTTP, or not what was asked for."""
    BUSY = "busy"
    """S3 says that it is asked too much."""
    BEATEN = "beaten"
    """Another request for the same was the quicker."""
    SERVER = "server"
    """Another 5xx."""


OVERLOAD = frozenset({Reason.TIMEOUT, Reason.BUSY})
"""What asking less may cure."""


class Passing(StorageError):
    def __init__(self, reason: Reason, message: str) -> None:
        super().__init__(message)
        self.reason = reason


class Resting(StorageError):
    """S3 was not asked: it has failed too often."""


class Missing(ObjectChanged):
    """There is no such object."""


class NotAccepted(StorageError):
    """Credentials that S3 does not know, or no longer; others may be at hand."""


class Refusal(StorageError):
    """``s3_code``: S3's word for why not; empty if it says none."""

    def __init__(self, s3_code: str, message: str) -> None:
        super().__init__(message)
        self.s3_code = s3_code
