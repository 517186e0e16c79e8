"""What is particular to folders of this machine, and how a location is opened."""

from __future__ import annotations

import os
import shutil
import time
from pathlib import Path

import pytest

from origin.errors import ObjectChanged, StorageError
from origin.settings import BadSetting, Settings
from origin.storage import local, open_library
from origin.storage.local import LocalStorage
from tests.support.descriptors import needs_proc, open_in


@pytest.fixture
def storage(tmp_path: Path) -> LocalStorage:
    return LocalStorage(str(tmp_path))


CONTENT = bytes(range(256)) * 40
OTHER = CONTENT[::-1] + b"longer"


def put(storage: LocalStorage, key: str, content: bytes) -> None:
    """A new file, or another in place of an old one, at once; folders get times of their own."""
    path = storage.root / key
    path.parent.mkdir(parents=True, exist_ok=True)
    fresh = storage.root / ".fresh"
    fresh.write_bytes(content)
    fresh.rename(path)
    stamp(storage)


def remove(storage: LocalStorage, key: str) -> None:
    (storage.root / key).unlink()
    stamp(storage)


def stamp(storage: LocalStorage) -> None:
    """The clock of a file system may be coarser than a test."""
    changed = storage.root.stat().st_mtime_ns + 1_000_000_000
    os.utime(storage.root, ns=(changed, changed))


async def version_of(storage: LocalStorage, key: str) -> str:
    (entry,) = await storage.stat([key])
    return entry.version


def content_of(opened: int) -> bytes:
    return os.pread(opened, 1 << 20, 0)


async def opened(storage: LocalStorage, *keys: str) -> None:
    for entry in await storage.stat(keys):
        await storage.open(entry.key, entry.version)


@pytest.mark.parametrize("location", ["", "no/such/folder", __file__])
def test_what_is_no_folder_is_refused(location: str) -> None:
    with pytest.raises(BadSetting, match=f"library: '{location}' is not a folder"):
        open_library(Settings(library=location))


def test_a_url_of_a_folder(tmp_path: Path) -> None:
    folder = tmp_path / "my films 100%"
    folder.mkdir()
    for url in (folder.as_uri(), folder.as_uri().replace("file://", "file://localhost")):
        storage = open_library(Settings(library=url)).storage
        assert isinstance(storage, LocalStorage)
        assert storage.root == folder.resolve()


def test_a_url_of_another_machine_is_refused() -> None:
    with pytest.raises(BadSetting, match="file://films names another machine"):
        open_library(Settings(library="file://films"))


def test_a_scheme_that_is_not_known_is_named() -> None:
    with pytest.raises(BadSetting, match=r"no storage for gopher:// .*a folder, file://, s3://"):
        open_library(Settings(library="gopher://films/"))


async def test_copies_have_the_same_versions(tmp_path: Path) -> None:
    first, second = tmp_path / "first", tmp_path / "second"
    (first / "title").mkdir(parents=True)
    (first / "title" / "a.mp4").write_bytes(b"media")
    shutil.copytree(first, second)
    listings = [await LocalStorage(str(folder)).list_folder("title") for folder in (first, second)]
    assert listings[0] == listings[1]


async def test_links_are_followed(tmp_path: Path) -> None:
    library = tmp_path / "library"
    library.mkdir()
    (tmp_path / "elsewhere").mkdir()
    (tmp_path / "elsewhere" / "a.mp4").write_bytes(b"media")
    (library / "title").symlink_to(tmp_path / "elsewhere")
    (library / "film.mp4").symlink_to(tmp_path / "elsewhere" / "a.mp4")
    storage = LocalStorage(str(library))
    entries = {entry.key: entry.is_folder for entry in await storage.list_folder("")}
    assert entries == {"title": True, "film.mp4": False}
    (entry,) = await storage.list_folder("title")
    assert await storage.read(entry.key, entry.version) == b"media"


async def test_one_dead_link_does_not_hide_the_rest(storage: LocalStorage) -> None:
    for folder in (storage.root, storage.root / "title"):
        folder.mkdir(exist_ok=True)
        (folder / "dead.mp4").symlink_to("nowhere.mp4")
        (folder / "film.mp4").write_bytes(b"media")
    assert [entry.key for entry in await storage.list_folder("title")] == ["title/film.mp4"]
    assert len(await storage.list_folder("")) == 3
    assert list(await storage.stat(["dead.mp4"])) == []


async def test_a_link_in_a_circle_is_the_fault_of_its_title_alone(storage: LocalStorage) -> None:
    (storage.root / "circle.mp4").symlink_to("circle.mp4")
    (storage.root / "film.mp4").write_bytes(b"media")
    assert len(await storage.list_folder("")) == 2
    with pytest.raises(StorageError, match=r"cannot stat circle\.mp4: "):
        await storage.stat(["circle.mp4"])


async def test_what_is_no_file_is_not_listed(storage: LocalStorage) -> None:
    (storage.root / "title" / "folder.mp4").mkdir(parents=True)
    os.mkfifo(storage.root / "title" / "pipe.mp4")
    (entry,) = await storage.list_folder("title")
    assert entry.is_folder
    assert list(await storage.stat(["title/pipe.mp4", "title/folder.mp4"])) == []


async def test_a_folder_that_became_a_file_is_empty(storage: LocalStorage) -> None:
    (storage.root / "title").write_bytes(b"")
    assert list(await storage.list_folder("title")) == []


async def test_a_library_that_went_away_does_not_answer(storage: LocalStorage) -> None:
    storage.root.rmdir()
    with pytest.raises(StorageError, match=r"cannot read '/': No such file"):
        await storage.folder_version("")


async def test_a_folder_is_listed_once_more_when_its_last_change_has_settled(
    storage: LocalStorage,
) -> None:
    """Else a file that came in the tick of the time stamp of a listing would never be seen."""
    now = time.time_ns()
    os.utime(storage.root, ns=(now, now))
    just_changed = await storage.folder_version("")
    assert await storage.folder_version("") == just_changed
    os.utime(storage.root, ns=(now, now - 10 * local.SETTLED_NS))
    settled = await storage.folder_version("")
    os.utime(storage.root, ns=(now, now))
    assert await storage.folder_version("") == just_changed != settled
    assert just_changed.rstrip("+") == f"{now:x}"
    assert not settled.endswith("+")


@needs_proc
async def test_a_file_is_opened_once(storage: LocalStorage) -> None:
    (storage.root / "a.mp4").write_bytes(b"media")
    for _ in range(5):
        await opened(storage, "a.mp4")
    assert len(open_in(storage.root)) == 1


@needs_proc
async def test_open_files_are_bounded(
    storage: LocalStorage, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(local, "MAX_OPEN_FILES", 4)
    keys = [f"{number}.mp4" for number in range(20)]
    for key in keys:
        (storage.root / key).write_bytes(b"media")
    await opened(storage, *keys)
    assert len(open_in(storage.root)) == 4


@needs_proc
async def test_a_new_version_lets_go_of_the_old(storage: LocalStorage) -> None:
    """A file that was replaced takes no space on the disk any longer."""
    path = storage.root / "a.mp4"
    path.write_bytes(b"media")
    for number in range(5):
        (storage.root / "fresh").write_bytes(b"media" * number)
        (storage.root / "fresh").rename(path)
        await opened(storage, "a.mp4")
    assert len(open_in(storage.root)) == 1


@needs_proc
async def test_reading_leaves_no_file_open(storage: LocalStorage) -> None:
    (storage.root / "a.mp4").write_bytes(b"media")
    (entry,) = await storage.stat(["a.mp4"])
    for _ in range(5):
        await storage.read("a.mp4", entry.version)
    assert open_in(storage.root) == []


async def test_a_large_object_is_not_read_whole(storage: LocalStorage) -> None:
    with (storage.root / "a.vtt").open("wb") as file:
        file.truncate(local.MAX_SMALL_OBJECT + 1)
    (entry,) = await storage.stat(["a.vtt"])
    with pytest.raises(StorageError, match=r"a\.vtt is 16777217 bytes, too large"):
        await storage.read("a.vtt", entry.version)


async def test_what_is_written_is_there_at_once(storage: LocalStorage) -> None:
    await storage.write(".vodx/a.mp4.vodx", b"first")
    with (storage.root / ".vodx/a.mp4.vodx").open("rb") as reader:
        await storage.write(".vodx/a.mp4.vodx", b"second")
        assert reader.read() == b"first"
    assert await storage.read_latest(".vodx/a.mp4.vodx") == b"second"
    assert [path.name for path in (storage.root / ".vodx").iterdir()] == ["a.mp4.vodx"]


async def test_what_is_written_may_be_read_by_whom_other_files_may(storage: LocalStorage) -> None:
    for mask in (0o022, 0o077):
        old = os.umask(mask)
        try:
            (storage.root / "a.mp4").unlink(missing_ok=True)
            (storage.root / "a.mp4").touch()
            await storage.write(".vodx/a.mp4.vodx", b"index")
        finally:
            os.umask(old)
        modes = [(storage.root / key).stat().st_mode for key in ("a.mp4", ".vodx/a.mp4.vodx")]
        assert modes[0] == modes[1]


async def test_what_cannot_be_written_leaves_nothing(storage: LocalStorage) -> None:
    (storage.root / "file").touch()
    (storage.root / ".vodx/taken.vodx").mkdir(parents=True)
    for key, reason in {
        "file/a.vodx": "File exists",
        "no/such/a.vodx": "No such file",
        ".vodx/taken.vodx": "Is a directory",
        f".vodx/{'a' * 256}": "File name too long",
    }.items():
        with pytest.raises(StorageError, match=f"cannot write {key}: {reason}"):
            await storage.write(key, b"index")
    assert [path.name for path in (storage.root / ".vodx").iterdir()] == ["taken.vodx"]
    with pytest.raises(StorageError, match="leaves the library"):
        await storage.write("../a.vodx", b"index")


async def test_a_file_to_send_from(storage: LocalStorage) -> None:
    put(storage, "a.mp4", CONTENT)
    version = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", version)
    assert content_of(opened.fileno()) == CONTENT
    assert storage.is_current(opened, version)


async def test_a_replaced_object_stays_what_it_was_while_open(storage: LocalStorage) -> None:
    put(storage, "a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", old)
    put(storage, "a.mp4", OTHER)
    assert storage.is_current(opened, old)
    assert content_of(opened.fileno()) == CONTENT
    new = await version_of(storage, "a.mp4")
    reopened = await storage.open("a.mp4", new)
    assert content_of(reopened.fileno()) == OTHER
    assert content_of(opened.fileno()) == CONTENT


async def test_an_object_changed_in_place_is_noticed(storage: LocalStorage) -> None:
    put(storage, "a.mp4", CONTENT)
    old = await version_of(storage, "a.mp4")
    opened = await storage.open("a.mp4", old)
    (storage.root / "a.mp4").write_bytes(OTHER)
    assert not storage.is_current(opened, old)
    with pytest.raises(ObjectChanged):
        await storage.open("a.mp4", old)
    new = await version_of(storage, "a.mp4")
    assert content_of((await storage.open("a.mp4", new)).fileno()) == OTHER


async def test_the_root_is_listed(storage: LocalStorage) -> None:
    put(storage, "film.mp4", CONTENT)
    put(storage, "city/video.mp4", CONTENT)
    put(storage, ".hidden.mp4", CONTENT)
    entries = {entry.key: entry.is_folder for entry in await storage.list_folder("")}
    assert entries == {"film.mp4": False, "city": True}


async def test_a_folder_has_another_version_when_its_names_change(storage: LocalStorage) -> None:
    versions = [await storage.folder_version("")]
    put(storage, "a.mp4", CONTENT)
    versions.append(await storage.folder_version(""))
    put(storage, "b.mp4", CONTENT)
    versions.append(await storage.folder_version(""))
    remove(storage, "a.mp4")
    versions.append(await storage.folder_version(""))
    assert len(set(versions)) == 4


@pytest.mark.parametrize("key", ["../secret", "title/../../secret", "/etc/hostname"])
async def test_no_key_leaves_the_library(key: str, storage: LocalStorage) -> None:
    put(storage, "title/a.mp4", CONTENT)
    (storage.root.parent / "secret").touch()
    for reading in (
        storage.stat([key]),
        storage.read(key, "1"),
        storage.read_latest(key),
        storage.open(key, "1"),
        storage.list_folder(key),
        storage.folder_version(key),
    ):
        with pytest.raises(StorageError, match="leaves the library"):
            await reading
