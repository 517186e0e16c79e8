"""What every storage in ``BACK_ENDS`` owes the rest of the origin.

A new back end needs one bench in ``BENCHES``, which changes objects behind its back; these tests do
the rest.
"""

from __future__ import annotations

import asyncio
import errno
import os
import ssl
import threading
from collections.abc import AsyncIterator, Callable, Generator, Sequence
from contextlib import AbstractAsyncContextManager, aclosing, asynccontextmanager
from dataclasses import replace
from functools import partial
from pathlib import Path
from typing import Protocol, cast
from urllib.parse import quote

import pytest

from catalog.assets import Catalogue
from catalog.library import Entry
from origin.errors import ObjectChanged, StorageError
from origin.settings import Settings
from origin.storage import BACK_ENDS, Library, Storage, open_library
from packager.errors import BadMedia
from packager.ranges import ByteRange
from tests.support.certificates import authority_pem, write_pair
from tests.support.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, S3Server, s3_server
from tests.support.web_server import web_server

CONTENT = bytes(range(256)) * 40
OTHER = CONTENT[::-1] + b"longer"


class Bench(Protocol):
    """A library that a test can change; keys are as the storage's."""

    def settings(self, library: str = "") -> Settings:
        """For ``library`` of several that lie side by side."""

    def put(self, key: str, content: bytes) -> None:
        """A new object, or another in place of an old one, at once."""

    def overwrite(self, key: str, content: bytes) -> None:
        """The same object with other bytes, where the storage has such a thing."""

    def remove(self, key: str) -> None: ...


class FolderBench:
    def __init__(self, folder: Path) -> None:
        self.folder = folder

    def settings(self, library: str = "") -> Settings:
        place = self.folder.parent / library if library else self.folder
        place.mkdir(exist_ok=True)
        return Settings(library=self.location(place))

    def location(self, place: Path) -> str:
        return str(place)

    def put(self, key: str, content: bytes) -> None:
        path = self.folder / key
        path.parent.mkdir(parents=True, exist_ok=True)
        fresh = self.folder / ".fresh"
        fresh.write_bytes(content)
        fresh.rename(path)

    def overwrite(self, key: str, content: bytes) -> None:
        with (self.folder / key).open("r+b") as file:
            file.write(content)
            file.truncate()

    def remove(self, key: str) -> None:
        (self.folder / key).unlink()


class FileUrlBench(FolderBench):
    def location(self, place: Path) -> str:
        return "file://" + quote(os.fsencode(place))


def require_unicode(key: str) -> None:
    """Of what is named in a URL."""
    try:
        key.encode()
    except UnicodeEncodeError as error:
        raise OSError(errno.EINVAL, "not Unicode") from error


class WebBench(FolderBench):
    """A folder behind a web server that knows nothing of us."""

    def __init__(self, folder: Path, url: str, ca_file: str) -> None:
        super().__init__(folder)
        self._url = url
        self._ca_file = ca_file

    def settings(self, library: str = "") -> Settings:
        settings = super().settings(library)
        return replace(settings, http_hosts="127.0.0.1", s3_ca_file=self._ca_file)

    def location(self, place: Path) -> str:
        return f"{self._url}/{quote(place.name)}"

    def put(self, key: str, content: bytes) -> None:
        require_unicode(key)
        super().put(key, content)


class S3Bench:
    PREFIX = "100% of films+more"

    def __init__(self, server: S3Server) -> None:
        self.server = server

    def settings(self, library: str = PREFIX) -> Settings:
        return Settings(
            library=f"s3://{BUCKET}/{library}", s3_endpoint=self.server.url, s3_region=REGION
        )

    def put(self, key: str, content: bytes) -> None:
        require_unicode(key)
        self.server.put(f"{self.PREFIX}/{key}", content)

    overwrite = put

    def remove(self, key: str) -> None:
        self.server.remove(f"{self.PREFIX}/{key}")


@asynccontextmanager
async def folder_bench(tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "100% of films+more"
    folder.mkdir()
    yield FolderBench(folder)


@asynccontextmanager
async def file_url_bench(tmp_path: Path) -> AsyncIterator[Bench]:
    folder = tmp_path / "100% of films+more"
    folder.mkdir()
    yield FileUrlBench(folder)


@asynccontextmanager
async def web_bench(tmp_path: Path, tls: bool = False) -> AsyncIterator[Bench]:
    folder = tmp_path / "100% of films+more"
    folder.mkdir()
    pair = write_pair(tmp_path)
    context = None
    if tls:
        context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
        context.load_cert_chain(pair.certificate, pair.key)
    authority = tmp_path / "authority.pem"
    authority.write_bytes(authority_pem())
    async with web_server(tmp_path, context) as url:
        yield WebBench(folder, url, str(authority))


@asynccontextmanager
async def s3_bench(_: Path) -> AsyncIterator[Bench]:
    async with s3_server() as server:
        yield S3Bench(server)


BENCHES: dict[str, Callable[[Path], AbstractAsyncContextManager[Bench]]] = {
    "": folder_bench,
    "file": file_url_bench,
    "s3": s3_bench,
    "http": web_bench,
    "https": partial(web_bench, tls=True),
}


@pytest.fixture(params=BACK_ENDS, ids=lambda scheme: scheme or "folder")
async def bench(
    request: pytest.FixtureRequest, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> AsyncIterator[Bench]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    async with BENCHES[request.param](tmp_path) as made:
        yield made


@pytest.fixture
async def library(bench: Bench) -> AsyncIterator[Library]:
    opened = open_library(bench.settings())
    async with aclosing(opened.storage):
        yield opened


class Listed(Storage, Protocol):
    """With what all of them have for their catalogues."""

    async def list_folder(self, folder: str) -> Sequence[Entry]: ...

    async def stat(self, keys: Sequence[str]) -> Sequence[Entry]: ...


@pytest.fixture
def storage(library: Library) -> Listed:
    return cast("Listed", library.storage)


@pytest.fixture
def catalogue(library: Library) -> Catalogue:
    return library.catalogue


async def version_of(storage: Listed, key: str) -> str:
    (entry,) = await storage.stat([key])
    return entry.version


def reader_of(*spans: ByteRange) -> Generator[ByteRange, bytes, bytes]:
    parts = []
    for span in spans:
        parts.append((yield span))
    return b"".join(parts)


async def test_an_object_is_read_whole(bench: Bench, storage: Listed) -> None:
    bench.put("a.mp4", CONTENT)
    assert await storage.read("a.mp4", await version_of(storage, "a.mp4")) == CONTENT


def require_more_than_reading(bench: Bench) -> None:
    if isinstance(bench, WebBench):
        pytest.skip("what HTTP has not: listings, writing, ranges of nothing")


async def test_an_empty_object(bench: Bench, storage: Listed) -> None:
    require_more_than_reading(bench)
    bench.put("a.mp4", b"")
    assert await storage.read("a.mp4", await version_of(storage, "a.mp4")) == b""
    assert await storage.read_latest("a.mp4") == b""


async def test_the_latest_version_is_read_without_knowing_it(bench: Bench, storage: Listed) -> None:
    key = "title/.vodx/a.mp4.vodx"
    assert await storage.read_latest(key) is None
    bench.put(key, CONTENT)
    assert await storage.read_latest(key) == CONTENT
    bench.overwrite(key, OTHER)
    assert await storage.read_latest(key) == OTHER
    bench.remove(key)
    assert await storage.read_latest(key) is None


async def test_a_location_is_of_one_library(bench: Bench, storage: Listed) -> None:
    for other, is_the_same in ((bench.settings(), True), (bench.settings("other"), False)):
        opened = open_library(other).storage
        assert (opened.location == storage.location) is is_the_same
        await opened.aclose()


async def test_a_library_that_is_there_is_found_so(storage: Storage) -> None:
    await storage.check()


async def test_what_is_written_is_read(bench: Bench, storage: Storage) -> None:
    require_more_than_reading(bench)
    bench.put("title/a.mp4", CONTENT)
    for content in (CONTENT, OTHER, b""):
        await storage.write("title/.vodx/a.mp4.vodx", content)
        assert await storage.read_latest("title/.vodx/a.mp4.vodx") == content


async def test_a_title_of_one_file_and_one_of_a_folder(bench: Bench, catalogue: Catalogue) -> None:
    require_more_than_reading(bench)
    for key in ("film.mp4", "film.en.srt", "film.two.mp4", "city/video.mp4", "city/subs.vtt"):
        bench.put(key, CONTENT)
    for key in ("film-2.mp4", "filmed/a.mp4", "city/extras/c.mp4", ".hidden.mp4", "notes.txt"):
        bench.put(key, CONTENT)
    film, city = await catalogue.asset("film"), await catalogue.asset("city")
    assert film is not None
    assert city is not None
    assert [file.key for file in film.media] == ["film.mp4"]
    assert [file.key for file in film.text] == ["film.en.srt"]
    assert [file.key for file in city.media] == ["city/video.mp4"]
    assert [file.key for file in city.text] == ["city/subs.vtt"]
    assert {file.size for file in city.media} == {len(CONTENT)}
    for unknown in ("fil", "notes", "nobody", "", "..", "city/extras", ".hidden"):
        assert await catalogue.asset(unknown) is None


async def test_pages_hold_every_title(bench: Bench, catalogue: Catalogue) -> None:
    require_more_than_reading(bench)
    names = [*(f"film-{number}" for number in range(30)), "a", "a-b", "zoë"]
    for name in names:
        bench.put(f"{name}.mp4", CONTENT)
    bench.put("folder/a.mp4", CONTENT)
    found: list[str] = []
    after, pages = None, 0
    while pages == 0 or after is not None:
        page = await catalogue.page(after, 7)
        assert len(page.ids) <= 7
        found += page.ids
        after, pages = page.next, pages + 1
    assert sorted(found) == sorted([*names, "folder"])


async def test_a_reader_is_sent_what_it_asks_for(bench: Bench, storage: Listed) -> None:
    bench.put("title/a.mp4", CONTENT)
    spans = [ByteRange(0, 16), ByteRange(9000, 1240), ByteRange(5, 0), ByteRange(10_239, 1)]
    got = await storage.drive(
        "title/a.mp4", await version_of(storage, "title/a.mp4"), reader_of(*spans)
    )
    assert got == b"".join(CONTENT[span.start : span.stop] for span in spans)


async def test_a_read_past_the_end_is_never_short(bench: Bench, storage: Listed) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    past = ByteRange(len(CONTENT) - 10, 11)
    with pytest.raises(StorageError):
        await storage.drive("a.mp4", version, reader_of(past))


async def test_what_is_not_there(bench: Bench, storage: Listed) -> None:
    bench.put("a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    bench.remove("a.mp4")
    assert list(await storage.stat(["a.mp4", "b/c.mp4"])) == []
    for reading in (
        storage.read("a.mp4", version),
        storage.drive("a.mp4", version, reader_of(ByteRange(0, 1))),
    ):
        with pytest.raises(ObjectChanged, match=r"a\.mp4"):
            await reading


async def test_another_version_is_never_read(bench: Bench, storage: Listed) -> None:
    bench.put("a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    bench.put("a.mp4", OTHER)
    assert await version_of(storage, "a.mp4") != old
    for reading in (
        storage.read("a.mp4", old),
        storage.drive("a.mp4", old, reader_of(ByteRange(0, 1))),
    ):
        with pytest.raises(ObjectChanged, match=r"a\.mp4"):
            await reading


async def test_an_object_that_changes_while_it_is_read_is_refused(
    bench: Bench, storage: Listed
) -> None:
    bench.put("a.mp4", CONTENT)

    def reader() -> Generator[ByteRange, bytes, bytes]:
        first = yield ByteRange(0, 5000)
        bench.overwrite("a.mp4", OTHER)
        return first + (yield ByteRange(5000, 5240))

    with pytest.raises(ObjectChanged):
        await storage.drive("a.mp4", await version_of(storage, "a.mp4"), reader())


async def test_a_change_explains_what_seems_broken(bench: Bench, storage: Listed) -> None:
    bench.put("a.mp4", CONTENT)

    def reader() -> Generator[ByteRange, bytes, bytes]:
        yield ByteRange(0, 5000)
        bench.overwrite("a.mp4", OTHER)
        raise BadMedia("no such box")

    with pytest.raises(ObjectChanged):
        await storage.drive("a.mp4", await version_of(storage, "a.mp4"), reader())


async def test_the_error_of_a_reader_is_its_own(bench: Bench, storage: Listed) -> None:
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
    bench: Bench, storage: Listed
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


async def test_a_folder_is_listed_with_sizes_and_versions(bench: Bench, storage: Listed) -> None:
    require_more_than_reading(bench)
    assert list(await storage.list_folder("title")) == []
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
async def test_odd_names(name: str, bench: Bench, storage: Listed) -> None:
    key = f"title/{name}"
    try:
        bench.put(key, CONTENT)
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    bench.put("title/other.mp4", OTHER)
    if not isinstance(bench, WebBench):
        listed = {entry.key: entry for entry in await storage.list_folder("title")}
        expected = {key, "title/other.mp4"} - ({key} if name.startswith(".") else set())
        assert listed.keys() == expected
    assert await storage.read_latest(key) == CONTENT
    (entry,) = await storage.stat([key])
    assert entry == Entry(key, False, len(CONTENT), entry.version)
    assert await storage.read(key, entry.version) == CONTENT
