from __future__ import annotations

from collections.abc import AsyncIterator

import asyncpg
import pytest

from catalog.postgres.database import Database
from catalog.postgres.migrate import migrate, read_migrations
from catalog.postgres.records import new_id
from embedded.process import Server
from tests.support.servers import postgres

__all__ = ["postgres"]


@pytest.fixture
async def url(postgres: Server) -> AsyncIterator[str]:
    """An empty database of the test's own."""
    name = f"t{new_id().replace('-', '')}"
    connection = await asyncpg.connect(postgres.url)
    await connection.execute(f"create database {name}")
    yield postgres.url.replace("/postgres?", f"/{name}?")
    await connection.execute(f"drop database {name} with (force)")
    await connection.close()


@pytest.fixture
async def database(url: str) -> AsyncIterator[Database]:
    await migrate(url, read_migrations())
    opened = await Database.open(url)
    yield opened
    await opened.aclose()
