"""The aiohttp application: health, the library as JSON, accounts where there are some, the page.

Faults become problem details here as they do on the media paths, from the same table.
"""

from __future__ import annotations

import asyncio
from collections.abc import Callable
from dataclasses import replace
from pathlib import Path

import orjson
from aiohttp import web
from aiohttp.typedefs import Handler, Middleware
from prometheus_async.aio.web import server_stats

from catalog.assets import Catalogue, display_name
from origin.auth.origin_verify import HEADER, OriginVerify
from origin.control.health import Health
from origin.control.qoe import Qoe
from origin.control.static import PageFiles
from origin.errors import StorageError, UnknownTitle, describe
from origin.problem import MEDIA_TYPE, Problem
from origin.service import Origin
from origin.titles import Title
from packager.address import Mpd, MultivariantPlaylist
from packager.errors import PackagerError

PAGE_SIZE = 24
PAGE_WAIT_SECONDS = 1.0
PAGE_FOLDER = Path(__file__).parent / "page"

PROBES = ("/livez", "/readyz")


_JSON = "application/json"


def control_app(
    origin: Origin,
    catalogue: Catalogue,
    health: Health,
    qoe: Qoe | None = None,
    verify: OriginVerify | None = None,
    add_accounts: Callable[[web.UrlDispatcher], None] | None = None,
) -> web.Application:
    """``add_accounts``: adds the routes of the API for people with accounts."""
    app = web.Application(middlewares=[_problems])
    if verify is not None:
        app.middlewares.append(_verified(verify))
    library = _Library(origin, catalogue)
    app.router.add_get("/livez", health.alive)
    app.router.add_get("/readyz", health.ready)
    app.router.add_get("/metrics", server_stats)
    app.router.add_get("/api/status", _status(accounts=add_accounts is not None))
    app.router.add_get("/api/library", library.page)
    app.router.add_get("/api/library/{id}", library.title)
    if add_accounts is not None:
        add_accounts(app.router)
    if qoe is not None:
        qoe.add_routes(app.router)
    app.router.add_get("/{path:.*}", PageFiles(PAGE_FOLDER).serve)
    app.on_response_prepare.append(_sign)
    return app


async def _sign(_: web.Request, response: web.StreamResponse) -> None:
    response.headers["Server"] = "vod-origin"


def _verified(verify: OriginVerify) -> Middleware:
    """Only probes, which whoever runs the server sends past the CDN, need not know the secret."""

    @web.middleware
    async def check(request: web.Request, handler: Handler) -> web.StreamResponse:
        if request.path not in PROBES:
            values = request.headers.getall(HEADER.decode(), [])
            verify.check(", ".join(values).encode("utf-8", "surrogateescape"))
        return await handler(request)

    return check


@web.middleware
async def _problems(request: web.Request, handler: Handler) -> web.StreamResponse:
    try:
        return await handler(request)
    except web.HTTPException as error:
        if error.status < 400:
            raise
        problem = Problem(error.status, error.reason.lower().replace(" ", "-"), error.reason)
        allow = error.headers.get("Allow")
        return _answer(problem, {"Allow": allow} if allow else {})
    except Exception as error:
        problem = describe(error)
        if request.path.startswith("/api/"):  # what media answers is kept by CDNs, this is not
            problem = replace(problem, cache_control="no-store")
        return _answer(problem, {})


def _answer(problem: Problem, headers: dict[str, str]) -> web.Response:
    headers["Cache-Control"] = problem.cache_control
    if problem.retry_after is not None:
        headers["Retry-After"] = str(problem.retry_after)
    headers.update(problem.fields)
    return web.Response(
        status=problem.status, body=problem.body(), content_type=MEDIA_TYPE, headers=headers
    )


def _status(*, accounts: bool) -> Handler:
    """What the page may offer."""

    async def status(_: web.Request) -> web.StreamResponse:
        return _json({"accounts": accounts, "sign_up": accounts})

    return status


class _Library:
    """``GET /api/library?cursor=…``: a page of titles, each with what is known of it by then;
    ``GET /api/library/{id}``: one of them."""

    def __init__(self, origin: Origin, catalogue: Catalogue) -> None:
        self._origin = origin
        self._catalogue = catalogue

    async def page(self, request: web.Request) -> web.Response:
        page = await self._catalogue.page(request.query.get("cursor"), PAGE_SIZE)
        tasks = [asyncio.ensure_future(self._describe(asset_id)) for asset_id in page.ids]
        if tasks:
            # What takes longer goes on loading, and is known when the page is next asked for.
            await asyncio.wait(tasks, timeout=PAGE_WAIT_SECONDS)
        titles = [
            task.result() if task.done() else _listed(asset_id)
            for asset_id, task in zip(page.ids, tasks, strict=True)
        ]
        return _json({"titles": [title for title in titles if title], "next": page.next})

    async def title(self, request: web.Request) -> web.Response:
        asset_id = request.match_info["id"]
        title = await self._describe(asset_id)
        if title is None:
            raise UnknownTitle(f"no title '{asset_id}'")
        return _json(title)

    async def _describe(self, asset_id: str) -> dict[str, object] | None:
        """The title's entry; None for a folder that holds no media."""
        try:
            return _listed(asset_id, await self._origin.title(asset_id))
        except UnknownTitle:
            return None
        except (PackagerError, StorageError) as error:
            return _listed(asset_id) | {"problem": describe(error).detail}


def _json(body: dict[str, object]) -> web.Response:
    return web.Response(
        body=orjson.dumps(body), content_type=_JSON, headers={"Cache-Control": "no-cache"}
    )


def _listed(asset_id: str, title: Title | None = None) -> dict[str, object]:
    return {
        "id": asset_id,
        "name": display_name(asset_id),
        "hls": str(MultivariantPlaylist(asset_id)),
        "dash": str(Mpd(asset_id)),
        "duration": float(title.presentation.duration) if title else None,
        "problem": None,
    }
