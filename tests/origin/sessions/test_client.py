"""One worker's way to Redis: whose reply is whose, and what is no reply."""

from __future__ import annotations

import asyncio
import random
import secrets
import ssl
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from embedded.process import Server
from origin.errors import StoreAway
from origin.sessions import Rate, Sessions
from origin.sessions.client import COMMANDS, MOST_WAITING, Client, run
from origin.settings import BadSetting
from tests.origin.sessions.working import UNHURRIED, account, answered, asking, playback, relay
from tests.support.certificates import authority_pem, write_pair


@pytest.fixture
async def client(valkey: Server) -> AsyncIterator[Client]:
    opened = Client(valkey.url, patience=UNHURRIED)
    yield opened
    await opened.aclose()


async def test_no_reply_reaches_another_caller(client: Client) -> None:
    """Of two thousand callers most leave, before and after their question is sent."""
    dice = random.Random(5)
    right = left = 0

    async def caller(number: int) -> bool:
        [reply] = await client.ask("get", ("ECHO", f"reply {number}"))
        return bool(reply == f"reply {number}".encode())

    for turn in range(100):
        callers = [asyncio.create_task(caller(20 * turn + one)) for one in range(20)]
        for _ in range(dice.randrange(4)):
            await asyncio.sleep(0)
        if dice.random() < 0.5:
            await asyncio.sleep(dice.uniform(0, 0.001))
        for one in dice.sample(callers, 15):
            left += one.cancel()
        for end in await asyncio.gather(*callers, return_exceptions=True):
            assert end is True or isinstance(end, asyncio.CancelledError)
            right += end is True
    assert left > 1000
    assert right >= 500


async def test_what_is_asked_at_once_goes_together(client: Client, valkey: Server) -> None:
    async with asking(valkey.url) as redis:
        await client.ask("get", ("PING",))
        before = await redis.info("stats")
        await asyncio.gather(*(client.ask("get", ("ECHO", str(n))) for n in range(COMMANDS)))
        after = await redis.info("stats")
    reads = after["total_reads_processed"] - before["total_reads_processed"]
    assert reads < COMMANDS / 8


async def test_more_than_goes_together_is_answered_too(client: Client) -> None:
    asked = (client.ask("get", ("ECHO", str(n)), ("ECHO", "x")) for n in range(5 * COMMANDS))
    replies = await asyncio.gather(*asked)
    assert replies == [[str(n).encode(), b"x"] for n in range(5 * COMMANDS)]


async def test_a_queue_has_an_end(client: Client) -> None:
    asked = (client.ask("get", ("PING",)) for _ in range(MOST_WAITING + 10))
    ends = await asyncio.gather(*asked, return_exceptions=True)
    assert sum(isinstance(end, StoreAway) for end in ends) == 10


async def test_scripts_that_redis_has_forgotten_are_sent_again(
    client: Client, valkey: Server
) -> None:
    for _ in range(2):
        async with asking(valkey.url) as redis:
            await redis.script_flush()
        rate = run("rate", (f"vod:rate:{account()}",), 1_000_000, 0)
        replies = await client.ask("rate", ("ECHO", "a"), rate, ("ECHO", "b"))
        assert replies == [b"a", 0, b"b"]


async def test_an_error_is_its_callers_alone(client: Client) -> None:
    ends = await asyncio.gather(
        client.ask("get", ("ECHO", "a")),
        client.ask("get", ("NO-SUCH-COMMAND",)),
        client.ask("get", ("ECHO", "b")),
        return_exceptions=True,
    )
    assert (ends[0], ends[2]) == ([b"a"], [b"b"])
    assert isinstance(ends[1], StoreAway)
    assert not client.is_resting


@pytest.mark.parametrize(
    "url", ["", "http://host/", "redis://host:port/0", "host:6379", "redis://:hidden@host:x/"]
)
def test_a_url_that_is_none_is_a_bad_setting(url: str) -> None:
    with pytest.raises(BadSetting, match="VOD_REDIS_URL") as caught:
        Client(url)
    assert "hidden" not in str(caught.value)


@pytest.mark.parametrize("kind", ["string", "list"])
async def test_keys_of_another_type_are_no_defect(
    sessions: Sessions, valkey: Server, kind: str
) -> None:
    """As another program that uses the same Redis may leave them."""
    session = playback(account())
    await sessions.begin(session, 1)
    async with asking(valkey.url) as redis:
        names = [key async for key in redis.scan_iter("vod:{*}:*")]
        for name in (*names, f"vod:play:{session.sid.hex()}", "vod:login:" + "0" * 64):
            await redis.delete(name)
            await (redis.set(name, "x") if kind == "string" else redis.rpush(name, "x"))
        sessions._playbacks._kept.forget(session.sid.hex())
        try:
            for asked in (
                sessions.get(session.sid),
                sessions.beat(session.sid, 1.0),
                sessions.renew(session.sid, "device", session.expiry),
                sessions.begin(playback(session.account), 1),
                sessions.end(session.sid),
            ):
                with pytest.raises(StoreAway):
                    await asked
        finally:
            await redis.flushall()
    await sessions.begin(playback(session.account), 1)


@pytest.mark.parametrize("about", ["", "{}", "[]", "[1,2,3]", "nonsense", "[null]"])
async def test_what_cannot_be_read_is_no_defect(
    sessions: Sessions, valkey: Server, about: str
) -> None:
    session, digest = playback(account()), "0" * 64
    async with asking(valkey.url) as redis:
        await redis.hset(
            f"vod:play:{session.sid.hex()}", mapping={"is": about, "expiry": "nan", "position": ""}
        )
        await redis.set(f"vod:login:{digest}", about)
    with pytest.raises(StoreAway):
        await sessions.get(session.sid)


@pytest.mark.parametrize("bytes_of_replies", [0, 1, 5, 40])
async def test_a_reset_within_a_reply_is_no_reply(valkey: Server, bytes_of_replies: int) -> None:
    async with relay(valkey.url) as between:
        client = Client(between.url, patience=0.5)
        long = secrets.token_hex(200)
        await answered(lambda: client.ask("get", ("PING",)), UNHURRIED)
        between.reset_after = bytes_of_replies
        asked = (client.ask("get", ("ECHO", long)) for _ in range(20))
        for end in await asyncio.gather(*asked, return_exceptions=True):
            assert isinstance(end, StoreAway)
        between.reset_after = None
        assert await answered(lambda: client.ask("get", ("ECHO", long)), 30.0) == [long.encode()]
        await client.aclose()


async def test_what_is_no_redis_is_no_answer() -> None:
    async def serve(reader: asyncio.StreamReader, writer: asyncio.StreamWriter) -> None:
        writer.write(b"HTTP/1.1 400 Bad Request\r\n\r\n")
        writer.close()

    server = await asyncio.start_server(serve, "127.0.0.1", 0)
    port = server.sockets[0].getsockname()[1]
    sessions = await Sessions.open(f"redis://127.0.0.1:{port}/0")
    for _ in range(5):
        with pytest.raises(StoreAway):
            await sessions.allow("x", Rate(1, 1))
    await sessions.aclose()
    server.close()
    await server.wait_closed()


@pytest.mark.parametrize("user", ["", "default"])
async def test_a_password_is_given_and_never_told(
    valkey: Server, caplog: pytest.LogCaptureFixture, user: str
) -> None:
    secret = secrets.token_hex(8)
    async with asking(valkey.url) as redis, relay(valkey.url) as between:
        await redis.config_set("requirepass", secret)
        try:
            known = Client(between.url.replace("://", f"://{user}:{secret}@"), patience=UNHURRIED)
            assert await known.ask("get", ("ECHO", "a")) == [b"a"]
            await known.aclose()
            for other in ("", f"{user}:{secret}x@"):
                client = Client(between.url.replace("://", f"://{other}"), patience=UNHURRIED)
                with pytest.raises(StoreAway):
                    await client.ask("get", ("ECHO", "a"))
                await client.aclose()
        finally:
            await redis.config_set("requirepass", "")
    assert secret not in caplog.text


async def test_by_tls_from_one_who_is_trusted(valkey: Server, tmp_path: Path) -> None:
    pair = write_pair(tmp_path)
    context = ssl.create_default_context(ssl.Purpose.CLIENT_AUTH)
    context.load_cert_chain(pair.certificate, pair.key)
    trusted = tmp_path / "authority.pem"
    trusted.write_bytes(authority_pem())
    async with relay(valkey.url, context) as between:
        for query, answers in ((f"?ssl_ca_certs={trusted}", True), ("", False)):
            client = Client(between.url + query, patience=UNHURRIED)
            if answers:
                assert await client.ask("get", ("ECHO", "a")) == [b"a"]
            else:
                with pytest.raises(StoreAway):
                    await client.ask("get", ("ECHO", "a"))
            await client.aclose()
