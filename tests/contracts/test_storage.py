"""What every storage in ``BACK_ENDS`` owes the rest of the origin.

A new back end needs one bench in ``BENCHES``, which changes objects behind its back; these tests do
the rest.
"""

from __future__ import annotations

import asyncio
import os
import threading
from collections.abc import Generator
from pathlib import Path
from typing import Protocol
from urllib.parse import quote

import pytest

from catalog.library import Entry
from origin.errors import ObjectChanged, StorageError
from origin.storage import BACK_ENDS, Storage, open_storage
from packager.errors import BadMedia
from packager.ranges import ByteRange

CONTENT = bytes(range(256)) * 40
OTHER = CONTENT[::-1] + b"longer"


class Bench(Protocol):
    """A library that a test can change; keys are as the storage's."""

    def __init__(self, folder: Path) -> None: ...

    @property
    def location(self) -> str: ...

    def put(self, key: str, content: bytes) -> None:
        """A new object, or another in place of an old one, at once."""

    def overwrite(self, key: str, content: bytes) -> None:
        """The same object with other bytes, where the storage has such a thing."""

    def remove(self, key: str) -> None: ...


class FolderBench:
    """Time passes between two changes: the clock of a file system may be coarser than a test."""

    def __init__(self, folder: Path) -> None:
        self.folder = folder
        self._changed = folder.stat().st_mtime_ns

    @property
    def location(self) -> str:
        return str(self.folder)

    def put(self, key: str, content: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / ".fresh"
        fresh.write_bytes(content)
        fresh.rename(path)
        self._stamp()

    def overwrite(self, key: str, content: bytes) -> None:
        with (self.folder / key).open("r+b") as file:
            file.write(content)
            file.truncate()

    def remove(self, key: str) -> None:
        (self.folder / key).unlink()
        self._stamp()

    def _stamp(self) -> None:
        self._changed += 1_000_000_000
        os.utime(self.folder, ns=(self._changed, self._changed))


class FileUrlBench(FolderBench):
    @property
    def location(self) -> str:
        return "file://" + quote(os.fsencode(self.folder))


BENCHES: dict[str, type[Bench]] = {"": FolderBench, "file": FileUrlBench}


@pytest.fixture(params=BACK_ENDS, ids=lambda scheme: scheme or "folder")
def bench(request: pytest.FixtureRequest, tmp_path: Path) -> Bench:
    folder = tmp_path / "100% of films+more"
    folder.mkdir()
    return BENCHES[request.param](folder)


@pytest.fixture
def storage(bench: Bench) -> Storage:
    return open_storage(bench.location)


async def version_of(storage: Storage, key: str) -> str:
    (entry,) = await storage.stat([key])
    return entry.version


def reader_of(*spans: ByteRange) -> Generator[ByteRange, bytes, bytes]:
    parts = []
    for span in spans:
        parts.append((yield span))
    return b"".join(parts)


def content_of(opened: int) -> bytes:
    return os.pread(opened, 1 << 20, 0)


async def test_an_object_is_read_whole(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    assert await storage.read("a.mp4", await version_of(storage, "a.mp4")) == CONTENT


async def test_an_empty_object(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", b"")
    assert await storage.read("a.mp4", await version_of(storage, "a.mp4")) == b""


async def test_a_location_is_of_one_library(bench: Bench, storage: Storage, tmp_path: Path) -> None:
    (tmp_path / "other").mkdir()
    other = type(bench)(tmp_path / "other")
    assert open_storage(bench.location).location == storage.location
    assert open_storage(other.location).location != storage.location


async def test_a_reader_is_sent_what_it_asks_for(bench: Bench, storage: Storage) -> None:
    bench.put("title/a.mp4", CONTENT)
    spans = [ByteRange(0, 16), ByteRange(9000, 1240), ByteRange(5, 0), ByteRange(10_239, 1)]
    got = await storage.drive(
        "title/a.mp4", await version_of(storage, "title/a.mp4"), reader_of(*spans)
    )
    assert got == b"".join(CONTENT[span.start : span.stop] for span in spans)


async def test_a_file_to_send_from(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", version)
    assert content_of(opened.fileno()) == CONTENT
    assert storage.is_current(opened, version)


async def test_a_read_past_the_end_is_never_short(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    past = ByteRange(len(CONTENT) - 10, 11)
    with pytest.raises(StorageError):
        await storage.drive("a.mp4", version, reader_of(past))


async def test_what_is_not_there(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    bench.remove("a.mp4")
    assert list(await storage.stat(["a.mp4", "b/c.mp4"])) == []
    assert list(await storage.list_folder("b")) == []
    for reading in (
        storage.read("a.mp4", version),
        storage.drive("a.mp4", version, reader_of(ByteRange(0, 1))),
        storage.open("a.mp4", version),
    ):
        with pytest.raises(ObjectChanged, match=r"a\.mp4"):
            await reading


async def test_another_version_is_never_read(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    bench.put("a.mp4", OTHER)
    assert await version_of(storage, "a.mp4") != old
    for reading in (
        storage.read("a.mp4", old),
        storage.drive("a.mp4", old, reader_of(ByteRange(0, 1))),
        storage.open("a.mp4", old),
    ):
        with pytest.raises(ObjectChanged, match=r"a\.mp4"):
            await reading


async def test_a_replaced_object_stays_what_it_was_while_open(
    bench: Bench, storage: Storage
) -> None:
    bench.put("a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", old)
    bench.put("a.mp4", OTHER)
    assert storage.is_current(opened, old)
    assert content_of(opened.fileno()) == CONTENT
    new = await version_of(storage, "a.mp4")
    reopened = await storage.open("a.mp4", new)
    assert content_of(reopened.fileno()) == OTHER
    assert content_of(opened.fileno()) == CONTENT


async def test_an_object_changed_in_place_is_noticed(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", old)
    bench.overwrite("a.mp4", OTHER)
    assert not storage.is_current(opened, old)
    with pytest.raises(ObjectChanged):
        await storage.open("a.mp4", old)
    new = await version_of(storage, "a.mp4")
    assert content_of((await storage.open("a.mp4", new)).fileno()) == OTHER


async def test_an_object_that_changes_while_it_is_read_is_refused(
    bench: Bench, storage: Storage
) -> None:
    bench.put("a.mp4", CONTENT)

    def reader() -> Generator[ByteRange, bytes, bytes]:
        first = yield ByteRange(0, 5000)
        bench.overwrite("a.mp4", OTHER)
        return first + (yield ByteRange(5000, 5240))

    with pytest.raises(ObjectChanged):
        await storage.drive("a.mp4", await version_of(storage, "a.mp4"), reader())


async def test_a_change_explains_what_seems_broken(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)

    def reader() -> Generator[ByteRange, bytes, bytes]:
        yield ByteRange(0, 5000)
        bench.overwrite("a.mp4", OTHER)
        raise BadMedia("no such box")

    with pytest.raises(ObjectChanged):
        await storage.drive("a.mp4", await version_of(storage, "a.mp4"), reader())


async def test_the_error_of_a_reader_is_its_own(bench: Bench, storage: Storage) -> None:
    bench.put("a.mp4", CONTENT)
    closed = threading.Event()

    def reader() -> Generator[ByteRange, bytes, bytes]:
        try:
            yield ByteRange(0, 8)
            raise BadMedia("no such box", box="moov", offset=8)
        finally:
            closed.set()

    with pytest.raises(BadMedia, match="no such box in box 'moov' at byte 8"):
        await storage.drive("a.mp4", await version_of(storage, "a.mp4"), reader())
    assert closed.is_set()


async def test_a_load_that_is_cancelled_leaves_nothing_behind(
    bench: Bench, storage: Storage
) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    began, go_on, ended = threading.Event(), threading.Event(), threading.Event()

    def reader() -> Generator[ByteRange, bytes, bytes]:
        try:
            yield ByteRange(0, 8)
            began.set()
            go_on.wait()
            return (yield ByteRange(8, 8))
        finally:
            ended.set()

    load = asyncio.ensure_future(storage.drive("a.mp4", version, reader()))
    await asyncio.to_thread(began.wait)
    load.cancel()
    with pytest.raises(asyncio.CancelledError):
        await load
    go_on.set()
    await asyncio.to_thread(ended.wait)
    assert await storage.read("a.mp4", version) == CONTENT


async def test_a_folder_is_listed_with_sizes_and_versions(bench: Bench, storage: Storage) -> None:
    bench.put("title/b.mp4", CONTENT)
    bench.put("title/a.vtt", b"WEBVTT")
    bench.put("title/.hidden.mp4", CONTENT)
    bench.put("title/extras/c.mp4", CONTENT)
    entries = {entry.key: entry for entry in await storage.list_folder("title")}
    assert entries.keys() == {"title/b.mp4", "title/a.vtt", "title/extras"}
    assert entries["title/extras"].is_folder
    files = await storage.stat(["title/b.mp4", "title/a.vtt"])
    assert [entries["title/b.mp4"], entries["title/a.vtt"]] == list(files)
    assert [entry.size for entry in files] == [len(CONTENT), 6]


async def test_the_root_is_listed(bench: Bench, storage: Storage) -> None:
    bench.put("film.mp4", CONTENT)
    bench.put("city/video.mp4", CONTENT)
    bench.put(".hidden.mp4", CONTENT)
    entries = {entry.key: entry.is_folder for entry in await storage.list_folder("")}
    assert entries == {"film.mp4": False, "city": True}


async def test_a_folder_has_another_version_when_its_names_change(
    bench: Bench, storage: Storage
) -> None:
    versions = [await storage.folder_version("")]
    bench.put("a.mp4", CONTENT)
    versions.append(await storage.folder_version(""))
    bench.put("b.mp4", CONTENT)
    versions.append(await storage.folder_version(""))
    bench.remove("a.mp4")
    versions.append(await storage.folder_version(""))
    assert len(set(versions)) == 4


ODD_NAMES = [
    "with space.mp4",
    "100%.mp4",
    "%2e%2e.mp4",
    "a+b.mp4",
    "a&b=c;d.mp4",
    "what?#1.mp4",
    "'quoted' \"twice\".mp4",
    "a\\b.mp4",
    "Ünï-日本-🎬.mp4",
    "e\u0301.mp4",
    "tab\tnewline\n.mp4",
    "bytes-\udcff\udcfe.mp4",
    "..mp4..mp4",
    "-rf.mp4",
]


@pytest.mark.parametrize("name", ODD_NAMES, ids=ascii)
async def test_odd_names(name: str, bench: Bench, storage: Storage) -> None:
    key = f"title/{name}"
    try:
        bench.put(key, CONTENT)
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    bench.put("title/other.mp4", OTHER)
    listed = {entry.key: entry for entry in await storage.list_folder("title")}
    expected = {key, "title/other.mp4"} - ({key} if name.startswith(".") else set())
    assert listed.keys() == expected
    (entry,) = await storage.stat([key])
    assert entry == Entry(key, False, len(CONTENT), entry.version)
    assert await storage.read(key, entry.version) == CONTENT
    assert content_of((await storage.open(key, entry.version)).fileno()) == CONTENT


@pytest.mark.parametrize("key", ["../secret", "title/../../secret", "/etc/hostname"])
async def test_no_key_leaves_the_library(
    key: str, bench: Bench, storage: Storage, tmp_path: Path
) -> None:
    bench.put("title/a.mp4", CONTENT)
    (tmp_path / "secret").touch()
    for reading in (
        storage.stat([key]),
        storage.read(key, "1"),
        storage.open(key, "1"),
        storage.list_folder(key),
        storage.folder_version(key),
    ):
        with pytest.raises(StorageError, match="leaves the library"):
            await reading
