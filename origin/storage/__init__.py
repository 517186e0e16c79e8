"""Where the bytes are: one port, and one map from URL scheme to back end.

A back end promises what ``tests/contracts/test_storage.py`` asks of it.
"""

from __future__ import annotations

from collections.abc import Callable, Generator, Sequence
from typing import Protocol, TypeVar

from catalog.library import Entry
from origin.delivery.resource import OpenFile
from origin.storage.local import LocalStorage
from packager.ranges import ByteRange

T = TypeVar("T")


class Storage(Protocol):
    """Objects of a library, by key and version. Every read is of exactly the version named:
    ``ObjectChanged`` where that is gone, ``StorageError`` where the storage fails."""

    @property
    def location(self) -> str:
        """Of no other library: with a key and a version it names the same bytes to all workers."""

    async def folder_version(self, folder: str) -> str: ...

    async def list_folder(self, folder: str) -> Sequence[Entry]: ...

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]: ...

    async def read(self, key: str, version: str) -> bytes:
        """A whole small object."""

    async def drive(self, key: str, version: str, reader: Generator[ByteRange, bytes, T]) -> T:
        """Run ``reader`` to its result, feeding it the ranges it asks for."""

    async def open(self, key: str, version: str) -> OpenFile:
        """The object as a file that media can be sent from."""

    def is_current(self, opened: OpenFile, version: str) -> bool:
        """Whether the open file still holds the bytes of ``version``; cheap, asked per request."""


BACK_ENDS: dict[str, Callable[[str], Storage]] = {
    "": LocalStorage,
    "file": LocalStorage.at_url,
}
"""What opens a location, by the scheme of its URL; '' is what is no URL."""


def open_storage(location: str) -> Storage:
    """The back end for a library's location: a folder, or a URL."""
    before, mark, _ = location.partition("://")
    scheme = before if mark else ""
    if scheme not in BACK_ENDS:
        known = ", ".join(f"{name}://" for name in BACK_ENDS if name)
        raise ValueError(f"no storage for {scheme}:// (known: a folder, {known})")
    return BACK_ENDS[scheme](location)
