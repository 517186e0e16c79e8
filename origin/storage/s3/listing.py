"""Listings of a bucket (ListObjectsV2): what is asked, and what its XML says."""

from __future__ import annotations

from collections.abc import Sequence
from typing import NamedTuple
from urllib.parse import unquote_plus
from xml.etree.ElementTree import Element, ParseError, fromstring

from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.sigv4 import encode_query

MOST_BYTES = 8 << 20
"""Of a page: a thousand keys of 1,024 bytes, each in percent-encoding, and what is around them."""


class Listed(NamedTuple):
    key: str
    size: int
    etag: str


class Page(NamedTuple):
    """``folders``: prefixes up to a delimiter, which stand for all that lies behind them. ``next``:
    the token of the page behind this one, None on the last."""

    objects: Sequence[Listed]
    folders: Sequence[str]
    next: str | None


def query_of(prefix: str, delimiter: str, after: str, token: str | None, limit: int) -> str:
    """In the order in which it is signed; ``UnicodeEncodeError`` for what is no name."""
    said = {
        "list-type": "2",
        "encoding-type": "url",
        "max-keys": str(limit),
        "prefix": prefix,
        "delimiter": delimiter,
        "continuation-token": token or "",
        "start-after": "" if token else after,
    }
    return encode_query((name, value) for name, value in said.items() if value or name == "prefix")


def read_page(what: str, document: bytes) -> Page:
    """``Passing`` where it is no listing; ``what`` was listed."""
    try:
        if b"<!DOCTYPE" in document:  # with its entities it could be of any size
            raise ValueError("a document type")
        root = fromstring(document)
        space = root.tag.partition("}")[0] + "}" if root.tag.startswith("{") else ""
        if root.tag != f"{space}ListBucketResult":
            raise ValueError(f"<{root.tag[:40]}>")
        encoded = _text(root, f"{space}EncodingType") == "url"
        objects = [_listed(item, space, encoded) for item in root.iter(f"{space}Contents")]
        folders = [
            _name(item, f"{space}Prefix", encoded) for item in root.iter(f"{space}CommonPrefixes")
        ]
        more = _text(root, f"{space}IsTruncated") == "true"
        token = _text(root, f"{space}NextContinuationToken") if more else ""
    except (ParseError, ValueError) as error:
        raise Passing(Reason.BAD_REPLY, f"{what}: no listing of a bucket: {error}") from None
    return Page(objects, folders, token or None)


def _listed(item: Element, space: str, encoded: bool) -> Listed:
    size, etag = _text(item, f"{space}Size"), _text(item, f"{space}ETag")
    return Listed(_name(item, f"{space}Key", encoded), int(size), etag)


def _name(item: Element, tag: str, encoded: bool) -> str:
    text = _text(item, tag)
    if not text:
        raise ValueError("an entry without a name")
    return unquote_plus(text, errors="strict") if encoded else text


def _text(item: Element, tag: str) -> str:
    return item.findtext(tag) or ""
