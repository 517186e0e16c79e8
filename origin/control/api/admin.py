"""What administrators do: titles, people, sessions. Whatever changes something is in the audit log.

An entry is written once the change was made. Where it cannot be, the answer is 503 and the log says
what was done: nobody is kept from revoking a session because PostgreSQL is away.
"""

from __future__ import annotations

import logging
from contextlib import suppress
from dataclasses import asdict
from typing import Any

from aiohttp import web

from catalog.postgres.errors import DatabaseAway
from catalog.postgres.records import Account, TitleDraft
from origin.control.api import forms
from origin.control.api.parts import Parts
from origin.control.api.replies import done, reply
from origin.errors import Invalid, Refused
from origin.sessions import Login
from origin.storage.restoring import Restored, archive_of, asset_in, restore

log = logging.getLogger(__name__)


class Admin:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/admin/titles", self.titles)
        router.add_get("/api/admin/titles/{id}", self.title)
        router.add_put("/api/admin/titles/{id}", self.put_title)
        router.add_delete("/api/admin/titles/{id}", self.remove_title)
        router.add_post("/api/admin/titles/{id}/purge", self.purge)
        router.add_post("/api/admin/titles/{id}/restore", self.restore)
        router.add_get("/api/admin/users", self.users)
        router.add_patch("/api/admin/users/{id}", self.change_user)
        router.add_post("/api/admin/users/{id}/revoke", self.revoke_user)
        router.add_post("/api/admin/sessions/{session}/revoke", self.revoke_session)
        router.add_get("/api/admin/audit", self.audit)

    # Titles

    async def titles(self, request: web.Request) -> web.Response:
        """All kinds, also what is not available now; ``q``: by a search."""
        await self._parts.callers.admin(request)
        query, after = forms.asked(request, "q"), forms.asked(request, "cursor")
        limit = forms.limit(request)
        titles = self._parts.database.titles
        if query is None:
            page = await titles.browse(None, after=after, limit=limit)
        else:
            page = await titles.search(query, None, after=after, limit=limit)
        return reply({"titles": [asdict(title) for title in page.rows], "next": page.next})

    async def title(self, request: web.Request) -> web.Response:
        await self._parts.callers.admin(request)
        return reply(asdict(await self._parts.database.titles.get(forms.path_id(request), None)))

    async def put_title(self, request: web.Request) -> web.Response:
        """In place of what was told of it before; 201 where nothing was."""
        login = await self._parts.callers.admin(request)
        body = await forms.read_body(request, forms.TITLE_FIELDS)
        draft = forms.title_draft(forms.path_id(request), body)
        await self._require_series(draft)
        is_new = not await self._parts.database.titles.many([draft.id], None)
        title = await self._parts.database.titles.put(draft)
        await self._note(login, "title.put", draft.id, body)
        return reply(asdict(title), 201 if is_new else 200)

    async def remove_title(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.admin(request)
        title = forms.path_id(request)
        await self._parts.database.titles.remove(title)
        await self._note(login, "title.remove", title)
        await self._parts.sessions.publish_purge(title)
        return done()

    async def purge(self, request: web.Request) -> web.Response:
        """All workers look at the title's files again."""
        login = await self._parts.callers.admin(request)
        title = forms.path_id(request)
        await self._parts.database.titles.get(title, None)
        await self._parts.sessions.publish_purge(title)
        await self._note(login, "title.purge", title)
        return done()

    async def restore(self, request: web.Request) -> web.Response:
        """What becomes of each file; a body need not be sent."""
        login = await self._parts.callers.admin(request)
        body = await forms.read_body(request, forms.RESTORING_FIELDS) if request.body_exists else {}
        asked = forms.restoring(body)
        archive = archive_of(self._parts.storage)
        asset = await asset_in(archive, forms.path_id(request))
        restored = [one async for one in restore(archive, asset, asked.days, asked.tier)]
        outcomes = {one.key: one.outcome.value for one in restored}
        await self._note(login, "title.restore", asset.id, asdict(asked) | {"files": outcomes})
        return reply({"files": list(map(_file, restored))})

    # People

    async def users(self, request: web.Request) -> web.Response:
        """``q``: part of an address or a name."""
        await self._parts.callers.admin(request)
        page = await self._parts.database.people.page(
            forms.asked(request, "cursor"), forms.limit(request), forms.asked(request, "q") or ""
        )
        return reply({"users": list(map(_user, page.rows)), "next": page.next})

    async def change_user(self, request: web.Request) -> web.Response:
        """Signs it out everywhere: a login says what the account was when it was made."""
        login = await self._parts.callers.admin(request)
        body = await forms.read_body(request, forms.ACCOUNT_FIELDS)
        change = forms.account_change(body)
        user = forms.path_id(request)
        if not body:
            raise Invalid("body", "nothing in it to change")
        if user == login.account and (change.disabled or change.role == "viewer"):
            raise Refused("Nobody takes the administration from themselves.")
        await self._require_plan(change.plan)
        account = await self._parts.database.people.change(user, **asdict(change))
        try:
            await self._sign_out(user, stop=account.disabled)
        finally:
            await self._note(login, "user.change", user, body)
        return reply(_user(account))

    async def revoke_user(self, request: web.Request) -> web.Response:
        """Stops all it plays, and signs it out everywhere."""
        login = await self._parts.callers.admin(request)
        user = forms.path_id(request)
        with suppress(DatabaseAway):
            await self._parts.database.people.get(user)
        try:
            stopped = await self._sign_out(user, stop=True)
        finally:
            await self._note(login, "user.revoke", user)
        return reply({"stopped": stopped})

    async def revoke_session(self, request: web.Request) -> web.Response:
        """Also one that has ended: its token may not have."""
        login = await self._parts.callers.admin(request)
        sid = forms.session(request)
        try:
            await self._parts.sessions.revoke(sid)
        finally:  # it is refused here at once, and by others when Redis is back
            await self._note(login, "session.revoke", sid.hex())
        return done()

    async def audit(self, request: web.Request) -> web.Response:
        """The newest first."""
        await self._parts.callers.admin(request)
        page = await self._parts.database.audit.page(
            forms.asked(request, "cursor"), forms.limit(request)
        )
        return reply({"entries": [asdict(entry) for entry in page.rows], "next": page.next})

    async def _sign_out(self, account: str, *, stop: bool) -> int:
        """How many playbacks were stopped."""
        stopped = await self._parts.sessions.revoke_user(account) if stop else 0
        await self._parts.sessions.sign_out_account(account)
        return stopped

    async def _require_series(self, draft: TitleDraft) -> None:
        if draft.series is None:
            return
        for series in await self._parts.database.titles.many([draft.series], None):
            if series.kind == "series" and series.id != draft.id:
                return
        raise Invalid("series", "there is no such series")

    async def _require_plan(self, plan: str | None) -> None:
        plans = await self._parts.database.people.plans() if plan is not None else ()
        if plan is not None and plan not in {one.name for one in plans}:
            raise Invalid("plan", "there is no such plan")

    async def _note(
        self, login: Login, action: str, subject: str, details: forms.Body | None = None
    ) -> None:
        try:
            await self._parts.database.audit.append(login.account, action, subject, details or {})
        except DatabaseAway:
            log.error("not in the audit log: %s of %r by %s", action, subject, login.account)
            raise


def _user(account: Account) -> dict[str, Any]:
    user = asdict(account)
    del user["password_hash"]
    return user


def _file(restored: Restored) -> dict[str, Any]:
    problem = {"code": restored.why.code, "detail": str(restored.why)} if restored.why else None
    return {"key": restored.key, "outcome": restored.outcome.value, "problem": problem}
