"""``vod-origin check PATH``"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterator

from cli.files import open_titles, title_ids
from cli.progress import Progress
from origin.errors import StorageError, UnknownTitle
from origin.service import Origin
from packager.errors import PackagerError
from packager.faults import Fault, find_faults

EPILOG = """\
One line a fault: the file, a stable code, and what is wrong.

  left-out     the track or file cannot be part of the title, and why
  unplayable   nothing of the title can be played, and why
  timescale    renditions of a title count time in different units
  length       sound and pictures do not end together
  priming      sound tracks hide different amounts of encoder priming
  peak         the peak bit rate is over twice the average
  key-frames   key frames common to all renditions are too far apart

Two are notes, and no fault:

  interleaved  a segment lies in many pieces: it plays, but is served slower
  not-needed   chapters, time code or metadata, or the same sound a second time

  vod-origin check films                        the faults of every title
  vod-origin check films | grep left-out        only what does not play
  vod-origin check films || notify "faults"     exit status: 0 without a fault, 1 with any,
                                                2 if PATH cannot be read
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "check",
        help="say what does not line up in a library",
        description="Check a library: do the renditions of each title line up?",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "library", metavar="PATH", help="the library: a folder, or s3://bucket/prefix"
    )
    parser.set_defaults(run=check)


def check(options: argparse.Namespace) -> int:
    return asyncio.run(_check(options.library))


async def _check(location: str) -> int:
    logging.getLogger("origin").addHandler(logging.NullHandler())  # it warns of the same faults
    catalogue, origin = open_titles(location)
    ids = [asset_id async for asset_id in title_ids(catalogue)]
    titles = faulty = 0
    with Progress("checking", len(ids)) as progress:
        for asset_id in ids:
            faults = await _faults(origin, asset_id)
            progress.step(asset_id)
            if faults is None:
                continue
            titles += 1
            faulty += not all(fault.is_note for fault in faults)
            for line in _lines(faults):
                progress.print(line)
    print(f"{titles} titles, {faulty} with faults", file=sys.stderr)
    return 1 if faulty else 0


async def _faults(origin: Origin, asset_id: str) -> list[Fault] | None:
    """The title's faults; None for a folder without media."""
    try:
        title = await origin.title(asset_id)
    except UnknownTitle:
        return None
    except (PackagerError, StorageError) as error:
        return [Fault(asset_id, "unplayable", str(error))]
    return list(find_faults(title.presentation))


def _lines(faults: list[Fault]) -> Iterator[str]:
    for fault in faults:
        yield f"{fault.source}: {fault.code}: {fault.text}"
