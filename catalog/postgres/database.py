"""A pool of connections, opened when they are asked for, and never waited for long.

A connection is had within 250 ms and a statement answered within 2 s, or ``DatabaseAway`` is
raised: so is every other way in which the server does not answer. The statement limit is the
server's own, too: what we no longer wait for does not go on there.
"""

from __future__ import annotations

from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from typing import TYPE_CHECKING

import asyncpg

from catalog.postgres.audit import Audit
from catalog.postgres.errors import Conflict, DatabaseAway, NoSuchRow
from catalog.postgres.people import People
from catalog.postgres.titles import Titles
from catalog.postgres.viewing import Viewing

if TYPE_CHECKING:
    from catalog.postgres.rows import Connection

ACQUIRE_SECONDS = 0.25
STATEMENT_SECONDS = 2
CONNECTIONS = 10

_AWAY = (
    OSError,
    TimeoutError,
    asyncpg.InterfaceError,  # the connection was lost meanwhile
    asyncpg.PostgresConnectionError,
    asyncpg.QueryCanceledError,
    asyncpg.OperatorInterventionError,  # it starts or stops
    asyncpg.InsufficientResourcesError,
    asyncpg.InvalidAuthorizationSpecificationError,
    asyncpg.InvalidCatalogNameError,
    asyncpg.ReadOnlySQLTransactionError,  # what was the primary no longer is
)


class Database:
    """``titles``, ``people``, ``viewing`` and ``audit``: what can be asked. Every question raises
    ``DatabaseAway`` when there is no answer."""

    def __init__(self, pool: asyncpg.Pool) -> None:
        self._pool = pool
        self.titles = Titles(self.connection)
        self.people = People(self.connection)
        self.viewing = Viewing(self.connection)
        self.audit = Audit(self.connection)

    @classmethod
    async def open(
        cls, url: str, *, connections: int = CONNECTIONS, statement_cache_size: int = 100
    ) -> Database:
        """No connection is made yet. ``statement_cache_size``: 0 behind a proxy that lends a
        connection for one transaction, as PgBouncer and RDS Proxy do."""
        pool = await asyncpg.create_pool(
            url,
            min_size=0,
            max_size=connections,
            timeout=ACQUIRE_SECONDS,
            command_timeout=STATEMENT_SECONDS,
            statement_cache_size=statement_cache_size,
            server_settings={"statement_timeout": str(STATEMENT_SECONDS * 1000)},
        )
        return cls(pool)

    async def aclose(self) -> None:
        self._pool.terminate()

    @asynccontextmanager
    async def connection(self) -> AsyncIterator[Connection]:
        """One of the pool, and the errors of the driver as ours."""
        with _as_ours():
            async with self._pool.acquire(timeout=ACQUIRE_SECONDS) as connection:
                yield connection


@contextmanager
def _as_ours() -> Iterator[None]:
    try:
        yield
    except _AWAY as error:
        raise DatabaseAway(f"The database does not answer: {type(error).__name__}.") from error
    except asyncpg.UndefinedTableError as error:
        raise DatabaseAway("The database has no tables yet: run vod-origin migrate.") from error
    except asyncpg.UniqueViolationError as error:
        raise Conflict(error.constraint_name or "id") from error
    except (asyncpg.ForeignKeyViolationError, asyncpg.CharacterNotInRepertoireError) as error:
        raise NoSuchRow("There is no such title, account, profile or plan.") from error
