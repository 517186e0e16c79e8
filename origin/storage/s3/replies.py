"""What a reply must be to be believed, and what it means where it is an error.

The bytes of a reply are the ones that were asked for if status, Content-Range, length and version
all say so. Some servers (rclone's) answer a range with 200 and its Content-Range, which is as good.
"""

from __future__ import annotations

import re
from dataclasses import dataclass
from email.utils import parsedate_to_datetime
from typing import NamedTuple

from origin.errors import Archived, ObjectChanged, StorageError
from origin.storage.s3.connection import Head
from origin.storage.s3.faults import Missing, NotAccepted, Passing, Reason, Refusal

_CONTENT_RANGE = re.compile(r"bytes ([0-9]{1,19})-([0-9]{1,19})/([0-9]{1,19})")
_CODE = re.compile(rb"<Code>([A-Za-z0-9.]{1,64})</Code>")
_REGION = re.compile(rb"<Region>([a-z0-9-]{1,32})</Region>")
_ETAG = re.compile(r'"[\x21\x23-\x7e]*"')

_RENEWABLE = {"ExpiredToken", "InvalidAccessKeyId", "InvalidToken", "TokenRefreshRequired"}
_BUSY = {"RequestLimitExceeded", "SlowDown", "Throttling", "ThrottlingException"}
_TRANSIENT = {"InternalError", "RequestTimeout"}


class ObjectInfo(NamedTuple):
    """``etag``: with its quotes. ``version_id``: None in a bucket that keeps no versions."""

    size: int
    etag: str
    version_id: str | None


@dataclass(slots=True)
class Wanted:
    """Bytes of an object that are still to come: from ``start`` to in front of ``stop``, or to the
    object's end if that is ``open_ended`` and sooner. ``version``: an ETag or a version id; empty:
    the one there is now."""

    key: str
    start: int
    stop: int
    version: str
    open_ended: bool = False

    def hold(self, info: ObjectInfo) -> None:
        """From now on, to the object of which that is known."""
        self.version = self.version or info.version_id or info.etag
        self.stop = min(self.stop, info.size) if self.open_ended else self.stop
        self.open_ended = False


def is_etag(version: str) -> bool:
    return _ETAG.fullmatch(version) is not None


def check(head: Head, wanted: Wanted) -> ObjectInfo:
    """The object that the body of a good reply is from.

    ``ObjectChanged`` if that is another version; ``Passing`` if it is no reply to the request.
    """
    start, stop, size = _extent(head, wanted.key)
    info = ObjectInfo(
        size, head.field(b"etag") or "", known_version(head.field(b"x-amz-version-id"))
    )
    if not is_etag(info.etag):
        raise _bad(wanted.key, "has no strong ETag")
    if wanted.version and wanted.version not in (info.etag, info.version_id):
        raise ObjectChanged(f"{wanted.key} has changed")
    expected = min(wanted.stop, size) if wanted.open_ended else wanted.stop
    if (start, stop) != (wanted.start, expected) or head.length != stop - start:
        raise _bad(wanted.key, "is not the range that was asked for")
    return info


def refusal(key: str, status: int, code: str, hint: str = "") -> StorageError:
    """What an error of S3 is to us. ``code``: as in its XML, empty if there is none."""
    said = f"the storage says {status} {code}".rstrip() + (f" ({hint})" if hint else "")
    if code in _RENEWABLE:
        return NotAccepted(f"{said}: the credentials are not valid, or no longer")
    if code in _BUSY or status in (429, 503):
        return Passing(Reason.BUSY, f"{key}: {said}")
    if code in _TRANSIENT or status >= 500:
        return Passing(Reason.SERVER, f"{key}: {said}")
    if code == "InvalidObjectState":
        return Archived(
            f"{key} is archived; it has to be restored first: vod-origin restore LIBRARY TITLE"
        )
    if code != "NoSuchBucket" and status in (404, 412, 416):
        return Missing(f"{key} is gone") if status == 404 else ObjectChanged(f"{key} has changed")
    return Refusal(code, f"{key}: {said}")


def refusal_of(key: str, head: Head, body: bytes, region: str, now: float) -> StorageError:
    """``region``: where we believe the bucket is; ``now``: our time (seconds since 1970)."""
    found = _CODE.search(body)
    code = found[1].decode() if found else ""
    return refusal(key, head.status, code, _hint(code, head, body, region, now))


def _hint(code: str, head: Head, body: bytes, region: str, now: float) -> str:
    named = _REGION.search(body)
    there = head.field(b"x-amz-bucket-region") or (named[1].decode() if named else "")
    if there and region and there != region:
        return f"the bucket is in {there}, not in {region}"
    if code == "RequestTimeTooSkewed":
        try:
            ahead = now - parsedate_to_datetime(head.field(b"date") or "").timestamp()
        except ValueError:
            return "our clock is wrong"
        return f"our clock is {abs(ahead):.0f} s {'fast' if ahead > 0 else 'slow'}"
    if 300 <= head.status < 400:
        return "redirects are not followed"
    return "the secret key is wrong" if code == "SignatureDoesNotMatch" else ""


def _extent(head: Head, key: str) -> tuple[int, int, int]:
    """Start and stop of the body, size of the object. 200 without a range is all of it."""
    told = head.field(b"content-range")
    if told is None and head.status == 200 and head.length is not None:
        return 0, head.length, head.length
    found = _CONTENT_RANGE.fullmatch(told or "")
    if found is None:
        raise _bad(key, "has no Content-Range")
    first, last, size = map(int, found.groups())
    return first, last + 1, size


def known_version(version_id: str | None) -> str | None:
    """S3 says "null" of what is overwritten like an object without versions."""
    return None if version_id == "null" else version_id


def _bad(key: str, what: str) -> Passing:
    return Passing(Reason.BAD_REPLY, f"{key}: a reply {what}")
