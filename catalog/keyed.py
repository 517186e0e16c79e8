"""A catalogue of an object store, of any number of titles: nothing is listed but what is asked for.

Names mean what they mean in a folder (``catalog.library``). A title is found by the two prefixes
its keys can have, ``{id}.`` and ``{id}/``, which are listed side by side; a page of titles is a
page of the store's own listing, in the order of its keys.
"""

from __future__ import annotations

import asyncio
from collections.abc import Sequence
from typing import NamedTuple, Protocol

from catalog.assets import Asset, AssetPage
from catalog.library import Entry, asset_of, by_title
from packager.address import is_asset_id


class ListedPage(NamedTuple):
    """``next``: a token for what lies behind, None at the end."""

    entries: Sequence[Entry]
    next: str | None


class KeyedListing(Protocol):
    """What a catalogue needs of an object store; keys are relative to the library."""

    async def list_prefix(self, prefix: str) -> Sequence[Entry]:
        """The objects and folders that begin with ``prefix``, up to the next '/' behind it."""

    async def list_top(self, token: str | None, limit: int) -> ListedPage:
        """Up to ``limit`` objects and folders of the top level, behind those that ``token`` is
        of, in the order of their keys."""


class KeyedCatalogue:
    """``Catalogue`` over a ``KeyedListing``."""

    def __init__(self, listing: KeyedListing) -> None:
        self._listing = listing

    async def asset(self, asset_id: str) -> Asset | None:
        if not is_asset_id(asset_id):
            return None
        files, inside = await asyncio.gather(
            self._listing.list_prefix(f"{asset_id}."), self._listing.list_prefix(f"{asset_id}/")
        )
        if not inside:
            named = set(by_title(files).get(asset_id, ()))
            inside = [entry for entry in files if entry.key in named]
        return asset_of(asset_id, inside)

    async def page(self, after: str | None, limit: int) -> AssetPage:
        listed = await self._listing.list_top(after, limit)
        folders = {entry.key for entry in listed.entries if entry.is_folder}
        ids = {key for key in folders if is_asset_id(key)} | by_title(listed.entries).keys()
        return AssetPage(sorted(ids), listed.next)
