from __future__ import annotations

import errno
import os
import socket
from collections.abc import Callable, Iterator, Sequence
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.delivery.resource import FileSpan, OpenFile, Part, part_size
from origin.delivery.spans import (
    GATHER_BELOW,
    Cold,
    Push,
    Why,
    gather,
    push_all_in_python,
    resident,
    send_now_in_python,
    warm,
)
from origin.native import NATIVE
from tests.origin.delivery.library import content, interleaved, noise, open_file
from tests.support.tracks import PROPERTY

SIZE = 400_000
Pusher = Callable[[list[Push]], list[tuple[int, int]]]


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


PUSHERS = [push_all_in_python, *([NATIVE.push_all] if NATIVE else [])]
every_pusher = pytest.mark.parametrize(
    "push_all", PUSHERS, ids=["python", "compiled"][: len(PUSHERS)]
)


class Pair:
    """A connection on loopback, none of whose ends waits."""

    def __init__(self) -> None:
        with socket.create_server(("127.0.0.1", 0)) as listening:
            self.there = socket.create_connection(listening.getsockname())
            self.here, _ = listening.accept()
        self.here.setblocking(False)

    def push(
        self, front: bytes, file: OpenFile, start: int, count: int, wait: bool = False
    ) -> Push:
        return self.here, front, file, start, count, wait

    def read(self, size: int) -> bytes:
        found = b""
        while len(found) < size:
            found += self.there.recv(size - len(found))
        return found

    def close(self) -> None:
        self.here.close()
        self.there.close()


@pytest.fixture
def pairs() -> Iterator[list[Pair]]:
    made = [Pair() for _ in range(3)]
    yield made
    for pair in made:
        pair.close()


@every_pusher
def test_what_is_pushed(push_all: Pusher, pairs: list[Pair], file: OpenFile) -> None:
    body = noise(SIZE)
    one, two, three = pairs
    pushes = [
        one.push(b"head", file, 7, 9000),
        two.push(b"", file, SIZE - 1, 1),
        three.push(b"h" * 3000, file, 0, 10_000, wait=True),
        one.push(b"", file, 100, 50),
    ]
    assert push_all(pushes) == [(9004, Why.WHOLE), (1, Why.WHOLE), (13_000, Why.WHOLE), (50, 0)]
    assert one.read(9054) == b"head" + body[7:9007] + body[100:150]
    assert two.read(1) == body[-1:]
    assert three.read(13_000) == b"h" * 3000 + body[:10_000]
    assert push_all([]) == []


@every_pusher
def test_a_socket_without_room(push_all: Pusher, pairs: list[Pair], file: OpenFile) -> None:
    body, (one, two, _) = noise(SIZE), pairs
    total = 0
    while total < 100 * SIZE:
        sent, why = push_all([one.push(b"", file, total % SIZE, SIZE - total % SIZE)])[0]
        total += sent
        if why == Why.FULL and not sent:
            break
    assert push_all([one.push(b"head", file, 0, 10), two.push(b"head", file, 0, 10)]) == [
        (0, Why.FULL),
        (14, Why.WHOLE),
    ]
    assert one.read(total) == (body * (total // SIZE + 1))[:total]
    assert two.read(14) == b"head" + body[:10]
    front = bytes(100 * SIZE)
    sent, why = push_all([two.push(front, file, 0, 10)])[0]
    assert why == Why.FULL
    assert 0 < sent < len(front)


@every_pusher
def test_what_cannot_be_pushed(
    push_all: Pusher, pairs: list[Pair], file: OpenFile, tmp_path: Path
) -> None:
    one, two, three = pairs
    unreadable = OpenFile(os.open(tmp_path / "written", os.O_WRONLY | os.O_CREAT))
    three.here.shutdown(socket.SHUT_WR)
    assert push_all(
        [
            one.push(b"head", file, SIZE + 1, 100),
            two.push(b"", unreadable, 0, 10),
            three.push(b"head", file, 0, 10),
        ]
    ) == [(4, Why.SHORT), (0, Why.BROKEN), (0, Why.BROKEN)]


@every_pusher
def test_what_is_cold_is_not_waited_for(
    push_all: Pusher, pairs: list[Pair], tmp_path: Path
) -> None:
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("no way to drop a file from memory here")
    cold = open_file(tmp_path / "file", noise(SIZE))

    def drop() -> None:
        os.fsync(cold.fileno())
        os.posix_fadvise(cold.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)

    drop()
    if resident(cold, SIZE - 1):
        pytest.skip("this file system keeps its pages")
    drop()  # to have asked may have brought them in
    assert push_all([pairs[0].push(b"head", cold, 0, SIZE)]) == [(4, Why.COLD)]
    sent, _ = push_all([pairs[0].push(b"", cold, 0, SIZE, wait=True)])[0]
    assert pairs[0].read(4 + sent) == b"head" + noise(SIZE)[:sent]


@pytest.mark.skipif(NATIVE is None, reason="the compiled hot path was not built")
def test_compiled_what_is_no_push_is_refused(pairs: list[Pair], file: OpenFile) -> None:
    assert NATIVE
    here = pairs[0].here
    for wrong in (
        None,
        [None],
        [()],
        [(here, b"", file, 0, 1)],
        [(here, "", file, 0, 1, False)],
        [(here, b"", file, -1, 1, False)],
        [(here, b"", file, 0, 0, False)],
        [(here, b"", file, 2**63 - 1, 2, False)],
        [(here, b"", file, 2**64, 1, False)],
        [(here, b"", None, 0, 1, False)],
        [(None, b"", file, 0, 1, False)],
    ):
        with pytest.raises((TypeError, ValueError, OverflowError, SystemError)):
            NATIVE.push_all(wrong)  # type: ignore[arg-type]


SENDERS = [send_now_in_python, *([NATIVE.send_now] if NATIVE else [])]


@pytest.mark.parametrize("send_now", SENDERS, ids=["python", "compiled"][: len(SENDERS)])
def test_what_is_in_memory_is_sent_as_far_as_there_is_room(
    send_now: Callable[[int, tuple[bytes, ...]], int], pairs: list[Pair]
) -> None:
    here, gone = pairs[0].here.fileno(), pairs[1]
    assert send_now(here, (b"head", b"", b"body")) == 8
    assert pairs[0].read(8) == b"headbody"
    assert send_now(here, (b"1", b"2", b"3", b"4", b"5", b"6", b"7", b"8", b"9")) == 8
    assert pairs[0].read(8) == b"12345678", "the rest is for another call"
    whole = noise(64 << 20)
    sent = send_now(here, (whole[:1000], whole[1000:]))
    assert 1000 < sent < len(whole)
    assert pairs[0].read(sent) == whole[:sent]
    gone.there.close()
    while send_now(gone.here.fileno(), (b"lost",)):  # what the kernel takes before it knows
        continue
    assert send_now(-1, (b"nowhere",)) == 0


@pytest.mark.skipif(NATIVE is None, reason="the compiled hot path was not built")
def test_compiled_what_is_not_bytes_is_not_sent(pairs: list[Pair]) -> None:
    assert NATIVE
    here = pairs[0].here.fileno()
    for wrong in ((), (here,), (here, [b"a"]), (here, ("a",)), (here, (None,)), (None, (b"a",))):
        with pytest.raises((TypeError, SystemError)):
            NATIVE.send_now(*wrong)
