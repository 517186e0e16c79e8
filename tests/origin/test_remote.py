"""Segments of a far library: the same bytes as from files, in few requests, whatever fails."""

from __future__ import annotations

import asyncio
import errno
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from origin.delivery.resource import Resource
from origin.errors import ObjectChanged, StorageError
from origin.service import Origin
from origin.storage import remote
from origin.storage.remote import RemoteMedia
from origin.storage.s3.connection import Room, Sink
from origin.storage.sparse import SparseFile, SparseFolder
from origin.storage.sparse_cache import SparseCache
from tests.origin.delivery.library import content
from tests.origin.delivery.serving import until
from tests.origin.node import MIB, Node, served

PIECE = 20_000


class Far:
    """The files of a folder, far away. ``asked``: of which file, and how many bytes."""

    def __init__(self, library: Path) -> None:
        self.location = f"far:{library}"
        self.library = library
        self.asked: list[tuple[str, int]] = []
        self.changed: set[str] = set()
        self.fails_after: int | None = None
        self.open = asyncio.Event()
        self.open.set()

    async def get_range(
        self,
        key: str,
        start: int,
        stop: int,
        version: str,
        sink: Sink,
        room: Room | None = None,
    ) -> None:
        self.asked.append((key, stop - start))
        await self.open.wait()
        if key in self.changed:
            raise ObjectChanged(f"{key} has changed")
        data = memoryview((self.library / key).read_bytes())[start:stop]
        for at in range(0, len(data), PIECE):
            if self.fails_after is not None and at >= self.fails_after:
                raise StorageError("the far end fails")
            await asyncio.sleep(0)
            taken = sink(_read(data[at : at + PIECE], room))
            if taken is not None:
                await taken


def _read(piece: memoryview, room: Room | None) -> memoryview:
    """What comes, in the room that there is for it, or in a buffer where that is short."""
    place = room() if room is not None else None
    if place is None or len(place) < len(piece):
        return piece
    place[: len(piece)] = piece
    return place[: len(piece)]


class FarNode(Node):
    """A worker that has ``library`` far away, and a cache in ``folder``, or none."""

    def __init__(
        self, library: Path, folder: Path | None, *, limit: int = 1 << 30, read_ahead: int = 0
    ) -> None:
        super().__init__(library)
        self.far = Far(library)
        self.cache = SparseCache(SparseFolder(str(folder), limit)) if folder else None
        self.media = RemoteMedia(self.far, self.cache, read_ahead)
        self.origin = Origin(
            self.catalogue,
            self.storage,
            self.media,
            title_cache_bytes=16 * MIB,
            resource_cache_bytes=16 * MIB,
            clock=lambda: self.now,
        )

    async def body(self, path: str) -> bytes:
        """All of it, once it has come."""
        found = await self.resource(path)
        await until(lambda: have_come(found))
        return content(found.parts)

    async def settle(self) -> None:
        await until(lambda: not self.media._tasks and not self.media._ahead)

    async def segments(self, asset_id: str) -> list[str]:
        return [path for path in await self.every_path(asset_id) if path.endswith(".m4s")]


def have_come(found: Resource) -> bool:
    spans = [part for part in found.parts if not isinstance(part, bytes)]
    assert not any(span.arrival and span.arrival.failed for span in spans)
    return all(span.ready(0) == span.length for span in spans)


def of_track(paths: list[str], track: str) -> list[str]:
    found = [path for path in paths if path.split("/")[4] == track]
    return sorted(found, key=lambda path: int(path.rpartition("/")[2].partition(".")[0]))


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
async def node(films: Path, folder: Path) -> AsyncIterator[FarNode]:
    node = FarNode(films, folder)
    yield node
    await node.settle()


@pytest.fixture
def one_by_one(monkeypatch: pytest.MonkeyPatch) -> None:
    """As if all segments were large."""
    monkeypatch.setattr(remote, "TOGETHER", 0)


@pytest.mark.parametrize("asset_id", ["city", "film"])
@pytest.mark.parametrize("kept", [True, False])
async def test_every_path_has_the_bytes_that_files_give(
    films: Path, folder: Path, asset_id: str, kept: bool
) -> None:
    node, near = FarNode(films, folder if kept else None), Node(films)
    for _ in range(2):
        for path in await near.every_path(asset_id):
            assert await node.body(path) == await near.body(path), path
    await node.settle()


async def test_answers_on_the_wire(films: Path, node: FarNode) -> None:
    near = Node(films)
    async with served(node) as site:
        for path in await node.segments("city"):
            expected = await near.body(path)
            part = await site.once(path, "Range: bytes=700-30000")
            assert (part.status, part.body) == (206, expected[700:30001])
            assert (await site.get(path)).body == expected
            assert (await site.get(path)).body == expected


@pytest.mark.usefixtures("one_by_one")
async def test_a_segment_of_one_stretch_is_one_request(node: FarNode) -> None:
    first, second, *_ = of_track(await node.segments("city"), "video1")
    node.far.asked.clear()
    size = len(await node.body(first))
    ((_, asked),) = node.far.asked
    assert 0 < size - asked < 4000, "the samples, without the head"
    await node.body(second)
    assert len(node.far.asked) == 2


async def test_what_is_kept_is_not_asked_for_again(films: Path, folder: Path) -> None:
    node = FarNode(films, folder)
    bodies = {path: await node.body(path) for path in await node.segments("city")}
    await node.settle()
    restarted = FarNode(films, folder)
    for path, body in bodies.items():
        assert await restarted.body(path) == body
    assert restarted.far.asked == []


async def test_all_who_ask_meanwhile_share_one_request(node: FarNode) -> None:
    path = of_track(await node.segments("city"), "video1")[0]
    node.far.asked.clear()
    node.far.open.clear()
    asked = [asyncio.ensure_future(node.body(path)) for _ in range(1000)]
    await until(lambda: bool(node.far.asked))
    node.far.open.set()
    assert len(set(await asyncio.gather(*asked))) == 1
    assert len(node.far.asked) == 1


async def test_small_neighbours_come_with_it(node: FarNode) -> None:
    paths = of_track(await node.segments("city"), "audio1")
    assert len(paths) > 2
    node.far.asked.clear()
    for path in paths:
        await node.body(path)
        await node.settle()
    assert len(node.far.asked) == 1


async def test_samples_between_others_are_one_request(node: FarNode) -> None:
    """Of an interleaved file: what lies between is fetched and dropped."""
    path = of_track(await node.segments("film"), "audio1")[0]
    node.far.asked.clear()
    body = await node.body(path)
    assert len(node.far.asked) == 1
    assert node.far.asked[0][1] > len(body)


async def test_distant_samples_are_asked_for_one_by_one(
    films: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(remote, "MAX_GAP", 10)
    node, near = FarNode(films, folder), Node(films)
    path = of_track(await node.segments("film"), "audio1")[0]
    assert await node.body(path) == await near.body(path)
    assert len(node.far.asked) > 10


@pytest.mark.usefixtures("one_by_one")
async def test_the_next_segment_comes_before_it_is_asked_for(films: Path, folder: Path) -> None:
    node = FarNode(films, folder, read_ahead=1)
    first, second, third, *_ = of_track(await node.segments("city"), "video1")
    await node.body(first)
    await node.settle()
    asked = len(node.far.asked)
    await node.body(second)
    await node.settle()
    assert len(node.far.asked) == asked + 1, "the third, not the second"
    await node.body(third)
    await node.settle()


async def test_what_fails_before_its_first_byte_is_an_error(node: FarNode) -> None:
    path = of_track(await node.segments("city"), "video1")[0]
    node.far.fails_after = 0
    for _ in range(2):
        with pytest.raises(StorageError, match="the far end fails"):
            await node.resource(path)
    node.far.fails_after = None
    assert len(await node.body(path)) > 1000, "and is tried again"


async def test_what_fails_on_its_way_is_cut_and_comes_whole_the_next_time(
    films: Path, node: FarNode
) -> None:
    path = max(await node.segments("city"), key=lambda path: "video3" in path)
    expected = await Node(films).body(path)
    node.far.fails_after = PIECE
    async with served(node) as site:
        with pytest.raises(asyncio.IncompleteReadError):
            await site.once(path)
        node.far.fails_after = None
        assert (await site.once(path)).body == expected


async def test_one_that_has_changed_is_an_error_of_its_kind(node: FarNode) -> None:
    path = of_track(await node.segments("city"), "video1")[0]
    node.far.changed |= {f"city/video-{height}.mp4" for height in (36, 54, 72)}
    with pytest.raises(ObjectChanged):
        await node.resource(path)


async def test_a_full_disk_ends_in_memory(
    films: Path, node: FarNode, monkeypatch: pytest.MonkeyPatch
) -> None:
    near = Node(films)
    paths = await node.segments("city")

    def full(file: SparseFile, position: int, piece: memoryview) -> None:
        raise OSError(errno.ENOSPC, "no room")

    monkeypatch.setattr(SparseFile, "put", full)
    with pytest.raises(StorageError, match="could not be kept: no room"):
        await node.body(paths[0])
    for path in paths:
        assert await node.body(path) == await near.body(path)


async def test_what_is_not_kept_is_let_go_once_it_is_sent(films: Path) -> None:
    node = FarNode(films, None)
    paths = await node.segments("city")
    taken = 0
    for path in paths:
        taken = max(taken, len(await node.body(path)))
        await node.settle()
        await asyncio.sleep(0)
    idle = node.media._stock.idle
    assert 0 < idle < 3 * taken, "all of them came through the same memory"


async def test_a_cache_that_is_too_small_for_any_is_no_harm(films: Path, folder: Path) -> None:
    node, near = FarNode(films, folder, limit=64 * 1024, read_ahead=1), Node(films)
    assert node.cache is not None
    for _ in range(2):
        for path in await node.segments("city"):
            assert await node.body(path) == await near.body(path)
        await node.cache.sweep()
    await node.settle()


def taken(folder: Path) -> int:
    """Bytes on the disk."""
    return sum(file.stat().st_blocks * 512 for file in folder.rglob("*.parts"))


@pytest.mark.usefixtures("one_by_one")
async def test_what_goes_for_want_of_room_is_fetched_anew(
    films: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    node, near = FarNode(films, folder, limit=2 * MIB), Node(films)
    assert node.cache is not None
    room = 300 * 1024
    monkeypatch.setattr(node.cache._folder, "_limit", room + node.cache.largest)
    paths = [*await node.segments("city"), *await node.segments("film")]
    total = 0
    for order in (paths, paths[::-1]):
        for path in order:
            body = await node.body(path)
            assert body == await near.body(path)
            total += len(body)
            await node.settle()
            await node.cache.sweep()
            assert taken(folder) <= room
    assert total > 4 * room
    assert len(paths) < len(node.far.asked) < 2 * len(paths), "some were kept, others not"


async def test_the_end_lets_go_of_what_is_under_way(films: Path, folder: Path) -> None:
    node = FarNode(films, folder)
    path = of_track(await node.segments("city"), "video1")[0]
    node.far.open.clear()
    asked = asyncio.ensure_future(node.resource(path))
    await until(lambda: bool(node.far.asked))
    await node.media.aclose()
    with pytest.raises(StorageError, match="the server stops"):
        await asked
