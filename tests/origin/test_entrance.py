"""What a request goes through, with sessions in a real store."""

from __future__ import annotations

import secrets
import time
from collections.abc import AsyncIterator, Awaitable
from pathlib import Path

import pytest

from embedded.process import Server
from origin.auth.gate import Gate
from origin.auth.keys import Keys
from origin.auth.path_token import issue
from origin.auth.session import ASKED, SessionCheck
from origin.cmcd.inbox import Inbox
from origin.delivery.resource import Resource
from origin.delivery.site import Handler
from origin.entrance import entrance
from origin.errors import Refused, StoreAway
from origin.sessions import Playback, Sessions, bind
from origin.telemetry.board import Board
from origin.telemetry.qoe import FAMILIES, QoeMetrics
from tests.origin.node import Node
from tests.support.servers import frozen
from tests.support.visits import asked

KEYS = Keys(1, {1: b"k" * 32})
MASTER = "/v/film/master.m3u8"


class Entrance:
    """A node behind a gate that asks for sessions."""

    def __init__(self, films: Path, sessions: Sessions, what: str = "manifests") -> None:
        self.node = Node(films)
        self.sessions = sessions
        self.check = SessionCheck(sessions, ASKED[what])
        gate = Gate(lambda: KEYS, required=True, revoked=self.check.is_revoked)
        inbox = Inbox(QoeMetrics(Board(FAMILIES, 1), 0))
        self.answer: Handler = entrance(self.node.origin, inbox, gate, self.check)
        self.sid = secrets.token_bytes(16)
        self.token = issue(KEYS, "/v/film/", int(time.time()) + 3600, self.sid)

    async def begin(self) -> None:
        playback = Playback(
            sid=self.sid,
            account=self.sid.hex(),
            profile="p",
            asset="film",
            title_id="film",
            device=bind(self.sid, "tv"),
            device_name="TV",
            plan="standard",
            began=time.time(),
            expiry=int(time.time()) + 3600,
            position=0.0,
        )
        await self.sessions.begin(playback, 1)

    async def get(self, path: str) -> Resource:
        found = self.answer(asked(f"/t/{self.token}{path}"))
        return found if isinstance(found, Resource) else await _awaited(found)

    async def segment(self) -> str:
        return next(path for path in await self.node.every_path("film") if path.endswith(".m4s"))


async def _awaited(found: Awaitable[Resource]) -> Resource:
    return await found


@pytest.fixture
async def sessions(valkey: Server) -> AsyncIterator[Sessions]:
    opened = await Sessions.open(valkey.url)
    yield opened
    await opened.aclose()


async def test_a_manifest_is_for_a_living_session(films: Path, sessions: Sessions) -> None:
    door = Entrance(films, sessions)
    with pytest.raises(Refused):
        await door.get(MASTER)
    await door.get(await door.segment())  # its token is good, and nobody has revoked it
    await door.begin()
    assert (await door.get(MASTER)).size > 0
    assert dict(_counted(door.check))["ended"] == 1


async def test_where_it_is_strict_segments_are_too(films: Path, sessions: Sessions) -> None:
    door = Entrance(films, sessions, "all")
    segment = await door.segment()
    with pytest.raises(Refused):
        await door.get(segment)
    await door.begin()
    assert (await door.get(segment)).size > 0


async def test_a_revoked_session_is_refused_all(films: Path, sessions: Sessions) -> None:
    """Also one that the store never knew: whoever made the token need not tell it."""
    door = Entrance(films, sessions, "revoked")
    assert (await door.get(MASTER)).size > 0
    segment = await door.segment()
    await door.get(segment)
    await sessions.revoke(door.sid)
    for path in (MASTER, segment):
        with pytest.raises(Refused):
            await door.get(path)


async def test_viewers_are_trusted_while_the_store_is_away(
    films: Path, valkey: Server, sessions: Sessions
) -> None:
    door = Entrance(films, sessions)
    await door.begin()
    with frozen(valkey):
        assert (await door.get(MASTER)).size > 0
        assert dict(_counted(door.check))[""] == 1
        with pytest.raises(StoreAway):
            await door.sessions.beat(door.sid, 1.0)
    segment = await door.segment()
    assert (await door.get(segment)).size > 0


def _counted(check: SessionCheck) -> list[tuple[str, float]]:
    return [(count.child[-1] if count.child else "", count.total) for count in check.counts()]
