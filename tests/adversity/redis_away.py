"""A Redis that is away for a while, under viewers that go on asking.

What they may see is an answer, or that the store is away, and that soon; what is revoked stays
refused; and once Redis is back all is well within two seconds. ``make test`` does it for two
seconds; ``python -m tests.adversity.redis_away SECONDS [--frozen]`` for as long as you like.
"""

from __future__ import annotations

import argparse
import asyncio
import logging
import secrets
import sys
import time
from dataclasses import dataclass, field
from functools import partial
from pathlib import Path

import uvloop

from embedded.valkey import start_valkey
from origin.errors import StoreAway
from origin.sessions import Grace, Rate, Sessions
from tests.origin.sessions.working import account, answered, playback
from tests.support.servers import frozen, server_folder

VIEWERS = 20
PAUSE_SECONDS = 0.02
OFTEN = Rate(1_000_000, 1)


@dataclass
class Seen:
    """``waits``: seconds until somebody was told that Redis is away;  ``recovery``:
    until all was well again; ``late``: by how much the event loop was, at worst."""

    answers: int = 0
    waits: list[float] = field(default_factory=list)
    let_through: int = 0
    recovery: float = 0.0
    late: float = 0.0
    others: list[BaseException] = field(default_factory=list)


async def watch(folder: Path, seconds: float, freezes: bool) -> Seen:
    seen = Seen()
    server = start_valkey(folder / "valkey")
    try:
        sessions = await Sessions.open(server.url)
        revoked = [secrets.token_bytes(16) for _ in range(100)]
        for sid in revoked:
            await answered(lambda sid=sid: sessions.revoke(sid), 30.0)  # type: ignore[misc]
        viewing = [asyncio.create_task(_view(sessions, revoked, seen)) for _ in range(VIEWERS)]
        viewing.append(asyncio.create_task(_watch_loop(seen)))
        await asyncio.sleep(0.5)
        if freezes:
            with frozen(server):
                await _away(sessions, seconds)
        else:
            server.process.kill()
            server.process.wait()
            await _away(sessions, seconds)
            server = start_valkey(folder / "valkey")
        back = time.monotonic()
        await _recovered(sessions)
        seen.recovery = time.monotonic() - back
        for one in viewing:
            one.cancel()
        await asyncio.gather(*viewing, return_exceptions=True)
        seen.let_through += sum(not sessions.is_revoked(sid) for sid in revoked)
        await sessions.aclose()
    finally:
        server.stop()
    return seen


async def _watch_loop(seen: Seen) -> None:
    while True:
        due = time.perf_counter() + PAUSE_SECONDS
        await asyncio.sleep(PAUSE_SECONDS)
        seen.late = max(seen.late, time.perf_counter() - due)


async def _away(sessions: Sessions, seconds: float) -> None:
    await asyncio.sleep(seconds)
    assert sessions.grace() is Grace.GRACE


async def _recovered(sessions: Sessions) -> None:
    session = playback(account())
    await answered(lambda: sessions.begin(session, 1), 60.0)
    await answered(lambda: sessions.beat(session.sid, 1.0), 60.0)


async def _view(sessions: Sessions, revoked: list[bytes], seen: Seen) -> None:
    while True:
        session = playback(account())
        for asked in (
            partial(sessions.begin, session, 1),
            partial(sessions.get, session.sid),
            partial(sessions.allow, "x", OFTEN),
        ):
            began = time.perf_counter()
            try:
                await asked()
                seen.answers += 1
            except StoreAway:
                seen.waits.append(time.perf_counter() - began)
            except Exception as error:
                seen.others.append(error)
        seen.let_through += sum(not sessions.is_revoked(sid) for sid in revoked)
        await asyncio.sleep(PAUSE_SECONDS)


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, help="for how long Redis is away")
    parser.add_argument("--frozen", action="store_true", help="stopped, not killed")
    chosen = parser.parse_args()
    logging.basicConfig(level=logging.INFO, format="%(message)s")
    with server_folder() as folder:
        seen = uvloop.run(watch(folder, chosen.seconds, chosen.frozen))
    waits = sorted(seen.waits)
    print(f"{seen.answers:>9,} answered")
    print(f"{len(waits):>9,} told that Redis is away")
    if waits:
        median, late = waits[len(waits) // 2], waits[len(waits) * 99 // 100]
        print(f"{median * 1e3:>9.2f} ms until told so, half of them", end="")
        print(f"; {late * 1e3:.2f} ms 99 of 100; {waits[-1] * 1e3:.1f} ms the last")
    print(f"{seen.late * 1e3:>9.1f} ms that the event loop was late, at worst")
    print(f"{seen.let_through:>9,} revoked sessions let through")
    print(f"{len(seen.others):>9,} other errors", *seen.others[:1])
    print(f"{seen.recovery:>9.2f} s until all was well again")
    return 1 if seen.others or seen.let_through or seen.recovery > 2 else 0


if __name__ == "__main__":
    sys.exit(main())
