"""Titles in an archive of S3, fetched from there: what the command and the API have in common."""

from __future__ import annotations

from collections.abc import AsyncIterator
from dataclasses import dataclass
from enum import Enum

from catalog.assets import Asset, MediaFile, TextFile
from catalog.keyed import KeyedCatalogue
from origin.errors import NothingToRestore, StorageError, UnknownTitle
from origin.storage import Storage
from origin.storage.s3.fallback import S3WithFallback
from origin.storage.s3.storage import S3Storage

TIERS = ("Standard", "Bulk", "Expedited")
MOST_DAYS = 3650

Archive = S3Storage | S3WithFallback


class Outcome(Enum):
    ASKED = "asked for"
    UNDER_WAY = "under way"
    READABLE = "readable"
    FAILED = "failed"


@dataclass(frozen=True, slots=True)
class Restored:
    """What became of one file; ``why``: of one that failed."""

    key: str
    outcome: Outcome
    why: StorageError | None = None


def archive_of(storage: Storage) -> Archive:
    """``NothingToRestore`` for a library that has none."""
    if not isinstance(storage, Archive):
        raise NothingToRestore("The library is not in S3: there is nothing to restore.")
    return storage


async def asset_in(archive: Archive, asset_id: str) -> Asset:
    """The title as S3 lists it, which it can be without being read; ``UnknownTitle``."""
    asset = await KeyedCatalogue(archive).asset(asset_id)
    if asset is None:
        raise UnknownTitle(f"no title '{asset_id}'")
    return asset


async def restore(archive: Archive, asset: Asset, days: int, tier: str) -> AsyncIterator[Restored]:
    """Each file of the title, as soon as S3 has said what becomes of it. ``days``: for how long the
    copies are kept; ``tier``: one of ``TIERS``."""
    files: list[MediaFile | TextFile] = [*asset.media, *asset.text]
    for file in files:
        try:
            yield Restored(file.key, await _restore_file(archive, file, days, tier))
        except StorageError as error:
            yield Restored(file.key, Outcome.FAILED, error)


async def _restore_file(
    archive: Archive, file: MediaFile | TextFile, days: int, tier: str
) -> Outcome:
    if not file.size or await archive.is_readable(file.key, file.version):
        return Outcome.READABLE
    asked = await archive.restore(file.key, days=days, tier=tier)
    return Outcome.ASKED if asked else Outcome.UNDER_WAY
