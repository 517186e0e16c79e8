from __future__ import annotations

import asyncio
import random
import ssl
from collections.abc import Awaitable
from contextlib import AsyncExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from origin.errors import StorageError
from origin.storage.s3.client import S3Client
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.objects import S3Objects
from origin.storage.s3.options import S3Options
from tests.origin.s3.asking import HASTE, KEY, client_of, options_of, read, source
from tests.origin.s3.scripted import REQUEST, Script, playing, then_close
from tests.support.certificates import authority_pem, issue, trusting, write_pair
from tests.support.descriptors import needs_proc, open_sockets
from tests.support.s3_server import Fault, S3Server, s3_server

FILM = random.Random(4).randbytes(700_000)


@pytest.fixture
def context(tmp_path: Path) -> ssl.SSLContext:
    pair = write_pair(tmp_path, issue())
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    return context


@pytest.fixture
def trusted(tmp_path: Path) -> str:
    path = tmp_path / "authority.pem"
    path.write_bytes(authority_pem())
    return str(path)


async def test_bodies_through_tls(context: ssl.SSLContext, trusted: str) -> None:
    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(s3_server(tls=context))
        options = replace(options_of(s3), ca_file=trusted)
        client = await stack.enter_async_context(client_of(s3, options=options))
        film = s3.put(KEY, FILM)
        s3.faults.extend([None, Fault.SHORT, None, Fault.RESET_IN_BODY])
        for start in (0, 1, 70_000):
            assert await read(client, start, 690_000, film.etag) == FILM[start:690_000]
        assert client.tally.failures[Reason.RESET] == 2
        objects = S3Objects(options, source(), HASTE)
        assert await objects.head(KEY)
        await objects.aclose()


@pytest.mark.parametrize("fault", [Fault.WHOLE, Fault.WRONG_RANGE, Fault.DRIP, Fault.RESET])
async def test_faults_through_tls(fault: Fault, context: ssl.SSLContext, trusted: str) -> None:
    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(s3_server(tls=context))
        options = replace(options_of(s3), ca_file=trusted)
        client = await stack.enter_async_context(client_of(s3, options=options))
        film = s3.put(KEY, FILM)
        s3.faults.append(fault)
        assert await read(client, 1, 690_000, film.etag) == FILM[1:690_000]
        assert client.tally.retries == 1


async def test_a_busy_sink_behind_tls(context: ssl.SSLContext, trusted: str) -> None:
    taken = bytearray()
    busy = False

    async def write(piece: bytes) -> None:
        nonlocal busy
        await asyncio.sleep(0.001)
        taken.extend(piece)
        busy = False

    def sink(piece: memoryview) -> Awaitable[None]:
        nonlocal busy
        assert not busy
        busy = True
        return write(bytes(piece))

    async with AsyncExitStack() as stack:
        s3 = await stack.enter_async_context(s3_server(tls=context))
        options = replace(options_of(s3), ca_file=trusted)
        client = await stack.enter_async_context(client_of(s3, options=options))
        film = s3.put(KEY, FILM)
        await client.get_range(KEY, 1, 690_000, film.etag, sink)
    assert bytes(taken) == FILM[1:690_000]


async def test_a_server_that_closes_while_the_sink_is_busy(context: ssl.SSLContext) -> None:
    """TLS reads on behind a pause, and hears of the end before the sink is done."""
    body = FILM[:20_000]
    head = b"HTTP/1.1 200 OK\r\nContent-Length: %d\r\nConnection: close\r\n\r\n" % len(body)
    taken = bytearray()

    async with playing(Script(then_close(head + body)), tls=(context, trusting())) as pool:

        def sink(piece: memoryview) -> Awaitable[None]:
            taken.extend(piece)
            return gone() if len(taken) == len(body) else asyncio.sleep(0)

        async def gone() -> None:
            while pool._open:  # noqa: ASYNC110 (nothing tells when)
                await asyncio.sleep(0)

        await pool.fetch(await pool.take(), REQUEST, lambda _: sink)
    assert bytes(taken) == body


@needs_proc
async def test_a_server_that_does_not_shake_hands() -> None:
    """What could not be opened in time is closed."""
    before = open_sockets()
    left = asyncio.Event()

    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        await reader.read()
        writer.close()
        left.set()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    limits = replace(HASTE, connect_seconds=0.1, retries=0)
    client = S3Client(S3Options("films", endpoint=f"https://127.0.0.1:{port}"), None, limits)
    with pytest.raises(Passing, match=r"no connection to the storage within 0\.1 s"):
        await client.peek(KEY, 9)
    await left.wait()
    await client.aclose()
    server.close()
    await server.wait_closed()
    while open_sockets() > before:  # noqa: ASYNC110 (the server's own end)
        await asyncio.sleep(0)


async def test_a_certificate_of_an_authority_that_is_not_trusted(context: ssl.SSLContext) -> None:
    async with s3_server(tls=context) as s3, client_of(s3) as client:
        film = s3.put(KEY, FILM)
        with pytest.raises(StorageError, match="certificate is not trusted") as failed:
            await read(client, 0, 9, film.etag)
        assert not isinstance(failed.value, Passing)
        assert client.tally.retries == 0


async def test_a_certificate_of_another_name(context: ssl.SSLContext, trusted: str) -> None:
    async with s3_server(tls=context) as s3:
        s3.url = s3.url.replace("127.0.0.1", "127.0.0.2")
        async with client_of(s3, options=replace(options_of(s3), ca_file=trusted)) as client:
            with pytest.raises(StorageError):
                await read(client, 0, 9, '"a"')


async def test_a_server_without_tls(s3: S3Server) -> None:
    s3.url = s3.url.replace("http:", "https:")
    async with client_of(s3) as client:
        with pytest.raises(Passing) as failed:
            await read(client, 0, 9, '"a"')
        assert failed.value.reason is Reason.CONNECT
