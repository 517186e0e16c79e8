"""Whole URLs through a real server: what a player, a cache and an attacker get."""

from __future__ import annotations

import asyncio
import gzip
import http.client
import io
import os
import shutil
from collections.abc import AsyncIterator
from itertools import pairwise
from pathlib import Path

import av
import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.service import IMMUTABLE, SHORT_LIVED
from packager.address import Mpd, MultivariantPlaylist
from tests.origin.delivery.serving import Reply
from tests.origin.node import Node, Served, served
from tests.support.cmaf import check_cmaf
from tests.support.films import ODD_NAME, RATE, SECONDS
from tests.support.fragmented import read_fragmented
from tests.support.tracks import PROPERTY


@pytest.fixture
async def site(films: Path) -> AsyncIterator[Served]:
    async with served(Node(films)) as running:
        yield running


def problem(reply: Reply) -> dict[str, object]:
    assert reply.headers["content-type"] == "application/problem+json"
    body: dict[str, object] = orjson.loads(reply.body)
    assert body["status"] == reply.status
    return body


async def tracks(site: Served, asset_id: str) -> dict[str, list[bytes]]:
    """Init and media segments of each track, as the server sends them, in order."""
    found: dict[str, list[bytes]] = {}
    paths = await site.node.every_path(asset_id)
    media = [path for path in paths if path.endswith((".mp4", ".m4s"))]
    for path in sorted(media, key=_time):
        track = path.split("/")[4]
        found.setdefault(track, []).append((await site.get(path)).body)
    return found


def decoded(track: bytes) -> list[int]:
    """The times of all frames that a decoder makes of it."""
    container = av.open(io.BytesIO(track), "r")
    with container:
        frames = container.decode(container.streams[0])
        return [frame.pts for frame in frames if frame.pts is not None]


def _time(path: str) -> int:
    name = path.rpartition("/")[2].partition(".")[0]
    return -1 if name == "init" else int(name)


# What players are sent.


@pytest.mark.parametrize("asset_id", ["city", "film", "uneven", ODD_NAME])
async def test_every_url_of_every_manifest_is_answered(site: Served, asset_id: str) -> None:
    for path in await site.node.every_path(asset_id):
        reply = await site.get(path)
        assert reply.status == 200
        assert reply.body == await site.node.body(path)
        assert reply.headers["content-length"] == str(len(reply.body))
        assert reply.headers["accept-ranges"] == "bytes"
        assert reply.headers["access-control-allow-origin"] == "*"
        short_lived = path in (str(MultivariantPlaylist(asset_id)), str(Mpd(asset_id)))
        assert reply.headers["cache-control"] == (SHORT_LIVED if short_lived else IMMUTABLE)
        head = await site.get(path, method="HEAD")
        assert head.headers | {"date": ""} == reply.headers | {"date": ""}


@pytest.mark.parametrize("asset_id", ["city", "film", ODD_NAME])
async def test_init_and_segments_make_a_whole_film(site: Served, asset_id: str) -> None:
    title = await site.node.origin.title(asset_id)
    sent = await tracks(site, asset_id)
    assert sent.keys() == {rendition.name for rendition in title.presentation.renditions}
    for rendition in title.presentation.renditions:
        init, *segments = sent[rendition.name]
        check_cmaf(init, segments, timescale=rendition.timescale, language=rendition.language)
        whole = b"".join((init, *segments))
        samples = read_fragmented(whole).samples
        assert len(samples) == len(rendition.track.samples)
        frames = decoded(whole)
        assert all(before < after for before, after in pairwise(frames))
        if rendition.name.startswith("video"):
            assert len(frames) == RATE * SECONDS


async def test_subtitles_are_sent(site: Served) -> None:
    paths = await site.node.every_path("city")
    texts = [await site.get(path) for path in paths if path.endswith(".vtt")]
    assert len(texts) == 4
    assert {reply.headers["content-type"] for reply in texts} == {"text/vtt"}
    assert all(reply.body.startswith(b"WEBVTT") for reply in texts)
    assert sum(b"Five to seven and a half" in reply.body for reply in texts) == 2
    assert sum(b"Dos a cuatro" in reply.body for reply in texts) == 2


async def test_what_is_text_is_compressed_for_those_who_accept_it(site: Served) -> None:
    for path in await site.node.every_path("city"):
        plain = await site.get(path)
        packed = await site.get(path, "Accept-Encoding: gzip")
        if path.endswith((".m4s", ".mp4")):
            assert "content-encoding" not in packed.headers
            assert "vary" not in packed.headers
            assert packed.body == plain.body
        elif "content-encoding" in packed.headers:
            assert gzip.decompress(packed.body) == plain.body
            assert len(packed.body) < len(plain.body)
            assert packed.headers["etag"] != plain.headers["etag"]
            assert packed.headers["vary"] == plain.headers["vary"] == "Accept-Encoding"


async def test_a_query_changes_nothing(site: Served) -> None:
    plain = await site.get("/v/film/master.m3u8")
    asked = await site.get("/v/film/master.m3u8?CMCD=sid%3D1&x=../..")
    assert (asked.status, asked.body) == (200, plain.body)
    assert asked.headers["etag"] == plain.headers["etag"]


async def test_both_planes_answer_on_one_connection(site: Served) -> None:
    assert (await site.get("/livez")).body == b"ok\n"
    assert (await site.get("/v/film/master.m3u8")).status == 200
    listed = orjson.loads((await site.get("/api/library")).body)
    for title in listed["titles"]:
        expected = 422 if title["problem"] else 200
        assert (await site.get(title["hls"])).status == expected
        assert (await site.get(title["dash"])).status == expected


async def test_first_requests_at_once(site: Served) -> None:
    replies = await asyncio.gather(*(site.once("/v/city/manifest.mpd") for _ in range(200)))
    assert {reply.status for reply in replies} == {200}
    assert len({reply.body for reply in replies}) == 1


# What is refused.


async def test_a_broken_file_is_the_titles_fault(site: Served) -> None:
    for path in ("/v/broken/master.m3u8", "/v/broken/manifest.mpd"):
        reply = await site.get(path)
        assert reply.status == 422
        assert reply.headers["cache-control"] == "public, max-age=5"
        said = problem(reply)
        assert said["code"] == "bad-media"
        assert said["detail"] == (
            "box size 2274 passes the end of the file in box 'moov' at byte 32"
        )


async def test_what_is_not_there_and_for_how_long(site: Served) -> None:
    revision = (await site.node.origin.title("city")).presentation.revision
    minute, moment = "public, max-age=60", "public, max-age=5"
    for path, code, lifetime in (
        ("/v/nothing/master.m3u8", "unknown-title", moment),
        ("/v/artwork/master.m3u8", "unknown-title", moment),
        ("/v/city/0123456789abcdef/video1/init.mp4", "unknown-revision", moment),
        (f"/v/city/{revision}/video4/init.mp4", "not-found", minute),
        (f"/v/city/{revision}/video1/1.m4s", "not-found", minute),
        (f"/v/city/{revision}/text1/1.vtt", "not-found", minute),
        ("/v/city/index.html", "bad-address", minute),
        ("/v/", "bad-address", minute),
    ):
        for method in ("GET", "HEAD"):
            reply = await site.get(path, method=method)
            assert (reply.status, reply.headers["cache-control"]) == (404, lifetime), path
            assert method == "HEAD" or problem(reply)["code"] == code


async def test_a_storage_that_does_not_answer(tmp_path: Path) -> None:
    (tmp_path / "library").mkdir()
    async with served(Node(tmp_path / "library")) as site:
        (tmp_path / "library").rmdir()
        reply = await site.get("/v/film/master.m3u8")
        assert reply.status == 503
        assert problem(reply)["code"] == "storage-error"
        assert reply.headers["retry-after"] == "1"
        assert reply.headers["cache-control"] == "no-store"


async def test_a_defect_is_answered_and_logged(
    site: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(_: str) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(site.node.catalogue, "asset", broken)
    reply = await site.get("/v/film/master.m3u8")
    assert reply.status == 500
    assert problem(reply)["code"] == "internal-error"
    assert b"secret" not in reply.body
    assert "ZeroDivisionError: secret" in caplog.text
    assert (await site.get("/livez")).status == 200


async def test_a_title_whose_name_is_no_text_is_a_problem_in_words(
    films: Path, tmp_path: Path
) -> None:
    (tmp_path / "title").mkdir()
    try:
        for name in (b"\xff.mp4", b"\xfe.mp4"):
            shutil.copy(films / "broken.mp4", tmp_path / "title" / os.fsdecode(name))
    except OSError as error:
        pytest.skip(f"the file system takes no such name: {error.strerror}")
    async with served(Node(tmp_path)) as site:
        reply = await site.get("/v/title/master.m3u8")
        assert reply.status == 422
        assert "title/\\udcff.mp4: box size" in str(problem(reply)["detail"])
        (listed,) = orjson.loads((await site.get("/api/library")).body)["titles"]
        assert listed["problem"] == problem(reply)["detail"]


# Files that change under the server.


async def test_a_replaced_file_gets_new_urls_and_the_old_ones_end(
    films: Path, tmp_path: Path
) -> None:
    shutil.copy2(films / "film.mp4", tmp_path)
    node = Node(tmp_path)
    async with served(node) as site:
        old = {path: await node.body(path) for path in await node.every_path("film")}
        shutil.copy(films / "city" / "video-36.mp4", tmp_path / "fresh")
        (tmp_path / "fresh").rename(tmp_path / "film.mp4")
        for path, body in old.items():
            reply = await site.get(path)
            assert (reply.status, reply.body) == (200, body)
        node.age()
        new = await node.every_path("film")
        for path in old:
            reply = await site.get(path)
            assert reply.status == (200 if path in new else 404)
        for path in new:
            assert (await site.get(path)).status == 200
        (etag,) = {(await site.get(path)).headers["etag"] for path in new if "manifest" in path}
        assert (await site.get(str(Mpd("film")), f"If-None-Match: {etag}")).status == 304


async def test_a_file_that_is_written_anew_never_mixes(films: Path, tmp_path: Path) -> None:
    path = tmp_path / "film.mp4"
    shutil.copy2(films / "film.mp4", path)
    node = Node(tmp_path)
    async with served(node) as site:
        old = [path for path in await node.every_path("film") if path.endswith(".m4s")]
        path.write_bytes((films / "city" / "video-36.mp4").read_bytes())
        assert {(await site.get(path)).status for path in old} == {404}
        assert {(await site.get(path)).status for path in await node.every_path("film")} == {200}


# Ranges and conditions, through the whole stack.


async def test_a_condition_holds_for_every_kind_of_resource(site: Served) -> None:
    for path in await site.node.every_path("city"):
        etag = (await site.get(path, method="HEAD")).headers["etag"]
        assert (await site.get(path, f"If-None-Match: {etag}")).status == 304
        assert (await site.get(path, 'If-None-Match: "other"')).status == 200
        assert (await site.get(path, 'If-Match: "other"')).status == 412
        part = await site.get(path, "Range: bytes=3-9", f"If-Range: {etag}")
        assert part.status == 206
        assert (await site.get(path, "Range: bytes=3-9", 'If-Range: "other"')).status == 200


async def test_every_range_is_a_slice(site: Served) -> None:
    """Of a manifest, and of segments whose bytes lie in one piece and in dozens."""
    paths = [
        path
        for asset_id in ("film", "city")
        for path in await site.node.every_path(asset_id)
        if path.endswith(("master.m3u8", "init.mp4", "/0.m4s"))
    ]
    whole = {path: await site.node.body(path) for path in paths}
    await asyncio.to_thread(_check_ranges, site.port, whole)


async def test_several_ranges_at_once_are_for_media(site: Served) -> None:
    for path in await site.node.every_path("film"):
        reply = await site.get(path, "Range: bytes=0-1,5-9")
        if path.endswith(".m4s"):
            assert reply.status == 206
            assert reply.headers["content-type"].startswith("multipart/byteranges; boundary=")
            body = await site.node.body(path)
            first, second = reply.body.split(b"\r\n\r\n")[1:]
            assert (first[:2], second[:5]) == (body[:2], body[5:10])
        else:
            assert (reply.status, reply.body) == (200, await site.node.body(path))


def _check_ranges(port: int, whole: dict[str, bytes]) -> None:
    client = http.client.HTTPConnection("127.0.0.1", port, timeout=20)

    @PROPERTY
    @given(st.sampled_from(sorted(whole)), st.data())
    def check(path: str, data: st.DataObject) -> None:
        body = whole[path]
        first = data.draw(st.integers(0, len(body) - 1), "first")
        last = data.draw(st.integers(first, len(body) + 10), "last")
        for asked, expected in (
            (f"{first}-{last}", body[first : last + 1]),
            (f"{first}-", body[first:]),
            (f"-{first + 1}", body[-first - 1 :]),
        ):
            client.request("GET", path, headers={"Range": f"bytes={asked}"})
            reply = client.getresponse()
            assert (reply.status, reply.read()) == (206, expected)
            assert reply.headers["Content-Length"] == str(len(expected))

    try:
        check()
    finally:
        client.close()
