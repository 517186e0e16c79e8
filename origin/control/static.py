"""The web page's files, read once into memory; its build left a ``.br`` and a ``.gz`` beside text.

Names under ``assets/`` carry a digest of their content (Vite puts it there), so those are kept by
browsers for ever; the rest is revalidated.
"""

from __future__ import annotations

import hashlib
import mimetypes
import re
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from packager.errors import NotFound

_CODINGS = {"br": ".br", "gzip": ".gz"}  # content codings by preference, and their file endings
_FORBIDDEN = re.compile(r"q\s*=\s*0(\.0*)?")
_FOR_EVER = "public, max-age=31536000, immutable"
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob: data:; worker-src 'self' blob:; "
        "img-src 'self' data: blob:; style-src 'self'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _File:
    """``coded``: the body by content coding, ``""`` for the plain one; ``tag``: what entity tags
    of all codings begin with."""

    coded: dict[str, bytes]
    tag: str
    headers: dict[str, str]


class PageFiles:
    def __init__(self, folder: Path) -> None:
        self._files = {
            path.relative_to(folder).as_posix(): _read(path, folder)
            for path in sorted(folder.rglob("*"))
            if path.is_file() and path.suffix not in _CODINGS.values()
        }

    async def serve(self, request: web.Request) -> web.Response:
        name = request.match_info["path"] or "index.html"
        file = self._files.get(name)
        if file is None:
            if name == "index.html":
                raise NotFound("the web page is not built: run 'make install'")
            raise NotFound("nothing at this path")
        accepted = request.headers.get("Accept-Encoding", "")
        coding = next((c for c in _CODINGS if c in file.coded and _accepts(accepted, c)), "")
        tag = f"{file.tag}-{coding}" if coding else file.tag
        headers = {"ETag": f'"{tag}"', **file.headers}
        if any(held.value in (tag, "*") for held in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        if coding:
            headers["Content-Encoding"] = coding
        return web.Response(body=file.coded[coding], headers=headers)


def _accepts(accepted: str, coding: str) -> bool:
    """Whether an Accept-Encoding field (RFC 9110 section 12.5.3) names ``coding``, and not to
    forbid it."""
    for item in accepted.lower().split(","):
        name, _, weight = item.partition(";")
        if name.strip() == coding:
            return _FORBIDDEN.fullmatch(weight.strip()) is None
    return False


def _read(path: Path, folder: Path) -> _File:
    body = path.read_bytes()
    coded = {"": body}
    for coding, ending in _CODINGS.items():
        compressed = path.with_name(path.name + ending)
        if compressed.is_file():
            coded[coding] = compressed.read_bytes()
    media_type = mimetypes.guess_type(path.name)[0] or "application/octet-stream"
    text = media_type.startswith("text/") or media_type.endswith("javascript")
    hashed = path.relative_to(folder).parts[0] == "assets"
    headers = {
        "Content-Type": f"{media_type}; charset=utf-8" if text else media_type,
        "Cache-Control": _FOR_EVER if hashed else "no-cache",
        "Vary": "Accept-Encoding",
        **_SECURITY,
    }
    return _File(coded, hashlib.blake2b(body, digest_size=8).hexdigest(), headers)
