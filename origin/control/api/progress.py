"""Where viewers stand, written every few seconds for all of them together.

Nothing is lost while PostgreSQL is away for a while: the latest of each profile and title waits.
Who ends a playback is not made to wait so long: the next worker that is asked has to know of it.
"""

from __future__ import annotations

import asyncio
import logging
from contextlib import suppress

from catalog.postgres.database import Database
from catalog.postgres.errors import DatabaseAway
from catalog.postgres.records import Progress

log = logging.getLogger(__name__)

EVERY_SECONDS = 2.0
MOST_WAITING = 20_000


class ProgressWriter:
    """One worker's; its task begins with the first that is told."""

    def __init__(self, database: Database) -> None:
        self._database = database
        self._waiting: dict[tuple[str, str], Progress] = {}
        self._writing: dict[tuple[str, str], Progress] = {}
        self._turn = asyncio.Lock()
        self._is_away = False
        self._task: asyncio.Task[None] | None = None

    def put(self, progress: Progress) -> None:
        key = (progress.profile, progress.title)
        if key not in self._waiting and len(self._waiting) >= MOST_WAITING:
            log.warning("too much progress waits for the database; some is not kept")
            return
        self._waiting[key] = progress
        if self._task is None or self._task.done():
            self._task = asyncio.create_task(self._write_all())

    async def put_now(self, progress: Progress) -> None:
        """Written on return, unless the database is away: then it waits as others do."""
        self.put(progress)
        async with self._turn:
            if not self._is_away:
                with suppress(DatabaseAway):
                    await self._write()

    def waiting(self, profile: str, title: str) -> Progress | None:
        """What is not known to be written yet."""
        key = (profile, title)
        return self._waiting.get(key) or self._writing.get(key)

    async def flush(self) -> None:
        """``DatabaseAway``: it waits on."""
        async with self._turn:
            await self._write()

    async def _write(self) -> None:
        if not self._waiting:
            return
        self._writing, self._waiting = self._waiting, {}
        try:
            await self._database.viewing.save_progress(list(self._writing.values()))
            self._is_away = False
        except BaseException as error:
            self._is_away = isinstance(error, DatabaseAway)
            self._waiting = self._writing | self._waiting
            raise
        finally:
            self._writing = {}

    async def aclose(self) -> None:
        if self._task is not None:
            self._task.cancel()
            await asyncio.wait([self._task])
        with suppress(DatabaseAway):
            await self.flush()
        if self._waiting:
            log.warning("the progress of %d playbacks is not kept", len(self._waiting))

    async def _write_all(self) -> None:
        while self._waiting:
            await asyncio.sleep(EVERY_SECONDS)
            try:
                await self.flush()
            except DatabaseAway:
                pass
            except Exception:
                log.exception("progress was not written on a defect of ours")
