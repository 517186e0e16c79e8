"""From the path of a request to the resource that answers it.

    path -> address -> title (its files' indexes joined) -> manifest text, init or segment plan

``resolve`` answers from memory at once where it can: a resource that was built before, of a title
whose files were looked at less than ``FRESH_SECONDS`` ago. Everything else is awaited: the title's
files are listed again, indexed if their versions are new, and the resource is built.
"""

from __future__ import annotations

import asyncio
import logging
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from typing import NamedTuple

import numpy as np

from catalog.assets import Asset, Catalogue, MediaFile, TextFile
from origin.cache import Cache
from origin.delivery.resource import FileSpan, OpenFile, Resource
from origin.errors import ObjectChanged, UnknownTitle
from origin.storage import Storage
from packager.address import (
    Address,
    InitSegment,
    MediaSegment,
    Mpd,
    MultivariantPlaylist,
    TextSegment,
    WholeText,
    parse,
)
from packager.errors import NotFound, PackagerError
from packager.manifests import render
from packager.model import LeftOut, Presentation, Rendition, TextRendition
from packager.movie import index_movie
from packager.mux.fmp4 import MEDIA_TYPES, init_segment, plan_segment
from packager.plan import Splice
from packager.presentation import Source, TextSource, build_presentation
from packager.ranges import ByteRange
from packager.text import read_text, webvtt_file, webvtt_segment

log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = (
    "public, max-age=60, s-maxage=300, stale-while-revalidate=60, stale-if-error=86400"
)
TEXT_TYPE = "text/vtt"
_PART_COST = 160


@dataclass(slots=True)
class Title:
    """One title as it was last read; ``checked``: when its files were last looked at."""

    asset: Asset
    presentation: Presentation
    checked: float
    versions: dict[str, str] = field(init=False)
    tracks: dict[str, Rendition | TextRendition] = field(init=False)

    def __post_init__(self) -> None:
        p = self.presentation
        self.versions = {file.key: file.version for file in self.asset.media}
        self.tracks = {r.name: r for r in p.renditions} | {t.name: t for t in p.text}

    @property
    def nbytes(self) -> int:
        tables = (r.track.samples for r in self.presentation.renditions)
        return 4096 + sum(len(t) * 41 for t in tables)


class _Built(NamedTuple):
    """``opened``, ``version``: the file a segment is sent from, and what it must still hold."""

    resource: Resource
    title: Title
    opened: OpenFile | None = None
    version: str = ""


class Origin:
    """Titles of a catalogue as HLS and DASH, from the files of a storage."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        *,
        title_cache_bytes: int,
        resource_cache_bytes: int,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        self._titles: Cache[str, Title] = Cache(title_cache_bytes, lambda title: title.nbytes)
        self._built: Cache[str, _Built] = Cache(resource_cache_bytes, _built_cost)

    def resolve(self, path: str) -> Resource | Awaitable[Resource]:
        """The resource at ``path``; raises what ``origin.errors`` has a row for."""
        built = self._built.peek(path)
        if (
            built is not None
            and built.title.checked + FRESH_SECONDS > self._clock()
            and (built.opened is None or self._storage.is_current(built.opened, built.version))
        ):
            return built.resource
        return self._resolve(path)

    async def title(self, asset_id: str) -> Title:
        """The title as its files are now."""
        title = self._titles.peek(asset_id)
        if title is not None and title.checked + FRESH_SECONDS > self._clock():
            return title
        return await self._titles.load(asset_id, lambda: self._refresh(asset_id))

    async def _resolve(self, path: str) -> Resource:
        address = parse(path)
        try:
            built = await self._build(address)
        except ObjectChanged:
            self._titles.discard(address.asset)
            built = await self._build(address)
        self._built.put(path, built)
        return built.resource

    async def _refresh(self, asset_id: str) -> Title:
        asset = await self._catalogue.asset(asset_id)
        if asset is None:
            self._titles.discard(asset_id)
            raise UnknownTitle(f"no title '{asset_id}'")
        known = self._titles.peek(asset_id)
        if known is not None and known.asset == asset:
            known.checked = self._clock()
            return known
        return await self._load(asset)

    async def _load(self, asset: Asset) -> Title:
        missing: list[LeftOut] = []
        sources, texts = await asyncio.gather(
            asyncio.gather(*(self._index(file, asset, missing) for file in asset.media)),
            asyncio.gather(*(self._read_text(file, missing) for file in asset.text)),
        )
        presentation = await asyncio.to_thread(
            build_presentation,
            asset.id,
            [source for source in sources if source],
            [text for text in texts if text],
            missing,
        )
        for item in presentation.left_out:
            log.warning("%s: left out %s %s: %s", asset.id, item.source, item.what, item.reason)
        return Title(asset, presentation, self._clock())

    async def _index(
        self, file: MediaFile, asset: Asset, missing: list[LeftOut]
    ) -> Source | None:
        reader = index_movie(file.key, file.version, file.size)
        try:
            index = await self._storage.drive(file.key, file.version, reader)
        except PackagerError as error:
            if len(asset.media) == 1:
                raise
            missing.append(LeftOut(file.key, "", str(error)))
            return None
        return Source(index, file.language)

    async def _read_text(self, file: TextFile, missing: list[LeftOut]) -> TextSource | None:
        try:
            data = await self._storage.read(file.key, file.version)
            document = await asyncio.to_thread(read_text, file.key, data)
        except PackagerError as error:
            missing.append(LeftOut(file.key, "", str(error)))
            return None
        return TextSource(
            file.key,
            file.version,
            document,
            file.language,
            forced=file.forced,
            hearing_impaired=file.hearing_impaired,
        )

    async def _build(self, address: Address) -> _Built:
        title = await self.title(address.asset)
        presentation = title.presentation
        if isinstance(address, MultivariantPlaylist | Mpd):
            media_type, text = await asyncio.to_thread(render, presentation, address)
            tag = f"{presentation.revision}-{str(address).rpartition('/')[2]}"
            return _Built(_in_memory(media_type, text.encode(), tag, SHORT_LIVED), title)
        if address.revision != presentation.revision:
            raise NotFound(f"'{address.asset}' has no revision {address.revision} (any more)")
        track = title.tracks.get(address.track)
        if track is None:
            raise NotFound(f"'{address.asset}' has no track {address.track}")
        tag = f"{address.revision}-{address.track}-{address.file}"
        if isinstance(address, MediaSegment):
            return await self._segment(title, _media(track), address.time, tag)
        return _Built(_in_memory(*_document(presentation, track, address), tag, IMMUTABLE), title)

    async def _segment(self, title: Title, rendition: Rendition, time: int, tag: str) -> _Built:
        plan = plan_segment(rendition, _row(rendition.segments.time, time, rendition.name))
        version = title.versions[plan.source]
        opened = await self._storage.open(plan.source, version)
        return _Built(_from_file(plan, opened, tag), title, opened, version)


def _document(
    presentation: Presentation, track: Rendition | TextRendition, address: Address
) -> tuple[str, bytes]:
    """Media type and body of what is made in memory under a revision."""
    match address:
        case InitSegment():
            rendition = _media(track)
            return MEDIA_TYPES[rendition.track.kind], init_segment(rendition)
        case WholeText():
            return TEXT_TYPE, webvtt_file(_text(track))
        case TextSegment():
            text = _text(track)
            starts = np.array(text.edges[:-1], np.int64)
            return TEXT_TYPE, webvtt_segment(text, _row(starts, address.time, text.name))
        case _:
            media_type, body = render(presentation, address)
            return media_type, body.encode()


def _media(track: Rendition | TextRendition) -> Rendition:
    if isinstance(track, Rendition):
        return track
    raise NotFound(f"{track.name} is text")


def _text(track: Rendition | TextRendition) -> TextRendition:
    if isinstance(track, TextRendition):
        return track
    raise NotFound(f"{track.name} is not text")


def _row(times: np.ndarray[tuple[int], np.dtype[np.int64]], time: int, track: str) -> int:
    row = int(np.searchsorted(times, time))
    if row == len(times) or times[row] != time:
        raise NotFound(f"no segment of {track} starts at {time}")
    return row


def _in_memory(media_type: str, body: bytes, tag: str, cache_control: str) -> Resource:
    return Resource(
        media_type=media_type,
        etag=f'"{tag}"',
        cache_control=cache_control,
        size=len(body),
        parts=(body,),
        multipart=False,
    )


def _from_file(plan: Splice, opened: OpenFile, tag: str) -> Resource:
    parts = tuple(
        FileSpan(opened, part.start, part.length) if isinstance(part, ByteRange) else part
        for part in plan.parts
    )
    return Resource(
        media_type=plan.media_type,
        etag=f'"{tag}"',
        cache_control=IMMUTABLE,
        size=plan.size,
        parts=parts,
    )


def _built_cost(built: _Built) -> int:
    parts = built.resource.parts
    return 1024 + sum(len(p) if isinstance(p, bytes) else _PART_COST for p in parts)
