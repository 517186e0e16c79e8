from __future__ import annotations

import errno
import os
from collections.abc import Sequence

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.delivery.resource import FileSpan, OpenFile, Part, part_size
from origin.delivery.spans import GATHER_BELOW, Cold, gather, resident, warm
from tests.origin.delivery.library import content, interleaved, noise, open_file
from tests.support.tracks import PROPERTY

SIZE = 400_000


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> OpenFile:
    return open_file(tmp_path_factory.mktemp("library") / "file", noise(SIZE))


def fill(
    parts: Sequence[Part], index: int = 0, offset: int = 0, room: int = 100_000, wait: bool = True
) -> bytes:
    buffer = bytearray(room)
    filled = gather(parts, index, offset, memoryview(buffer), below=GATHER_BELOW, wait=wait)
    return bytes(buffer[:filled])


def test_small_parts_are_read_together(file: OpenFile) -> None:
    parts = interleaved(file, 20, 3000, 700)
    assert fill(parts) == content(parts)


def test_it_stops_before_what_is_sent_as_it_is(file: OpenFile) -> None:
    for large in (FileSpan(file, 0, GATHER_BELOW), bytes(GATHER_BELOW)):
        assert fill([b"ab", FileSpan(file, 5, 7), large, b"cd"]) == content(
            [b"ab", FileSpan(file, 5, 7)]
        )


def test_it_stops_when_the_room_is_full(file: OpenFile) -> None:
    parts: list[Part] = [b"ab", FileSpan(file, 0, 10), b"", b"cd"]
    for room in range(15):
        assert fill(parts, room=room) == content(parts)[:room]


def test_it_starts_anywhere(file: OpenFile) -> None:
    parts: list[Part] = [b"abc", FileSpan(file, 100, 10), FileSpan(file, 3, 4)]
    for index, part in enumerate(parts):
        for offset in range(part_size(part)):
            assert fill(parts, index, offset) == content(parts[index:])[offset:]


def test_few_system_calls(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    calls: list[int] = []
    real = os.preadv

    def preadv(fd: int, buffers: list[memoryview], offset: int, flags: int = 0) -> int:
        calls.append(len(buffers))
        return real(fd, buffers, offset, flags)

    monkeypatch.setattr(os, "preadv", preadv)
    parts = interleaved(file, 90, 1000, 700)
    assert fill(parts) == content(parts)
    assert len(calls) == 1
    assert calls[0] == 179, "each span and the gaps between"


def test_a_file_that_ends_early(file: OpenFile) -> None:
    with pytest.raises(EOFError, match="ends 1 bytes before its span"):
        fill([b"ab", FileSpan(file, SIZE - 9, 10)])


def test_what_is_not_in_memory(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def preadv(fd: int, buffers: list[memoryview], offset: int, flags: int = 0) -> int:
        raise BlockingIOError

    monkeypatch.setattr(os, "preadv", preadv)
    with pytest.raises(Cold) as cold:
        fill([b"ab", FileSpan(file, 100, 10), FileSpan(file, 200, 30)], wait=False)
    assert (cold.value.file, cold.value.start, cold.value.length) == (file, 100, 130)
    assert not resident(file, 0)
    warm(cold.value)


def test_a_file_system_that_cannot_tell(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    real = os.preadv

    def preadv(fd: int, buffers: list[memoryview], offset: int, flags: int = 0) -> int:
        if flags:
            raise OSError(errno.EOPNOTSUPP, "not supported")
        return real(fd, buffers, offset)

    monkeypatch.setattr(os, "preadv", preadv)
    parts = [FileSpan(file, 100, 10)]
    assert fill(parts, wait=False) == content(parts)
    assert resident(file, 0)


def test_a_read_that_fails(file: OpenFile, monkeypatch: pytest.MonkeyPatch) -> None:
    def preadv(fd: int, buffers: list[memoryview], offset: int, flags: int = 0) -> int:
        raise OSError(errno.EIO, "bad sector")

    monkeypatch.setattr(os, "preadv", preadv)
    with pytest.raises(OSError, match="bad sector"):
        fill([FileSpan(file, 100, 10)], wait=False)


@PROPERTY
@given(data=st.data())
def test_whatever_the_parts(data: st.DataObject, file: OpenFile) -> None:
    """Gathering again and again from where it stopped gives the body."""
    spans = st.builds(
        FileSpan, st.just(file), st.integers(0, 200_000), st.integers(0, GATHER_BELOW - 1)
    )
    parts = data.draw(st.lists(st.binary(max_size=50) | spans, max_size=8))
    room = memoryview(bytearray(data.draw(st.integers(1, 60_000))))
    whole, index, offset, found = content(parts), 0, 0, b""
    while len(found) < len(whole):
        while offset >= part_size(parts[index]):
            offset -= part_size(parts[index])
            index += 1
        filled = gather(parts, index, offset, room, below=GATHER_BELOW, wait=True)
        assert filled
        found += room[:filled]
        offset += filled
    assert found == whole
