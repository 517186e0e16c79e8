"""Bodies from files, every byte: sendfile, gathered spans, slow and vanishing readers."""

from __future__ import annotations

import asyncio
import contextlib
import errno
import hashlib
import os
import random
import ssl
import threading
from pathlib import Path

import pytest

from origin.delivery import spans, writer
from origin.delivery.resource import FileSpan, OpenFile, Resource
from origin.delivery.site import CUT_SHORT
from origin.tls import make_context
from tests.origin.delivery.library import content, interleaved, noise, open_file, resource
from tests.origin.delivery.serving import Serving, Wire, request, until
from tests.origin.delivery.test_answer import parse_multipart
from tests.support.certificates import trusting, write_pair
from tests.support.descriptors import needs_proc, open_sockets

pytestmark = pytest.mark.usefixtures("pushing")

MIB = 1 << 20


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> OpenFile:
    return open_file(tmp_path_factory.mktemp("library") / "file", noise(4 * MIB))


@pytest.fixture(scope="module")
def tls(tmp_path_factory: pytest.TempPathFactory) -> tuple[ssl.SSLContext, ssl.SSLContext]:
    """A server's and a client's context around a certificate made here."""
    return make_context(*write_pair(tmp_path_factory.mktemp("tls"))), trusting()


def shapes(file: OpenFile) -> dict[str, Resource]:
    """What bodies are made of: one long span, many short ones, and everything between."""
    small = tuple(FileSpan(file, n * 5000, 1 + n * 37 % 4000) for n in range(700))
    backwards = tuple(FileSpan(file, n * 3000, 2000) for n in range(60, 0, -1))
    mixed = (
        b"a" * 100,
        FileSpan(file, 0, 300_000),
        b"",
        b"b" * 200_000,
        *interleaved(file, 30, 3000, 1000),
        FileSpan(file, 5, 0),
        FileSpan(file, MIB, spans.GATHER_BELOW),
        FileSpan(file, 2 * MIB, spans.GATHER_BELOW - 1),
        b"c",
    )
    return {
        "segment": resource(b"moof" * 500, FileSpan(file, 1234, 600_000)),
        "whole": resource(FileSpan(file, 0, 4 * MIB)),
        "interleaved": resource(*interleaved(file, 180, 20_000, 3000)),
        "tiny": resource(*(FileSpan(file, n * 2, 1) for n in range(3000))),
        "small": resource(*small),
        "backwards": resource(*backwards),
        "far": resource(*(FileSpan(file, n * 100_000, 100) for n in range(40))),
        "mixed": resource(*mixed),
        "memory": resource(noise(3 * MIB)),
        "one": resource(FileSpan(file, 77, 1)),
        "empty": resource(),
        "nothing": resource(b"", FileSpan(file, 0, 0)),
    }


SHAPES = [
    "segment",
    "whole",
    "interleaved",
    "tiny",
    "small",
    "backwards",
    "far",
    "mixed",
    "memory",
    "one",
    "empty",
    "nothing",
]


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_byte(serving: Serving, file: OpenFile, shape: str) -> None:
    made = serving.resources["/v/x"] = shapes(file)[shape]
    wire = await serving.connect()
    await wire.send(request("/v/x") * 3)
    for _ in range(3):
        assert (await wire.reply()).body == content(made.parts)


@pytest.mark.parametrize("shape", SHAPES)
async def test_every_byte_over_tls(
    file: OpenFile, shape: str, tls: tuple[ssl.SSLContext, ssl.SSLContext]
) -> None:
    server, client = tls
    async with Serving(tls=server) as serving:
        made = serving.resources["/v/x"] = shapes(file)[shape]
        wire = await serving.connect(tls=client)
        await wire.send(request("/v/x") * 3 + request("/echo") + request("/v/x"))
        for _ in range(3):
            assert (await wire.reply()).body == content(made.parts)
        assert (await wire.reply()).body == b"GET /echo "
        assert (await wire.reply()).body == content(made.parts)


@pytest.mark.parametrize("shape", SHAPES)
async def test_ranges_are_slices(serving: Serving, file: OpenFile, shape: str) -> None:
    made = serving.resources["/v/x"] = shapes(file)[shape]
    body = content(made.parts)
    wire = await serving.connect()
    draw = random.Random(shape)
    for _ in range(20 if body else 0):
        first = draw.randrange(len(body))
        last = draw.randrange(first, len(body))
        reply = await wire.get("/v/x", f"Range: bytes={first}-{last}")
        assert reply.status == 206
        assert reply.headers["content-range"] == f"bytes {first}-{last}/{len(body)}"
        assert reply.body == body[first : last + 1]


@pytest.mark.parametrize("shape", ["segment", "interleaved", "mixed"])
async def test_multipart_of_files(serving: Serving, file: OpenFile, shape: str) -> None:
    made = serving.resources["/v/x"] = shapes(file)[shape]
    body = content(made.parts)
    wire = await serving.connect()
    reply = await wire.get("/v/x", "Range: bytes=0-9,50-150000,200000-200001,-5")
    assert reply.status == 206
    assert [part for _, _, part in parse_multipart(reply.headers["content-type"], reply.body)] == [
        body[:10],
        body[50:150_001],
        body[200_000:200_002],
        body[-5:],
    ]


async def test_64_mib_by_digest(serving: Serving, tmp_path: Path) -> None:
    block = noise(MIB)
    path = tmp_path / "large"
    digest = hashlib.sha256(b"head")
    with path.open("wb") as out:
        for number in range(64):
            piece = number.to_bytes(8, "big") + block[8:]
            out.write(piece)
            digest.update(piece)
    large = OpenFile(os.open(path, os.O_RDONLY))
    serving.resources["/v/large"] = resource(b"head", FileSpan(large, 0, 64 * MIB))
    wire = await serving.connect()
    await wire.send(request("/v/large", "Connection: close"))
    head = await wire.reader.readuntil(b"\r\n\r\n")
    assert b"Content-Length: 67108868\r\n" in head
    received = hashlib.sha256()
    while data := await wire.reader.read(MIB):
        received.update(data)
    assert received.digest() == digest.digest()


async def test_many_readers_at_once(serving: Serving, file: OpenFile) -> None:
    bodies = {}
    for name, made in shapes(file).items():
        serving.resources[f"/v/{name}"] = made
        bodies[name] = content(made.parts)

    async def play(name: str) -> None:
        wire = await serving.connect()
        for _ in range(3):
            assert (await wire.get(f"/v/{name}")).body == bodies[name]

    await asyncio.gather(*(play(name) for name in SHAPES * 3))


@pytest.mark.parametrize("shape", ["segment", "interleaved", "mixed", "memory"])
async def test_a_slow_reader_gets_every_byte(serving: Serving, file: OpenFile, shape: str) -> None:
    made = serving.resources["/v/x"] = shapes(file)[shape]
    wire = await serving.connect(receive=4096)
    await wire.send(request("/v/x", "Connection: close"))
    await wire.reader.readuntil(b"\r\n\r\n")
    received = b""
    while data := await wire.reader.read(50_000):
        received += data
        await asyncio.sleep(0.001)
    assert received == content(made.parts)


async def test_a_stalled_reader_holds_no_body(serving: Serving, file: OpenFile) -> None:
    """What the kernel does not take stays in the file."""
    serving.resources |= {f"/v/{name}": made for name, made in shapes(file).items()}
    for name in ("whole", "interleaved", "memory"):
        wire = await serving.connect(receive=4096)
        await wire.send(request(f"/v/{name}"))
    await asyncio.sleep(0.2)
    for connection in serving.server._connections:
        assert connection._transport.get_write_buffer_size() == 0
        assert connection._writer.active


def open_descriptors() -> int:
    return len(os.listdir("/proc/self/fd"))


async def test_readers_that_leave_leak_nothing(serving: Serving, file: OpenFile) -> None:
    serving.resources["/v/x"] = shapes(file)["whole"]
    await (await serving.connect()).close()  # uvloop keeps a descriptor from the first one on
    await until(lambda: serving.server.connections == 0)
    before = open_descriptors()
    wires: list[Wire] = []
    for _ in range(40):
        wire = await serving.connect(receive=4096)
        await wire.send(request("/v/x"))
        wires.append(wire)
    for number, wire in enumerate(wires):
        await wire.reader.readexactly(1000)
        if number % 2:
            wire.reset()
        else:
            await wire.close()
    await until(lambda: serving.server.connections == 0)
    await until(lambda: open_descriptors() <= before)
    assert len(serving.observed) == 40
    for *_, status, sent, _, aborted in serving.observed:
        assert aborted
        assert status != CUT_SHORT, "it was they who left"
        assert sent < 4 * MIB


@needs_proc
async def test_a_viewer_takes_one_descriptor(serving: Serving, file: OpenFile) -> None:
    made = serving.resources["/v/x"] = shapes(file)["segment"]
    await (await serving.connect()).get("/v/x")
    before = open_sockets()
    wires = [await serving.connect() for _ in range(20)]
    for wire in wires:
        assert (await wire.get("/v/x")).body == content(made.parts)
    assert open_sockets() == before + 2 * len(wires), "theirs and ours"


async def test_a_slow_reader_gets_every_byte_where_no_descriptor_is_left(
    serving: Serving, file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """To watch its full socket with."""
    made = serving.resources["/v/x"] = shapes(file)["whole"]
    refused = 0

    def none_left(_: int) -> int:
        nonlocal refused
        refused += 1
        raise OSError(errno.EMFILE, "Too many open files")

    monkeypatch.setattr(os, "dup", none_left)
    wire = await serving.connect(receive=4096)
    await wire.send(request("/v/x"))
    await until(lambda: refused > 1)
    assert (await wire.reply()).body == content(made.parts)


@pytest.mark.parametrize("length", [200_000, 2_000])
async def test_a_file_cut_short_never_ends_a_body(
    serving: Serving, tmp_path: Path, length: int
) -> None:
    """Neither by sendfile nor gathered; the connection dies instead."""
    path = tmp_path / "file"
    cut = open_file(path, noise(1_000_000))
    spans = tuple(FileSpan(cut, n * length * 2, length) for n in range(1_000_000 // length // 2))
    serving.resources["/v/x"] = made = resource(b"head", *spans)
    os.truncate(path, 500_000)
    wire = await serving.connect()
    await wire.send(request("/v/x") + request("/v/x"))
    seen = b""
    with contextlib.suppress(ConnectionError):
        seen = await wire.rest()
    assert len(seen) < made.size
    assert seen.count(b"HTTP/1.1") <= 1
    [observed] = serving.observed
    assert observed[-1]
    wire = await serving.connect()
    assert (await wire.get("/echo")).status == 200


async def test_a_file_that_is_overwritten_under_its_answer(
    serving: Serving, tmp_path: Path
) -> None:
    """Of the right length, but of two versions: the viewer must not take it for whole."""
    path = tmp_path / "file"
    path.write_bytes(noise(32 * MIB))
    fixed = OpenFile(os.open(path, os.O_RDONLY), fixed=True)
    serving.resources["/v/x"] = made = resource(b"head", FileSpan(fixed, 0, 32 * MIB))
    wire = await serving.connect()
    await wire.send(request("/v/x"))
    seen = await wire.reader.read(1000)
    with path.open("r+b") as file:
        file.write(bytes(32 * MIB))
    with contextlib.suppress(ConnectionError):
        seen += await wire.rest()
    assert len(seen) < made.size
    [observed] = serving.observed
    assert observed[-1]


@pytest.mark.parametrize("shape", ["segment", "whole", "interleaved", "mixed"])
async def test_a_file_that_is_not_in_memory(
    serving: Serving, tmp_path: Path, monkeypatch: pytest.MonkeyPatch, shape: str
) -> None:
    path = tmp_path / "file"
    cold = open_file(path, noise(4 * MIB))
    made = serving.resources["/v/x"] = shapes(cold)[shape]
    body = content(made.parts)
    if not hasattr(os, "posix_fadvise"):
        pytest.skip("no way to drop a file from memory here")
    os.fsync(cold.fileno())
    os.posix_fadvise(cold.fileno(), 0, 0, os.POSIX_FADV_DONTNEED)
    if spans.resident(cold, MIB):
        pytest.skip("this file system keeps its pages")
    read_by: set[str] = set()

    def warm(cold: spans.Cold) -> None:
        read_by.add(threading.current_thread().name)
        spans.warm(cold)

    monkeypatch.setattr(writer, "warm", warm)
    wire = await serving.connect()
    assert (await wire.get("/v/x")).body == body
    assert read_by
    assert threading.current_thread().name not in read_by


async def test_when_nothing_stays_in_memory(
    serving: Serving, file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    """Each look finds the pages gone again; it goes on all the same."""
    warmed: list[int] = []
    real_warm, real_preadv = spans.warm, os.preadv

    def cold_preadv(fd: int, buffers: list[memoryview], offset: int, flags: int = 0) -> int:
        if flags:
            raise BlockingIOError
        return real_preadv(fd, buffers, offset)

    def warm(cold: spans.Cold) -> None:
        warmed.append(cold.length)
        real_warm(cold)

    monkeypatch.setattr(os, "preadv", cold_preadv)
    monkeypatch.setattr(writer, "warm", warm)
    for name, made in shapes(file).items():
        serving.resources["/v/x"] = made
        wire = await serving.connect()
        assert (await wire.get("/v/x")).body == content(made.parts), name
    assert len(warmed) > 50
    assert max(warmed) <= 2 * writer.TURN


async def test_a_reader_that_leaves_while_the_disk_is_asked(
    serving: Serving, file: OpenFile, monkeypatch: pytest.MonkeyPatch
) -> None:
    asked = asyncio.Event()
    loop = asyncio.get_running_loop()
    release = asyncio.Event()

    def warm(cold: spans.Cold) -> None:
        loop.call_soon_threadsafe(asked.set)
        asyncio.run_coroutine_threadsafe(release.wait(), loop).result(20)

    monkeypatch.setattr(writer, "push_all", lambda pushes: [(0, spans.Why.COLD) for _ in pushes])
    monkeypatch.setattr(writer, "warm", warm)
    serving.resources["/v/x"] = shapes(file)["segment"]
    wire = await serving.connect()
    await wire.send(request("/v/x"))
    await asked.wait()
    wire.reset()
    await until(lambda: serving.server.connections == 0)
    release.set()
    await asyncio.sleep(0.05)
    assert [seen[-1] for seen in serving.observed] == [True]


@pytest.mark.parametrize("before", ["/v/text", "/medium"])
@pytest.mark.parametrize("shape", ["segment", "one"])
async def test_a_body_after_answers_the_peer_has_not_taken(
    serving: Serving, file: OpenFile, shape: str, before: str
) -> None:
    """A file's bytes must not overtake what still lies in the transport's buffer."""
    text = b"x" * 60_000
    serving.resources["/v/text"] = resource(text)
    made = serving.resources["/v/x"] = shapes(file)[shape]
    wire = await serving.connect(receive=4096)
    rounds = 60
    wire.writer.write((request(before) + request("/v/x") + request("/echo")) * rounds)
    await asyncio.sleep(0.2)
    for _ in range(rounds):
        assert (await wire.reply()).body == text
        assert (await wire.reply()).body == content(made.parts)
        assert (await wire.reply()).body == b"GET /echo "
