"""``vod-origin demo [PATH]``: the whole product on servers of its own."""

from __future__ import annotations

import argparse
import asyncio
import os
import secrets
import sys
from contextlib import ExitStack, aclosing
from dataclasses import replace
from importlib.util import find_spec
from pathlib import Path

from catalog.postgres.errors import DatabaseAway, NoSuchRow
from cli.catalogue import import_titles
from embedded.postgres import start_postgres
from embedded.process import CannotStart
from embedded.valkey import start_valkey
from origin.app import run
from origin.settings import BadSetting, Settings, read_settings
from origin.storage import open_library

EPILOG = """\
Starts a Valkey and a PostgreSQL, writes what the library holds into the catalogue, makes two
accounts, and serves the page to sign in on. Without PATH it makes a sample library first.

All it writes is in one folder, and it goes on there when it is started again. VOD_REDIS_URL and
VOD_DATABASE_URL, where they are set, name servers of yours to be used instead.

  vod-origin demo                          with films that it makes, in ./vod-origin-demo
  vod-origin demo films --port 9000        with your own
"""

PEOPLE = {"viewer@example.com": ("Ana", "viewer"), "admin@example.com": ("Luis", "admin")}
NEEDED = ("argon2", "asyncpg", "redis")


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "demo",
        help="serve a library with accounts, on databases that it starts itself",
        description="Serve a library with accounts, on databases that it starts itself.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("library", metavar="PATH", nargs="?", help="the library")
    parser.add_argument(
        "--data",
        metavar="FOLDER",
        type=Path,
        default=Path("vod-origin-demo"),
        help="where it keeps what it makes (./vod-origin-demo)",
    )
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port; 0 takes a free one (8080)")
    parser.add_argument("--workers", type=int, help="processes; 0: one for each core (1)")
    parser.set_defaults(run=demo)


def demo(options: argparse.Namespace) -> int:
    if not all(map(find_spec, NEEDED)):
        raise BadSetting("accounts: pip install 'vod-origin[accounts,quickstart,sample]'")
    data: Path = options.data
    data.mkdir(parents=True, exist_ok=True)
    library = options.library or os.environ.get("VOD_LIBRARY") or _sample(data)
    settings = read_settings(
        library=str(library), host=options.host, port=options.port, workers=options.workers
    )
    with ExitStack() as servers:
        try:
            settings = _with_servers(settings, data, servers)
            asyncio.run(_fill(settings, _secret(data / "password", 9)))
        except (CannotStart, DatabaseAway) as error:
            raise BadSetting(str(error)) from error
        return run(_with_tokens(settings, data))


def _sample(data: Path) -> Path:
    library = data / "library"
    if not library.exists():
        if find_spec("av") is None:
            raise BadSetting(
                "no PATH, and no encoder for a sample: pip install 'vod-origin[sample]'"
            )
        from ingest.sample.__main__ import main

        print(f"Making a sample library in {library}", file=sys.stderr)
        if main([str(library)]):
            raise BadSetting("there is no library to serve")
    return library


def _with_servers(settings: Settings, data: Path, servers: ExitStack) -> Settings:
    """Those that no setting names are started."""
    if not settings.redis_url:
        redis = servers.enter_context(start_valkey(data / "valkey"))
        settings = replace(settings, redis_url=redis.url)
    if not settings.database_url:
        database = servers.enter_context(start_postgres(data / "postgres"))
        settings = replace(settings, database_url=database.url)
    return settings


def _with_tokens(settings: Settings, data: Path) -> Settings:
    if not settings.token_key_file:
        keys = data / "token-keys"
        _secret(keys, 32, before="1 ")
        settings = replace(settings, token_key_file=str(keys))
    return replace(settings, require_token=1)


def _secret(path: Path, size: int, before: str = "") -> str:
    """What the file holds; made, for its owner's eyes only, where there is none."""
    if not path.exists():
        descriptor = os.open(path, os.O_CREAT | os.O_EXCL | os.O_WRONLY, 0o600)
        with open(descriptor, "w", encoding="ascii") as file:
            file.write(f"{before}{secrets.token_urlsafe(size)}\n")
    return path.read_text(encoding="ascii").strip()


async def _fill(settings: Settings, password: str) -> None:
    """The catalogue and the accounts, of which no more is to be known than what is printed."""
    from catalog.postgres.database import Database
    from catalog.postgres.migrate import migrate, read_migrations
    from origin.control.api.passwords import Passwords

    await migrate(settings.database_url, read_migrations())
    count = await import_titles(open_library(settings), settings.database_url)
    print(f"{count} titles are in the catalogue. Sign in as one of these:", flush=True)
    database = await Database.open(settings.database_url)
    async with aclosing(database):
        hashed = await Passwords().hash(password)
        for email, (name, role) in PEOPLE.items():
            try:
                account = await database.people.by_email(email)
                await database.people.set_password(account.id, hashed)
            except NoSuchRow:
                await database.people.create(email, hashed, name, "en", role=role)
            print(f"  {email:20} password {password}", flush=True)
