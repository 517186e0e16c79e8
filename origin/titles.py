"""Titles as their files are now: listed, indexed and joined into presentations.

A title that was looked at less than its storage's ``fresh_seconds`` ago is taken as it is. Past
that its files are listed again, and read again where a version is new; however many ask, that
happens once, and nobody waits for it for another ``stale_seconds``.
"""

from __future__ import annotations

import asyncio
import logging
import math
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field

from catalog.assets import Asset, Catalogue, MediaFile, TextFile
from catalog.postgres.errors import DatabaseAway
from origin.cache import Cache
from origin.errors import StorageError, UnknownTitle
from origin.sidecars import SharedIndexes, SidecarWriter
from origin.storage import Storage
from packager.errors import BadSidecar, BadText, PackagerError
from packager.model import LeftOut, MovieIndex, Presentation, Rendition, TextRendition
from packager.movie import index_movie
from packager.presentation import Source, TextSource, build_presentation
from packager.sidecar import unpack
from packager.text import read_text
from packager.text.document import MAX_BYTES

log = logging.getLogger(__name__)

_Text = TextSource | LeftOut
_TITLE_COST, _SEGMENT_COST, _CUE_COST = 4096, 64, 300


@dataclass(slots=True)
class Look:
    """When the files of a title were last looked at. What was built of the title shares it: it ages
    with the title, and does not keep the title's indexes in memory."""

    asset: str
    at: float
    tried: float = -math.inf
    """When it was last begun behind: one that fails is not begun again for every request."""


@dataclass(slots=True)
class Title:
    """One title as it was last read."""

    asset: Asset
    presentation: Presentation
    look: Look
    planned: set[str] = field(default_factory=set)
    """Tracks of which segments have been planned."""
    versions: dict[str, str] = field(init=False)
    tracks: dict[str, Rendition | TextRendition] = field(init=False)

    def __post_init__(self) -> None:
        p = self.presentation
        self.versions = {file.key: file.version for file in self.asset.media}
        self.tracks = {r.name: r for r in p.renditions} | {t.name: t for t in p.text}

    @property
    def nbytes(self) -> int:
        renditions = self.presentation.renditions
        samples = sum(r.track.samples.nbytes for r in renditions)
        segments = sum(len(r.segments) for r in renditions)
        cues = sum(len(t.cues) for t in self.presentation.text)
        return _TITLE_COST + samples + segments * _SEGMENT_COST + cues * _CUE_COST


class Titles:
    """Kept up to ``cache_bytes`` of indexes; ``sidecars``: who writes those that are missing;
    ``shared``: those that nodes keep for each other."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        cache_bytes: int,
        clock: Callable[[], float],
        sidecars: SidecarWriter | None,
        shared: SharedIndexes | None = None,
    ) -> None:
        self._catalogue = catalogue
        self._storage = storage
        self._clock = clock
        self._sidecars = sidecars
        self._shared = shared
        self._titles: Cache[str, Title] = Cache(cache_bytes, lambda title: title.nbytes)
        self._behind: dict[str, asyncio.Task[None]] = {}
        self._distrusted: set[str] = set()

    async def get(self, asset_id: str, revision: str | None = None) -> Title:
        """The title as its files are now. They are looked at again where ``revision`` is another:
        a fellow worker may have seen newer ones and named them in a manifest."""
        title = self._titles.peek(asset_id)
        same = title is not None and revision in (None, title.presentation.revision)
        if title is not None and same and self.may_serve(title.look):
            return title
        return await self._titles.load(asset_id, lambda: self._refresh(asset_id))

    def at_hand(self, asset_id: str, revision: str) -> Title | None:
        """The title, if its files are in memory as they are to be."""
        title = self._titles.peek(asset_id)
        if (
            title is None
            or title.presentation.revision != revision
            or not self._is_fresh(title.look)
        ):
            return None
        return title

    def may_serve(self, look: Look) -> bool:
        """Whether what was seen then is taken as it is; where it is old, it is looked at again
        meanwhile, and nobody waits. (A busy loop needs that: were all to wait who come while one
        looks, each would cost several times as much, and the loop would never catch up.)"""
        if self._is_fresh(look):
            return True
        now, fresh = self._clock(), self._storage.fresh_seconds
        if look.at + fresh + self._storage.stale_seconds <= now:
            return False
        if look.tried + fresh <= now:
            look.tried = now
            self._refresh_behind(look.asset)
        return True

    def _is_fresh(self, look: Look) -> bool:
        return look.at + self._storage.fresh_seconds > self._clock()

    def _refresh_behind(self, asset_id: str) -> None:
        """Without anyone waiting for it."""
        if asset_id not in self._behind:
            task = asyncio.create_task(self._try_refresh(asset_id))
            self._behind[asset_id] = task
            task.add_done_callback(lambda _: self._behind.pop(asset_id))

    async def _try_refresh(self, asset_id: str) -> None:
        try:
            await self._titles.load(asset_id, lambda: self._refresh(asset_id))
        except UnknownTitle:
            log.info("%s is gone", asset_id)
        except (PackagerError, StorageError, DatabaseAway) as error:
            log.warning("%s is not looked at again: %s", asset_id, error)

    async def _refresh(self, asset_id: str) -> Title:
        look = Look(asset_id, self._clock())
        asset = await self._catalogue.asset(asset_id)
        known = self._titles.peek(asset_id)
        if known is not None and known.asset == asset:
            known.look.at = look.at
            return known
        self.forget(asset_id)
        if asset is None:
            raise UnknownTitle(f"no title '{asset_id}'")
        return await self._load(asset, look)

    def forget(self, asset_id: str) -> None:
        """The title, and all that was built of it."""
        title = self._titles.peek(asset_id)
        if title is not None:
            title.look.at = -math.inf
            self._titles.discard(asset_id)

    def distrust(self, asset_id: str) -> None:
        """Load the title without sidecars when it is next asked for."""
        self.forget(asset_id)
        self._distrusted.add(asset_id)

    async def _load(self, asset: Asset, look: Look) -> Title:
        packed, texts = await asyncio.gather(
            asyncio.gather(*(self._packed(file, asset) for file in asset.media)),
            asyncio.gather(*map(self._read_text, asset.text)),
        )
        self._distrusted.discard(asset.id)
        indexes, presentation = await asyncio.to_thread(_from_packed, asset, packed, texts)
        if self._shared is not None:
            for file, found, index in zip(asset.media, packed, indexes, strict=True):
                if index is not None and isinstance(found, bytes):
                    self._shared.offer(file, index)
        if presentation is None:
            presentation = await self._index_rest(asset, indexes, texts)
        for item in presentation.left_out:
            level = logging.INFO if item.expected else logging.WARNING
            log.log(level, "%s: left out %s: %s", asset.id, item.source, item.text)
        return Title(asset, presentation, look)

    async def _packed(self, file: MediaFile, asset: Asset) -> MovieIndex | bytes | None:
        """A shared index, else what lies beside the file; None where the file has to be read."""
        if asset.id in self._distrusted:
            return None
        index = await self._shared.get(file) if self._shared is not None else None
        if index is not None:
            return index
        try:
            return await self._storage.read_latest(file.sidecar)
        except StorageError as error:
            log.info("%s: its sidecar is not used: %s", file.key, error)
            return None

    async def _index_rest(
        self, asset: Asset, indexes: Sequence[MovieIndex | None], texts: Sequence[_Text]
    ) -> Presentation:
        """The title, once the files are indexed that have no index yet."""
        fresh: list[tuple[MediaFile, MovieIndex]] = []
        try:
            media = await asyncio.gather(
                *(
                    self._source(file, index, asset, fresh)
                    for file, index in zip(asset.media, indexes, strict=True)
                )
            )
            return await asyncio.to_thread(_build, asset, media, texts)
        finally:
            if self._sidecars is not None:
                self._sidecars.offer(fresh)

    async def _source(
        self,
        file: MediaFile,
        index: MovieIndex | None,
        asset: Asset,
        fresh: list[tuple[MediaFile, MovieIndex]],
    ) -> Source | LeftOut:
        """``fresh`` gets what had to be read of the file itself."""
        try:
            if index is None:
                reader = index_movie(file.key, file.version, file.size)
                index = await self._storage.drive(file.key, file.version, reader)
                fresh.append((file, index))
                if self._shared is not None:
                    self._shared.offer(file, index)
        except PackagerError as error:
            if len(asset.media) == 1:
                raise
            return LeftOut(file.key, "", str(error))
        return Source(index, file.language)

    async def _read_text(self, file: TextFile) -> _Text:
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


def _from_packed(
    asset: Asset, packed: Sequence[MovieIndex | bytes | None], texts: Sequence[_Text]
) -> tuple[Sequence[MovieIndex | None], Presentation | None]:
    """The index of each file, None where it has to be read for it, and the title if none has to."""
    indexes = [_unpacked(*known) for known in zip(asset.media, packed, strict=True)]
    media = [
        Source(index, file.language)
        for file, index in zip(asset.media, indexes, strict=True)
        if index is not None
    ]
    whole = len(media) == len(indexes)
    return indexes, _build(asset, media, texts) if whole else None


def _unpacked(file: MediaFile, packed: MovieIndex | bytes | None) -> MovieIndex | None:
    if not isinstance(packed, bytes):
        return packed
    try:
        return unpack(packed, file.key, file.version, file.size)
    except BadSidecar as error:
        log.info("%s: its sidecar is not used: %s", file.key, error)
        return None


def _build(asset: Asset, media: Sequence[Source | LeftOut], texts: Sequence[_Text]) -> Presentation:
    return build_presentation(
        asset.id,
        [source for source in media if isinstance(source, Source)],
        [text for text in texts if isinstance(text, TextSource)],
        [out for out in (*media, *texts) if isinstance(out, LeftOut)],
    )
