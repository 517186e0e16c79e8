"""From the path of a request to the resource that answers it.

    path -> address -> title (its files' indexes joined) -> manifest text, init or segment plan

``resolve`` answers from memory at once where it can: a resource that was built before, of a title
whose files were looked at less than ``FRESH_SECONDS`` ago. Everything else is awaited: the title's
files are listed again, indexed if their versions are new, and the resource is built.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from functools import partial
from typing import NamedTuple

from catalog.assets import Asset, Catalogue, MediaFile, TextFile
from origin.cache import Cache
from origin.delivery.resource import FileSpan, OpenFile, Part, Resource
from origin.documents import make, media_track, segment_row
from origin.errors import ObjectChanged, UnknownRevision, UnknownTitle
from origin.storage import Storage
from origin.storage.tracks import Copy, TrackCache
from packager.address import (
    Address,
    MediaSegment,
    Mpd,
    MultivariantPlaylist,
    parse,
)
from packager.errors import BadText, NotFound, PackagerError
from packager.model import LeftOut, Presentation, Rendition, TextRendition
from packager.movie import index_movie
from packager.mux.fmp4 import plan_segment
from packager.plan import Splice
from packager.presentation import Source, TextSource, build_presentation
from packager.ranges import ByteRange
from packager.text import read_text
from packager.text.document import MAX_BYTES

log = logging.getLogger(__name__)

FRESH_SECONDS = 1.0
IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=60, s-maxage=300, stale-while-revalidate=60, stale-if-error=86400"
_TITLE_COST, _SAMPLE_COST, _CUE_COST, _BUILT_COST, _PART_COST = 4096, 41, 300, 1024, 160


@dataclass(slots=True)
class Look:
    """When a title's files were last looked at. What was built of the title shares it: it ages
    with the title, and does not keep the title's indexes in memory."""

    at: float


@dataclass(slots=True)
class Title:
    """One title as it was last read."""

    asset: Asset
    presentation: Presentation
    look: Look
    versions: dict[str, str] = field(init=False)
    tracks: dict[str, Rendition | TextRendition] = field(init=False)

    def __post_init__(self) -> None:
        p = self.presentation
        self.versions = {file.key: file.version for file in self.asset.media}
        self.tracks = {r.name: r for r in p.renditions} | {t.name: t for t in p.text}

    @property
    def nbytes(self) -> int:
        samples = sum(len(r.track.samples) for r in self.presentation.renditions)
        cues = sum(len(t.cues) for t in self.presentation.text)
        return _TITLE_COST + samples * _SAMPLE_COST + cues * _CUE_COST


class _Built(NamedTuple):
    """``opened``, ``version``: the file a segment is of, and what it must still hold; ``copy``: of
    its samples, if they are scattered there."""

    resource: Resource
    look: Look
    opened: OpenFile | None = None
    version: str = ""
    copy: Copy | None = None


class Origin:
    """Titles of a catalogue as HLS and DASH, from the files of a storage; ``tracks``: copies of
    what is interleaved there."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        *,
        title_cache_bytes: int,
        resource_cache_bytes: int,
        tracks: TrackCache | None = None,
        clock: Callable[[], float] = time.monotonic,
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._tracks = tracks
        self._clock = clock
        self._titles: Cache[str, Title] = Cache(title_cache_bytes, lambda title: title.nbytes)
        self._built: Cache[str, _Built] = Cache(resource_cache_bytes, _built_cost)

    def resolve(self, path: str) -> Resource | Awaitable[Resource]:
        """The resource at ``path``; raises what ``origin.errors`` has a row for."""
        built = self._built.peek(path)
        if built is not None and self._is_fresh(built.look) and self._is_good(built):
            return built.resource
        return self._resolve(path)

    async def title(self, asset_id: str, revision: str | None = None) -> Title:
        """The title as its files are now. They are looked at again where ``revision`` is another:
        a fellow worker may have seen newer ones and named them in a manifest."""
        title = self._titles.peek(asset_id)
        if (
            title is not None
            and self._is_fresh(title.look)
            and revision in (None, title.presentation.revision)
        ):
            return title
        return await self._titles.load(asset_id, lambda: self._refresh(asset_id))

    def _is_fresh(self, look: Look) -> bool:
        return look.at + FRESH_SECONDS > self._clock()

    def _is_good(self, built: _Built) -> bool:
        """Whether its file still holds the version, and no copy of it has come meanwhile."""
        if built.copy is not None and not built.copy.touch():
            return False
        return built.opened is None or self._storage.is_current(built.opened, built.version)

    async def _resolve(self, path: str) -> Resource:
        address = parse(path)
        try:
            return await self._current(path, address)
        except ObjectChanged:
            self._forget(address.asset)
            return await self._current(path, address)

    async def _current(self, path: str, address: Address) -> Resource:
        if isinstance(address, MultivariantPlaylist | Mpd):
            title = await self.title(address.asset)
        else:
            title = await self.title(address.asset, address.revision)
        built = self._built.peek(path)
        if built is None or built.look is not title.look or not self._is_good(built):
            let_go = partial(self._built.discard, path)
            built = await self._built.load(path, lambda: self._build(title, address, let_go))
        return built.resource

    async def _refresh(self, asset_id: str) -> Title:
        look = Look(self._clock())
        asset = await self._catalogue.asset(asset_id)
        known = self._titles.peek(asset_id)
        if known is not None and known.asset == asset:
            known.look.at = look.at
            return known
        self._forget(asset_id)
        if asset is None:
            raise UnknownTitle(f"no title '{asset_id}'")
        return await self._load(asset, look)

    def _forget(self, asset_id: str) -> None:
        """The title, and all that was built of it."""
        title = self._titles.peek(asset_id)
        if title is not None:
            title.look.at = -math.inf
            self._titles.discard(asset_id)

    async def _load(self, asset: Asset, look: Look) -> Title:
        media, texts = await asyncio.gather(
            asyncio.gather(*(self._index(file, asset) for file in asset.media)),
            asyncio.gather(*map(self._read_text, asset.text)),
        )
        presentation = await asyncio.to_thread(
            build_presentation,
            asset.id,
            [source for source in media if isinstance(source, Source)],
            [text for text in texts if isinstance(text, TextSource)],
            [out for out in (*media, *texts) if isinstance(out, LeftOut)],
        )
        for item in presentation.left_out:
            level = logging.INFO if item.expected else logging.WARNING
            log.log(level, "%s: left out %s: %s", asset.id, item.source, item.text)
        return Title(asset, presentation, look)

    async def _index(self, file: MediaFile, asset: Asset) -> Source | LeftOut:
        reader = index_movie(file.key, file.version, file.size)
        try:
            index = await self._storage.drive(file.key, file.version, reader)
        except PackagerError as error:
            if len(asset.media) == 1:
                raise
            return LeftOut(file.key, "", str(error))
        return Source(index, file.language)

    async def _read_text(self, file: TextFile) -> TextSource | LeftOut:
        try:
            if file.size > MAX_BYTES:
                raise BadText(f"{file.size} bytes, more than {MAX_BYTES}")
            data = await self._storage.read(file.key, file.version)
            document = await asyncio.to_thread(read_text, file.key, data)
        except PackagerError as error:
            return LeftOut(file.key, "", str(error))
        return TextSource(
            file.key,
            file.version,
            document,
            file.language,
            forced=file.forced,
            hearing_impaired=file.hearing_impaired,
        )

    async def _build(self, title: Title, address: Address, let_go: Callable[[], None]) -> _Built:
        presentation = title.presentation
        if isinstance(address, MultivariantPlaylist | Mpd):
            tag = f"{presentation.revision}-{str(address).rpartition('/')[2]}"
            manifest = await asyncio.to_thread(make, presentation, None, address, tag, SHORT_LIVED)
            return _Built(manifest, title.look)
        if address.revision != presentation.revision:
            raise UnknownRevision(f"the files of '{address.asset}' are not {address.revision}")
        track = title.tracks.get(address.track)
        if track is None:
            raise NotFound(f"'{address.asset}' has no track {address.track}")
        tag = f"{address.revision}-{address.track}-{address.file}"
        if isinstance(address, MediaSegment):
            return await self._segment(title, media_track(track), address.time, tag, let_go)
        document = await asyncio.to_thread(make, presentation, track, address, tag, IMMUTABLE)
        return _Built(document, title.look)

    async def _segment(
        self, title: Title, rendition: Rendition, time: int, tag: str, let_go: Callable[[], None]
    ) -> _Built:
        row = segment_row(rendition.segments.time, time, rendition.name)
        plan = plan_segment(rendition, row)
        version = title.versions[plan.source]
        opened = await self._storage.open(plan.source, version)
        head, pieces = _place(plan, opened)
        copy = None
        if self._tracks is not None:
            copy = await self._tracks.find(rendition, row, version, pieces, let_go)
            if copy is not None and copy.span is not None:
                pieces = (copy.span,)
        return _Built(_from_file(plan, (head, *pieces), tag), title.look, opened, version, copy)


def _place(plan: Splice, opened: OpenFile) -> tuple[bytes, tuple[FileSpan, ...]]:
    """A segment's head, and its samples where they lie."""
    head = b"".join(part for part in plan.parts if isinstance(part, bytes))
    ranges = (part for part in plan.parts if isinstance(part, ByteRange))
    return head, tuple(FileSpan(opened, span.start, span.length) for span in ranges)


def _from_file(plan: Splice, parts: tuple[Part, ...], tag: str) -> Resource:
    return Resource(
        media_type=plan.media_type,
        etag=f'"{tag}"',
        cache_control=IMMUTABLE,
        size=plan.size,
        parts=parts,
    )


def _built_cost(built: _Built) -> int:
    resource = built.resource
    twin = resource.gzip.size if resource.gzip else 0
    parts = (len(p) if isinstance(p, bytes) else _PART_COST for p in resource.parts)
    return _BUILT_COST + twin + sum(parts)
