"""What the gate and the token schemes say to each other.

A scheme finds its credential in a visit and authenticates it, which is pure cryptography and the
same whoever presents it: so the gate keeps the grant. The grant then says of each visit whether it
is one that the credential was made for.
"""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass
from typing import Protocol

Fields = tuple[tuple[bytes, bytes], ...]


@dataclass(frozen=True, slots=True)
class Visit:
    """One request as schemes see it."""

    method: str
    path: str
    """The media path, raw: ``/v/{asset}/…``, without ``/t/{token}``."""
    query: str
    """Raw, without ``?``."""
    host: str
    """The Host field, as sent."""
    secure: bool
    """Whether the viewer's URL was https."""
    field: Callable[[bytes], bytes | None]
    """A header field by its name in small letters."""
    address: str
    """The viewer's, as far as whoever stands in between is trusted to say it."""
    country: str | None
    asn: int | None
    token: str | None
    """What stood in ``/t/{token}/``."""


class Grant(Protocol):
    """A credential whose signature is good: its claims."""

    @property
    def expiry(self) -> float:
        """Seconds since 1970."""

    @property
    def session(self) -> bytes | None:
        """16 bytes, for revocation; None where the credential has none."""

    def admit(self, visit: Visit, now: float) -> Fields:
        """Fields to add to the response, mostly none.

        Raises ``Refused``, ``Unauthenticated`` or ``Elsewhere``."""


class Scheme(Protocol):
    """A kind of token, with the keys of one file."""

    @property
    def name(self) -> str: ...

    def find(self, visit: Visit) -> str | None:
        """The credential as presented, with all that its signature is about; None: none of this
        scheme."""

    def authenticate(self, credential: str) -> Grant:
        """Raises ``Refused`` where the signature is not good."""

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        """A credential for all media under ``scope`` (``/v/{asset}/``), to stand in
        ``/t/{credential}/``; made with the file's first key. ``BadSetting`` where that key only
        verifies. ``session``: 16 bytes."""
