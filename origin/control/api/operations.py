"""The operations of the API, as a table.

What follows from the kind of an operation is not in it: who has to sign in may be told so, what has
a body or a query may be wrong, and what is named in the path may not be there.
"""

from __future__ import annotations

import re
from collections.abc import Iterator, Mapping
from dataclasses import dataclass
from typing import Literal, NamedTuple

from catalog.postgres.errors import Conflict, DatabaseAway, NoSuchRow, TooManyProfiles
from catalog.unlisted import Unlisted
from origin.control.api.schemas import KIND, SECONDS, Schema, ref, text
from origin.errors import (
    STATUS,
    Invalid,
    NotAvailable,
    NotEntitled,
    NothingToRestore,
    Refused,
    Revoked,
    StorageError,
    StoreAway,
    TooMany,
    TooManyStreams,
    Unauthenticated,
    UnknownForm,
    UnknownSession,
    UnknownTitle,
    WeakPassword,
    WrongCredentials,
    WrongDevice,
)

Error = type[Exception]

PARAMETERS: Mapping[str, Schema] = {
    "account": ref("AccountId"),
    "cursor": ref("Cursor"),
    "genre": text(35),
    "kind": KIND,
    "language": ref("Language"),
    "limit": {"type": "integer", "minimum": 1, "maximum": 100, "default": 24},
    "picture": {"type": "string", "enum": ["poster", "backdrop"]},
    "position": SECONDS,
    "profile": ref("ProfileId"),
    "q": text(300),
    "session": ref("SessionId"),
    "title": ref("TitleId"),
}
"""Of paths and queries, by name."""


class Refusal(NamedTuple):
    status: int
    code: str
    why: str


TOO_LARGE = Refusal(413, "body-too-large", "The body is over 64 KiB.")


@dataclass(frozen=True, slots=True)
class Operation:
    """``at``: method and path. ``answer`` and ``body`` are names of schemas; no answer is a 204.
    ``needs`` and ``takes``: the fields that a query must and may have. ``statuses``: of the answer.
    ``by``: who may ask. ``refusals``: those that do not follow from the rest."""

    name: str
    at: str
    summary: str
    answer: str | None = None
    body: str | None = None
    needs: tuple[str, ...] = ()
    takes: tuple[str, ...] = ()
    refusals: tuple[Error, ...] = ()
    by: Literal["anybody", "viewer", "admin"] = "viewer"
    statuses: tuple[int, ...] = (200,)
    media: tuple[str, ...] = ()
    """Of an answer that is no JSON."""
    needs_body: bool = True
    signs_in: bool = False
    """The answer sets the cookie of a login."""
    has_tag: bool = False
    """Whoever holds the answer may ask whether it is another by now."""

    @property
    def method(self) -> str:
        return self.at.partition(" ")[0]

    @property
    def path(self) -> str:
        return self.at.partition(" ")[2]

    @property
    def named(self) -> list[str]:
        """The parameters in the path."""
        return re.findall(r"{(\w+)}", self.path)

    def all_refusals(self) -> Iterator[Refusal]:
        for kind in dict.fromkeys([*self.refusals, *self._usual()]):
            yield Refusal(STATUS[kind].status, getattr(kind, "code", "error"), _why(kind))
        if self.body is not None:
            yield TOO_LARGE

    def _usual(self) -> Iterator[Error]:
        if self.by != "anybody":
            yield from (Unauthenticated, StoreAway, DatabaseAway)
        if self.by == "admin" or self.method != "GET":
            yield Refused
        if self.body is not None:
            yield UnknownForm
        if self.body is not None or self.needs or self.takes:
            yield Invalid
        if {"title", "account", "profile"} & {*self.named, *self.needs, *self.takes}:
            yield NoSuchRow
        if "session" in self.named:
            yield from (UnknownSession, Revoked)


def _why(kind: Error) -> str:
    return " ".join((kind.__doc__ or "").split())


_PAGE = ("cursor", "limit")
_BEGINS = (NotEntitled, NotAvailable, NoSuchRow, TooManyStreams, StorageError)

OPERATIONS: Mapping[str, tuple[Operation, ...]] = {
    "Accounts": (
        Operation(
            "signUp",
            "POST /api/accounts",
            "Make an account, and sign in to it",
            "SignedIn",
            body="SignUp",
            refusals=(Conflict, WeakPassword, TooMany, StoreAway, DatabaseAway, WrongCredentials),
            by="anybody",
            statuses=(201,),
            signs_in=True,
        ),
        Operation(
            "signIn",
            "POST /api/sign-in",
            "Sign in",
            "SignedIn",
            body="SignIn",
            refusals=(WrongCredentials, TooMany, StoreAway, DatabaseAway),
            by="anybody",
            signs_in=True,
        ),
        Operation(
            "signOut",
            "POST /api/sign-out",
            "Sign this device out",
            refusals=(StoreAway,),
            by="anybody",
        ),
        Operation("account", "GET /api/account", "Who is signed in", "SignedIn"),
        Operation(
            "changePassword",
            "POST /api/account/password",
            "Change the password, which signs all other devices out",
            body="PasswordChange",
            refusals=(WrongCredentials, WeakPassword, TooMany),
            signs_in=True,
        ),
        Operation(
            "addProfile",
            "POST /api/profiles",
            "Add a profile",
            "Profile",
            body="NewProfile",
            refusals=(Conflict, TooManyProfiles),
            statuses=(201,),
        ),
        Operation(
            "changeProfile",
            "PATCH /api/profiles/{profile}",
            "Change what is said of a profile",
            "Profile",
            body="ProfileChange",
            refusals=(Conflict,),
        ),
        Operation("removeProfile", "DELETE /api/profiles/{profile}", "Remove a profile"),
    ),
    "Browsing": (
        Operation(
            "home",
            "GET /api/home",
            "The rows of the home page",
            "Home",
            needs=("profile",),
            takes=("language",),
        ),
        Operation(
            "titles",
            "GET /api/titles",
            "Movies and series, a page at a time",
            "Found",
            takes=("profile", "kind", "genre", "language", *_PAGE),
        ),
        Operation(
            "title",
            "GET /api/titles/{title}",
            "All about a title, with its episodes",
            "Detail",
            needs=("profile",),
            takes=("language",),
        ),
        Operation(
            "search",
            "GET /api/search",
            "Titles by their words",
            "Found",
            needs=("q",),
            takes=("profile", "language", *_PAGE),
        ),
        Operation(
            "artwork",
            "GET /api/artwork/{title}/{picture}",
            "A picture of a title",
            refusals=(DatabaseAway, StorageError),
            by="anybody",
            media=("image/avif", "image/jpeg", "image/png", "image/webp"),
            has_tag=True,
        ),
    ),
    "My list": (
        Operation(
            "isInMyList",
            "GET /api/my-list/{title}",
            "Whether a title is in a profile's list",
            "Held",
            needs=("profile",),
        ),
        Operation(
            "putInMyList", "PUT /api/my-list/{title}", "Put a title there", needs=("profile",)
        ),
        Operation(
            "takeFromMyList", "DELETE /api/my-list/{title}", "Take it away", needs=("profile",)
        ),
    ),
    "Playback": (
        Operation(
            "play",
            "POST /api/playback",
            "Begin to play a title",
            "Playing",
            body="Start",
            refusals=_BEGINS,
            statuses=(201,),
        ),
        Operation(
            "beat",
            "POST /api/playback/{session}/heartbeat",
            "Tell where it is, and keep its place among the account's streams",
            "Beaten",
            body="Heartbeat",
            refusals=(TooManyStreams, TooMany),
        ),
        Operation(
            "renew",
            "POST /api/playback/{session}/renew",
            "Have addresses that last longer",
            "Playing",
            body="Renewal",
            refusals=(*_BEGINS, WrongDevice, TooMany),
        ),
        Operation(
            "stop",
            "DELETE /api/playback/{session}",
            "End it, which frees its place",
            takes=("position",),
        ),
    ),
    "Administration": (
        Operation(
            "allTitles",
            "GET /api/admin/titles",
            "All titles, also those that are not available",
            "Titles",
            takes=("q", *_PAGE),
            by="admin",
        ),
        Operation(
            "oneTitle", "GET /api/admin/titles/{title}", "What is told of one", "Title", by="admin"
        ),
        Operation(
            "putTitle",
            "PUT /api/admin/titles/{title}",
            "Tell something else of it",
            "Title",
            body="TitleDraft",
            by="admin",
            statuses=(200, 201),
        ),
        Operation("removeTitle", "DELETE /api/admin/titles/{title}", "Remove it", by="admin"),
        Operation(
            "purgeTitle",
            "POST /api/admin/titles/{title}/purge",
            "Have all workers look at its files again",
            by="admin",
        ),
        Operation(
            "restoreTitle",
            "POST /api/admin/titles/{title}/restore",
            "Have its files restored from an archive",
            "Restored",
            body="Restoring",
            refusals=(UnknownTitle, NothingToRestore, StorageError),
            by="admin",
            needs_body=False,
        ),
        Operation(
            "users",
            "GET /api/admin/users",
            "All accounts",
            "Users",
            takes=("q", *_PAGE),
            by="admin",
        ),
        Operation(
            "changeUser",
            "PATCH /api/admin/users/{account}",
            "Change an account's plan or role, or disable it; signs it out",
            "User",
            body="UserChange",
            by="admin",
        ),
        Operation(
            "revokeUser",
            "POST /api/admin/users/{account}/revoke",
            "Stop all that an account plays, and sign it out everywhere",
            "Stopped",
            by="admin",
        ),
        Operation(
            "revokeSession",
            "POST /api/admin/sessions/{session}/revoke",
            "Stop one playback",
            by="admin",
        ),
        Operation(
            "audit",
            "GET /api/admin/audit",
            "Who changed what, the newest first",
            "Entries",
            takes=_PAGE,
            by="admin",
        ),
    ),
    "Server": (
        Operation("status", "GET /api/status", "What this server offers", "Status", by="anybody"),
        Operation(
            "library",
            "GET /api/library",
            "The titles as files, a page at a time",
            "Listing",
            takes=("cursor",),
            refusals=(Unlisted, NoSuchRow, StorageError, DatabaseAway),
            by="anybody",
        ),
        Operation(
            "libraryTitle",
            "GET /api/library/{title}",
            "One of these",
            "Listed",
            refusals=(UnknownTitle, StorageError, DatabaseAway),
            by="anybody",
        ),
        Operation(
            "qoe",
            "GET /api/qoe",
            "What viewers see, of all workers since the server's start",
            "Qoe",
            by="anybody",
        ),
        Operation(
            "document",
            "GET /api/openapi.json",
            "This document",
            "Document",
            by="anybody",
            has_tag=True,
        ),
    ),
}
"""By what they are about."""
