"""Memory of a relay: lent to one at a time, and not kept without end."""

from __future__ import annotations

from origin.storage.memory import IDLE_BYTES, Memory, Stock

MIB = 1 << 20


def mark(memory: Memory, data: bytes) -> Memory:
    memory.put(0, memoryview(data))
    return memory


def test_what_is_in_use_is_nobody_elses() -> None:
    stock = Stock()
    sizes = (1, 100, MIB, MIB)
    taken = [mark(stock.take(size), b"%d" % n) for n, size in enumerate(sizes)]
    assert [bytes(memory.view[:1]) for memory in taken] == [b"0", b"1", b"2", b"3"]
    assert all(len(memory.view) >= size for memory, size in zip(taken, sizes, strict=True))


def test_what_nobody_refers_to_is_taken_again() -> None:
    stock = Stock()
    mark(stock.take(3 * MIB), b"mine")
    assert bytes(stock.take(2 * MIB).view[:4]) == b"mine", "not cleared: it is written before read"


def test_large_memory_is_not_taken_for_little() -> None:
    stock = Stock()
    mark(stock.take(8 * MIB), b"mine")
    assert len(stock.take(1000).view) < MIB


def test_what_lies_in_the_room_already_is_not_copied() -> None:
    memory = Stock().take(100)
    piece = memory.view[10:14]
    piece[:] = b"here"
    memory.put(10, piece)
    assert bytes(memory.view[10:14]) == b"here"


def test_little_is_kept_idle() -> None:
    stock = Stock()
    held = [stock.take(MIB) for _ in range(2 * IDLE_BYTES // MIB)]
    held.clear()
    assert stock.idle <= IDLE_BYTES


def test_sizes_that_nobody_asks_for_make_room() -> None:
    stock = Stock()
    held = [stock.take(MIB) for _ in range(IDLE_BYTES // MIB)]
    held.clear()
    for _ in range(IDLE_BYTES // MIB):
        mark(stock.take(20 * MIB), b"large")
    assert bytes(stock.take(20 * MIB).view[:5]) == b"large"
    assert stock.idle <= IDLE_BYTES
