"""The catalogue as a viewer browses it: the home page, all titles, one of them, and the search.

What is personal is kept by nobody; pages of titles by the viewer's own browser, for half a minute.
All but the search goes on for what was asked for of late while PostgreSQL is away.
"""

from __future__ import annotations

import asyncio
from collections.abc import Iterable
from typing import Any

from aiohttp import web

from catalog.postgres.records import Audience, Page, Profile, Shelf, Title
from origin.control.api import forms
from origin.control.api.cards import Standing, card, detail, of_profile
from origin.control.api.lookups import entitled, profile_of, standing, title_of
from origin.control.api.parts import Parts
from origin.control.api.replies import reply
from origin.control.api.row_names import row_name
from origin.sessions import Login

SHORTLY = "private, max-age=30"
SHELVES_SECONDS = 10.0
"""For how long the rows that are the same for all are not asked for again."""


class Browsing:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/home", self.home)
        router.add_get("/api/titles", self.titles)
        router.add_get("/api/titles/{id}", self.title)
        router.add_get("/api/search", self.search)

    async def home(self, request: web.Request) -> web.Response:
        """Rows with something in them: what was begun, one's list, then those of the catalogue."""
        login = await self._parts.callers.login(request)
        language = forms.language(request)
        profile = await profile_of(self._parts, login, forms.required(request, "profile"))
        audience = of_profile(self._parts.callers.audience(request), profile)
        begun, listed, shelves = await asyncio.gather(
            self._begun(profile, audience),
            self._listed(profile, audience),
            self._shelves(audience),
        )
        rows = (Shelf("continue", begun), Shelf("my-list", listed), *shelves)
        ids = {title.id for row in rows for title in row.titles}
        stands = await standing(self._parts, profile.id, sorted(ids))
        return reply({"rows": [_row(row, language, stands) for row in rows if row.titles]})

    async def titles(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        profile, audience = await self._viewer(request, login)
        page = await self._browse(request, audience)
        return await self._found(page, profile, forms.language(request))

    async def title(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        language = forms.language(request)
        profile = await profile_of(self._parts, login, forms.required(request, "profile"))
        audience = of_profile(self._parts.callers.audience(request), profile)
        title = await title_of(self._parts, forms.path_id(request), audience)
        episodes, in_list, in_plan = await asyncio.gather(
            self._episodes(title, audience),
            self._in_list(profile, title),
            entitled(self._parts, login.plan, title.id),
        )
        ids = [title.id, *(episode.id for episode in episodes)]
        return reply(
            detail(
                title,
                episodes,
                language,
                await standing(self._parts, profile.id, ids),
                in_list=in_list,
                playable=in_plan and any(one.playable for one in (title, *episodes)),
            )
        )

    async def search(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        profile, audience = await self._viewer(request, login)
        page = await self._parts.database.titles.search(
            forms.required(request, "q"),
            audience,
            after=forms.asked(request, "cursor"),
            limit=forms.limit(request),
        )
        return await self._found(page, profile, forms.language(request))

    async def _viewer(self, request: web.Request, login: Login) -> tuple[Profile | None, Audience]:
        """The profile that looks, where one is named, and what is there for it."""
        audience = self._parts.callers.audience(request)
        named = forms.asked(request, "profile")
        if named is None:
            return None, audience
        profile = await profile_of(self._parts, login, named)
        return profile, of_profile(audience, profile)

    async def _found(
        self, page: Page[Title], profile: Profile | None, language: str
    ) -> web.Response:
        stands: Standing = {}
        if profile is not None:
            stands = await standing(self._parts, profile.id, [title.id for title in page.rows])
        body = {"titles": _cards(page.rows, language, stands), "next": page.next}
        return reply(body, cache_control=SHORTLY)

    async def _browse(self, request: web.Request, audience: Audience) -> Page[Title]:
        kind, genre = forms.kind(request), forms.asked(request, "genre", 35)
        cursor, limit = forms.asked(request, "cursor"), forms.limit(request)
        asking = self._parts.database.titles.browse(
            audience, kind=kind, genre=genre, after=cursor, limit=limit
        )
        key = ("titles", audience.country, audience.maturities, kind, genre, cursor, limit)
        return await self._parts.memory.ask(key, asking)

    async def _begun(self, profile: Profile, audience: Audience) -> tuple[Title, ...]:
        key = ("continue", profile.id, audience.country, audience.maturities)
        asking = self._parts.database.viewing.continue_watching(profile.id, audience)
        return tuple(one.title for one in await self._parts.memory.ask(key, asking))

    async def _listed(self, profile: Profile, audience: Audience) -> tuple[Title, ...]:
        key = ("my-list", profile.id, audience.country, audience.maturities)
        asking = self._parts.database.viewing.my_list(profile.id, audience)
        return await self._parts.memory.ask(key, asking)

    async def _shelves(self, audience: Audience) -> tuple[Shelf, ...]:
        return await self._parts.memory.recent(
            ("shelves", audience.country, audience.maturities),
            SHELVES_SECONDS,
            lambda: self._parts.database.titles.shelves(audience),
        )

    async def _episodes(self, title: Title, audience: Audience) -> tuple[Title, ...]:
        if title.kind != "series":
            return ()
        key = ("episodes", title.id, audience.country, audience.maturities)
        asking = self._parts.database.titles.episodes(title.id, audience)
        return await self._parts.memory.ask(key, asking)

    async def _in_list(self, profile: Profile, title: Title) -> bool:
        asking = self._parts.database.viewing.in_list(profile.id, title.id)
        return await self._parts.memory.ask(("in-list", profile.id, title.id), asking)


def _row(row: Shelf, language: str, stands: Standing) -> dict[str, Any]:
    return {
        "id": row.id,
        "name": row_name(row.id, language),
        "titles": _cards(row.titles, language, stands),
    }


def _cards(titles: Iterable[Title], language: str, stands: Standing) -> list[dict[str, Any]]:
    return [card(title, language, stands.get(title.id)) for title in titles]
