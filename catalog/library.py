"""A catalogue out of nothing but file names.

    films/big-title.mp4                 a file is a title: its id is "big-title"
    films/big-title.m4a                 so are several of one name: more tracks of it
    films/big-title.en.srt              a side file of that title
    films/other-title/*.mp4 *.vtt …     a folder of renditions is a title: "other-title"

The top level is listed once and again only when its own version changes; a title's folder is
listed when it is asked for. Where a file and a folder claim one id, the folder is the title.
"""

from __future__ import annotations

import asyncio
from bisect import bisect_right
from collections.abc import Iterable, Sequence
from dataclasses import dataclass
from typing import NamedTuple, Protocol

from catalog.assets import (
    MEDIA_ENDINGS,
    TEXT_ENDINGS,
    Asset,
    AssetPage,
    media_file,
    text_file,
)
from packager.address import is_asset_id


class Entry(NamedTuple):
    """``key``: path below the library's root, with '/' between folders."""

    key: str
    is_folder: bool
    size: int = 0
    version: str = ""


class Listing(Protocol):
    """What a library needs of its storage; '' is the root."""

    async def folder_version(self, folder: str) -> str: ...

    async def look(self, keys: Sequence[str]) -> tuple[str, Sequence[Entry]]:
        """The root's ``folder_version``, and then ``stat``."""

    async def list_folder(self, folder: str) -> Sequence[Entry]: ...

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        """Those of ``keys`` that exist, with size and version."""


@dataclass(frozen=True, slots=True)
class _Top:
    version: str
    ids: Sequence[str]
    files: dict[str, list[str]]
    folders: frozenset[str]


class LibraryCatalogue:
    """``Catalogue`` over a ``Listing``."""

    def __init__(self, listing: Listing) -> None:
        self._listing = listing
        self._top = _Top("", (), {}, frozenset())
        self._reading = asyncio.Lock()

    async def asset(self, asset_id: str) -> Asset | None:
        known = self._top.files.get(asset_id, [])
        version, entries = await self._listing.look(known)
        top = await self._of_version(version)
        if asset_id in top.folders:
            entries = await self._listing.list_folder(asset_id)
        elif top.files.get(asset_id, []) != known:
            entries = await self._listing.stat(top.files.get(asset_id, []))
        return asset_of(asset_id, entries)

    async def page(self, after: str | None, limit: int) -> AssetPage:
        ids = (await self._of_version(await self._listing.folder_version(""))).ids
        start = bisect_right(ids, after) if after is not None else 0
        chosen = ids[start : start + limit]
        return AssetPage(chosen, chosen[-1] if start + limit < len(ids) else None)

    async def _of_version(self, version: str) -> _Top:
        """As it was listed, or is now."""
        if version != self._top.version:
            async with self._reading:  # once for all who find it changed
                if version != self._top.version:
                    entries = await self._listing.list_folder("")
                    self._top = await asyncio.to_thread(_read_top, version, entries)
        return self._top


def _read_top(version: str, entries: Iterable[Entry]) -> _Top:
    entries = list(entries)
    folders = frozenset(e.key for e in entries if e.is_folder and is_asset_id(e.key))
    files = by_title(entries)
    return _Top(version, sorted(folders | files.keys()), files, folders)


def by_title(entries: Iterable[Entry]) -> dict[str, list[str]]:
    """Keys of the top level's files by title: a side file belongs to the title its name begins
    with."""
    entries = sorted(entries)
    files: dict[str, list[str]] = {}
    for entry in entries:
        stem = entry.key.rsplit(".", 1)[0]
        if not entry.is_folder and _has_ending(entry.key, MEDIA_ENDINGS) and is_asset_id(stem):
            files.setdefault(stem, []).append(entry.key)
    for entry in entries:
        if not entry.is_folder and _has_ending(entry.key, TEXT_ENDINGS):
            owner = _owner(entry.key.rsplit(".", 1)[0], files)
            if owner is not None:
                files[owner].append(entry.key)
    return files


def asset_of(asset_id: str, entries: Iterable[Entry]) -> Asset | None:
    """The title that is made of these files; None if none of them is media."""
    found = sorted((entry for entry in entries if not entry.is_folder), key=lambda e: e.key)
    media = tuple(
        media_file(asset_id, entry.key, entry.version, entry.size)
        for entry in found
        if _has_ending(entry.key, MEDIA_ENDINGS)
    )
    text = tuple(
        text_file(asset_id, entry.key, entry.version, entry.size)
        for entry in found
        if _has_ending(entry.key, TEXT_ENDINGS)
    )
    return Asset(asset_id, media, text) if media else None


def _owner(stem: str, titles: dict[str, list[str]]) -> str | None:
    while stem not in titles:
        stem, dot, _ = stem.rpartition(".")
        if not dot:
            return None
    return stem


def _has_ending(key: str, endings: tuple[str, ...]) -> bool:
    return key.lower().endswith(endings)
