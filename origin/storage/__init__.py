"""Where the bytes are: one port, and one map from URL scheme to back end.

A back end promises what ``tests/contracts/test_storage.py`` asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Iterable, Iterator
from dataclasses import replace
from typing import NamedTuple, Protocol, TypeVar

from catalog.assets import Catalogue
from catalog.keyed import KeyedCatalogue
from catalog.library import LibraryCatalogue
from catalog.unlisted import UnlistedCatalogue
from origin.breaker import Breaker
from origin.settings import BadSetting, Settings
from origin.storage.http import HttpStorage
from origin.storage.local import LocalStorage
from origin.storage.media import LocalMedia, Media
from origin.storage.remote import RemoteMedia
from origin.storage.s3.fallback import HALF, PATIENCE, S3WithFallback
from origin.storage.s3.storage import S3Storage
from origin.storage.sparse_cache import SparseCache
from origin.storage.tracks import TrackCache
from origin.telemetry.remote import Count
from packager.ranges import ByteRange

T = TypeVar("T")


class Storage(Protocol):
    """Objects of a library, by key and version. Every read is of exactly the version named:
    ``ObjectChanged`` where that is gone, ``StorageError`` where the storage fails."""

    @property
    def location(self) -> str:
        """Of no other library: with a key and a version it names the same bytes to all workers."""

    @property
    def fresh_seconds(self) -> float:
        """For how long what was listed is taken as it is."""

    @property
    def stale_seconds(self) -> float:
        """For how much longer it is, while it is listed again."""

    async def check(self) -> None:
        """Raises ``StorageError`` where the library cannot be read."""

    async def read(self, key: str, version: str) -> bytes:
        """A whole small object."""

    async def read_latest(self, key: str) -> bytes | None:
        """A whole small object in whatever version it is; None if there is none."""

    async def write(self, key: str, data: bytes) -> None:
        """A whole object in its place at once: whoever reads finds the old one or the new."""

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        """Run ``reader`` to its result, feeding it the ranges it asks for."""

    def counts(self) -> Iterable[Count]:
        """For metrics: what was asked from afar."""

    async def aclose(self) -> None:
        """Let go of connections."""


class Library(NamedTuple):
    """All that one location gives."""

    storage: Storage
    catalogue: Catalogue
    media: Media

    def counts(self) -> Iterator[Count]:
        yield from self.storage.counts()
        yield from self.media.counts()


def _local(storage: LocalStorage, cache: SparseCache | None) -> Library:
    tracks = TrackCache(cache, storage) if cache else None
    return Library(storage, LibraryCatalogue(storage), LocalMedia(storage, tracks))


def _s3(settings: Settings, cache: SparseCache | None) -> Library:
    storage = _bucket(settings)
    media = RemoteMedia(storage, cache, settings.read_ahead)
    return Library(storage, KeyedCatalogue(storage), media)


def _http(settings: Settings, cache: SparseCache | None) -> Library:
    storage = HttpStorage.at_url(settings.library, settings)
    media = RemoteMedia(storage, cache, settings.read_ahead)
    return Library(storage, UnlistedCatalogue(storage), media)


def _bucket(settings: Settings) -> S3Storage | S3WithFallback:
    if not settings.s3_fallback:
        return S3Storage.at_url(settings.library, settings)
    if not settings.s3_fallback.startswith("s3://"):
        raise ValueError(f"VOD_S3_FALLBACK={settings.s3_fallback} is no s3://bucket/prefix")
    elsewhere = replace(
        settings,
        s3_region=settings.s3_fallback_region or settings.s3_region,
        s3_endpoint=settings.s3_fallback_endpoint or settings.s3_endpoint,
    )
    first = S3Storage.at_url(settings.library, settings, HALF, Breaker(patience=PATIENCE))
    return S3WithFallback(first, S3Storage.at_url(settings.s3_fallback, elsewhere, HALF))


BACK_ENDS: dict[str, Callable[[Settings, SparseCache | None], Library]] = {
    "": lambda settings, cache: _local(LocalStorage(settings.library), cache),
    "file": lambda settings, cache: _local(LocalStorage.at_url(settings.library), cache),
    "s3": _s3,
    "http": _http,
    "https": _http,
}
"""What opens a library, by the scheme of its URL; '' is what is no URL."""


def open_library(settings: Settings, cache: SparseCache | None = None) -> Library:
    """The library at a folder, or a URL; ``cache``: where what it sends may be kept."""
    before, mark, _ = settings.library.partition("://")
    scheme = before if mark else ""
    if scheme not in BACK_ENDS:
        known = ", ".join(f"{name}://" for name in BACK_ENDS if name)
        raise BadSetting(f"library: no storage for {scheme}:// (known: a folder, {known})")
    try:
        return BACK_ENDS[scheme](settings, cache)
    except (ValueError, NotADirectoryError) as error:
        raise BadSetting(f"library: {error}") from None
