"""``vod-origin migrate``"""

from __future__ import annotations

import argparse
import asyncio
import os
from importlib.util import find_spec

from catalog.postgres.errors import DatabaseAway
from origin.settings import BadSetting, variable

EPILOG = """\
Makes the tables of the catalogue, or brings those of an older version up to date. It does nothing
where they are, may be started on any number of machines at once, and never goes back.

  vod-origin migrate --database postgresql://vod@db.example/vod
  vod-origin migrate && vod-origin serve films         with VOD_DATABASE_URL set
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "migrate",
        help="bring the tables of the database up to date",
        description="Bring the tables of the database up to date.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    add_database(parser)
    parser.set_defaults(run=migrate)


def add_database(parser: argparse.ArgumentParser) -> None:
    parser.add_argument(
        "--database", metavar="URL", help=f"the PostgreSQL ({variable('database_url')})"
    )


def database_url(option: str | None) -> str:
    url = option or os.environ.get(variable("database_url"))
    if not url:
        raise BadSetting(f"no database: name one with --database or {variable('database_url')}")
    if find_spec("asyncpg") is None:
        raise BadSetting("a database needs its driver: pip install 'vod-origin[accounts]'")
    return url


def migrate(options: argparse.Namespace) -> int:
    url = database_url(options.database)
    from catalog.postgres.migrate import CannotMigrate, read_migrations
    from catalog.postgres.migrate import migrate as apply

    try:
        applied = asyncio.run(apply(url, read_migrations()))
    except (CannotMigrate, DatabaseAway) as error:
        raise BadSetting(str(error)) from error
    for name in applied:
        print(f"applied {name}")
    if not applied:
        print("nothing to apply")
    return 0
