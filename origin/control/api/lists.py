"""What a profile keeps for later. Whatever is put there or taken twice is there or gone once."""

from __future__ import annotations

from aiohttp import web

from catalog.postgres.records import Profile, Title
from origin.control.api import forms
from origin.control.api.cards import of_profile
from origin.control.api.lookups import profile_of, title_of
from origin.control.api.parts import Parts
from origin.control.api.replies import done, reply


class Lists:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/my-list/{title}", self.holds)
        router.add_put("/api/my-list/{title}", self.put)
        router.add_delete("/api/my-list/{title}", self.take)

    async def holds(self, request: web.Request) -> web.Response:
        profile = await self._profile(request)
        title = await self._title(request, profile)
        held = await self._parts.database.viewing.in_list(profile.id, title.id)
        return reply({"in_list": held})

    async def put(self, request: web.Request) -> web.Response:
        profile = await self._profile(request)
        title = await self._title(request, profile)
        await self._parts.database.viewing.add_to_list(profile.id, title.id)
        return done()

    async def take(self, request: web.Request) -> web.Response:
        """Also what can no longer be seen."""
        profile = await self._profile(request)
        title = forms.path_id(request, "title")
        await self._parts.database.viewing.remove_from_list(profile.id, title)
        return done()

    async def _profile(self, request: web.Request) -> Profile:
        login = await self._parts.callers.login(request)
        return await profile_of(self._parts, login, forms.required(request, "profile"))

    async def _title(self, request: web.Request, profile: Profile) -> Title:
        audience = of_profile(self._parts.callers.audience(request), profile)
        return await title_of(self._parts, forms.path_id(request, "title"), audience)
