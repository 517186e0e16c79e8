"""``vod-origin index PATH``"""

from __future__ import annotations

import argparse
import asyncio
import sys
from collections import Counter
from collections.abc import AsyncIterator
from contextlib import aclosing
from enum import Enum

from catalog.assets import Catalogue, MediaFile
from cli.files import title_ids
from cli.progress import Progress
from origin.errors import StorageError
from origin.settings import read_settings
from origin.sidecars import read_sidecar, write_sidecar
from origin.storage import Storage, open_library
from packager.errors import BadSidecar, PackagerError
from packager.movie import index_movie

EPILOG = """\
A title that nobody has watched yet is indexed when it is first asked for: the server reads the
tables of its MP4s, up to tens of megabytes for a long film. A sidecar is that index, packed into 1
to 4 bytes a sample. The server loads it instead: less to read, less to compute, and from a distant
storage fewer round trips.

  films/film.mp4                films/.vodx/film.mp4.vodx
  films/other/video-720p.mp4    films/other/.vodx/video-720p.mp4.vodx

A sidecar is of one version of its file. Where the file has changed since, or the sidecar is torn,
or of another release of vod-origin, the server reads the file as if there were none: nothing is
ever served by a sidecar that does not fit. All of them may be deleted at any time.

  vod-origin index films                         after each change: only what is new is read
  vod-origin index films --force                 all of it once more
  vod-origin index films || notify "not all"     exit status: 0 if every MP4 has its sidecar now,
                                                 1 if some have not (one line each says why),
                                                 2 if PATH cannot be read
"""


class Outcome(Enum):
    WRITTEN = "written"
    CURRENT = "current"
    FAILED = "failed"


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "index",
        help="write sidecars, with which titles start faster",
        description="Index the MP4s of a library ahead of time, into sidecars beside them.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "library", metavar="PATH", help="the library: a folder, or s3://bucket/prefix"
    )
    parser.add_argument("--force", action="store_true", help="write those that are current, too")
    parser.set_defaults(run=index)


def index(options: argparse.Namespace) -> int:
    return asyncio.run(_index(options.library, options.force))


async def _index(location: str, force: bool) -> int:
    storage, catalogue, _ = open_library(read_settings(library=location))
    outcomes: Counter[Outcome] = Counter()
    async with aclosing(storage):
        ids = [asset_id async for asset_id in title_ids(catalogue)]
        with Progress("indexing", len(ids)) as progress:
            for asset_id in ids:
                async for outcome, line in _index_title(catalogue, storage, asset_id, force):
                    outcomes[outcome] += 1
                    if line:
                        progress.print(line)
                progress.step(asset_id)
    print(", ".join(f"{outcomes[kind]} {kind.value}" for kind in Outcome), file=sys.stderr)
    return 1 if outcomes[Outcome.FAILED] else 0


async def _index_title(
    catalogue: Catalogue, storage: Storage, asset_id: str, force: bool
) -> AsyncIterator[tuple[Outcome, str]]:
    """The outcome for each MP4 of a title, and what is to be said of it."""
    try:
        asset = await catalogue.asset(asset_id)
    except StorageError as error:
        yield Outcome.FAILED, f"{asset_id}: {error.code}: {error}"
        return
    for file in asset.media if asset else ():
        try:
            if not force and await _is_current(storage, file):
                yield Outcome.CURRENT, ""
                continue
            await _index_file(storage, file)
            yield Outcome.WRITTEN, ""
        except (PackagerError, StorageError) as error:
            yield Outcome.FAILED, f"{file.key}: {error.code}: {error}"


async def _is_current(storage: Storage, file: MediaFile) -> bool:
    try:
        return await read_sidecar(storage, file) is not None
    except (BadSidecar, StorageError):  # it will be written anew, or fail in doing so
        return False


async def _index_file(storage: Storage, file: MediaFile) -> None:
    """``ObjectChanged`` for a file that is being written to: its next version will be indexed."""
    reader = index_movie(file.key, file.version, file.size)
    await write_sidecar(storage, file, await storage.drive(file.key, file.version, reader))
