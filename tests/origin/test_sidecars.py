"""Titles whose files have sidecars: the same answers, without reading the files for them."""

from __future__ import annotations

import asyncio
import logging
import os
import shutil
from collections.abc import Callable
from pathlib import Path

import pytest

from catalog.library import LibraryCatalogue
from origin.service import Origin
from origin.sidecars import MOST_WAITING, REST_SECONDS, SidecarWriter
from origin.storage.local import LocalStorage
from origin.storage.media import LocalMedia
from packager.errors import BadMedia
from packager.movie import index_movie
from packager.sidecar import pack
from tests.origin.node import MIB, Node
from tests.support.sidecars import lie_about_sizes, signed

Log = pytest.LogCaptureFixture


@pytest.fixture
async def library(films: Path, tmp_path: Path) -> Path:
    """A library whose titles all have sidecars."""
    shutil.copytree(films, tmp_path / "films")
    (tmp_path / "films" / "broken.mp4").unlink()
    await write_sidecars(tmp_path / "films")
    return tmp_path / "films"


async def write_sidecars(library: Path) -> None:
    node = Node(library)
    for asset_id in (await node.catalogue.page(None, 100)).ids:
        asset = await node.catalogue.asset(asset_id)
        for file in asset.media if asset else ():
            reader = index_movie(file.key, file.version, file.size)
            index = await node.storage.drive(file.key, file.version, reader)
            await node.storage.write(file.sidecar, pack(index))


async def answers(library: Path, asset_id: str) -> dict[str, bytes]:
    """All that a server, started now, has to say of a title."""
    node = Node(library)
    return {path: await node.body(path) for path in await node.every_path(asset_id)}


@pytest.mark.parametrize("asset_id", ["city", "film", "uneven"])
async def test_answers_are_the_same(
    films: Path, library: Path, indexed: list[str], asset_id: str
) -> None:
    expected = await answers(films, asset_id)
    assert indexed
    indexed.clear()
    assert await answers(library, asset_id) == expected
    assert indexed == []


async def test_each_file_of_a_title_is_its_own_affair(library: Path, indexed: list[str]) -> None:
    (library / "city/.vodx/audio-es.mp4.vodx").unlink()
    assert (await Node(library).origin.title("city")).presentation.left_out == ()
    assert indexed == ["city/audio-es.mp4"]


async def test_a_file_that_has_changed_is_read(
    films: Path, library: Path, indexed: list[str], caplog: Log
) -> None:
    node = Node(library)
    old = (await node.origin.title("film")).presentation.revision
    shutil.copy(films / "city/video-36.mp4", library / "film.mp4")
    node.age()
    with caplog.at_level(logging.INFO, "origin"):
        title = await node.origin.title("film")
    assert indexed == ["film.mp4"]
    assert title.presentation.revision != old
    assert title.presentation.audio == ()
    (message,) = caplog.messages
    assert message.startswith("film.mp4: its sidecar is not used: it is of version ")
    await write_sidecars(library)
    assert await answers(library, "film") == await answers_without_sidecars(library, "film")


async def answers_without_sidecars(library: Path, asset_id: str) -> dict[str, bytes]:
    bare = library.with_name("bare")
    shutil.copytree(library, bare, ignore=shutil.ignore_patterns(".vodx"))
    return await answers(bare, asset_id)


def tear(path: Path) -> None:
    path.write_bytes(path.read_bytes()[:-1])


def change(path: Path) -> None:
    data = bytearray(path.read_bytes())
    data[-40] ^= 1
    path.write_bytes(data)


def forge(path: Path) -> None:
    path.write_bytes(signed(path.read_bytes() + b"\0"))


def empty(path: Path) -> None:
    path.write_bytes(b"")


def make_folder(path: Path) -> None:
    path.unlink()
    path.mkdir()


def make_pipe(path: Path) -> None:
    path.unlink()
    os.mkfifo(path)


def make_large(path: Path) -> None:
    os.truncate(path, 1 << 40)


def make_circle(path: Path) -> None:
    path.unlink()
    path.symlink_to(path.name)


@pytest.mark.parametrize(
    ("spoil", "reason"),
    [
        (tear, "it is torn or changed"),
        (change, "it is torn or changed"),
        (forge, "it has 1 bytes too many"),
        (empty, "it is cut short"),
        (make_large, "film.mp4.vodx is 1099511627776 bytes, too large to be read whole"),
        (make_circle, "cannot stat .vodx/film.mp4.vodx: "),
        (make_folder, None),
        (make_pipe, None),
    ],
)
async def test_a_spoilt_sidecar_changes_nothing_but_speed(
    library: Path,
    indexed: list[str],
    caplog: Log,
    spoil: Callable[[Path], None],
    reason: str | None,
) -> None:
    expected = await answers(library, "film")
    spoil(library / ".vodx/film.mp4.vodx")
    with caplog.at_level(logging.INFO, "origin"):
        assert await answers(library, "film") == expected
    assert indexed == ["film.mp4"]
    assert len(caplog.messages) == (reason is not None)
    for message in caplog.messages:
        assert message.startswith("film.mp4: its sidecar is not used: ")
        assert reason is not None
        assert reason in message


async def test_sidecars_are_no_titles_and_no_tracks(films: Path, library: Path) -> None:
    listed = [(await Node(folder).catalogue.page(None, 100)).ids for folder in (films, library)]
    assert listed[1] == [asset_id for asset_id in listed[0] if asset_id != "broken"]
    asset = await Node(library).catalogue.asset("city")
    assert asset is not None
    assert {file.key for file in asset.media} == {
        f"city/{name}.mp4" for name in ("audio-en", "audio-es", "video-36", "video-54", "video-72")
    }


async def test_writing_them_anew_has_no_folder_listed_again(library: Path) -> None:
    folders = [library, library / "city"]
    before = [folder.stat().st_mtime_ns for folder in folders]
    await write_sidecars(library)
    assert [folder.stat().st_mtime_ns for folder in folders] == before


async def test_one_that_lies_is_noticed_with_the_first_segment_and_the_file_is_read(
    library: Path, indexed: list[str], caplog: Log
) -> None:
    expected = await answers(library, "film")
    lie_about_sizes(library / ".vodx/film.mp4.vodx")
    node = Node(library)
    title = await node.origin.title("film")
    assert indexed == []
    video = next(path for path in expected if "/video1/" in path and path.endswith(".m4s"))
    with caplog.at_level(logging.WARNING, "origin"):
        assert await node.body(video) == expected[video]
    assert indexed == ["film.mp4"]
    (message,) = caplog.messages
    assert message.startswith("film: a sidecar is not used any more: it has sums of sizes")
    assert {path: await node.body(path) for path in await node.every_path("film")} == expected
    assert (await node.origin.title("film")).presentation.revision == title.presentation.revision
    assert indexed == ["film.mp4"]


# Written by who serves.


class Writing:
    """A node that writes the sidecars it misses."""

    def __init__(self, library: Path) -> None:
        self.now = 1000.0
        self.storage = LocalStorage(str(library))
        self.writer = SidecarWriter(self.storage, lambda: self.now)
        self.forget()

    def forget(self) -> None:
        """All titles."""
        self.origin = Origin(
            LibraryCatalogue(self.storage),
            self.storage,
            LocalMedia(self.storage, None),
            title_cache_bytes=MIB,
            resource_cache_bytes=MIB,
            sidecars=self.writer,
        )

    async def load(self, asset_id: str) -> None:
        await self.origin.title(asset_id)
        await self.writer.idle()


@pytest.fixture
def bare(films: Path, tmp_path: Path) -> Path:
    """A library without a sidecar."""
    shutil.copytree(films, tmp_path / "bare")
    return tmp_path / "bare"


def sidecars(library: Path) -> dict[str, bytes]:
    return {str(p.relative_to(library)): p.read_bytes() for p in library.rglob(".vodx/*.vodx")}


async def test_who_indexed_a_file_writes_its_sidecar(bare: Path, indexed: list[str]) -> None:
    for asset_id in ("city", "uneven", "film"):
        await Writing(bare).load(asset_id)
    written = sidecars(bare)
    assert "city/.vodx/video-36.mp4.vodx" in written
    assert ".vodx/film.mp4.vodx" in written
    indexed.clear()
    for asset_id in ("city", "uneven", "film"):
        await Writing(bare).load(asset_id)
    assert indexed == []
    assert sidecars(bare) == written, "what is there is not written again"


async def test_two_who_write_at_once_write_the_same(bare: Path) -> None:
    first, second = Writing(bare), Writing(bare)
    await first.load("city")
    written = sidecars(bare)
    shutil.rmtree(bare / "city/.vodx")
    await asyncio.gather(Writing(bare).load("city"), second.load("city"))
    assert sidecars(bare) == written


async def test_one_that_does_not_fit_is_replaced(bare: Path, indexed: list[str]) -> None:
    await Writing(bare).load("film")
    (good,) = sidecars(bare).values()
    tear(bare / ".vodx/film.mp4.vodx")
    await Writing(bare).load("film")
    assert list(sidecars(bare).values()) == [good]


async def test_a_file_that_cannot_be_indexed_gets_none(bare: Path) -> None:
    with pytest.raises(BadMedia):
        await Writing(bare).load("broken")
    assert sidecars(bare) == {}


async def test_where_nothing_can_be_written_it_is_said_once_and_tried_again_later(
    bare: Path, caplog: Log
) -> None:
    (bare / "city/.vodx").touch()
    writing = Writing(bare)
    with caplog.at_level(logging.WARNING, "origin"):
        await writing.load("city")
        await writing.load("film")
    (message,) = caplog.messages
    assert "sidecars are not written for 60 s: cannot write city/.vodx/" in message
    assert sidecars(bare) == {}, "the minute is for all titles"
    (bare / "city/.vodx").unlink()
    writing.now += REST_SECONDS
    writing.forget()
    await writing.load("city")
    assert len(sidecars(bare)) == 5


async def test_no_answer_waits_for_it(bare: Path, monkeypatch: pytest.MonkeyPatch) -> None:
    never = asyncio.Event()

    async def hang(*_: object) -> None:
        await never.wait()

    writing = Writing(bare)
    monkeypatch.setattr(writing.storage, "write", hang)
    for asset_id in ("city", "film", "uneven"):
        assert (await writing.origin.title(asset_id)).presentation.video
    await writing.writer.aclose()
    assert sidecars(bare) == {}


async def test_what_waits_is_bounded(bare: Path) -> None:
    node = Node(bare)
    title = await node.origin.title("film")
    (file,) = title.asset.media
    index = await node.storage.drive(
        file.key, file.version, index_movie(file.key, file.version, file.size)
    )
    written: list[str] = []

    class Storage(LocalStorage):
        async def write(self, key: str, data: bytes) -> None:
            written.append(key)

    writer = SidecarWriter(Storage(str(bare)))
    for _ in range(3):
        writer.offer([(file, index)] * MOST_WAITING)
    await writer.idle()
    assert len(written) == MOST_WAITING
