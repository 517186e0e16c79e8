"""The web page's files, read once into memory; its build left a ``.br`` and a ``.gz`` beside text.

Names under ``assets/`` carry a digest of their content (Vite puts it there), so those are kept by
browsers for ever; the rest is revalidated.
"""

from __future__ import annotations

import hashlib
import mimetypes
from dataclasses import dataclass
from pathlib import Path

from aiohttp import web

from packager.errors import NotFound

_CODINGS = {"br": ".br", "gzip": ".gz"}  # content codings by preference, and their file endings
_FOR_EVER = "public, max-age=31536000, immutable"
_SECURITY = {
    "Content-Security-Policy": (
        "default-src 'self'; media-src 'self' blob:; worker-src 'self' blob:; "
        "img-src 'self' data: blob:; style-src 'self' 'unsafe-inline'; connect-src 'self'; "
        "object-src 'none'; base-uri 'none'; frame-ancestors 'none'"
    ),
    "X-Content-Type-Options": "nosniff",
    "Referrer-Policy": "same-origin",
}


@dataclass(frozen=True, slots=True)
class _File:
    """``coded``: the body by content coding, ``""`` for the plain one."""

    coded: dict[str, bytes]
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
            raise NotFound(f"nothing at /{name}")
        accepted = request.headers.get("Accept-Encoding", "")
        coding = next((c for c in _CODINGS if c in accepted and c in file.coded), "")
        headers = dict(file.headers)
        if coding:
            headers["ETag"] = f'{headers["ETag"][:-1]}-{coding}"'
            headers["Content-Encoding"] = coding
        if request.headers.get("If-None-Match") == headers["ETag"]:
            return web.Response(status=304, headers=headers)
        return web.Response(body=file.coded[coding], headers=headers)


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
        "ETag": f'"{hashlib.blake2b(body, digest_size=8).hexdigest()}"',
        "Vary": "Accept-Encoding",
        **_SECURITY,
    }
    return _File(coded, headers)
