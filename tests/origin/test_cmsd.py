"""What answers tell caches and players (CMSD), and what players tell us to fetch ahead (CMCD)."""

from __future__ import annotations

import asyncio
import re
import socket
from collections.abc import AsyncIterator
from pathlib import Path

import pytest

from origin.app import start
from origin.cmcd.structured import read_dictionary
from origin.settings import read_settings
from packager.address import InitSegment, MediaSegment, Mpd, MultivariantPlaylist, parse
from tests.origin.delivery.serving import PATIENCE, Reply, Wire
from tests.origin.node import Node
from tests.origin.test_remote import FarNode, of_track, one_by_one

__all__ = ["one_by_one"]


@pytest.fixture
async def wires(films: Path) -> AsyncIterator[list[Wire]]:
    """One connection to each of two nodes."""
    running, wires = [], []
    for _ in range(2):
        listener = socket.create_server(("127.0.0.1", 0))
        port = listener.getsockname()[1]
        running.append(await start(listener, read_settings(library=str(films))))
        wires.append(Wire(*await asyncio.open_connection("127.0.0.1", port)))
    yield wires
    for wire in wires:
        await wire.close()
    for worker in running:
        await worker.close(grace=PATIENCE)


def kind_of(path: str) -> str:
    match parse(path):
        case InitSegment():
            return "i"
        case MediaSegment(track=track):
            return "v" if track.startswith("video") else "a"
        case _:
            return "c" if path.endswith(".vtt") else "m"


async def test_every_answer_says_what_it_is(films: Path, wires: list[Wire]) -> None:
    for path in await Node(films).every_path("city"):
        said = read_dictionary((await wires[0].get(path)).headers["cmsd-static"])
        assert (said["ot"], said["st"]) == (kind_of(path), "v")
        if said["ot"] == "m":
            assert said["sf"] == ("d" if path.endswith(".mpd") else "h")


async def test_segments_lead_to_each_other(films: Path, wires: list[Wire]) -> None:
    paths = [path for path in await Node(films).every_path("city") if path.endswith(".m4s")]
    for track in ("video1", "audio1"):
        in_order = of_track(paths, track)
        path, walked, milliseconds = in_order[0], [], 0
        while path:
            walked.append(path)
            said = read_dictionary((await wires[0].get(path)).headers["cmsd-static"])
            assert isinstance(said["d"], int)
            assert isinstance(said["br"], int)
            assert said["br"] > 0
            milliseconds += said["d"]
            following = said.get("nor", "")
            assert isinstance(following, str)
            path = f"{path.rpartition('/')[0]}/{following}" if following else ""
        assert walked == in_order
        assert milliseconds == pytest.approx(16_000, abs=50)


def without_date(reply: Reply) -> tuple[int, dict[str, str], bytes]:
    return reply.status, reply.headers | {"date": ""}, reply.body


async def test_what_never_changes_is_the_same_of_all_nodes(films: Path, wires: list[Wire]) -> None:
    for path in await Node(films).every_path("city"):
        if isinstance(parse(path), MultivariantPlaylist | Mpd):
            continue
        first = without_date(await wires[0].get(path))
        for wire in (*wires, *wires):
            assert without_date(await wire.get(f"{path}?CMCD=sid%3D%22x%22")) == first
        assert not {"cmsd-dynamic", "server-timing"} & first[1].keys()


@pytest.mark.parametrize("coding", ["identity", "gzip"])
@pytest.mark.parametrize("name", ["master.m3u8", "manifest.mpd"])
async def test_a_manifest_that_was_made_says_how_long_that_took(
    wires: list[Wire], name: str, coding: str
) -> None:
    reply = await wires[0].get(f"/v/city/{name}", f"Accept-Encoding: {coding}")
    assert re.fullmatch(r'"vod-origin";rd=\d+', reply.headers["cmsd-dynamic"])
    assert re.fullmatch(r"origin;dur=\d+\.\d", reply.headers["server-timing"])
    assert reply.headers.get("content-encoding", "identity") == coding
    again = await wires[0].get(f"/v/city/{name}", f"Accept-Encoding: {coding}")
    assert "server-timing" not in again.headers
    assert (again.body, again.headers["etag"]) == (reply.body, reply.headers["etag"])


# What is asked for next.


@pytest.fixture
async def node(films: Path, tmp_path: Path) -> AsyncIterator[FarNode]:
    node = FarNode(films, tmp_path / "cache", read_ahead=1)
    yield node
    await node.settle()


@pytest.mark.usefixtures("one_by_one")
@pytest.mark.parametrize("prefix", ["", "/t/token"])
async def test_what_a_player_says_it_will_ask_for_is_fetched_ahead(
    node: FarNode, prefix: str
) -> None:
    segments = await node.segments("city")
    low, high = of_track(segments, "video1"), of_track(segments, "video3")
    await node.body(low[0])
    await node.settle()
    node.far.asked.clear()
    node.origin.expect(prefix + low[0], [f"../video3/{high[2].rpartition('/')[2]}"])
    await node.settle()
    assert len(node.far.asked) == 1
    await node.body(high[2])
    await node.settle()
    assert len(node.far.asked) == 2  # the one behind it


@pytest.mark.parametrize(
    "reference",
    [
        "../../0123456789abcdef/video3/0.m4s",
        "/v/film/0123456789abcdef/video1/0.m4s",
        "//elsewhere/0.m4s",
        "http://elsewhere/0.m4s",
        "http://[",
        "../video3/1.m4s",
        "../video9/0.m4s",
        "../text1/0.m4s",
        "../text1/0.vtt",
        "../video3/init.mp4",
        "../../../../../etc/passwd",
        "é" * 500,
    ],
)
async def test_nothing_else_is_fetched(node: FarNode, reference: str) -> None:
    first = of_track(await node.segments("city"), "video1")[0]
    await node.settle()
    node.far.asked.clear()
    node.origin.expect(first, [reference])
    await node.settle()
    assert node.far.asked == []


async def test_a_title_that_is_not_at_hand_is_not_looked_for(node: FarNode) -> None:
    first, second, *_ = of_track(await node.segments("city"), "video1")
    fresh = FarNode(node.far.library, None, read_ahead=1)
    fresh.origin.expect(first, [second.rpartition("/")[2]])
    await fresh.settle()
    assert fresh.far.asked == []


@pytest.mark.usefixtures("one_by_one")
async def test_players_cannot_have_much_fetched_at_once(node: FarNode) -> None:
    segments = await node.segments("city")
    await node.settle()
    node.far.open.clear()
    node.far.asked.clear()
    for path in segments:
        node.origin.expect(path, [path.rpartition("/")[2]])
    for _ in range(50):
        await asyncio.sleep(0.01)
    assert 0 < len(node.far.asked) <= 8 < len(segments)
    node.far.open.set()
