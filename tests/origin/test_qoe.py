"""A worker that players tell of their playbacks: what it answers, counts and shows."""

from __future__ import annotations

import asyncio
import re
import socket
import time
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote, urljoin

import orjson
import pytest

from origin.app import Running, start
from origin.cmcd.inbox import REPORTS_PER_SECOND
from origin.control import qoe
from origin.settings import read_settings
from tests.cli.running import serving
from tests.origin.cmcd.test_hostile import hostile
from tests.origin.delivery.serving import PATIENCE, Reply, Wire, request, until

CMCD = "Content-Type: application/cmcd"
MEDIA_TYPES = ["application/cmcd", "application/cmcd; charset=utf-8", "text/plain"]


class Player:
    """One connection to one worker."""

    def __init__(self, wire: Wire) -> None:
        self.wire = wire

    async def tell(self, *lines: str, kind: str = CMCD, path: str = "/cmcd") -> Reply:
        body = "\n".join(lines).encode()
        await self.wire.send(request(path, kind, method="POST", body=body or b"\n"))
        return await self.wire.reply()

    async def figures(self) -> dict[str, Any]:
        reply = await self.wire.get("/api/qoe")
        assert (reply.status, reply.headers["cache-control"]) == (200, "no-store")
        found: dict[str, Any] = orjson.loads(reply.body)
        return found

    async def sees(self, **sessions: int) -> dict[str, Any]:
        """The figures, once there are as many sessions of these outcomes."""
        async with asyncio.timeout(PATIENCE):
            while True:
                found = await self.figures()
                if {name: found["sessions"][name] for name in sessions} == sessions:
                    return found


@pytest.fixture
async def worker(films: Path) -> AsyncIterator[tuple[Running, int]]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    running = await start(listener, read_settings(library=str(films)))
    yield running, port
    await running.close(grace=PATIENCE)


@pytest.fixture
async def player(worker: tuple[Running, int]) -> AsyncIterator[Player]:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", worker[1]))
    yield Player(wire)
    await wire.close()


def event(number: int, state: str, at: int, sid: str = "one", extra: str = "") -> str:
    return f'e=ps,sid="{sid}",sn={number},sta={state},ts={at},v=2{extra}'


async def test_a_playback_is_seen(player: Player) -> None:
    assert (await player.tell(event(0, "s", 1000))).status == 204
    found = await player.figures()
    assert found["sessions"] == {
        "active": 1,
        "started": 0,
        "failed_start": 0,
        "left_before_start": 0,
        "unknown": 0,
    }
    await player.tell(
        event(1, "p", 2200, extra=",msd=1200"),
        event(2, "r", 12_200),
        event(3, "p", 12_700, extra=",bsd=(500;v 400;a)"),
        event(4, "q", 22_700),
    )
    found = await player.figures()
    startup = found["startup"]["player"]
    assert (startup["count"], startup["mean"]) == (1, pytest.approx(1.2))
    assert 1.0 < startup["p50"] <= 1.25
    assert found["rebuffer"] == {
        "seconds": 0.5,
        "play_seconds": 20.0,
        "ratio": pytest.approx(0.5 / 20.5),
    }
    assert (found["sessions"]["started"], found["sessions"]["active"]) == (1, 0)
    assert found["reports"] == {"ok": 5, "duplicate": 0, "invalid": 0, "dropped": 0}


async def test_a_report_that_comes_twice_counts_once(player: Player) -> None:
    for _ in range(3):
        await player.tell(event(7, "p", 1000, extra=",msd=900,bsd=(100)"))
    found = await player.figures()
    assert found["startup"]["player"]["count"] == 1
    assert found["rebuffer"]["seconds"] == pytest.approx(0.1)
    assert (found["reports"]["ok"], found["reports"]["duplicate"]) == (1, 2)


@pytest.mark.parametrize("media_type", MEDIA_TYPES)
async def test_types_of_bodies(player: Player, media_type: str) -> None:
    reply = await player.tell(event(0, "s", 0), kind=f"Content-Type: {media_type}")
    assert (reply.status, reply.body) == (204, b"")
    assert reply.headers["access-control-allow-origin"] == "*"


async def test_reports_of_version_1_come_as_json(player: Player) -> None:
    body = orjson.dumps([{"sid": "j", "ot": "m"}, {"sid": "j", "su": True, "ot": "v", "x-y": [1]}])
    reply = await player.tell(body.decode(), kind="Content-Type: application/json")
    assert reply.status == 204
    assert (await player.figures())["reports"]["ok"] == 2


@pytest.mark.parametrize(
    ("kind", "body", "status", "code"),
    [
        (CMCD, "", 422, "bad-report"),
        (CMCD, "sta=p", 422, "bad-report"),
        (CMCD, "\x01\x02 ,,", 422, "bad-report"),
        (CMCD, f'sid="{"x" * 5000}"', 422, "bad-report"),
        ("Content-Type: application/json", "{", 422, "bad-report"),
        ("Content-Type: application/json", "[" * 30_000, 422, "bad-report"),
        ("Content-Type: application/json", "[7]", 422, "bad-report"),
        ("Content-Type: video/mp4", "x", 415, "unsupported-media-type"),
        ("X: y", "x", 415, "unsupported-media-type"),
        (CMCD, event(0, "p", 0) + "\n" * 66_000, 413, "body-too-large"),
    ],
)
async def test_refusals(player: Player, kind: str, body: str, status: int, code: str) -> None:
    reply = await player.tell(body, kind=kind)
    assert (reply.status, reply.headers["content-type"]) == (status, "application/problem+json")
    assert orjson.loads(reply.body)["code"] == code


async def test_no_body_and_no_query_is_a_defect_of_ours(player: Player) -> None:
    """What comes through the front door; ``tests/origin/cmcd/test_hostile.py`` has more of it."""
    for number, text in hostile(300, seed=7):
        kind = f"Content-Type: {('application/cmcd', 'application/json')[number % 2]}"
        body = text.encode("utf-8", "surrogatepass") or b"\n"
        await player.wire.send(request("/cmcd", kind, method="POST", body=body))
        assert (await player.wire.reply()).status in (204, 422)
        said = quote(body, safe="")
        if len(said) < 7000:
            reply = await player.wire.get(f"/v/city/master.m3u8?CMCD={said}")
            assert reply.status == 200


async def test_one_bad_line_does_not_spoil_the_others(player: Player) -> None:
    assert (await player.tell("(((", event(0, "s", 0))).status == 204
    assert (await player.figures())["reports"] == {
        "ok": 1,
        "duplicate": 0,
        "invalid": 1,
        "dropped": 0,
    }


async def test_reports_are_bounded_in_rate(player: Player) -> None:
    lines = [f'sid="r",sn={number}' for number in range(3000)]
    for _ in range(50):
        reply = await player.tell(*lines)
        if reply.status != 204:
            break
    assert reply.status == 429
    assert reply.headers["retry-after"] == "1"
    assert orjson.loads(reply.body)["code"] == "too-many-reports"
    assert sum((await player.figures())["reports"].values()) > REPORTS_PER_SECOND


async def test_pages_elsewhere_may_send_reports(player: Player) -> None:
    reply = await player.wire.get(
        "/cmcd", "Origin: https://tv.example", "Access-Control-Request-Method: POST",
        method="OPTIONS",
    )  # fmt: skip
    assert reply.status == 204
    assert reply.headers["access-control-allow-methods"] == "POST"
    assert reply.headers["access-control-allow-headers"] == "Content-Type"
    assert (await player.wire.get("/cmcd")).status in (404, 405)


# In requests for media.


@pytest.mark.parametrize("way", ["query", "fields", "fields in capitals", "not plain"])
async def test_what_media_requests_say_is_read(player: Player, way: str) -> None:
    told = 'msd=800,ot=v,sid="in-request",sn=1,sta=p,v=2'
    query = f"?a=b&CMCD={quote(told)}"
    lines: list[str] = []
    if way != "query":
        query, lines = (
            "",
            ['CMCD-Session: sid="in-request",v=2,msd=800', "CMCD-Request: sn=1,sta=p"],
        )
    if way == "fields":
        lines = [line.lower() for line in lines]
    if way == "not plain":
        lines.append("TE: trailers")  # which only the strict parser reads
    reply = await player.wire.get(f"/v/city/master.m3u8{query}", *lines)
    assert reply.status == 200
    found = await player.sees(started=1, active=1)
    assert found["startup"]["player"]["mean"] == pytest.approx(0.8)


async def test_it_changes_no_byte_of_an_answer(player: Player) -> None:
    plain = await player.wire.get("/v/city/master.m3u8")
    plain = await player.wire.get("/v/city/master.m3u8")
    for said in (f"?CMCD={quote('sid=')}", f"?CMCD={quote(event(0, 'p', 1))}", "?CMCD=sid%00%ff"):
        reply = await player.wire.get(f"/v/city/master.m3u8{said}")
        assert (reply.status, reply.body) == (200, plain.body)
        assert reply.headers["etag"] == plain.headers["etag"]
    async with asyncio.timeout(PATIENCE):
        while (await player.figures())["reports"]["invalid"] < 2:
            pass


async def test_a_request_that_is_refused_tells_nothing(player: Player) -> None:
    reply = await player.wire.get(f"/nowhere?CMCD={quote(event(0, 'p', 1))}")
    assert reply.status == 404
    await player.wire.get(f"/v/city/master.m3u8?CMCD={quote(event(0, 's', 1, sid='later'))}")
    assert (await player.sees(active=1))["sessions"]["started"] == 0


# What the server learns is what a viewer measured.


async def watch(player: Player, sid: str) -> float:
    """Start as a player does, measure it, and tell; milliseconds."""
    began = time.perf_counter()
    master = "/v/city/master.m3u8"
    playlist = (await player.wire.get(master)).body.decode()
    media = next(line for line in playlist.splitlines() if line.endswith("media.m3u8"))
    path = urljoin(master, media)
    listed = (await player.wire.get(path)).body.decode()
    init = re.findall(r'URI="([^"]+)"', listed)[0]
    first = next(line for line in listed.splitlines() if line.endswith(".m4s"))
    for reference in (init, first):
        assert (await player.wire.get(urljoin(path, reference))).status == 200
    took = round((time.perf_counter() - began) * 1000)
    await player.tell(event(0, "p", 0, sid, f",msd={took}"))
    return took


async def test_start_up_is_what_viewers_measured(player: Player) -> None:
    took = [await watch(player, f"viewer-{number}") for number in range(10)]
    startup = (await player.figures())["startup"]["player"]
    assert startup["count"] == 10
    assert startup["mean"] * 10_000 == pytest.approx(sum(took))


def test_two_workers_add_up(films: Path) -> None:
    with serving(films, "--workers", "2") as server:
        posted = 40
        for number in range(posted):
            for part in (0, 1, 1):  # a session's reports come to any worker, and one of them twice
                body = event(part, "sp"[part], 1000 * part, f"s{number}", ",msd=700" * part)
                connection = server.connect()
                connection.request("POST", "/cmcd", body, {"Content-Type": "application/cmcd"})
                assert connection.getresponse().status == 204
                connection.close()

        def figures() -> dict[str, Any]:
            found: dict[str, Any] = orjson.loads(server.get("/api/qoe")[1])
            return found

        server.until(lambda: sum(figures()["reports"].values()) == 3 * posted)
        found = figures()
        assert found["sessions"]["started"] == found["startup"]["player"]["count"] == posted
        assert found["sessions"]["active"] == posted
        assert found["reports"]["duplicate"] == posted
        page = server.get("/metrics")[1].decode()
        assert f'vod_qoe_startup_seconds_count{{source="player"}} {posted}.0' in page
        assert f'vod_qoe_sessions_total{{outcome="started"}} {posted}.0' in page
        reports = 'vod_cmcd_reports_total{mode="event",result="ok",version="2"}'
        assert f"{reports} {2 * posted}.0" in page
        assert "s39" not in page


# The page.


async def test_the_page_may_run_itself_and_nothing_else(player: Player) -> None:
    reply = await player.wire.get("/qoe")
    assert (reply.status, reply.headers["content-type"]) == (200, "text/html; charset=utf-8")
    policy = reply.headers["content-security-policy"]
    assert "default-src 'none'" in policy
    assert "unsafe" not in policy
    assert b"/api/qoe" in reply.body
    assert b"://" not in reply.body


def test_quantiles() -> None:
    assert qoe.quantile((1.0, 2.0), (0.0, 0.0, 0.0), 0.5) is None
    assert qoe.quantile((1.0, 2.0), (10.0, 0.0, 0.0), 0.5) == 0.5
    assert qoe.quantile((1.0, 2.0), (0.0, 4.0, 0.0), 0.75) == 1.75
    assert qoe.quantile((1.0, 2.0), (1.0, 1.0, 8.0), 0.95) == 2.0


async def test_sessions_of_now_are_of_now(worker: tuple[Running, int], player: Player) -> None:
    await player.tell(event(0, "p", 0))
    assert (await player.sees(active=1))["sessions"]["started"] == 1
    running, _ = worker
    running.inbox._clock = lambda: time.monotonic() + 61
    await until(lambda: running.inbox._sessions.active == 0)
    await player.sees(active=0)
