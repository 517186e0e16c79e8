"""Accounts: who signs up and in, their password, their profiles.

Who may not sign in is never told why, and waits as long whatever the reason. How often a password
may be tried is limited, which takes Redis: while that is away nobody signs in. An account is read
once more when its login is made, so that a change (another password, disabled by an administrator)
that signs everybody out cannot miss one who was just signing in.
"""

from __future__ import annotations

import time
from dataclasses import replace
from typing import Any

from aiohttp import web

from catalog.postgres.errors import NoSuchRow
from catalog.postgres.people import address
from catalog.postgres.records import Account, Profile
from origin.control.api import forms
from origin.control.api.parts import Parts
from origin.control.api.replies import done, reply
from origin.errors import StoreAway, Unauthenticated, WrongCredentials
from origin.sessions import Login, Rate

SIGN_UPS = Rate(10, 60 * 60)
"""Of a network."""
SIGN_INS = Rate(10, 15 * 60)
"""With one e-mail address, of a network; and tries of an account to change its password."""
SIGN_INS_OF_NETWORK = Rate(100, 15 * 60)


class Accounts:
    def __init__(self, parts: Parts) -> None:
        self._people = parts.database.people
        self._sessions = parts.sessions
        self._callers = parts.callers
        self._passwords = parts.passwords
        self._memory = parts.memory

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_post("/api/accounts", self.sign_up)
        router.add_post("/api/sign-in", self.sign_in)
        router.add_post("/api/sign-out", self.sign_out)
        router.add_get("/api/account", self.account)
        router.add_post("/api/account/password", self.change_password)
        router.add_post("/api/profiles", self.add_profile)
        router.add_patch("/api/profiles/{id}", self.change_profile)
        router.add_delete("/api/profiles/{id}", self.remove_profile)

    async def sign_up(self, request: web.Request) -> web.Response:
        self._callers.require_own_page(request)
        form = forms.sign_up(await forms.read_body(request, set(forms.SignUp.__slots__)))
        await self._sessions.allow(f"sign-up {self._callers.network(request)}", SIGN_UPS)
        hashed = await self._passwords.hash(form.password)
        account = await self._people.create(form.email, hashed, form.name, form.language)
        return await self._welcome(account, "", status=201)

    async def sign_in(self, request: web.Request) -> web.Response:
        self._callers.require_own_page(request)
        form = forms.sign_in(await forms.read_body(request, set(forms.SignIn.__slots__)))
        network = self._callers.network(request)
        await self._sessions.allow(f"sign-in {network}", SIGN_INS_OF_NETWORK)
        await self._sessions.allow(f"sign-in {network} {address(form.email)}", SIGN_INS)
        account = await self._of(form.email)
        hashed = account.password_hash if account else None
        right = await self._passwords.matches(hashed, form.password)
        if account is None or account.disabled or not right:
            raise _wrong()
        return await self._welcome(account, form.device)

    async def sign_out(self, request: web.Request) -> web.Response:
        secret = self._callers.secret(request)
        if secret:
            await self._sessions.sign_out(secret)
        response = done()
        self._callers.forget(response)
        return response

    async def account(self, request: web.Request) -> web.Response:
        login = await self._callers.login(request)
        asking = self._signed_in(login.account)
        return reply(await self._memory.ask(("signed-in", login.account), asking))

    async def change_password(self, request: web.Request) -> web.Response:
        """All other devices are signed out; ``StoreAway`` where they cannot be, and the password is
        the old one again."""
        login = await self._callers.login(request)
        form = forms.new_password(await forms.read_body(request, set(forms.NewPassword.__slots__)))
        await self._sessions.allow(f"password {login.account}", SIGN_INS)
        account = await self._get(login.account)
        if not await self._passwords.matches(account.password_hash, form.current):
            raise _wrong()
        changed = replace(account, password_hash=await self._passwords.hash(form.new))
        await self._people.set_password(account.id, changed.password_hash)
        try:
            await self._sessions.sign_out_account(account.id)
            secret = await self._begin(changed, login.device)
        except StoreAway:
            await self._people.set_password(account.id, account.password_hash)
            raise
        response = done()
        self._callers.remember(response, secret)
        return response

    async def add_profile(self, request: web.Request) -> web.Response:
        login = await self._callers.login(request)
        form = forms.new_profile(await forms.read_body(request, set(forms.NewProfile.__slots__)))
        made = await self._people.add_profile(
            login.account, form.name, form.colour, form.language, form.kids
        )
        return reply(_profile(made), 201)

    async def change_profile(self, request: web.Request) -> web.Response:
        """What is not in the body stays."""
        login = await self._callers.login(request)
        profile = forms.path_id(request)
        known = set(forms.ProfileChange.__slots__)
        form = forms.profile_change(await forms.read_body(request, known))
        changed = await self._people.change_profile(
            login.account,
            profile,
            name=form.name,
            colour=form.colour,
            language=form.language,
            kids=form.kids,
        )
        return reply(_profile(changed))

    async def remove_profile(self, request: web.Request) -> web.Response:
        login = await self._callers.login(request)
        await self._people.remove_profile(login.account, forms.path_id(request))
        return done()

    async def _of(self, email: str) -> Account | None:
        try:
            return await self._people.by_email(email)
        except NoSuchRow:
            return None

    async def _get(self, account: str) -> Account:
        """A login may outlive its account: in another database than the one it was made with."""
        try:
            return await self._people.get(account)
        except NoSuchRow:
            raise Unauthenticated("Sign in first.") from None

    async def _signed_in(self, account: str) -> dict[str, Any]:
        return _summary(await self._get(account), await self._people.profiles(account))

    async def _welcome(self, account: Account, device: str, status: int = 200) -> web.Response:
        profiles = await self._people.profiles(account.id)
        secret = await self._begin(account, device)
        response = reply(_summary(account, profiles), status)
        self._callers.remember(response, secret)
        return response

    async def _begin(self, account: Account, device: str) -> str:
        """The secret of a new login; none where the account is no longer as it was."""
        login = Login(account.id, account.role, account.plan, device, time.time())
        secret = await self._sessions.sign_in(login)
        if await self._people.get(account.id) != account:
            await self._sessions.sign_out(secret)
            raise _wrong()
        return secret


def _wrong() -> WrongCredentials:
    return WrongCredentials("E-mail address and password do not belong together.")


def _summary(account: Account, profiles: tuple[Profile, ...]) -> dict[str, Any]:
    return {
        "account": {
            "id": account.id,
            "email": account.email,
            "name": account.name,
            "language": account.language,
            "plan": account.plan,
            "role": account.role,
            "streams": account.streams,
        },
        "profiles": [_profile(profile) for profile in profiles],
    }


def _profile(profile: Profile) -> dict[str, Any]:
    return {
        "id": profile.id,
        "name": profile.name,
        "colour": profile.colour,
        "language": profile.language,
        "kids": profile.kids,
    }
