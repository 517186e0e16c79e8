"""People with accounts: signing in, and asking to play (docs/api.md).

Viewers share the accounts of a list in turn. Each account signs in once in a process and keeps its
login; a playback is asked for at each start, and ended where the viewer leaves.
"""

from __future__ import annotations

import json
from dataclasses import dataclass, field
from pathlib import Path
from typing import Any
from urllib.parse import quote

from loadtest.clock import Clock
from loadtest.errors import Failure, LoadTestError
from loadtest.http import Connection, place_of
from loadtest.streams import resolve

JSON = "Content-Type: application/json\r\nAccept: application/json\r\n"


@dataclass(frozen=True, slots=True)
class Person:
    email: str
    password: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Login:
    """``cookie`` is a secret."""

    cookie: str = field(repr=False)
    profile: str


def read_people(path: str) -> list[Person]:
    """``EMAIL PASSWORD`` on each line."""
    try:
        lines = Path(path).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError):
        raise LoadTestError(f"no accounts can be read from {path}") from None
    people = []
    for number, line in enumerate(lines, 1):
        if not line.strip() or line.startswith("#"):
            continue
        email, _, password = line.strip().partition(" ")
        if not password.strip():
            raise LoadTestError(f"{path}: line {number} is not EMAIL PASSWORD")
        people.append(Person(email, password.strip()))
    if not people:
        raise LoadTestError(f"{path}: no accounts")
    return people


class Accounts:
    def __init__(self, url: str, people: list[Person], clock: Clock) -> None:
        self._place, _ = place_of(url)
        self._base = f"{'https' if self._place.secure else 'http'}://{self._place.authority}/"
        self._people = people
        self._clock = clock
        self._logins: dict[int, Login] = {}

    def play(self, viewer: int, title: str) -> tuple[str, str, str]:
        """URLs of HLS and DASH, and the playback's session."""
        number = viewer % len(self._people)
        login = self._logins.get(number)
        if login is None:
            login = self._logins[number] = self._sign_in(self._people[number])
        wanted = {"title": title, "profile": login.profile, "device": _device(viewer)}
        answer, _ = self._post("/api/playback", wanted, 201, login)
        try:
            hls, dash = resolve(self._base, answer["hls"]), resolve(self._base, answer["dash"])
            return hls, dash, str(answer["session"])
        except (KeyError, TypeError):
            raise Failure("manifest", "/api/playback: no addresses to play from") from None

    def end(self, viewer: int, session: str, position: float) -> None:
        login = self._logins.get(viewer % len(self._people))
        if login is None:
            return
        target = f"/api/playback/{quote(session, safe='')}?position={position:.1f}"
        self._send(target, {}, (200, 204, 404, 410), login, method="DELETE")

    def _sign_in(self, person: Person) -> Login:
        wanted = {"email": person.email, "password": person.password, "device": _device(0)}
        answer, cookie = self._post("/api/sign-in", wanted, 200, None)
        profiles = answer.get("profiles") if isinstance(answer, dict) else None
        if not cookie or not profiles:
            raise Failure("head", "/api/sign-in: no cookie, or no profile")
        return Login(cookie, str(profiles[0]["id"]))

    def _post(
        self, target: str, content: dict[str, Any], status: int, login: Login | None
    ) -> tuple[Any, str]:
        body, cookie = self._send(target, content, (status,), login)
        try:
            return json.loads(body), cookie
        except ValueError:
            raise Failure("manifest", f"{target}: no JSON") from None

    def _send(
        self,
        target: str,
        content: dict[str, Any],
        statuses: tuple[int, ...],
        login: Login | None,
        method: str = "POST",
    ) -> tuple[bytes, str]:
        """Over a connection of its own, for it is rare; the body, and the login's cookie if set."""
        connection = Connection(self._place, self._clock)
        fields = JSON + f"Origin: {self._base[:-1]}\r\n"
        fields += f"Cookie: {login.cookie}\r\n" if login else ""
        body = json.dumps(content).encode() if content else b""
        try:
            reply = connection.request(target, fields, keep=True, method=method, content=body)
        finally:
            connection.close()
        if reply.status not in statuses:
            raise Failure("status", f"{target.partition('?')[0]}: {reply.status}")
        cookie = reply.fields.get(b"set-cookie", b"").partition(b";")[0].decode("latin-1")
        return reply.body or b"", cookie


def _device(viewer: int) -> dict[str, str]:
    return {"id": f"loadtest-{viewer}", "name": "Load test"}
