"""Who asks: the one place that reads the login, and keeps other sites from using it.

A login is ``Authorization: Bearer SECRET`` or the cookie ``vod_login``. What changes something
(not GET or HEAD) has to come from our own page, as the browser says in Sec-Fetch-Site or Origin:
with the cookie it must say so, otherwise it must not say another thing. Bearers need no such rule,
since browsers never send them of their own accord. Signing in has no login yet, and the rule all
the same: no other site signs a viewer in as somebody else.
"""

from __future__ import annotations

from datetime import UTC, datetime
from ipaddress import IPv4Address, ip_address
from urllib.parse import urlsplit

from aiohttp import web

from catalog.postgres.records import Audience
from origin.errors import Refused, Unauthenticated
from origin.sessions import Login, Sessions

COOKIE = "vod_login"
COOKIE_SECONDS = 30 * 24 * 60 * 60


class Callers:
    """``secure``: viewers come over TLS; ``behind_cdn``: who asks has shown that it is our CDN, so
    what it says of the viewer counts."""

    def __init__(self, sessions: Sessions, *, secure: bool, behind_cdn: bool) -> None:
        self._sessions = sessions
        self._secure = secure
        self._behind_cdn = behind_cdn

    async def login(self, request: web.Request) -> Login:
        secret = self.secret(request)
        login = await self._sessions.login(secret) if secret else None
        if login is None:
            raise Unauthenticated("Sign in first.")
        return login

    async def admin(self, request: web.Request) -> Login:
        login = await self.login(request)
        if login.role != "admin":
            raise Refused("Only administrators may do this.")
        return login

    def secret(self, request: web.Request) -> str | None:
        """``Refused`` for what another site may have sent."""
        scheme, _, bearer = request.headers.get("Authorization", "").partition(" ")
        if scheme.lower() == "bearer":
            return bearer.strip()
        if request.method not in ("GET", "HEAD"):
            self.require_own_page(request)
        return request.cookies.get(COOKIE)

    def require_own_page(self, request: web.Request) -> None:
        """``Refused`` for what a browser sends on another site's behalf."""
        site = request.headers.get("Sec-Fetch-Site")
        origin = request.headers.get("Origin")
        if site is not None:
            ours = site in ("same-origin", "none")
        elif origin is not None:
            ours = _host(origin) == request.host.lower()
        else:
            ours = COOKIE not in request.cookies
        if not ours:
            raise Refused("Another site may not do this.")

    def address(self, request: web.Request) -> str:
        viewer = request.headers.get("CloudFront-Viewer-Address") if self._behind_cdn else None
        return viewer.rpartition(":")[0].strip("[]") if viewer else request.remote or ""

    def network(self, request: web.Request) -> str:
        """Whom rates count as one: an address, or the /64 of an IPv6 address, of which a household
        has all 2^64."""
        try:
            address = ip_address(self.address(request))
        except ValueError:
            return self.address(request)
        if isinstance(address, IPv4Address):
            return str(address)
        return str(address.ipv4_mapped or address.exploded[:19])

    def audience(self, request: web.Request) -> Audience:
        country = request.headers.get("CloudFront-Viewer-Country") if self._behind_cdn else None
        return Audience(country, datetime.now(UTC))

    def remember(self, response: web.Response, secret: str) -> None:
        self._cookie(response, secret, COOKIE_SECONDS)

    def forget(self, response: web.Response) -> None:
        self._cookie(response, "", 0)

    def _cookie(self, response: web.Response, secret: str, seconds: int) -> None:
        response.set_cookie(
            COOKIE,
            secret,
            max_age=seconds,
            path="/",
            secure=self._secure,
            httponly=True,
            samesite="Lax",
        )


def _host(origin: str) -> str:
    try:
        return urlsplit(origin).netloc.lower()
    except ValueError:
        return ""
