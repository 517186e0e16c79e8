"""Files of parts on a real file system, as several processes see them."""

from __future__ import annotations

import errno
import os
import tempfile
from collections.abc import Iterator
from pathlib import Path
from types import SimpleNamespace

import pytest

from origin.storage import sparse
from origin.storage.sparse import MAX_PARTS, SparseFile, SparseFolder, file_name
from tests.origin.delivery.library import content, noise

SIZES = [100_000, 1, 70_000]
PARTS = [noise(size, seed) for seed, size in enumerate(SIZES)]
NAME = file_name(b"some track")
MIB = 1 << 20


@pytest.fixture
def folder(tmp_path: Path) -> SparseFolder:
    return SparseFolder(str(tmp_path), 64 * MIB)


def private(parent: Path) -> Path:
    return parent / f"vod-origin-{os.geteuid()}"


def pieces(data: bytes, size: int = 30_000) -> Iterator[memoryview]:
    view = memoryview(data)
    return (view[start : start + size] for start in range(0, len(data), size))


def write(file: SparseFile, part: int) -> None:
    file.write(part, pieces(PARTS[part]))


def read(file: SparseFile, part: int) -> bytes:
    return content([file.span(part)])


# Parts.


def test_parts_are_there_when_they_are_written(folder: SparseFolder) -> None:
    file = folder.open(NAME, SIZES)
    for part in (2, 0, 1):
        assert not file.has(part)
        write(file, part)
        assert file.has(part)
    assert [read(file, part) for part in range(3)] == PARTS


def test_another_process_sees_a_part_that_is_whole(folder: SparseFolder, tmp_path: Path) -> None:
    ours, theirs = folder.open(NAME, SIZES), SparseFolder(str(tmp_path), MIB).open(NAME, SIZES)
    write(ours, 0)
    assert not theirs.has(0)
    theirs.look()
    assert [theirs.has(part) for part in range(3)] == [True, False, False]
    assert read(theirs, 0) == PARTS[0]


def test_two_that_write_a_part_at_once_write_the_same(folder: SparseFolder) -> None:
    files = [folder.open(NAME, SIZES) for _ in range(2)]
    writers = [pieces(PARTS[0]) for _ in files]

    def in_turns() -> Iterator[memoryview]:
        for piece in writers[0]:
            yield piece
            files[1].write(0, pieces(PARTS[0]))

    files[0].write(0, in_turns())
    assert read(files[0], 0) == read(files[1], 0) == PARTS[0]


def test_what_ends_early_is_not_there(folder: SparseFolder) -> None:
    file = folder.open(NAME, SIZES)

    def broken() -> Iterator[memoryview]:
        yield memoryview(PARTS[0])[:50_000]
        raise EOFError

    with pytest.raises(EOFError):
        file.write(0, broken())
    with pytest.raises(ValueError, match="part 0 ends at byte 54096, not at 104096"):
        file.write(0, pieces(PARTS[0][:50_000]))
    assert not file.has(0)
    assert not folder.open(NAME, SIZES).has(0)
    write(file, 0)
    assert read(file, 0) == PARTS[0]


def test_what_the_disk_does_not_take_is_not_there(
    folder: SparseFolder, monkeypatch: pytest.MonkeyPatch
) -> None:
    """A network file system, say, tells of a full disk only when it is asked to sync."""
    file = folder.open(NAME, SIZES)

    def full(fd: int) -> None:
        raise OSError(errno.ENOSPC, os.strerror(errno.ENOSPC))

    with monkeypatch.context() as patch:
        patch.setattr(sparse, "_sync", full)
        with pytest.raises(OSError, match="No space left"):
            write(file, 0)
    assert not file.has(0)
    assert not folder.open(NAME, SIZES).has(0)
    write(file, 0)
    assert file.has(0)


def test_more_parts_than_there_is_room_for_are_refused(folder: SparseFolder) -> None:
    assert not folder.open(file_name(b"full"), [1] * MAX_PARTS).has(MAX_PARTS - 1)
    with pytest.raises(ValueError, match="4097 parts, more than 4096"):
        folder.open(file_name(b"too full"), [1] * (MAX_PARTS + 1))


def test_only_what_is_written_takes_room(folder: SparseFolder, tmp_path: Path) -> None:
    file = folder.open(NAME, [100 * MIB] * 10)
    assert (private(tmp_path) / NAME).stat().st_blocks == 0
    file.write(7, pieces(bytes(100 * MIB), MIB))
    assert (private(tmp_path) / NAME).stat().st_blocks * 512 < 101 * MIB


# What a crash, or someone else, has left.


def test_what_was_begun_is_gone_on_with(folder: SparseFolder, tmp_path: Path) -> None:
    (private(tmp_path) / NAME).touch()
    file = folder.open(NAME, SIZES)
    write(file, 0)
    assert read(folder.open(NAME, SIZES), 0) == PARTS[0]


@pytest.mark.parametrize("size", [3, MAX_PARTS, MAX_PARTS + sum(SIZES) - 1, 10 * MIB])
def test_presence_without_data_of_the_right_size_is_not_believed(
    folder: SparseFolder, tmp_path: Path, size: int
) -> None:
    path = private(tmp_path) / NAME
    path.write_bytes(b"\1\1\1".ljust(size, b"\0"))
    file = folder.open(NAME, SIZES)
    assert not any(file.has(part) for part in range(3))
    write(file, 2)
    assert read(file, 2) == PARTS[2]
    assert path.stat().st_size == MAX_PARTS + sum(SIZES)


def test_a_presence_that_is_none(folder: SparseFolder, tmp_path: Path) -> None:
    size = MAX_PARTS + sum(SIZES)
    (private(tmp_path) / NAME).write_bytes(b"\xff\0\2".ljust(size, b"\0"))
    file = folder.open(NAME, SIZES)
    assert not any(file.has(part) for part in range(3))


def test_a_name_holds_for_these_contents_and_this_run_of_the_machine(
    monkeypatch: pytest.MonkeyPatch,
) -> None:
    assert file_name(b"a", b"b") == file_name(b"a", b"b") != file_name(b"a", b"c")
    before = file_name(b"a", b"b")
    monkeypatch.setattr(sparse, "_THIS_RUN", b"after the crash")
    assert file_name(b"a", b"b") != before


def test_a_file_that_was_cut_is_lost(folder: SparseFolder, tmp_path: Path) -> None:
    file = folder.open(NAME, SIZES)
    assert not file.is_lost()
    os.truncate(private(tmp_path) / NAME, 5)
    assert file.is_lost()
    assert not folder.open(NAME, SIZES).is_lost()


# How much is kept.


def fill(folder: SparseFolder, number: int, used: int) -> SparseFile:
    """A file of one MiB that was last used at that time."""
    file = folder.open(file_name(bytes([number])), [MIB])
    file.write(0, pieces(noise(MIB, number), MIB))
    os.utime(file.span(0).file.fileno(), (used, used))
    return file


def names(parent: Path) -> set[str]:
    return set(os.listdir(private(parent)))


def test_what_was_used_longest_ago_goes_first(tmp_path: Path) -> None:
    folder = SparseFolder(str(tmp_path), 8 * MIB)
    files = [fill(folder, number, used=1000 + number) for number in range(12)]
    files[0].note_use()
    files[1].used = False
    files[1].note_use()
    folder.sweep()
    kept = [number for number, file in enumerate(files) if not file.is_lost()]
    assert kept == [0, 6, 7, 8, 9, 10, 11]
    assert names(tmp_path) == {files[number].name for number in kept}
    assert all(read(file, 0) == noise(MIB, number) for number, file in enumerate(files))


def test_all_processes_hold_to_the_limit(tmp_path: Path) -> None:
    folders = [SparseFolder(str(tmp_path), 8 * MIB) for _ in range(3)]
    for number in range(30):
        fill(folders[number % 3], number, used=1000 + number)
        folders[number % 3].sweep()
    assert len(names(tmp_path)) == 7


def test_a_limit_that_is_not_reached_unlinks_nothing(tmp_path: Path) -> None:
    folder = SparseFolder(str(tmp_path), 8 * MIB)
    for number in range(7):
        fill(folder, number, used=0)
    folder.sweep()
    assert len(names(tmp_path)) == 7


def test_no_more_than_half_of_what_the_disk_has_left(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    folder = SparseFolder(str(tmp_path), 64 * MIB)
    for number in range(12):
        fill(folder, number, used=number)
    disk = SimpleNamespace(f_bavail=1, f_frsize=MIB)
    monkeypatch.setattr(os, "statvfs", lambda path: disk)
    folder.sweep()
    assert len(names(tmp_path)) == 6


def test_what_is_not_ours_is_left_alone(tmp_path: Path) -> None:
    folder = SparseFolder(str(tmp_path), 0)
    fill(folder, 1, used=0)
    (private(tmp_path) / "precious").write_bytes(bytes(MIB))
    folder.sweep()
    assert names(tmp_path) == {"precious"}


# The folder.


def test_the_folder_is_this_users_alone(folder: SparseFolder, tmp_path: Path) -> None:
    write(folder.open(NAME, SIZES), 0)
    assert private(tmp_path).stat().st_mode & 0o777 == 0o700
    assert (private(tmp_path) / NAME).stat().st_mode & 0o777 == 0o600


def test_it_is_in_the_place_for_temporary_files_if_nobody_says_where(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(tempfile, "tempdir", str(tmp_path))
    SparseFolder("", MIB).open(NAME, SIZES)
    assert names(tmp_path) == {NAME}


def test_the_folder_of_another_user_is_refused(
    tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    other = os.geteuid() + 1
    (tmp_path / f"vod-origin-{other}").mkdir(mode=0o700)
    monkeypatch.setattr(os, "geteuid", lambda: other)
    with pytest.raises(PermissionError, match="belongs to another user"):
        SparseFolder(str(tmp_path), MIB)


def test_a_folder_that_others_can_change_is_refused(tmp_path: Path) -> None:
    private(tmp_path).mkdir()
    for mode in (0o720, 0o702):
        private(tmp_path).chmod(mode)
        with pytest.raises(PermissionError, match="can be changed by other users"):
            SparseFolder(str(tmp_path), MIB)


def test_a_link_is_refused(tmp_path: Path) -> None:
    """Else who plants it has files unlinked in a folder of his choice."""
    (tmp_path / "elsewhere").mkdir()
    private(tmp_path).symlink_to(tmp_path / "elsewhere")
    with pytest.raises(NotADirectoryError, match="is no folder"):
        SparseFolder(str(tmp_path), MIB)


def test_what_is_no_folder_is_refused(tmp_path: Path) -> None:
    (tmp_path / "file").touch()
    with pytest.raises(OSError, match="file"):
        SparseFolder(str(tmp_path / "file"), MIB)
    private(tmp_path).touch()
    with pytest.raises(FileExistsError):
        SparseFolder(str(tmp_path), MIB)


def test_a_folder_that_was_cleared_away_is_made_again(tmp_path: Path) -> None:
    folder = SparseFolder(str(tmp_path), MIB)
    private(tmp_path).rmdir()
    folder.sweep()
    private(tmp_path).rmdir()
    write(folder.open(NAME, SIZES), 0)
    assert private(tmp_path).stat().st_mode & 0o777 == 0o700
