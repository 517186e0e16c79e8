"""Bodies that are sent while they still arrive."""

from __future__ import annotations

import asyncio
import os
from pathlib import Path

import pytest

from origin.delivery.resource import Arrival, FileSpan, MemorySpan, OpenFile
from origin.delivery.site import CUT_SHORT
from origin.storage.memory import Stock
from tests.origin.delivery.library import noise, resource
from tests.origin.delivery.serving import Reply, Serving, Wire, request, until

pytestmark = pytest.mark.usefixtures("pushing")

HEAD = b"head of a segment"
START = 5000
SIZES = [100, 20_000, 600_000]
"""What is gathered, and what goes by sendfile."""


class Source:
    """What is written while it is read: ``body`` from ``START`` on."""

    span: FileSpan | MemorySpan

    def __init__(self, size: int) -> None:
        self.body = noise(size)
        self.arrival = Arrival(START)

    def write(self, piece: bytes, position: int) -> None:
        raise NotImplementedError

    def come(self, upto: int) -> None:
        """Bytes of the body in front of ``upto``."""
        position = self.arrival.position
        self.write(self.body[position - START : upto], position)
        self.arrival.grow(START + upto)


class InFile(Source):
    def __init__(self, size: int, path: Path) -> None:
        super().__init__(size)
        self.file = OpenFile(os.open(path, os.O_RDWR | os.O_CREAT))
        os.truncate(self.file.fileno(), START + size)
        self.span = FileSpan(self.file, START, size, self.arrival)

    def write(self, piece: bytes, position: int) -> None:
        assert os.pwrite(self.file.fileno(), piece, position) == len(piece)


class InMemory(Source):
    def __init__(self, size: int) -> None:
        super().__init__(size)
        self.memory = Stock().take(START + size)
        self.span = MemorySpan(self.memory, START, size, self.arrival)

    def write(self, piece: bytes, position: int) -> None:
        self.memory.put(position, memoryview(piece))


@pytest.fixture(params=SIZES)
def size(request: pytest.FixtureRequest) -> int:
    return int(request.param)


@pytest.fixture(params=[True, False], ids=["file", "memory"])
def source(request: pytest.FixtureRequest, size: int, tmp_path: Path) -> Source:
    return InFile(size, tmp_path / "file") if request.param else InMemory(size)


async def come_in_pieces(source: Source, pieces: int = 7) -> None:
    size = len(source.body)
    for number in range(1, pieces + 1):
        await asyncio.sleep(0.005)
        source.come(size * number // pieces)


async def test_every_reader_gets_all_of_it(serving: Serving, source: Source) -> None:
    serving.resources["/v/x"] = resource(HEAD, source.span)
    wires = [await serving.connect() for _ in range(5)]
    asked = [asyncio.create_task(wire.get("/v/x")) for wire in wires]
    await come_in_pieces(source)
    assert {(await reply).body for reply in asked} == {HEAD + source.body}
    assert (await wires[0].get("/v/x")).body == HEAD + source.body, "and those who come later"


async def test_what_has_come_is_not_held_back(serving: Serving, source: Source) -> None:
    serving.resources["/v/x"] = resource(HEAD, source.span)
    wire = await serving.connect()
    await wire.send(request("/v/x"))
    await wire.reader.readuntil(b"\r\n\r\n")
    assert await wire.reader.readexactly(len(HEAD)) == HEAD
    half = len(source.body) // 2
    source.come(half)
    assert await wire.reader.readexactly(half) == source.body[:half]
    source.come(len(source.body))
    assert await wire.reader.readexactly(len(source.body) - half) == source.body[half:]


async def test_ranges_wait_for_their_bytes_alone(serving: Serving, source: Source) -> None:
    serving.resources["/v/x"] = resource(source.span)
    size = len(source.body)
    first, last = await serving.connect(), await serving.connect()
    late = asyncio.create_task(last.get("/v/x", f"Range: bytes={size - 10}-"))
    source.come(size // 2)
    assert (await first.get("/v/x", "Range: bytes=3-19")).body == source.body[3:20]
    assert not late.done()
    source.come(size)
    assert (await late).body == source.body[-10:]


async def test_one_that_fails_is_cut_never_ended_short(serving: Serving, source: Source) -> None:
    serving.resources["/v/x"] = resource(HEAD, source.span)
    wires = [await serving.connect() for _ in range(3)]
    for wire in wires:
        await wire.send(request("/v/x"))
        await wire.reader.readuntil(b"\r\n\r\n")
    source.come(50)
    source.arrival.fail()
    for wire in wires:
        assert await cut(wire) == HEAD + source.body[:50]
    await until(lambda: len(serving.observed) == 3)
    assert {(seen[2], seen[-1]) for seen in serving.observed} == {(CUT_SHORT, True)}


async def cut(wire: Wire) -> bytes:
    got = b""
    try:
        while piece := await wire.reader.read(1 << 16):
            got += piece
    except ConnectionError:
        pass
    return got


async def test_a_reader_that_leaves_is_not_waited_for(serving: Serving, source: Source) -> None:
    serving.resources["/v/x"] = resource(HEAD, source.span)
    wire = await serving.connect()
    await wire.send(request("/v/x"))
    await wire.reader.readuntil(b"\r\n\r\n")
    wire.reset()
    await until(lambda: serving.server.connections == 0)
    await come_in_pieces(source)


async def test_the_others_are_not_held_up(serving: Serving, source: Source) -> None:
    serving.resources["/v/late"] = resource(HEAD, source.span)
    serving.resources["/v/x"] = resource(HEAD)
    waiting = await serving.connect()
    pending: asyncio.Task[Reply] = asyncio.create_task(waiting.get("/v/late"))
    other = await serving.connect()
    for _ in range(20):
        assert (await other.get("/v/x")).body == HEAD
    assert not pending.done()
    source.come(len(source.body))
    assert (await pending).body == HEAD + source.body
