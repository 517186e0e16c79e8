"""A worker with accounts on a real Valkey and a real PostgreSQL, and people who ask it."""

from __future__ import annotations

import asyncio
import secrets
import socket
import time
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager
from dataclasses import dataclass
from functools import partial
from pathlib import Path
from typing import Any

import aiohttp
import asyncpg
import orjson
import pytest
from argon2 import PasswordHasher

from catalog.library import LibraryCatalogue
from catalog.postgres import database as postgres_pool
from catalog.postgres.database import Database
from catalog.postgres.migrate import migrate, read_migrations
from catalog.postgres.records import Account, Found, Profile, TitleDraft, new_id
from embedded.process import Server
from origin.app import start
from origin.sessions import Login, Sessions
from origin.settings import Settings
from origin.storage.local import LocalStorage

PASSWORD = "a boat on the evening sea"
_CHEAP = PasswordHasher(time_cost=1, memory_cost=8, parallelism=1)


@dataclass(frozen=True)
class Someone:
    """An account, one profile of it, and the secret of a login."""

    account: Account
    profile: Profile
    login: str
    password: str = PASSWORD


@dataclass(frozen=True)
class Answer:
    status: int
    json: Any
    headers: dict[str, str]
    """By their names in lower case."""


class Api:
    def __init__(
        self, address: str, client: aiohttp.ClientSession, database: Database, sessions: Sessions
    ) -> None:
        self.address = address
        self.client = client
        self.database = database
        self.sessions = sessions

    async def ask(
        self,
        method: str,
        path: str,
        json: object = None,
        *,
        login: str | None = None,
        headers: dict[str, str] | None = None,
    ) -> Answer:
        """With ``login`` as a bearer; ``json`` is sent unless it is None."""
        fields = dict(headers or {})
        if login is not None:
            fields["Authorization"] = f"Bearer {login}"
        async with self.client.request(
            method, self.address + path, json=json, headers=fields, allow_redirects=False
        ) as reply:
            body = await reply.read()
            is_json = reply.content_type.endswith("json") and body
            named = {name.lower(): value for name, value in reply.headers.items()}
            return Answer(reply.status, orjson.loads(body) if is_json else body, named)

    async def get(self, path: str, **options: Any) -> Answer:
        return await self.ask("GET", path, **options)

    async def post(self, path: str, json: object = None, **options: Any) -> Answer:
        return await self.ask("POST", path, json, **options)

    async def put(self, path: str, json: object = None, **options: Any) -> Answer:
        return await self.ask("PUT", path, json, **options)

    async def patch(self, path: str, json: object = None, **options: Any) -> Answer:
        return await self.ask("PATCH", path, json, **options)

    async def delete(self, path: str, **options: Any) -> Answer:
        return await self.ask("DELETE", path, **options)

    async def person(self, role: str = "viewer", plan: str = "standard") -> Someone:
        """A new one, signed in."""
        people = self.database.people
        email = f"{secrets.token_hex(8)}@example.com"
        account = await people.create(email, _CHEAP.hash(PASSWORD), "Ana", "en", plan, role)
        [profile] = await people.profiles(account.id)
        login = Login(account.id, account.role, account.plan, "a test", time.time())
        return Someone(account, profile, await self.sessions.sign_in(login))


@pytest.fixture(scope="module")
def database_url(postgres: Server) -> Iterator[str]:
    """A database of the module's own, with its tables."""
    name = f"t{new_id().replace('-', '')}"
    url = postgres.url.replace("/postgres?", f"/{name}?")

    async def execute(statement: str) -> None:
        connection = await asyncpg.connect(postgres.url)
        await connection.execute(statement)
        await connection.close()

    async def make() -> None:
        await execute(f"create database {name}")
        await migrate(url, read_migrations())

    asyncio.run(make())
    yield url
    asyncio.run(execute(f"drop database {name} with (force)"))


@pytest.fixture(autouse=True)
def unhurried(monkeypatch: pytest.MonkeyPatch) -> None:
    """A machine that has other things to do is no outage."""
    monkeypatch.setattr(postgres_pool, "ACQUIRE_SECONDS", 2.0)
    monkeypatch.setattr(Sessions, "open", partial(Sessions.open, patience=1.0))


@pytest.fixture
async def api(films: Path, valkey: Server, database_url: str, tmp_path: Path) -> AsyncIterator[Api]:
    """Of the tests' films: "city" and "film" are movies that play; what else there is to be, a test
    puts there by ``api.database.titles.put``."""
    keys = tmp_path / "keys"
    keys.write_text(f"1 {secrets.token_hex(32)}\n", encoding="ascii")
    settings = Settings(
        library=str(films),
        database_url=database_url,
        redis_url=valkey.url,
        token_key_file=str(keys),
        require_token=1,
        cache_mb=0,
    )
    async with serving(settings) as api:
        await _import(films, api.database)
        yield api


@asynccontextmanager
async def serving(settings: Settings) -> AsyncIterator[Api]:
    """A worker."""
    database = await Database.open(settings.database_url)
    sessions = await Sessions.open(settings.redis_url)
    # Said to be TCP: only then asyncio, unlike uvloop, sends each answer without delay.
    listener = socket.socket(socket.AF_INET, socket.SOCK_STREAM, socket.IPPROTO_TCP)
    listener.bind(("127.0.0.1", 0))
    listener.listen()
    running = await start(listener, settings)
    address = f"http://127.0.0.1:{listener.getsockname()[1]}"
    async with visitor() as client:
        yield Api(address, client, database, sessions)
    await running.close(grace=5.0)
    await sessions.aclose()
    await database.aclose()


def visitor() -> aiohttp.ClientSession:
    """From an address of its own, so that what one test asks counts for no other's rates."""
    address = f"127.{secrets.randbelow(255)}.{secrets.randbelow(255)}.{1 + secrets.randbelow(254)}"
    connector = aiohttp.TCPConnector(local_addr=(address, 0))
    return aiohttp.ClientSession(connector=connector, cookie_jar=aiohttp.DummyCookieJar())


async def _import(films: Path, database: Database) -> None:
    catalogue = LibraryCatalogue(LocalStorage(str(films)))
    drafts = (
        TitleDraft(
            "city",
            names={"en": "City lights", "es": "Luces de la ciudad"},
            synopses={"en": "A night in town.", "es": "Una noche en la ciudad."},
            year=2024,
            genres=("drama",),
            maturity="7",
            duration_seconds=16.0,
            languages=("en", "es"),
            subtitles=("en", "es"),
            artwork={"poster": "artwork/poster.jpg"},
        ),
        TitleDraft("film", names={"en": "A film"}, genres=("comedy",), maturity="16"),
    )
    found = [Found(draft, await catalogue.asset(draft.id)) for draft in drafts]
    await database.titles.import_assets(found)
