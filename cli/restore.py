"""``vod-origin restore LIBRARY TITLE``"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from contextlib import aclosing

from origin.settings import BadSetting, Settings, read_settings
from origin.storage import restoring
from origin.storage.restoring import TIERS, Outcome
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
        asset = await restoring.asset_in(storage, asset_id)
        async for file in restoring.restore(storage, asset, days, tier):
            said = f"{file.why.code}: {file.why}" if file.why else file.outcome.value
            print(f"{file.key}: {said}", flush=True)
            outcomes[file.outcome] += 1
    print(", ".join(f"{outcomes[kind]} {kind.value}" for kind in Outcome), file=sys.stderr)
    return 1 if outcomes[Outcome.FAILED] else 0
