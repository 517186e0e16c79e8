"""Interleaved titles through the whole stack: the same bytes from the file and from its copy."""

from __future__ import annotations

import asyncio
import errno
import logging
import os
import shutil
import subprocess
import sys
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

from origin.delivery import spans
from origin.delivery.resource import FileSpan, Resource
from origin.errors import UnknownRevision
from origin.service import Origin
from origin.storage import sparse, sparse_cache, tracks
from origin.storage.media import LocalMedia
from origin.storage.sparse import SparseFile, SparseFolder
from origin.storage.sparse_cache import SparseCache
from origin.storage.tracks import TrackCache
from tests.cli.running import ROOT, serving
from tests.origin.delivery.serving import PATIENCE, Wire, request, until
from tests.origin.node import MIB, Node, served
from tests.support.descriptors import needs_proc, open_in
from tests.support.films import write_film
from tests.support.movies import Recording, Row, plain_movie
from tests.support.shared_media import FOLDER, REFUSED, shared_files


class CachingNode(Node):
    """A worker whose copies are in ``folder``."""

    def __init__(self, library: Path, folder: Path, limit: int = 1 << 30) -> None:
        super().__init__(library)
        self.folder = folder / f"vod-origin-{os.geteuid()}"
        self.cache = SparseCache(SparseFolder(str(folder), limit))
        self.origin = Origin(
            self.catalogue,
            self.storage,
            LocalMedia(self.storage, TrackCache(self.cache, self.storage)),
            title_cache_bytes=16 * MIB,
            resource_cache_bytes=16 * MIB,
            clock=lambda: self.now,
        )

    async def copied(self, path: str) -> Resource:
        """The resource at ``path`` once it is made of its head and one span."""
        for _ in range(round(PATIENCE / 0.005)):
            if self.is_copy(found := await self.resource(path)):
                return found
            await asyncio.sleep(0.005)
        raise AssertionError(f"{path} was not copied")

    def is_copy(self, found: Resource) -> bool:
        """Whether its samples are one span of a file of the folder."""
        match found.parts:
            case (bytes(), FileSpan(file=file)):
                inode = os.fstat(file.fileno()).st_ino
                return inode in {path.stat().st_ino for path in self.folder.iterdir()}
        return False

    async def segments(self, asset_id: str) -> list[str]:
        return [path for path in await self.every_path(asset_id) if path.endswith(".m4s")]


@pytest.fixture
def library(films: Path, tmp_path: Path) -> Path:
    (tmp_path / "library").mkdir()
    shutil.copy2(films / "film.mp4", tmp_path / "library")
    return tmp_path / "library"


@pytest.fixture
def folder(tmp_path: Path) -> Path:
    return tmp_path / "cache"


@pytest.fixture
async def bodies(library: Path) -> dict[str, bytes]:
    """Every segment of the film, without a cache."""
    node = Node(library)
    paths = [path for path in await node.every_path("film") if path.endswith(".m4s")]
    return {path: await node.body(path) for path in paths}


@pytest.fixture
def writes(monkeypatch: pytest.MonkeyPatch) -> list[tuple[str, int]]:
    """Every part that is written."""
    done: list[tuple[str, int]] = []
    write = SparseFile.write

    def counted(file: SparseFile, part: int, pieces: Iterator[memoryview]) -> None:
        done.append((file.name, part))
        write(file, part, pieces)

    monkeypatch.setattr(SparseFile, "write", counted)
    return done


# The same bytes.


async def test_first_second_and_ranged_answers_are_the_same(
    library: Path, folder: Path, bodies: dict[str, bytes]
) -> None:
    node = CachingNode(library, folder)
    assert {path.split("/")[4] for path in bodies} == {"video1", "audio1"}
    async with served(node) as site:
        for path, expected in bodies.items():
            lies = (await Node(library).resource(path)).parts
            assert len(lies) > tracks.FEW_PIECES
            first = await site.get(path)
            await node.copied(path)
            second = await site.get(path)
            assert first.body == second.body == expected
            assert first.headers | {"date": ""} == second.headers | {"date": ""}
            size = len(expected)
            for start, stop in ((0, 1), (0, size), (size - 1, size), (600, 700), (size // 3, size)):
                part = await site.get(path, f"Range: bytes={start}-{stop - 1}")
                assert (part.status, part.body) == (206, expected[start:stop])
            several = await site.get(path, "Range: bytes=5-9,300-1000,1200-1299")
            assert several.status == 206
            assert several.body.count(expected[300:1001]) == 1
            unchanged = await site.get(path, f"If-None-Match: {first.headers['etag']}")
            assert unchanged.status == 304


@pytest.mark.parametrize("name", shared_files("*.mp4", without=REFUSED))
async def test_real_files(name: str, tmp_path: Path, folder: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (library / "title.mp4").symlink_to(FOLDER / name)
    plain, node = Node(library), CachingNode(library, folder)
    for path in await node.segments("title"):
        first = await node.body(path)
        lies = (await plain.resource(path)).parts[1:]
        if tracks.is_scattered([piece for piece in lies if isinstance(piece, FileSpan)]):
            await node.copied(path)
        assert first == await node.body(path) == await plain.body(path)


async def test_what_lies_together_is_not_copied(films: Path, folder: Path) -> None:
    node = CachingNode(films, folder)
    for path in await node.segments("city"):
        assert len((await node.resource(path)).parts) == 2
    assert list(node.folder.iterdir()) == []


# Many at once.


async def test_first_touches_at_once_copy_once(
    library: Path, folder: Path, bodies: dict[str, bytes], writes: list[tuple[str, int]]
) -> None:
    node = CachingNode(library, folder)
    async with served(node) as site:
        for _ in range(2):
            asked = [path for path in bodies for _ in range(10)]
            replies = await asyncio.gather(*map(site.once, asked))
            assert [reply.body for reply in replies] == [bodies[path] for path in asked]
            for path in bodies:
                await node.copied(path)
    assert len(writes) == len(set(writes)) == len(bodies)


async def test_two_workers_share_copies(
    library: Path, folder: Path, bodies: dict[str, bytes], writes: list[tuple[str, int]]
) -> None:
    first, second = CachingNode(library, folder), CachingNode(library, folder)
    for path, expected in bodies.items():
        await first.copied(path)
        found = await second.resource(path)
        assert second.is_copy(found)
        assert await second.body(path) == expected
    assert len(writes) == len(bodies)


async def test_two_workers_at_once(library: Path, folder: Path, bodies: dict[str, bytes]) -> None:
    nodes = [CachingNode(library, folder) for _ in range(2)]
    for path, expected in bodies.items():
        found = await asyncio.gather(*(node.body(path) for node in nodes))
        await asyncio.gather(*(node.copied(path) for node in nodes))
        assert [*found, *[await node.body(path) for node in nodes]] == [expected] * 4


async def test_a_copy_that_another_worker_makes_meanwhile_is_seen(
    library: Path,
    folder: Path,
    bodies: dict[str, bytes],
    writes: list[tuple[str, int]],
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    path = next(iter(bodies))
    late = CachingNode(library, folder)
    with monkeypatch.context() as patch:
        patch.setattr(sparse_cache, "MAX_WAITING", 0)
        assert len((await late.resource(path)).parts) > 2
    await CachingNode(library, folder).copied(path)
    await late.copied(path)
    assert len(writes) == 1


def test_copies_outlive_the_workers(library: Path, folder: Path, bodies: dict[str, bytes]) -> None:
    seen = []
    for _ in range(2):
        with serving(
            library, "--workers", "2", VOD_CACHE_FOLDER=str(folder), VOD_LOG_EVERY="0"
        ) as server:
            for _ in range(4):
                assert {path: server.get(path)[1] for path in bodies} == bodies
            server.until(lambda: copied_parts(folder) == len(bodies))
            seen.append({(p.name, p.stat().st_ino) for p in folder.glob("*/*.parts")})
            server.stop()
            status, errors = server.ended()
            assert (status, errors) == (0, "")
    assert seen[0] == seen[1]


def copied_parts(folder: Path) -> int:
    heads = [path.read_bytes()[: sparse.MAX_PARTS] for path in folder.glob("*/*.parts")]
    return sum(head.count(b"\1") for head in heads)


# Files that change.


def replace_by_rename(path: Path, content: bytes) -> None:
    path.with_name(".fresh").write_bytes(content)
    path.with_name(".fresh").rename(path)


def overwrite_in_place(path: Path, content: bytes) -> None:
    with path.open("r+b") as file:
        file.write(content)
        file.truncate()


@pytest.fixture(scope="module")
def sequel(tmp_path_factory: pytest.TempPathFactory) -> bytes:
    """Another film, of the same shape."""
    path = tmp_path_factory.mktemp("sequel") / "film.mp4"
    write_film(path, height=72)
    return path.read_bytes()


@pytest.mark.parametrize("change", [replace_by_rename, overwrite_in_place])
async def test_a_changed_file_has_copies_of_its_own(
    library: Path,
    folder: Path,
    bodies: dict[str, bytes],
    sequel: bytes,
    change: Callable[[Path, bytes], None],
) -> None:
    node = CachingNode(library, folder)
    for path in bodies:
        await node.copied(path)
    change(library / "film.mp4", sequel)
    node.age()
    for path in await node.segments("film"):
        expected = await Node(library).body(path)
        assert path not in bodies
        assert await node.body(path) == expected
        await node.copied(path)
        assert await node.body(path) == expected
    for path in bodies:
        with pytest.raises(UnknownRevision):
            await node.resource(path)


async def test_a_file_that_changes_while_it_is_copied_leaves_nothing(
    library: Path,
    folder: Path,
    bodies: dict[str, bytes],
    sequel: bytes,
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    """Not even in a place where the whole copy of another worker may lie by then."""
    changed = asyncio.Event()
    loop = asyncio.get_running_loop()

    def late(*arguments: object, **options: object) -> int:
        overwrite_in_place(library / "film.mp4", sequel)
        loop.call_soon_threadsafe(changed.set)
        return spans.gather(*arguments, **options)  # type: ignore[arg-type]

    node = CachingNode(library, folder)
    monkeypatch.setattr(tracks, "gather", late)
    await node.resource(next(iter(bodies)))
    await asyncio.wait_for(changed.wait(), PATIENCE)
    await until(lambda: not node.cache._writing)
    (kept,) = node.folder.iterdir()
    assert not any(kept.read_bytes())


async def test_another_library_has_copies_of_its_own(
    library: Path, folder: Path, tmp_path: Path, bodies: dict[str, bytes]
) -> None:
    """Even where names, versions and sample tables are the same."""
    other = tmp_path / "other"
    shutil.copytree(library, other)
    original = (library / "film.mp4").read_bytes()
    times = (library / "film.mp4").stat()
    marked = bytearray(original)
    marked[2000:3000] = bytes(1000)
    (other / "film.mp4").write_bytes(marked)
    os.utime(other / "film.mp4", ns=(times.st_atime_ns, times.st_mtime_ns))
    first, second = CachingNode(library, folder), CachingNode(other, folder)
    for path in bodies:
        await first.copied(path)
        await second.copied(path)
        assert await first.body(path) == bodies[path]
        assert await second.body(path) == await Node(other).body(path)


# Little room.


def long_film(size: int) -> bytes:
    """24 seconds of pictures of ``size`` bytes, and of sound."""
    picture = [Row(size=size, duration=512, sync=number % 50 == 0) for number in range(600)]
    sound = [Row(size=size // 3, duration=1920) for number in range(600)]
    recordings = Recording("video", 12_800, picture), Recording("audio", 48_000, sound)
    return plain_movie(*recordings, chunk=1)


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one title, whose segments are of a few MB."""
    folder = tmp_path_factory.mktemp("large")
    (folder / "film.mp4").write_bytes(long_film(30_000))
    return folder


def taken(folder: Path) -> int:
    """Bytes of the disk."""
    return sum(path.stat().st_blocks * 512 for path in folder.iterdir())


async def test_a_worker_holds_to_the_limit_as_it_writes(
    tmp_path: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_cache, "SWEEP_SECONDS", 3600.0)
    library = tmp_path / "library"
    library.mkdir()
    for number in range(10):
        (library / f"{number}.mp4").write_bytes(long_film(3000))
    node = CachingNode(library, folder, limit=16 * MIB)
    copied = 0
    for number in range(10):
        for path in await node.segments(str(number)):
            copied += (await node.copied(path)).size
            assert taken(node.folder) <= 16 * MIB
    assert copied > 20 * MIB


async def test_what_is_being_sent_is_sent_whole_when_it_is_unlinked(
    large: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    """And what is next asked for is not copied into a file that nobody finds any more."""
    monkeypatch.setattr(sparse_cache, "SWEEP_SECONDS", 3600.0)
    node = CachingNode(large, folder)
    async with served(node) as site:
        for path in await node.segments("film"):
            await node.copied(path)
            expected = await Node(large).body(path)
            wire = Wire(*await asyncio.open_connection("127.0.0.1", site.port, limit=1 << 12))
            await wire.send(request(path))
            start = await wire.reader.readexactly(1000)
            SparseFolder(str(folder), 0).sweep()
            assert list(node.folder.iterdir()) == []
            body = start.partition(b"\r\n\r\n")[2]
            body += await wire.reader.readexactly(len(expected) - len(body))
            assert body == expected
            await wire.close()


async def test_bytes_are_right_while_copies_come_and_go(
    large: Path, folder: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_cache, "SWEEP_SECONDS", 0.01)
    limit = 40 * MIB
    nodes = [CachingNode(large, folder, limit=limit) for _ in range(2)]
    paths = await nodes[0].segments("film")
    expected = {path: await Node(large).body(path) for path in paths}
    assert sum(map(len, expected.values())) < limit
    held_to = SparseFolder(str(folder), 10 * MIB)
    copies = 0
    async with served(nodes[0]) as first, served(nodes[1]) as second:
        for _ in range(4):
            asked = [(site, path) for path in paths for site in (first, second)]
            replies = await asyncio.gather(*(site.once(path) for site, path in asked))
            assert [r.body for r in replies] == [expected[path] for _, path in asked]
            copies += sum([nodes[0].is_copy(await nodes[0].resource(path)) for path in paths])
            await asyncio.to_thread(held_to.sweep)
            assert taken(nodes[0].folder) <= 10 * MIB
    assert copies


@needs_proc
async def test_a_file_that_was_unlinked_is_let_go_and_made_anew(
    library: Path, folder: Path, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    """Or the disk would fill with files that nobody sees."""
    monkeypatch.setattr(sparse_cache, "SWEEP_SECONDS", 0.01)
    node = CachingNode(library, folder)
    for path in bodies:
        await node.copied(path)
    assert open_in(node.folder)
    SparseFolder(str(folder), 0).sweep()
    await until(lambda: open_in(node.folder) == [])
    for path, expected in bodies.items():
        assert await node.body(path) == expected
        await node.copied(path)
        assert await node.body(path) == expected


@needs_proc
async def test_open_files_are_few(
    library: Path, folder: Path, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(sparse_cache, "MAX_OPEN_FILES", 3)
    for number in range(6):
        shutil.copy2(library / "film.mp4", library / f"{number}.mp4")
    node = CachingNode(library, folder)
    for number in range(6):
        for path in await node.segments(str(number)):
            await node.copied(path)
    assert len(list(node.folder.iterdir())) == 12
    await until(lambda: len(open_in(node.folder)) <= 3)
    for path, expected in bodies.items():
        assert await node.body(path) == expected


async def test_what_is_in_use_is_not_what_goes_first(library: Path, folder: Path) -> None:
    """Though its answers all come from memory, and nothing is built anew."""
    node = CachingNode(library, folder)
    paths = await node.segments("film")
    for path in paths:
        await node.copied(path)
    await node.cache.sweep()
    for kept in node.folder.iterdir():
        os.utime(kept, (1000, 1000))
    assert isinstance(node.origin.resolve(paths[0]), Resource)
    await node.cache.sweep()
    assert [kept.stat().st_mtime > 1000 for kept in node.folder.iterdir()].count(True) == 1


async def test_what_waits_too_long_is_asked_for_again(
    library: Path, folder: Path, bodies: dict[str, bytes], monkeypatch: pytest.MonkeyPatch
) -> None:
    node = CachingNode(library, folder)
    with monkeypatch.context() as patch:
        patch.setattr(sparse_cache, "MAX_WAITING", 0)
        for path, expected in bodies.items():
            for _ in range(3):
                assert await node.body(path) == expected
        assert copied_parts(folder) == 0
    for path in bodies:
        await node.copied(path)


async def test_a_segment_too_large_for_the_limit_is_not_copied(large: Path, folder: Path) -> None:
    node = CachingNode(large, folder, limit=2 * MIB)
    for path in await node.segments("film"):
        for _ in range(2):
            assert await node.body(path) == await Node(large).body(path)
    assert list(node.folder.iterdir()) == []


# A folder that fails.


async def test_a_full_disk_is_told_once_and_tried_again_later(
    library: Path,
    folder: Path,
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sparse_cache, "REST_SECONDS", 0.0)
    shutil.copy2(library / "film.mp4", library / "again.mp4")
    node = CachingNode(library, folder)
    tries = 0

    def full(fd: int, data: memoryview, position: int) -> int:
        nonlocal tries
        tries += 1
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    for title in ("film", "again"):
        expected = {path: await Node(library).body(path) for path in await node.segments(title)}
        with monkeypatch.context() as patch, caplog.at_level(logging.WARNING):
            patch.setattr(os, "pwrite", full)
            tries = 0
            while tries < 10:
                assert {path: await node.body(path) for path in expected} == expected
        assert [record.getMessage() for record in caplog.records] == [
            "the cache on the disk fails, going on without it: [Errno 28] No space left on device"
        ]
        caplog.clear()
        for path in expected:
            await node.copied(path)
        assert {path: await node.body(path) for path in expected} == expected


async def test_a_folder_that_cannot_be_used(
    library: Path,
    folder: Path,
    bodies: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    monkeypatch.setattr(sparse_cache, "REST_SECONDS", 0.0)
    node = CachingNode(library, folder)
    node.folder.rmdir()
    node.folder.touch()
    with caplog.at_level(logging.WARNING):
        for _ in range(2):
            for path, expected in bodies.items():
                assert await node.body(path) == expected
    assert len(caplog.records) == 1
    node.folder.unlink()
    for path in bodies:
        await node.copied(path)


async def test_a_folder_that_fails_is_left_alone_for_a_while(
    library: Path, folder: Path, bodies: dict[str, bytes]
) -> None:
    node = CachingNode(library, folder)
    node.folder.rmdir()
    node.folder.touch()
    for path in bodies:
        first = await node.resource(path)
        assert node.origin.resolve(path) is first


def test_a_process_that_may_write_no_large_files(library: Path, folder: Path) -> None:
    """As a full disk, but by the kernel's hand."""
    script = """
import asyncio, resource, sys
from pathlib import Path
from tests.origin.test_tracks import CachingNode, Node

async def main():
    library, folder = map(Path, sys.argv[1:])
    node = CachingNode(library, folder)
    for _ in range(3):
        for path in await node.segments("film"):
            assert await node.body(path) == await Node(library).body(path)

resource.setrlimit(resource.RLIMIT_FSIZE, (8192, 8192))
asyncio.run(main())
"""
    done = subprocess.run(
        [sys.executable, "-c", script, str(library), str(folder)],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert done.returncode == 0, done.stderr
    assert done.stderr.count("File too large") == 1


async def test_a_source_that_cannot_be_read_is_no_fault_of_the_cache(
    library: Path,
    folder: Path,
    bodies: dict[str, bytes],
    monkeypatch: pytest.MonkeyPatch,
    caplog: pytest.LogCaptureFixture,
) -> None:
    def broken(*_: object, **__: object) -> int:
        raise OSError(errno.EIO, os.strerror(errno.EIO))

    node = CachingNode(library, folder)
    with monkeypatch.context() as patch, caplog.at_level(logging.DEBUG, "origin"):
        patch.setattr(tracks, "gather", broken)
        for path, expected in bodies.items():
            assert await node.body(path) == expected
        await until(lambda: len(caplog.records) == len(bodies))
    assert {record.levelno for record in caplog.records} == {logging.DEBUG}
    assert copied_parts(folder) == 0
    for path in bodies:
        await node.copied(path)


# How it is set.


def test_a_folder_that_was_named_and_cannot_be_used_ends_the_start(
    library: Path, tmp_path: Path
) -> None:
    (tmp_path / "file").touch()
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "serve", str(library), "--port", "0"],
        cwd=ROOT,
        env=os.environ | {"VOD_CACHE_FOLDER": str(tmp_path / "file")},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert done.returncode == 2
    assert (
        done.stderr
        == f"vod-origin: cache folder {tmp_path}/file/vod-origin-{os.geteuid()}: Not a directory\n"
    )


def test_nobody_said_where_and_there_is_no_place(
    library: Path, folder: Path, bodies: dict[str, bytes]
) -> None:
    folder.mkdir()
    (folder / f"vod-origin-{os.geteuid()}").symlink_to(library)
    with serving(library, VOD_CACHE_FOLDER="", TMPDIR=str(folder), VOD_LOG_EVERY="0") as server:
        for _ in range(2):
            assert {path: server.get(path)[1] for path in bodies} == bodies
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert errors.count("nothing is kept on the disk") == errors.count("\n") == 1
    assert [path.name for path in library.iterdir()] == ["film.mp4"]


def test_copies_can_be_switched_off(library: Path, folder: Path, bodies: dict[str, bytes]) -> None:
    with serving(library, VOD_CACHE_FOLDER=str(folder), VOD_CACHE_MB="0") as server:
        for _ in range(2):
            assert {path: server.get(path)[1] for path in bodies} == bodies
    assert not folder.exists()
