"""The catalogue of the data plane, out of the rows that an import wrote.

A title is asked for again after a second. While PostgreSQL is away, what it last said goes on to
count for an hour: a viewer in the middle of a film sees nothing of it. For these titles it is asked
once a second meanwhile, not for each request. For others it is asked each time, and as a look-up by
primary key is not waited for long: the refusal comes within the second.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable
from typing import TYPE_CHECKING, NamedTuple

from catalog.assets import Asset, AssetPage, MediaFile, TextFile
from catalog.postgres.errors import DatabaseAway

if TYPE_CHECKING:
    from catalog.postgres.database import Database

FRESH_SECONDS = 1.0
KEPT_SECONDS = 3600.0
MOST_KEPT = 10_000
ANSWER_SECONDS = 0.5

_ASSET = """
    select array(select (key, version, size, language)
                 from renditions where title = $1 order by key),
           array(select (key, version, size, language, forced, hearing_impaired)
                 from text_tracks where title = $1 order by key)
"""


class _Kept(NamedTuple):
    asset: Asset | None
    at: float


class PostgresCatalogue:
    """``Catalogue`` over a ``Database``."""

    def __init__(self, database: Database, clock: Callable[[], float] = time.monotonic) -> None:
        self._database = database
        self._clock = clock
        self._kept: OrderedDict[str, _Kept] = OrderedDict()
        self._away_until = float("-inf")

    async def asset(self, asset_id: str) -> Asset | None:
        """Raises ``DatabaseAway`` for what is not kept."""
        now = self._clock()
        kept = self._kept.get(asset_id)
        if kept is not None and now - kept.at < FRESH_SECONDS:
            return kept.asset
        if kept is not None and now < self._away_until and now - kept.at < KEPT_SECONDS:
            return kept.asset
        try:
            asset = await self._read(asset_id)
        except DatabaseAway:
            self._away_until = self._clock() + FRESH_SECONDS  # it may have taken its time
            if kept is None or now - kept.at >= KEPT_SECONDS:
                raise
            return kept.asset
        self._keep(asset_id, _Kept(asset, now))
        return asset

    async def page(self, after: str | None, limit: int) -> AssetPage:
        async with self._database.connection() as connection:
            rows = await connection.fetch(
                "select distinct title from renditions "
                "where $1::text is null or title > $1 order by title limit $2",
                after,
                limit + 1,
            )
        ids = [row["title"] for row in rows[:limit]]
        return AssetPage(ids, ids[-1] if len(rows) > limit else None)

    async def _read(self, asset_id: str) -> Asset | None:
        async with self._database.connection() as connection:
            row = await connection.fetchrow(_ASSET, asset_id, timeout=ANSWER_SECONDS)
        media, text = row or ((), ())
        if not media:
            return None
        return Asset(
            asset_id,
            tuple(MediaFile(*row) for row in media),
            tuple(TextFile(*row) for row in text),
        )

    def _keep(self, asset_id: str, kept: _Kept) -> None:
        self._kept[asset_id] = kept
        self._kept.move_to_end(asset_id)
        if len(self._kept) > MOST_KEPT:
            self._kept.popitem(last=False)
