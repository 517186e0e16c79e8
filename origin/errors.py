"""From exception to HTTP, in one table.

A fault of the input is the title's (422), a wrong address the client's (404), a storage that does
not answer ours (503). What is not in the table is a defect: 500, logged with its traceback.
"""

from __future__ import annotations

import logging
from typing import NamedTuple

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


class Draining(Exception):
    """The worker is about to stop."""

    code = "draining"


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
    Draining: Row(503, retry_after=1),
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
            return Problem(row.status, code, detail, row.cache_control, row.retry_after)
    log.error("a request failed on a defect of ours", exc_info=error)
    return Problem(500, "internal-error", "The server failed; its log says why.")
