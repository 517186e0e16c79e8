"""From the path of a request to the resource that answers it.

    path -> address -> title (its files' indexes joined) -> manifest text, init or segment plan

``resolve`` answers from memory at once where it can: a resource that was built before, of a title
whose files were looked at just now (``origin.titles``). Everything else is awaited: the title is
made sure of, and the resource is built.
"""

from __future__ import annotations

import asyncio
import logging
import re
import time
from collections.abc import Awaitable, Callable, Iterable
from contextlib import suppress
from functools import partial
from posixpath import normpath
from typing import NamedTuple

from catalog.assets import Catalogue
from origin.cache import Cache
from origin.cmcd import cmsd
from origin.delivery.resource import Part, Resource
from origin.documents import make, media_track, segment_row
from origin.errors import ObjectChanged, UnknownRevision
from origin.sidecars import SharedIndexes, SidecarWriter
from origin.storage import Storage
from origin.storage.media import Media
from origin.titles import Look, Title, Titles
from packager.address import (
    PREFIX,
    Address,
    MediaSegment,
    Mpd,
    MultivariantPlaylist,
    parse,
)
from packager.errors import BadAddress, BadSidecar, NotFound
from packager.model import Rendition
from packager.mux.fmp4 import plan_segment
from packager.plan import Splice

log = logging.getLogger(__name__)

IMMUTABLE = "public, max-age=31536000, immutable"
SHORT_LIVED = "public, max-age=60, s-maxage=300, stale-while-revalidate=60, stale-if-error=86400"
_BUILT_COST, _PART_COST = 1024, 160
_NOT_OF_THE_PATH = re.compile("[?#]")


class _Built(NamedTuple):
    """``holds``: whether what a segment is made of is still right."""

    resource: Resource
    look: Look
    holds: Callable[[], bool] | None = None


class Origin:
    """Titles of a catalogue as HLS and DASH, from a storage and its ``media``; ``sidecars``: who
    writes those that are missing; ``shared``: indexes that nodes keep for each other."""

    def __init__(
        self,
        catalogue: Catalogue,
        storage: Storage,
        media: Media,
        *,
        title_cache_bytes: int,
        resource_cache_bytes: int,
        clock: Callable[[], float] = time.monotonic,
        sidecars: SidecarWriter | None = None,
        shared: SharedIndexes | None = None,
    ) -> None:
        self._titles = Titles(catalogue, storage, title_cache_bytes, clock, sidecars, shared)
        self._media = media
        self._built: Cache[str, _Built] = Cache(resource_cache_bytes, _built_cost)

    def resolve(self, path: str) -> Resource | Awaitable[Resource]:
        """The resource at ``path``; raises what ``origin.errors`` has a row for."""
        built = self._built.peek(path)
        if built is not None and self._titles.may_serve(built.look):
            resource, _, holds = built
            if holds is None or holds():
                return resource
        return self._resolve(path)

    def expect(self, path: str, references: Iterable[str]) -> None:
        """Whoever asked for ``path`` says that it will ask for these next, relative to it: segments
        of the same title, as it is at hand, begin to come from afar."""
        path = path[path.find(PREFIX) :]  # what stands in front of it is a token
        for reference in references:
            with suppress(BadAddress, BadSidecar, NotFound, ValueError):
                self._expect(parse(path), parse(_joined(path, reference)))

    def _expect(self, asked: Address, following: Address) -> None:
        if not isinstance(following, MediaSegment) or following.asset != asked.asset:
            return
        title = self._titles.at_hand(following.asset, following.revision)
        if title is not None:
            rendition = media_track(title.tracks.get(following.track))
            row = segment_row(rendition.segments.time, following.time, rendition.name)
            self._media.expect(rendition, row, title.versions[rendition.source])

    def forget(self, asset_id: str) -> None:
        """Look at the title's files again when it is next asked for."""
        self._titles.forget(asset_id)

    async def title(self, asset_id: str) -> Title:
        """The title as its files are now."""
        return await self._titles.get(asset_id)

    async def _resolve(self, path: str) -> Resource:
        began = time.perf_counter()
        address = parse(path)
        try:
            resource = await self._current(path, address)
        except ObjectChanged:
            self._titles.forget(address.asset)
            resource = await self._current(path, address)
        except BadSidecar as error:
            log.warning("%s: a sidecar is not used any more: %s", address.asset, error)
            self._titles.distrust(address.asset)
            resource = await self._current(path, address)
        if isinstance(address, MultivariantPlaylist | Mpd):
            # What never changes is the same for all: only of these is it told what one answer took.
            return resource.telling(cmsd.dynamic(time.perf_counter() - began))
        return resource

    async def _current(self, path: str, address: Address) -> Resource:
        if isinstance(address, MultivariantPlaylist | Mpd):
            title = await self._titles.get(address.asset)
        else:
            title = await self._titles.get(address.asset, address.revision)
        built = self._built.peek(path)
        if built is None or built.look is not title.look or not _is_good(built):
            let_go = partial(self._built.discard, path)
            built = await self._built.load(path, lambda: self._build(title, address, let_go))
        return built.resource

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
        plan = await _plan(title, rendition, row)
        version = title.versions[plan.source]
        placed = await self._media.place(rendition, row, plan, version, let_go)
        told = cmsd.static_of_segment(rendition, row)
        return _Built(_from_file(plan, placed.parts, tag, told), title.look, placed.holds)


async def _plan(title: Title, rendition: Rendition, row: int) -> Splice:
    """The first of a track waits until all its samples are made sure of: in a thread."""
    if rendition.name in title.planned:
        return plan_segment(rendition, row)
    plan = await asyncio.to_thread(plan_segment, rendition, row)
    title.planned.add(rendition.name)
    return plan


def _joined(path: str, reference: str) -> str:
    """The path that a relative reference leads to (RFC 3986 section 5.2); ValueError for one that
    leads away from here. (``urljoin`` takes five times as long, and this is for every segment.)"""
    if ":" in reference or reference.startswith("//"):
        raise ValueError("another server's")
    reference = _NOT_OF_THE_PATH.split(reference, maxsplit=1)[0]
    return normpath(f"{path.rpartition('/')[0]}/{reference}" if reference[:1] != "/" else reference)


def _is_good(built: _Built) -> bool:
    return built.holds is None or built.holds()


def _from_file(plan: Splice, parts: tuple[Part, ...], tag: str, told: cmsd.Fields) -> Resource:
    return Resource(
        media_type=plan.media_type,
        etag=f'"{tag}"',
        cache_control=IMMUTABLE,
        size=plan.size,
        parts=parts,
        told=told,
    )


def _built_cost(built: _Built) -> int:
    resource = built.resource
    twin = resource.gzip.size if resource.gzip else 0
    parts = (len(p) if isinstance(p, bytes) else _PART_COST for p in resource.parts)
    return _BUILT_COST + twin + sum(parts)
