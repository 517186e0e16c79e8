"""A catalogue of a place that cannot be listed: a title is one file, ``{id}.mp4``."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Protocol

from catalog.assets import Asset, AssetPage
from catalog.library import Entry, asset_of
from packager.address import is_asset_id
from packager.errors import NotFound


class Unlisted(NotFound):
    """There is no list of titles."""

    code = "unlisted"


class Lookup(Protocol):
    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        """Those of ``keys`` that exist, with size and version."""


class UnlistedCatalogue:
    """``Catalogue`` over a ``Lookup``; it has no pages."""

    def __init__(self, lookup: Lookup) -> None:
        self._lookup = lookup

    async def asset(self, asset_id: str) -> Asset | None:
        if not is_asset_id(asset_id):
            return None
        return asset_of(asset_id, await self._lookup.stat([f"{asset_id}.mp4"]))

    async def page(self, after: str | None, limit: int) -> AssetPage:
        raise Unlisted(
            "this library cannot be listed; its titles play by their names: /v/{id}/master.m3u8"
        )
