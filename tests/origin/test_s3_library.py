"""A library in a bucket, through the whole stack, against an S3 that checks signatures."""

from __future__ import annotations

import asyncio
import re
from collections import Counter
from collections.abc import AsyncIterator
from dataclasses import replace
from pathlib import Path
from typing import Any

import pytest

from cli.main import main
from origin.errors import Archived, StorageError, UnknownTitle, describe
from origin.settings import Settings
from origin.storage.s3.faults import Reason
from origin.telemetry import remote
from origin.telemetry.board import Board
from tests.origin.delivery.serving import until
from tests.origin.far import RemoteNode
from tests.origin.node import Node
from tests.support.films import ODD_NAME
from tests.support.s3_server import (
    ACCESS_KEY,
    BUCKET,
    REGION,
    SECRET_KEY,
    Fault,
    S3Server,
    load,
    s3_server,
)

PREFIX = "library"


class BucketNode(RemoteNode):
    """A worker whose library is ``PREFIX`` of the bucket."""

    def __init__(self, server: S3Server, folder: Path, **more: Any) -> None:
        settings = Settings(
            library=f"s3://{BUCKET}/{PREFIX}", s3_endpoint=server.url, s3_region=REGION
        )
        super().__init__(replace(settings, **more), folder)


@pytest.fixture
async def server(films: Path, monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Server]:
    monkeypatch.setenv("AWS_ACCESS_KEY_ID", ACCESS_KEY)
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", SECRET_KEY)
    async with s3_server() as server:
        load(server, films)
        server.objects = {f"{PREFIX}/{key}": found for key, found in server.objects.items()}
        yield server


@pytest.fixture
async def node(server: S3Server, tmp_path: Path) -> AsyncIterator[BucketNode]:
    node = BucketNode(server, tmp_path / "cache")
    yield node
    await node.aclose()


def asked(server: S3Server) -> Counter[str]:
    """How often was asked for what; listings are ''."""
    return Counter(key.removeprefix(f"{PREFIX}/") for _, key in server.seen)


async def segments(node: BucketNode, asset_id: str, track: str) -> list[str]:
    revision = await node.revision(asset_id)
    playlist = (await node.body(f"/v/{asset_id}/{revision}/{track}/media.m3u8")).decode()
    names = re.findall(r"^\w+\.m4s$", playlist, re.MULTILINE)
    return [f"/v/{asset_id}/{revision}/{track}/{name}" for name in names]


@pytest.mark.parametrize("asset_id", ["city", "film", "uneven", ODD_NAME])
async def test_it_answers_what_a_folder_answers(
    films: Path, node: BucketNode, asset_id: str
) -> None:
    near = Node(films)
    theirs = (await near.origin.title(asset_id)).presentation.revision
    ours = await node.revision(asset_id)
    for path in await near.every_path(asset_id):
        expected = (await near.body(path)).replace(theirs.encode(), ours.encode())
        assert await node.body(path.replace(theirs, ours)) == expected, path


async def test_the_first_answers_take_few_requests(server: S3Server, node: BucketNode) -> None:
    await node.body("/v/city/master.m3u8")
    first = asked(server)
    assert first.pop("") == 2, "its two prefixes, side by side"
    assert "film.mp4" not in first
    server.seen.clear()
    path, *_ = await segments(node, "city", "video1")
    await node.body(path.rpartition("/")[0] + "/init.mp4")
    assert server.seen == [], "all that is known of the title"
    await node.body(path)
    ((key, count),) = asked(server).items()
    assert (key.endswith(".mp4"), count) == (True, 1)


async def test_with_sidecars_no_movie_is_read_to_begin_with(
    server: S3Server, node: BucketNode
) -> None:
    index = ["index", f"s3://{BUCKET}/{PREFIX}"]
    environment = {"VOD_S3_ENDPOINT": server.url, "VOD_S3_REGION": REGION}
    with pytest.MonkeyPatch.context() as patch:
        for name, value in environment.items():
            patch.setenv(name, value)
        assert await asyncio.to_thread(main, index) == 1, "of one file there is no index"
    assert f"{PREFIX}/city/.vodx/video-36.mp4.vodx" in server.objects
    server.seen.clear()
    await node.body("/v/city/master.m3u8")
    assert not [key for key in asked(server) if key.endswith(".mp4")]
    assert asked(server)["city/.vodx/video-36.mp4.vodx"] == 1


async def test_who_indexed_a_title_writes_its_sidecars(
    server: S3Server, node: BucketNode, tmp_path: Path
) -> None:
    first = BucketNode(server, tmp_path / "another", write_sidecars=1)
    await first.origin.title("city")
    assert first.sidecars is not None
    await first.sidecars.idle()
    await first.aclose()
    server.seen.clear()
    await node.body("/v/city/master.m3u8")
    assert not [key for key in asked(server) if key.endswith(".mp4")]
    assert f"{PREFIX}/city/.vodx/audio-es.mp4.vodx" in server.objects


async def test_who_has_no_such_title(node: BucketNode) -> None:
    for asset_id in ("nobody", "cit", "artwork"):
        with pytest.raises(UnknownTitle):
            await node.resource(f"/v/{asset_id}/master.m3u8")


async def test_a_thousand_viewers_of_one_segment_cost_one_request(
    server: S3Server, node: BucketNode
) -> None:
    path, *_ = await segments(node, "city", "video1")
    server.seen.clear()
    bodies = await asyncio.gather(*(node.body(path) for _ in range(1000)))
    assert len(set(bodies)) == 1
    assert sum(asked(server).values()) == 1


async def test_what_is_asked_and_what_is_spared_is_counted(
    server: S3Server, node: BucketNode
) -> None:
    assert {reason.value for reason in Reason} == set(remote.REASONS)
    paths = await segments(node, "city", "video3")
    server.faults.append(Fault.SLOW_DOWN)
    for path in (paths[0], paths[0], paths[-1]):
        node.origin._built.discard(path)
        await node.body(path)
        await until(lambda: not node.media._tasks)
    board = Board(remote.FAMILIES, 1)
    metrics = remote.Totals(board, 0, remote.FAMILIES)
    for _ in range(2):  # what was counted is not counted again
        metrics.note((*node.storage.counts(), *node.media.counts()))
    shown = {
        (sample.name, *sample.labels.values()): sample.value
        for metric in board.collect()
        for sample in metric.samples
    }
    assert shown["vod_cache_segments_total", "miss"] >= 1
    assert shown["vod_cache_segments_total", "hit"] >= 1
    assert shown["vod_storage_failures_total", "first", "busy"] == 1
    assert shown["vod_storage_retries_total", "first"] == 1
    requests, reads = (
        shown[f"vod_storage_{name}_total", "first"] for name in ("requests", "reads")
    )
    assert requests == reads + 1


@pytest.mark.parametrize(
    "fault",
    [Fault.RESET, Fault.RESET_IN_BODY, Fault.SHORT, Fault.SLOW_DOWN, Fault.INTERNAL,
     Fault.WRONG_RANGE, Fault.SHORT_RANGE, Fault.IGNORED_MATCH, Fault.GARBAGE],
    ids=lambda fault: fault.name,
)  # fmt: skip
async def test_one_fault_costs_no_viewer_a_byte(
    films: Path, server: S3Server, node: BucketNode, fault: Fault
) -> None:
    near = Node(films)
    path, *_ = await segments(node, "city", "video3")
    ours, theirs = path.split("/")[3], (await near.origin.title("city")).presentation.revision
    server.faults.append(fault)
    assert await node.body(path) == await near.body(path.replace(ours, theirs))
    assert not server.faults


async def test_an_object_replaced_in_use_leads_to_a_new_revision(
    films: Path, server: S3Server, node: BucketNode
) -> None:
    path, *_ = await segments(node, "film", "video1")
    old = await node.body(path)
    server.put(f"{PREFIX}/film.mp4", (films / "city" / "video-36.mp4").read_bytes())
    assert await node.body(path) == old, "which is kept"
    other = (await segments(node, "film", "video1"))[-1]
    with pytest.raises(Exception, match="are not"):
        await node.body(other)
    new = await node.revision("film")
    assert new != path.split("/")[3]
    assert await node.body(f"/v/film/{new}/video1/init.mp4")


async def test_nobody_waits_for_a_second_look(server: S3Server, node: BucketNode) -> None:
    playlist = await node.body("/v/film/master.m3u8")
    node.now += node.storage.fresh_seconds
    server.keys.clear()  # S3 refuses all from now on
    for _ in range(3):
        assert await node.body("/v/film/master.m3u8") == playlist
    node.now += node.storage.stale_seconds
    with pytest.raises(StorageError):
        await node.resource("/v/film/master.m3u8")


async def test_a_look_that_fails_is_not_begun_again_for_every_request(
    server: S3Server, node: BucketNode, caplog: pytest.LogCaptureFixture
) -> None:
    await node.body("/v/film/master.m3u8")
    server.keys.clear()  # S3 refuses all from now on
    for _ in range(2):
        node.now += node.storage.fresh_seconds
        for _ in range(50):
            await node.body("/v/film/master.m3u8")
            await asyncio.sleep(0.005)  # for the look behind to fail
    failed = [line for line in caplog.messages if "is not looked at again" in line]
    assert len(failed) == 2


async def test_a_second_look_finds_what_has_changed(
    films: Path, server: S3Server, node: BucketNode
) -> None:
    before = await node.revision("film")
    server.put(f"{PREFIX}/film.mp4", (films / "city" / "video-36.mp4").read_bytes())
    node.now += node.storage.fresh_seconds
    assert await node.revision("film") == before
    for _ in range(1000):
        if await node.revision("film") != before:
            return
        await asyncio.sleep(0.01)
    raise AssertionError("it was not found")


async def test_what_is_archived_is_said_to_be(server: S3Server, node: BucketNode) -> None:
    stored = server.objects[f"{PREFIX}/film.mp4"][-1]
    server.put(f"{PREFIX}/film.mp4", stored.body, archived=True)
    with pytest.raises(Archived) as told:
        await node.resource("/v/film/master.m3u8")
    problem = describe(told.value)
    assert (problem.status, problem.code) == (409, "archived")
    assert "film.mp4 is archived" in problem.detail
    assert "vod-origin restore" in problem.detail


async def test_a_second_bucket_stands_in_for_the_first(
    films: Path, server: S3Server, tmp_path: Path
) -> None:
    near = Node(films)
    theirs = (await near.origin.title("city")).presentation.revision
    async with s3_server() as first:
        first.objects = {key.replace(PREFIX, "first"): one for key, one in server.objects.items()}
        settings = {
            "library": f"s3://{BUCKET}/first",
            "s3_fallback": f"s3://{BUCKET}/{PREFIX}",
            "s3_fallback_endpoint": server.url,
        }
        warm = BucketNode(first, tmp_path / "cache", **settings)
        ours = await warm.revision("city")
        assert server.seen == []
    cold = BucketNode(first, tmp_path / "another", **settings)
    assert await cold.revision("city") == ours
    for path in await near.every_path("city"):
        expected = (await near.body(path)).replace(theirs.encode(), ours.encode())
        for node in (warm, cold):
            assert await node.body(path.replace(theirs, ours)) == expected, path
    await warm.aclose()
    await cold.aclose()


async def test_wrong_keys_are_an_error_that_says_so(
    server: S3Server, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setenv("AWS_SECRET_ACCESS_KEY", "another-secret")
    node = BucketNode(server, tmp_path / "cache")
    with pytest.raises(StorageError, match=r"SignatureDoesNotMatch") as seen:
        await node.resource("/v/film/master.m3u8")
    assert SECRET_KEY not in str(seen.value)
    assert "another-secret" not in str(seen.value)
    await node.aclose()


async def test_a_title_of_a_hundred_thousand_is_found_without_a_listing_of_all(
    server: S3Server, node: BucketNode
) -> None:
    body = server.objects[f"{PREFIX}/film.mp4"][-1]
    server.objects = {f"{PREFIX}/t{number:06}.mp4": [body] for number in range(100_000)}
    assert b"#EXTM3U" in await node.body("/v/t073211/master.m3u8")
    assert asked(server)[""] == 2
    page = await node.catalogue.page(None, 24)
    assert list(page.ids) == [f"t{number:06}" for number in range(24)]
    page = await node.catalogue.page(page.next, 24)
    assert page.ids[0] == "t000024"
