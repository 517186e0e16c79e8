"""A library in a bucket, in bad days."""

from __future__ import annotations

import asyncio
import re
from pathlib import Path

import pytest

from tests.adversity.faulty_bucket import KINDS, QUICK, bucket_origin, watch
from tests.adversity.silent_bucket import silence
from tests.origin.delivery.serving import Wire
from tests.support.s3_server import s3_server

COUNT = 20_000


@pytest.mark.timeout(400)
async def test_no_viewer_ever_gets_a_wrong_byte(films: Path) -> None:
    ends = await watch(films, COUNT)
    assert ends["WRONG"] == 0
    assert sum(times for end, times in ends.items() if not end.startswith("fault")) == COUNT
    assert ends["whole"] > COUNT / 2
    assert not ends.keys() & {"500", "404"}
    assert all(ends[f"fault {kind.name}"] > COUNT / 1000 for kind in KINDS)


async def test_an_object_replaced_again_and_again_is_never_mixed(films: Path) -> None:
    """Two movies under one name, in turn: each revision has the bytes of its own."""
    movies = [(films / "city" / f"video-{height}.mp4").read_bytes() for height in (36, 72)]
    bodies: dict[str, set[bytes]] = {}
    async with s3_server() as server, bucket_origin(server, QUICK) as (_, port):
        server.public = True
        server.put("film.mp4", movies[0])
        going = True

        async def replace() -> None:
            turn = 0
            while going:
                await asyncio.sleep(0.1)
                turn += 1
                server.put("film.mp4", movies[turn % 2])

        async def view() -> None:
            wire = Wire(*await asyncio.open_connection("127.0.0.1", port))
            for _ in range(150):
                for path in await paths(wire):
                    reply = await wire.get(path)
                    assert reply.status in (200, 404, 503)
                    if reply.status == 200:
                        bodies.setdefault(path, set()).add(reply.body)
            await wire.close()

        replacing = asyncio.create_task(replace())
        await asyncio.gather(*(view() for _ in range(4)))
        going = False
        await replacing
    revisions = {path.split("/")[3] for path in bodies}
    assert len(revisions) == 2
    assert all(len(seen) == 1 for seen in bodies.values())


async def paths(wire: Wire) -> list[str]:
    """Of the first segments that the title has now."""
    master = await wire.get("/v/film/master.m3u8")
    found = re.search(rb"^(\w+)/video1/media\.m3u8$", master.body, re.MULTILINE)
    if found is None:
        assert master.status == 503
        return []
    folder = f"/v/film/{found[1].decode()}/video1"
    media = await wire.get(f"{folder}/media.m3u8")
    names = re.findall(r"^\w+\.m4s$", media.body.decode(), re.MULTILINE)
    return [f"{folder}/{name}" for name in names[:2]]


def test_while_s3_is_silent_what_is_known_plays(films: Path, tmp_path: Path) -> None:
    seen = silence(films, tmp_path, seconds=2.0)
    assert seen.warm.keys() == {"whole"}
    assert seen.cold.keys() == {"503"}
    assert seen.slowest < 8.0
    assert seen.after.keys() == {"200"}
