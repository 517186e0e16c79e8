"""Playbacks: begun where a title may be watched, heard of while they go on, and ended.

A playback is a session in Redis, of one account, and a path token with its id: the token opens the
title's media, the session has one of the places that the account's plan allows. The position goes
to both, and from PostgreSQL the title goes on where it was left.

While PostgreSQL is away titles that were looked at of late go on beginning, and all that has begun
goes on. While Redis is away nothing begins and no heartbeat is heard (503); media is served.
"""

from __future__ import annotations

import asyncio
import secrets
import time
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass, replace
from datetime import UTC, datetime
from typing import Any

from aiohttp import web

from catalog.assets import display_name
from catalog.postgres.errors import DatabaseAway, NoSuchRow
from catalog.postgres.records import Audience, Profile, Progress, Title
from catalog.postgres.viewing import WATCHED
from origin.auth import path_token
from origin.control.api import forms
from origin.control.api.cards import Standing, card, name, of_profile
from origin.control.api.lookups import entitled, profile_of, standing, title_of
from origin.control.api.parts import Parts
from origin.control.api.replies import done, reply
from origin.errors import (
    Invalid,
    NotAvailable,
    NotEntitled,
    Revoked,
    Stream,
    TooManyStreams,
    Unauthenticated,
    UnknownSession,
)
from origin.sessions import Login, Playback, Rate, bind
from packager.address import Mpd, MultivariantPlaylist

HEARTBEAT_SECONDS = 15
BEATS = Rate(times=15, seconds=15.0)
"""Of one session: some at once, as pauses and seeks are told too, and on average one a second."""
BEHIND_SECONDS = 10.0
"""How far behind the end a position may be: what is told of a title is rounded."""
LIFE, LIFE_SECONDS = 1.5, 15 * 60
"""A token lives for that many durations of its title, and so many seconds more."""
MOST_LIFE_SECONDS = path_token.MOST_SECONDS - 60
"""Less than the most: clocks of nodes differ."""


@dataclass(frozen=True, slots=True)
class _Terms:
    """What an account may, and in which language it is told."""

    plan: str
    streams: int
    language: str
    is_disabled: bool


@dataclass(frozen=True, slots=True)
class _Opened:
    """A title that the profile may watch."""

    title: Title
    profile: Profile
    terms: _Terms
    duration: float
    following: Title | None
    standing: Standing

    @property
    def life(self) -> int:
        return int(min(self.duration * LIFE + LIFE_SECONDS, MOST_LIFE_SECONDS))

    @property
    def resume(self) -> float:
        """Where to go on; at the beginning, once it was seen."""
        begun = self.standing.get(self.title.id)
        if begun is None or begun.position > begun.duration * WATCHED:
            return 0.0
        return begun.position


class Playbacks:
    def __init__(self, parts: Parts) -> None:
        self._parts = parts

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/playback", self.start)
        router.add_post("/api/playback/{session}/heartbeat", self.beat)
        router.add_post("/api/playback/{session}/renew", self.renew)
        router.add_delete("/api/playback/{session}", self.end)

    async def start(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        asked = forms.start(await forms.read_body(request, forms.START_FIELDS))
        opened = await self._open(request, login, asked.title, asked.profile)
        sid, now = secrets.token_bytes(path_token.SESSION_BYTES), time.time()
        session = Playback(
            sid,
            login.account,
            opened.profile.id,
            asset=opened.title.id,
            title_id=opened.title.id,
            device=bind(sid, asked.device),
            device_name=asked.device,
            plan=opened.terms.plan,
            began=now,
            expiry=int(now) + opened.life,
            position=opened.resume,
            duration=opened.duration,
        )
        try:
            await self._parts.sessions.begin(session, opened.terms.streams)
        except TooManyStreams as refusal:
            raise await self._named(refusal, login) from None
        return reply(self._started(session, opened), 201)

    async def beat(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        sid = forms.session(request)
        told = forms.beat(await forms.read_body(request, forms.BEAT_FIELDS))
        session = await self._own(sid, login)
        position = _within(session, told.position)
        await self._allow(sid)
        try:
            with self._telling_revoked(sid):
                session = await self._parts.sessions.beat(sid, position)
        except TooManyStreams as refusal:
            raise await self._named(refusal, login) from None
        self._parts.progress.put(_progress(session, position))
        return reply({"expires": session.expiry})

    async def renew(self, request: web.Request) -> web.Response:
        """As a start, of the same session: the title may still be watched, and its tokens live as
        long as new ones."""
        login = await self._parts.callers.login(request)
        sid = forms.session(request)
        device = forms.device(await forms.read_body(request, {"device"}))
        session = await self._own(sid, login)
        await self._allow(sid)
        opened = await self._open(request, login, session.title_id, session.profile)
        expiry = int(time.time()) + opened.life
        try:
            with self._telling_revoked(sid):
                session = await self._parts.sessions.renew(sid, device, expiry)
        except TooManyStreams as refusal:
            raise await self._named(refusal, login) from None
        return reply(self._started(replace(session, expiry=expiry), opened))

    async def end(self, request: web.Request) -> web.Response:
        login = await self._parts.callers.login(request)
        sid = forms.session(request)
        position = forms.position(request)
        session = await self._own(sid, login)
        if position is not None:
            await self._parts.progress.put_now(_progress(session, _within(session, position)))
        await self._parts.sessions.end(sid)
        return done()

    # What may be watched

    async def _open(
        self, request: web.Request, login: Login, title_id: str, profile_id: str
    ) -> _Opened:
        """``NoSuchRow`` for what there is not; ``NotAvailable``, ``NotEntitled``."""
        profile = await profile_of(self._parts, login, profile_id)
        audience = of_profile(self._parts.callers.audience(request), profile)
        title, terms = await asyncio.gather(
            self._available(title_id, audience), self._terms(login.account)
        )
        if not await entitled(self._parts, terms.plan, title.id):
            raise NotEntitled("Your plan does not include this title.")
        duration, following = await asyncio.gather(
            self._duration(title), self._following(title, audience)
        )
        stands = await self._standing(profile, title, following)
        return _Opened(title, profile, terms, duration, following, stands)

    async def _available(self, title_id: str, audience: Audience) -> Title:
        try:
            title = await title_of(self._parts, title_id, audience)
        except NoSuchRow:
            await self._parts.database.titles.get(title_id, None)
            raise NotAvailable("This title is not available to you, here and now.") from None
        if not title.playable:
            raise NotAvailable("This title has nothing that plays.")
        return title

    async def _terms(self, account_id: str) -> _Terms:
        terms = await self._parts.memory.ask(("terms", account_id), self._ask_terms(account_id))
        if terms.is_disabled:
            raise Unauthenticated("Sign in first.")
        return terms

    async def _ask_terms(self, account_id: str) -> _Terms:
        account = await self._parts.database.people.get(account_id)
        return _Terms(account.plan, account.streams, account.language, account.disabled)

    async def _duration(self, title: Title) -> float:
        """In seconds: as told, or as the files have it."""
        if title.duration_seconds:
            return title.duration_seconds
        return float((await self._parts.origin.title(title.id)).presentation.duration)

    async def _following(self, title: Title, audience: Audience) -> Title | None:
        """The next episode; a playback begins without knowing it, if it must."""
        if title.kind != "episode":
            return None
        key = ("following", title.id, audience.country, audience.maturities)
        asking = self._parts.database.titles.next_episode(title.id, audience)
        try:
            following = await self._parts.memory.ask(key, asking)
        except DatabaseAway:
            return None
        return following if following is not None and following.playable else None

    async def _standing(self, profile: Profile, title: Title, following: Title | None) -> Standing:
        """At least what waits here to be written."""
        ids = [title.id, following.id] if following is not None else [title.id]
        try:
            return await standing(self._parts, profile.id, ids)
        except DatabaseAway:
            waiting = (self._parts.progress.waiting(profile.id, one) for one in ids)
            return {one.title: one for one in waiting if one is not None}

    # Sessions

    async def _own(self, sid: bytes, login: Login) -> Playback:
        """The session, which is the caller's: others have none of that id."""
        with self._telling_revoked(sid):
            session = await self._parts.sessions.get(sid)
            if session is None or session.account != login.account:
                raise UnknownSession("The session has ended.")
        return session

    @contextmanager
    def _telling_revoked(self, sid: bytes) -> Iterator[None]:
        try:
            yield
        except UnknownSession:
            if self._parts.sessions.is_revoked(sid):
                raise Revoked("The session was revoked.") from None
            raise

    async def _allow(self, sid: bytes) -> None:
        await self._parts.sessions.allow(f"beat {sid.hex()}", BEATS)

    async def _named(self, refusal: TooManyStreams, login: Login) -> TooManyStreams:
        """With titles by their names in place of their ids."""
        ids = sorted({stream.title for stream in refusal.streams})
        try:
            terms = await self._terms(login.account)
            asking = self._parts.database.titles.many(ids, None)
            titles = await self._parts.memory.ask(("named", *ids), asking)
        except DatabaseAway:
            names = {}
        else:
            names = {title.id: name(title, terms.language) for title in titles}
        return TooManyStreams(
            tuple(
                Stream(device, names.get(title) or display_name(title), since)
                for device, title, since in refusal.streams
            )
        )

    def _started(self, session: Playback, opened: _Opened) -> dict[str, Any]:
        language, following = opened.profile.language, opened.following
        stands = opened.standing
        return {
            "session": session.sid.hex(),
            "hls": self._address(MultivariantPlaylist(session.asset), session),
            "dash": self._address(Mpd(session.asset), session),
            "expires": session.expiry,
            "heartbeat_seconds": HEARTBEAT_SECONDS,
            "resume": opened.resume,
            "title": card(opened.title, language, stands.get(opened.title.id)),
            "next": card(following, language, stands.get(following.id)) if following else None,
        }

    def _address(self, manifest: MultivariantPlaylist | Mpd, session: Playback) -> str:
        path = str(manifest)
        if self._parts.keys is None:
            return path
        scope = path[: path.rindex("/") + 1]
        token = path_token.issue(self._parts.keys(), scope, session.expiry, session.sid)
        return f"{path_token.PREFIX}{token}{path}"


def _within(session: Playback, position: float) -> float:
    if position > session.duration + BEHIND_SECONDS:
        raise Invalid("position", "behind the title's end")
    return min(position, session.duration)


def _progress(session: Playback, position: float) -> Progress:
    now = datetime.now(UTC)
    return Progress(session.profile, session.title_id, position, session.duration, now)
