"""``vod-origin restore LIBRARY TITLE``"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from contextlib import aclosing
from enum import Enum

from catalog.assets import MediaFile, TextFile
from catalog.keyed import KeyedCatalogue
from origin.errors import Archived, StorageError, UnknownTitle
from origin.settings import BadSetting, Settings, read_settings
from origin.storage.s3.storage import S3Storage

EPILOG = """\
Objects in an archive of S3 (Glacier Flexible Retrieval, Deep Archive) cannot be read, and so their
titles are answered with 409. This asks S3 for a copy of each such file of the title.

  Expedited    1 to 5 minutes; not from Deep Archive
  Standard     3 to 5 hours; from Deep Archive 12
  Bulk         5 to 12 hours; from Deep Archive 48

S3 bills the restore, and the copies for as long as they are kept. The title plays once all of them
are there; the server need not be told.

  vod-origin restore s3://films/library city                      for 7 days
  vod-origin restore s3://films/library city --days 30 --tier Bulk

Asked again, it says how far it is. Exit status: 0 if every file can be read or is on its way, 1 if
a request failed (one line each says why), 2 if there is no such title, or no library.
"""

TIERS = ("Standard", "Bulk", "Expedited")


class Outcome(Enum):
    ASKED = "asked for"
    UNDER_WAY = "under way"
    READABLE = "readable"
    FAILED = "failed"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "restore",
        help="fetch a title of an S3 library from its archive",
        description="Have S3 restore the archived files of a title.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("library", metavar="LIBRARY", help="s3://bucket/prefix")
    parser.add_argument("title", metavar="TITLE", help="the title's id")
    parser.add_argument("--days", type=int, default=7, help="for how long the copies are kept (7)")
    parser.add_argument("--tier", choices=TIERS, default=TIERS[0], help="how soon (Standard)")
    parser.set_defaults(run=restore)


def restore(options: argparse.Namespace) -> int:
    if not options.library.startswith("s3://"):
        raise BadSetting(f"library: {options.library} is not in S3: there is nothing to restore")
    if options.days < 1:
        raise BadSetting(f"days {options.days} must be at least 1")
    settings = read_settings(library=options.library)
    return asyncio.run(_restore(settings, options.title, options.days, options.tier))


async def _restore(settings: Settings, asset_id: str, days: int, tier: str) -> int:
    try:
        storage = S3Storage.at_url(settings.library, settings)
    except ValueError as error:
        raise BadSetting(f"library: {error}") from None
    outcomes: Counter[Outcome] = Counter()
    async with aclosing(storage):
        asset = await KeyedCatalogue(storage).asset(asset_id)
        if asset is None:
            raise UnknownTitle(f"no title '{asset_id}'")
        files: list[MediaFile | TextFile] = [*asset.media, *asset.text]
        for file in files:
            try:
                outcome = await _restore_file(storage, file, days, tier)
                print(f"{file.key}: {outcome.value}", flush=True)
            except StorageError as error:
                outcome = Outcome.FAILED
                print(f"{file.key}: {error.code}: {error}", flush=True)
            outcomes[outcome] += 1
    print(", ".join(f"{outcomes[kind]} {kind.value}" for kind in Outcome), file=sys.stderr)
    return 1 if outcomes[Outcome.FAILED] else 0


async def _restore_file(
    storage: S3Storage, file: MediaFile | TextFile, days: int, tier: str
) -> Outcome:
    """What S3 says of storage classes differs from one S3 to the next; whether a byte can be read
    does not."""
    try:
        await storage.get_range(file.key, 0, min(file.size, 1), file.version, lambda _: None)
    except Archived:
        asked = await storage.restore(file.key, days=days, tier=tier)
        return Outcome.ASKED if asked else Outcome.UNDER_WAY
    return Outcome.READABLE
