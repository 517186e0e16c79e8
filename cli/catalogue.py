"""``vod-origin catalogue import PATH``"""

from __future__ import annotations

import argparse
import asyncio
import logging
import sys
from collections.abc import Iterable, Mapping
from contextlib import aclosing
from typing import Any

import orjson

from catalog.assets import Asset
from catalog.postgres.errors import DatabaseAway
from catalog.postgres.records import Found, TitleDraft
from cli.files import origin_of, title_ids
from cli.migrate import add_database, database_url
from cli.progress import Progress
from origin.errors import StorageError, UnknownTitle
from origin.service import Origin
from origin.settings import BadSetting, read_settings
from origin.storage import Library, Storage, open_library
from packager.errors import PackagerError
from packager.model import Presentation

EPILOG = """\
Writes what the library holds into the catalogue: each title, its files and their versions. What is
told of a title is read from files beside its media:

  films/city/title.json     of the title that the folder is
  films/library.json        {"titles": {ID: …}}, of titles that are one file, and of series

docs/catalogue.md says what stands in them; a title without has its id for a name. How long it is,
and in which languages, is read from its media where these files do not tell. Asked again, it brings
the catalogue up to date. A file that changes afterwards is not played until it is imported
again: the catalogue names the versions that are.

  vod-origin catalogue import films --database postgresql://vod@db.example/vod
  vod-origin catalogue import s3://bucket/films        with VOD_DATABASE_URL set
"""

KINDS = ("movie", "series", "episode")
_WORDS = ("names", "synopses", "artwork")
_LISTS = ("genres", "languages", "subtitles")
_NUMBERS = ("year", "season", "episode")
_SECONDS = ("duration_seconds",)
_TEXTS = ("maturity", "series")
_KNOWN = {"kind", *_WORDS, *_LISTS, *_NUMBERS, *_SECONDS, *_TEXTS}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "catalogue",
        help="write a library into the database",
        description="Write what a library holds into the catalogue in PostgreSQL.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("action", choices=("import",), help="there is one")
    parser.add_argument("library", metavar="PATH", help="a folder, or s3://bucket/prefix")
    add_database(parser)
    parser.set_defaults(run=import_library)


def import_library(options: argparse.Namespace) -> int:
    url = database_url(options.database)
    library = open_library(read_settings(library=options.library))
    try:
        count = asyncio.run(import_titles(library, url))
    except DatabaseAway as error:
        raise BadSetting(str(error)) from error
    print(f"{count} titles are in the catalogue", file=sys.stderr)
    return 0


async def import_titles(library: Library, url: str) -> int:
    """What the library holds, into the database; how many titles these are."""
    from catalog.postgres.database import Database

    logging.getLogger("origin").addHandler(logging.NullHandler())  # of faults tells ``check``
    unread: list[str] = []
    async with aclosing(library.storage):
        found = await _find(library, unread)
    for line in unread:
        print(line, file=sys.stderr)
    if unread:
        print(f"titles whose media cannot be read: {len(unread)}", file=sys.stderr)
    database = await Database.open(url)
    async with aclosing(database):
        return await database.titles.import_assets(found)


async def _find(library: Library, unread: list[str]) -> list[Found]:
    """What the library holds and is told of it; series are told of only. ``unread`` gets a line
    for each title that cannot be played as it is."""
    told = await _told(library.storage, "library.json")
    titles = told.get("titles", {})
    if not isinstance(titles, dict):
        raise BadSetting("library.json: 'titles' is not an object")
    found = []
    origin = origin_of(library)
    ids = [asset_id async for asset_id in title_ids(library.catalogue)]
    with Progress("importing", len(ids)) as progress:
        for asset_id in ids:
            asset, about = await _look(library, origin, asset_id, unread)
            if asset is not None and asset.media:
                found.append(await _find_one(library.storage, asset, titles, about))
            progress.step(asset_id)
    series = {asset_id: about for asset_id, about in titles.items() if _is_series(about)}
    found += [
        Found(read_draft(asset_id, about, "", "library.json", {}), None)
        for asset_id, about in series.items()
    ]
    return found


async def _look(
    library: Library, origin: Origin, asset_id: str, unread: list[str]
) -> tuple[Asset | None, dict[str, Any]]:
    """The title's files, and what its media tell of it: nothing where they cannot be read."""
    try:
        title = await origin.title(asset_id)
    except UnknownTitle:
        return None, {}
    except (PackagerError, StorageError) as error:
        unread.append(f"{asset_id}: imported without its length and languages: {error}")
        return await library.catalogue.asset(asset_id), {}
    return title.asset, _about(title.presentation)


def _about(presentation: Presentation) -> dict[str, Any]:
    return {
        "duration_seconds": round(float(presentation.duration), 3),
        "languages": _languages(track.language for track in presentation.audio),
        "subtitles": _languages(track.language for track in presentation.text),
    }


def _languages(tags: Iterable[str]) -> list[str]:
    """Each once, in the order of the menus; a track that does not say is in none."""
    return [tag for tag in dict.fromkeys(tags) if tag != "und"]


def _is_series(about: object) -> bool:
    return isinstance(about, dict) and about.get("kind") == "series"


async def _find_one(
    storage: Storage, asset: Asset, titles: Mapping[str, Any], measured: Mapping[str, Any]
) -> Found:
    """What is told of the title counts; for the rest, what was ``measured``."""
    folder = _folder(asset)
    where = f"{folder}/title.json" if folder else "library.json"
    about = await _told(storage, where) if folder else titles.get(asset.id, {})
    return Found(read_draft(asset.id, about, folder, where, measured), asset)


def _folder(asset: Asset) -> str:
    """That of the title; empty where it is one file at the top."""
    return asset.media[0].key.rpartition("/")[0]


async def _told(storage: Storage, key: str) -> dict[str, Any]:
    content = await storage.read_latest(key)
    if content is None:
        return {}
    try:
        told = orjson.loads(content)
    except orjson.JSONDecodeError as error:
        raise BadSetting(f"{key}: not JSON: {error}") from None
    if not isinstance(told, dict):
        raise BadSetting(f"{key}: not an object")
    return told


def read_draft(
    asset_id: str, about: object, folder: str, where: str, measured: Mapping[str, Any]
) -> TitleDraft:
    """What ``about`` tells of a title, and ``measured`` where it does not; ``BadSetting`` says what
    in it cannot be used. Artwork is beside the file that tells of it, in ``folder``."""
    if not isinstance(about, dict):
        raise BadSetting(f"{where}: {asset_id}: not an object")
    for name, value in about.items():
        if name not in _KNOWN or not _fits(name, value):
            raise BadSetting(f"{where}: {asset_id}: {name!r} is not known, or not of its form")
    told: dict[str, Any] = {
        name: tuple(value) if name in _LISTS else value
        for name, value in {**measured, **about}.items()
    }
    artwork = told.get("artwork", {})
    told["artwork"] = {
        kind: f"{folder}/{file}" if folder else file for kind, file in artwork.items()
    }
    return TitleDraft(asset_id, **told)


def _fits(name: str, value: object) -> bool:
    if name == "kind":
        return value in KINDS
    if name in _WORDS:
        return isinstance(value, dict) and all(isinstance(text, str) for text in value.values())
    if name in _LISTS:
        return isinstance(value, list) and all(isinstance(text, str) for text in value)
    if name in _SECONDS:
        return isinstance(value, int | float) and not isinstance(value, bool) and value > 0
    if name in _NUMBERS:
        return isinstance(value, int) and not isinstance(value, bool)
    return isinstance(value, str)
