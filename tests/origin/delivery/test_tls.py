"""All that holds on a plain connection, on one that is secured; and handshakes."""

from __future__ import annotations

import asyncio
import contextlib
import socket
import ssl
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path

import pytest
import trustme

from origin.delivery.limits import Limits
from origin.delivery.resource import FileSpan
from origin.tls import make_context
from tests.origin.delivery.library import noise, open_file, resource
from tests.origin.delivery.serving import Serving, Wire, request, until
from tests.origin.delivery.test_answer import parse_multipart
from tests.support.certificates import der, issue, trusting, write_pair

BODY = noise(6_000_000)
SHORT = 0.2


@pytest.fixture(scope="module")
def context(tmp_path_factory: pytest.TempPathFactory) -> ssl.SSLContext:
    return make_context(*write_pair(tmp_path_factory.mktemp("tls")))


def secured(context: ssl.SSLContext, folder: Path, limits: Limits | None = None) -> Serving:
    serving = Serving(limits, tls=context)
    serving.resources["/v/a"] = resource(b"media")
    serving.resources["/v/large"] = resource(
        FileSpan(open_file(folder / "file", BODY), 0, 6_000_000)
    )
    return serving


@pytest.fixture
async def serving(context: ssl.SSLContext, tmp_path: Path) -> AsyncIterator[Serving]:
    async with secured(context, tmp_path) as running:
        yield running


async def connect(serving: Serving, client: ssl.SSLContext | None = None, receive: int = 0) -> Wire:
    return await serving.connect(tls=client or trusting(), receive=receive)


async def opened(serving: Serving) -> Wire:
    """A connection that says nothing after that of TCP."""
    before = serving.server.connections
    wire = await serving.connect()
    await until(lambda: serving.server.connections > before)
    return wire


# Answers.


async def test_ranges_and_conditions(serving: Serving) -> None:
    wire = await connect(serving)
    whole = await wire.get("/v/large")
    assert (whole.status, whole.body) == (200, BODY)
    part = await wire.get("/v/large", "Range: bytes=1000-2000999")
    assert (part.status, part.body) == (206, BODY[1000:2_001_000])
    parts = await wire.get("/v/large", "Range: bytes=0-9,500000-599999,-5")
    found = parse_multipart(parts.headers["content-type"], parts.body)
    assert [body for *_, body in found] == [BODY[:10], BODY[500_000:600_000], BODY[-5:]]
    assert (await wire.get("/v/large", "Range: bytes=6000000-")).status == 416
    tag = whole.headers["etag"]
    assert (await wire.get("/v/large", f"If-None-Match: {tag}")).status == 304
    head = await wire.get("/v/large", method="HEAD")
    assert (head.body, head.headers["content-length"]) == (b"", "6000000")
    assert (await wire.get("/v/nothing")).status == 404


async def test_answers_keep_their_order(serving: Serving) -> None:
    wire = await connect(serving)
    paths = ["/v/a", "/v/large", "/echo", "/v/a", "/large", "/chunked", "/v/a"]
    await wire.send(b"".join(map(request, paths)))
    bodies = [(await wire.reply()).body for _ in paths]
    media, echo, control = b"media", b"GET /echo ", b"x" * 8_000_000
    chunked = b"piece 0\npiece 1\npiece 2\n"
    assert bodies == [media, BODY, echo, media, control, chunked, media]


async def test_the_last_answer_is_whole_and_the_end_is_said(serving: Serving) -> None:
    for path, body in (("/v/large", BODY), ("/echo", b"GET /echo ")):
        wire = await connect(serving)
        await wire.send(request(path, "Connection: close"))
        reply = await wire.reply()
        assert (reply.body, reply.headers["connection"]) == (body, "close")
        assert await wire.rest() == b""


# Readers.


async def test_a_slow_reader_gets_it_all(serving: Serving) -> None:
    wire = await connect(serving, receive=8192)
    await wire.send(request("/v/large") + request("/v/a"))
    await asyncio.sleep(0.2)
    assert not serving.observed, "it is read no faster than it is sent"
    assert (await wire.reply()).body == BODY
    assert (await wire.reply()).body == b"media"


@pytest.mark.parametrize("line", ["Connection: close", "Connection: keep-alive"])
async def test_what_is_handed_over_takes_its_time(
    context: ssl.SSLContext, tmp_path: Path, line: str
) -> None:
    """What lies encrypted below is not seen from above; it is sent all the same."""
    async with secured(context, tmp_path, Limits(linger_seconds=SHORT)) as serving:
        serving.socket.setsockopt(socket.SOL_SOCKET, socket.SO_SNDBUF, 8192)
        wire = await connect(serving, receive=8192)
        await wire.send(request("/v/large", line))
        seen = b""
        while not serving.observed:
            seen += await wire.reader.readexactly(4096)
        closing = asyncio.ensure_future(serving.server.close(grace=20))
        await asyncio.sleep(5 * SHORT)
        assert (seen + await wire.rest()).endswith(BODY)
        await closing


async def test_a_reader_that_stops(context: ssl.SSLContext, tmp_path: Path) -> None:
    async with secured(context, tmp_path, Limits(stall_seconds=SHORT)) as serving:
        wire = await connect(serving, receive=4096)
        await wire.send(request("/v/large"))
        await until(lambda: bool(serving.observed) and not serving.server.connections)
        [observed] = serving.observed
        assert observed[-1]


@pytest.mark.parametrize("how", ["reset", "abort"])
async def test_a_reader_that_leaves(serving: Serving, how: str) -> None:
    wire = await connect(serving, receive=4096)
    await wire.send(request("/v/large"))
    await wire.reader.readexactly(1000)
    if how == "reset":
        wire.reset()
    else:
        wire.writer.transport.abort()  # without a word of the end
    await until(lambda: not serving.server.connections)
    [observed] = serving.observed
    assert observed[-1]


async def test_an_idle_peer_is_closed(context: ssl.SSLContext, tmp_path: Path) -> None:
    async with secured(context, tmp_path, Limits(idle_seconds=SHORT)) as serving:
        fresh, used = await connect(serving), await connect(serving)
        assert (await used.get("/v/a")).body == b"media"
        assert await fresh.rest() == await used.rest() == b""
        await until(lambda: not serving.server.connections)


async def test_a_peer_that_does_not_answer_the_end(context: ssl.SSLContext, tmp_path: Path) -> None:
    """It has shut the door without a word; what is left of the connection is dropped."""
    async with secured(context, tmp_path, Limits(stall_seconds=SHORT)) as serving:
        wire = await connect(serving)
        # It never sees our last word. (Typeshed knows the transport as one for writing.)
        wire.writer.transport.pause_reading()  # type: ignore[attr-defined]
        await wire.send(request("/v/a", "Connection: close"))
        await until(lambda: bool(serving.observed))
        await until(lambda: not serving.server.connections)


# Stopping.


@pytest.mark.parametrize("path", ["/v/large", "/large"])
async def test_a_download_ends(serving: Serving, path: str) -> None:
    wire = await connect(serving, receive=4096)
    idle = await connect(serving)
    await wire.send(request(path))
    await wire.reader.readuntil(b"\r\n\r\n")
    closing = asyncio.ensure_future(serving.server.close(grace=20))
    assert await idle.rest() == b""
    assert not closing.done()
    assert len(await wire.rest()) >= 6_000_000
    await closing
    assert not any(seen[-1] for seen in serving.observed)


async def test_what_does_not_end_is_cut(serving: Serving) -> None:
    shaking = await opened(serving)
    wire = await connect(serving, receive=4096)
    await wire.send(request("/v/large"))
    await wire.reader.readuntil(b"\r\n\r\n")
    await serving.server.close(grace=0.1)
    assert serving.server.connections == 0
    assert await shaking.is_closed()
    with contextlib.suppress(ConnectionError, ssl.SSLError):
        assert len(await wire.rest()) < 6_000_000


async def test_a_handshake_under_way_ends_in_an_answer(serving: Serving) -> None:
    wire = await opened(serving)
    closing = asyncio.ensure_future(serving.server.close(grace=20))
    await asyncio.sleep(0.05)
    await wire.writer.start_tls(trusting(), server_hostname="localhost")
    reply = await wire.get("/v/a")
    assert (reply.body, reply.headers["connection"]) == (b"media", "close")
    await closing


# Handshakes.


@pytest.mark.parametrize("said", [b"", b"\x16\x03\x01\x02\x00\x01\x00"])
async def test_a_handshake_that_never_ends(
    context: ssl.SSLContext, tmp_path: Path, said: bytes
) -> None:
    limits = replace(Limits(), head_seconds=SHORT)
    async with secured(context, tmp_path, limits) as serving:
        wire = await opened(serving)
        await wire.send(said)
        assert await wire.is_closed()
        await until(lambda: not serving.server.connections)
        assert not serving.observed


@pytest.mark.parametrize(
    "said",
    [request("/v/a"), b"\x00" * 100, noise(5000), b"\x16\x03\x01\x00\x05hello"],
    ids=["http", "zeros", "noise", "record"],
)
async def test_what_is_no_handshake(serving: Serving, said: bytes) -> None:
    wire = await opened(serving)
    await wire.send(said)
    with contextlib.suppress(ConnectionError):
        assert b"HTTP" not in await wire.rest()
    await until(lambda: not serving.server.connections)
    assert (await (await connect(serving)).get("/v/a")).body == b"media"


async def test_a_peer_that_leaves_in_its_handshake(serving: Serving) -> None:
    for how in ("reset", "close"):
        wire = await opened(serving)
        await wire.send(b"\x16\x03\x01")
        await (wire.close() if how == "close" else asyncio.to_thread(wire.reset))
        await until(lambda: not serving.server.connections)


@pytest.mark.parametrize("version", [ssl.TLSVersion.TLSv1_2, ssl.TLSVersion.TLSv1_3])
async def test_versions_that_are_spoken(serving: Serving, version: ssl.TLSVersion) -> None:
    client = trusting()
    client.minimum_version = client.maximum_version = version
    client.set_alpn_protocols(["h2", "http/1.1"])
    wire = await connect(serving, client)
    assert (await wire.get("/v/large")).body == BODY
    secured = wire.writer.get_extra_info("ssl_object")
    assert secured.selected_alpn_protocol() == "http/1.1"


@pytest.mark.filterwarnings("ignore:ssl.TLSVersion.TLSv1_1 is deprecated:DeprecationWarning")
async def test_a_version_that_is_too_old(serving: Serving) -> None:
    client = trusting()
    client.minimum_version = client.maximum_version = ssl.TLSVersion.TLSv1_1
    client.set_ciphers("DEFAULT:@SECLEVEL=0")
    with pytest.raises((ssl.SSLError, ConnectionError)):
        await connect(serving, client)


async def test_a_session_is_resumed(serving: Serving) -> None:
    client = trusting()
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # where a session is there with the handshake

    def shake(session: ssl.SSLSession | None) -> tuple[ssl.SSLSession | None, bool | None]:
        with (
            socket.create_connection(("127.0.0.1", serving.port)) as plain,
            client.wrap_socket(plain, server_hostname="localhost", session=session) as tls,
        ):
            return tls.session, tls.session_reused

    session, reused = await asyncio.to_thread(shake, None)
    assert not reused
    assert (await asyncio.to_thread(shake, session))[1]


# Renewal.


async def test_newcomers_see_the_new_certificate_and_the_others_go_on(
    serving: Serving, tmp_path: Path
) -> None:
    before = await connect(serving, receive=4096)
    await before.send(request("/v/large") + request("/v/a"))
    renewed = issue(trustme.KeyType.RSA)
    serving.server.secure(make_context(*write_pair(tmp_path, renewed)))
    after = await connect(serving)
    assert shown(before) == der()
    assert shown(after) == der(renewed)
    assert (await after.get("/v/a")).body == b"media"
    assert (await before.reply()).body == BODY
    assert (await before.reply()).body == b"media"


def shown(wire: Wire) -> bytes:
    return bytes(wire.writer.get_extra_info("ssl_object").getpeercert(binary_form=True))
