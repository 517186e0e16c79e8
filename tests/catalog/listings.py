"""A library that is only names, and counts what is asked of it."""

from __future__ import annotations

import asyncio
from collections import Counter
from collections.abc import Callable, Sequence

from catalog.library import Entry


class FakeListing:
    """``files`` by key; their folders are there with them. ``versions`` are the files'."""

    def __init__(self, *files: str) -> None:
        self.files = set(files)
        self.versions: dict[str, str] = {}
        self.asked: Counter[str] = Counter()
        self.stats: list[str] = []
        self.changes = 0
        self.before_stat: Callable[[], None] = lambda: None

    def add(self, *files: str) -> None:
        self.files |= set(files)
        self.changes += 1

    def remove(self, *files: str) -> None:
        self.files -= set(files)
        self.changes += 1

    async def folder_version(self, folder: str) -> str:
        self.asked["folder_version"] += 1
        await asyncio.sleep(0)
        return str(self.changes)

    async def look(self, keys: Sequence[str]) -> tuple[str, Sequence[Entry]]:
        return await self.folder_version(""), await self.stat(keys)

    async def list_folder(self, folder: str) -> Sequence[Entry]:
        self.asked["list_folder"] += 1
        await asyncio.sleep(0)
        prefix = f"{folder}/" if folder else ""
        below = [key.removeprefix(prefix) for key in self.files if key.startswith(prefix)]
        folders = {name.split("/")[0] for name in below if "/" in name}
        entries = [Entry(prefix + name, True) for name in folders]
        if folder:
            return entries + [self._entry(prefix + name) for name in below if "/" not in name]
        return entries + [Entry(name, False) for name in below if "/" not in name]

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]:
        self.before_stat()
        self.stats += keys
        return [self._entry(key) for key in keys if key in self.files]

    def _entry(self, key: str) -> Entry:
        return Entry(key, False, len(key), self.versions.get(key, "1"))
