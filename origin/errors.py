"""From exception to HTTP, in one table.

A fault of the input is the title's (422), a wrong address the client's (404), a storage that does
not answer ours (503). What is not in the table is a defect: 500, logged with its traceback.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

from catalog.postgres.errors import Conflict, DatabaseAway, NoSuchRow, TooManyProfiles
from catalog.unlisted import Unlisted
from origin.problem import Problem
from packager import errors as packager

log = logging.getLogger(__name__)


class UnknownTitle(packager.NotFound):
    """No title of that id in the catalogue."""

    code = "unknown-title"


class UnknownRevision(packager.NotFound):
    """The title's files are others than those of that revision (by now, or on this node yet)."""

    code = "unknown-revision"


class Refused(Exception):
    """Whoever asks may not have it."""

    code = "forbidden"


class Unauthenticated(Exception):
    """Whoever asks has not said who they are, or not so that it is believed."""

    code = "unauthenticated"
    fields = (("WWW-Authenticate", "Bearer"),)


class Elsewhere(Exception):
    """Whoever asks is sent to another place, as their token wants it once it has expired."""

    code = "elsewhere"

    def __init__(self, status: int, location: str) -> None:
        super().__init__("The token sends you to another place.")
        self.status = status
        self.location = location
        self.fields = (("Location", location),)


class WrongCredentials(Unauthenticated):
    """E-mail and password do not belong together, or the account is disabled; never said which."""

    code = "wrong-credentials"


class NotEntitled(Refused):
    """The plan of the account does not open the title."""

    code = "not-entitled"


class NotAvailable(Refused):
    """The title cannot be played by whoever asks: not here, not now, or not by a child."""

    code = "not-available"


class Invalid(Exception):
    """What was sent cannot be used: ``field`` says which part of it."""

    code = "invalid"

    def __init__(self, field: str, why: str) -> None:
        super().__init__(f"{field}: {why}")
        self.members = {"field": field}


class WeakPassword(Invalid):
    """A password that is to be set is too easy to guess."""

    code = "weak-password"


class NothingToRestore(Exception):
    """The library is in a storage that has no archive."""

    code = "nothing-to-restore"


class Draining(Exception):
    """The worker is about to stop."""

    code = "draining"


class BadReport(Exception):
    """What a player told of its playback (CMCD) cannot be understood."""

    code = "bad-report"


class UnknownForm(Exception):
    """A body in a form that is not read here."""

    code = "unsupported-media-type"


class TooManyReports(Exception):
    """More is told of playbacks than this worker reads."""

    code = "too-many-reports"


class StoreAway(Exception):
    """The store of sessions does not answer, or not with what was asked for."""

    code = "store-away"


class TooMany(Exception):
    """Someone asks more often than they may; ``retry_after``: seconds until they may again."""

    code = "too-many-requests"

    def __init__(self, retry_after: int) -> None:
        super().__init__(f"Too many requests; the next in {retry_after} s.")
        self.retry_after = retry_after


class Stream(NamedTuple):
    """A playback that takes one of an account's places; ``since``: seconds since 1970."""

    device: str
    title: str
    since: float


class TooManyStreams(Exception):
    """All places of the account are taken, by these ``streams`` among others."""

    code = "too-many-streams"

    def __init__(self, streams: tuple[Stream, ...]) -> None:
        super().__init__("The account plays on as many devices as its plan allows.")
        self.streams = streams
        self.members = {"streams": [stream._asdict() for stream in streams]}


class UnknownSession(Exception):
    """The playback session has ended, or never was."""

    code = "ended"


class Revoked(UnknownSession):
    """The playback session was revoked."""

    code = "revoked"


class WrongDevice(Exception):
    """The playback session is another device's."""

    code = "wrong-device"


class StorageError(Exception):
    """The storage did not answer, or not with what it promised."""

    code = "storage-error"


class ObjectChanged(StorageError):
    """The object is no longer the version that was asked for."""

    code = "object-changed"


class Archived(StorageError):
    """The object is in an archive; reading it takes a restore, which takes hours."""

    code = "archived"


class Row(NamedTuple):
    """``cache_control`` of the answer: 5xx and client faults are never stored."""

    status: int
    cache_control: str = "no-store"
    retry_after: int | None = None


_SOON = "public, max-age=5"

STATUS: dict[type[Exception], Row] = {
    packager.BadAddress: Row(404, "public, max-age=60"),
    packager.NotFound: Row(404, "public, max-age=60"),
    UnknownTitle: Row(404, _SOON),
    Unlisted: Row(404, _SOON),
    UnknownRevision: Row(404, _SOON),
    packager.BadMedia: Row(422, _SOON),
    packager.LimitExceeded: Row(422, _SOON),
    packager.UnsupportedMedia: Row(422, _SOON),
    packager.BadText: Row(422, _SOON),
    packager.BadSidecar: Row(422, _SOON),
    packager.Misaligned: Row(422, _SOON),
    packager.PackagerError: Row(422, _SOON),
    Refused: Row(403),
    NotEntitled: Row(403),
    NotAvailable: Row(403),
    Unauthenticated: Row(401),
    WrongCredentials: Row(401),
    Elsewhere: Row(307),
    Invalid: Row(422),
    WeakPassword: Row(422),
    NothingToRestore: Row(409),
    Draining: Row(503, retry_after=1),
    BadReport: Row(422),
    UnknownForm: Row(415),
    TooManyReports: Row(429, retry_after=1),
    DatabaseAway: Row(503, retry_after=2),
    Conflict: Row(409),
    TooManyProfiles: Row(409),
    NoSuchRow: Row(404),
    StoreAway: Row(503, retry_after=2),
    TooMany: Row(429),
    TooManyStreams: Row(409),
    UnknownSession: Row(410),
    Revoked: Row(410),
    WrongDevice: Row(403),
    StorageError: Row(503, retry_after=1),
    ObjectChanged: Row(503, retry_after=1),
    Archived: Row(409),
}


def describe(error: BaseException) -> Problem:
    """The answer to a request that ended in ``error``."""
    for kind in type(error).__mro__:
        row = STATUS.get(kind)
        if row is not None:
            code = getattr(error, "code", "error")
            # The name of a file need not be text: what is not is shown as \\udcXX.
            detail = str(error).encode("utf-8", "backslashreplace").decode()
            status = error.status if isinstance(error, Elsewhere) else row.status
            retry_after = getattr(error, "retry_after", row.retry_after)
            fields = getattr(error, "fields", ())
            members = getattr(error, "members", {})
            return Problem(status, code, detail, row.cache_control, retry_after, fields, members)
    log.error("a request failed on a defect of ours", exc_info=error)
    return Problem(500, "internal-error", "The server failed; its log says why.")
