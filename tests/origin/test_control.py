"""The control plane, asked through the server that stands in front of it."""

from __future__ import annotations

import asyncio
import gzip
import shutil
from collections.abc import AsyncIterator
from pathlib import Path
from typing import Any
from urllib.parse import quote

import orjson
import pytest

from origin.control import app, health
from origin.errors import StorageError
from tests.origin.node import Node, Served, served
from tests.support.films import TITLES

INDEX = b"<!doctype html><title>vod-origin</title>" * 20
SCRIPT = b"console.log('a player')\n" * 40
HASHED = "assets/index-B1gSc1pt.js"


@pytest.fixture
def page(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A page as the build leaves it."""
    folder = tmp_path / "page"
    (folder / "assets").mkdir(parents=True)
    for name, body in (("index.html", INDEX), (HASHED, SCRIPT)):
        (folder / name).write_bytes(body)
        (folder / f"{name}.br").write_bytes(b"brotli of " + name.encode())
        (folder / f"{name}.gz").write_bytes(gzip.compress(body))
    (folder / "favicon.svg").write_bytes(b"<svg/>")
    monkeypatch.setattr(app, "PAGE_FOLDER", folder)
    return folder


@pytest.fixture
async def site(films: Path, page: Path) -> AsyncIterator[Served]:
    async with served(Node(films)) as running:
        yield running


async def library(site: Served, cursor: str = "") -> dict[str, Any]:
    reply = await site.get(f"/api/library{cursor}")
    assert reply.status == 200
    assert reply.headers["content-type"] == "application/json"
    assert reply.headers["cache-control"] == "no-cache"
    page: dict[str, Any] = orjson.loads(reply.body)
    return page


# Health.


@pytest.mark.parametrize("path", ["/livez", "/readyz"])
async def test_health(site: Served, path: str) -> None:
    reply = await site.get(path)
    assert (reply.status, reply.body) == (200, b"ok\n")
    assert reply.headers["cache-control"] == "no-store"
    assert reply.headers["server"] == "vod-origin"


async def test_a_worker_that_drains_lives_but_is_not_ready(site: Served) -> None:
    site.node.health.draining = True
    assert (await site.get("/livez")).status == 200
    reply = await site.get("/readyz")
    assert reply.status == 503
    assert reply.headers["retry-after"] == "1"
    assert reply.headers["cache-control"] == "no-store"
    assert orjson.loads(reply.body)["code"] == "draining"


async def test_a_worker_without_its_library_lives_but_is_not_ready(
    tmp_path: Path, page: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    library, away = tmp_path / "library", tmp_path / "away"
    library.mkdir()
    async with served(Node(library)) as site:
        assert (await site.get("/readyz")).status == 200
        library.rename(away)
        reply = await site.get("/readyz")
        assert (reply.status, reply.headers["retry-after"]) == (503, "1")
        assert orjson.loads(reply.body)["code"] == "storage-error"
        assert (await site.get("/livez")).status == 200
        away.rename(library)
        assert (await site.get("/readyz")).status == 200


async def test_a_library_that_does_not_answer_is_looked_at_once(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    looks = 0
    gate = asyncio.Event()
    folder_version = site.node.storage.folder_version

    async def slow(folder: str) -> str:
        nonlocal looks
        looks += 1
        await gate.wait()
        return await folder_version(folder)

    monkeypatch.setattr(health, "PATIENCE_SECONDS", 0.05)
    monkeypatch.setattr(health, "FRESH_SECONDS", 0.0)
    monkeypatch.setattr(site.node.storage, "folder_version", slow)
    replies = await asyncio.gather(*(site.once("/readyz") for _ in range(20)))
    assert {reply.status for reply in replies} == {503}
    assert orjson.loads(replies[0].body)["code"] == "storage-error"
    assert (await site.get("/readyz")).status == 503
    assert looks == 1
    gate.set()
    monkeypatch.setattr(health, "PATIENCE_SECONDS", 10.0)
    assert (await site.get("/readyz")).status == 200


# The library.


async def test_every_title_is_listed_with_what_is_known(site: Served) -> None:
    page = await library(site)
    assert page["next"] is None
    titles = {title["id"]: title for title in page["titles"]}
    assert list(titles) == [asset_id for asset_id in TITLES if asset_id != "artwork"]
    assert titles["city"] == {
        "id": "city",
        "name": "City",
        "hls": "/v/city/master.m3u8",
        "dash": "/v/city/manifest.mpd",
        "duration": pytest.approx(16, abs=0.1),
        "problem": None,
    }


async def test_a_title_that_cannot_be_played_says_why(site: Served) -> None:
    titles = {title["id"]: title for title in (await library(site))["titles"]}
    assert titles["broken"]["duration"] is None
    assert titles["broken"]["problem"] == (
        "box size 2274 passes the end of the file in box 'moov' at byte 32"
    )


async def test_addresses_are_percent_encoded(site: Served) -> None:
    odd = (await library(site))["titles"][0]
    assert odd["hls"] == "/v/100%25%20%C3%9Cn%C3%AF%2B%231%3F/master.m3u8"
    assert (await site.get(odd["hls"])).status == 200


async def test_pages_follow_each_other(films: Path, tmp_path: Path, page: Path) -> None:
    ids = [f"film {number:02} é&=+#" for number in range(app.PAGE_SIZE * 2 + 3)]
    (tmp_path / "library").mkdir()
    for asset_id in ids:
        shutil.copy(films / "film.mp4", tmp_path / "library" / f"{asset_id}.mp4")
    async with served(Node(tmp_path / "library")) as site:
        found: list[str] = []
        sizes = []
        cursor = ""
        while True:
            titles = await library(site, cursor)
            found += [title["id"] for title in titles["titles"]]
            sizes.append(len(titles["titles"]))
            if titles["next"] is None:
                break
            quoted = "".join(f"%{byte:02x}" for byte in titles["next"].encode())
            cursor = f"?cursor={quoted}"
    assert sizes == [app.PAGE_SIZE, app.PAGE_SIZE, 3]
    assert found == ids


async def test_an_empty_library(tmp_path: Path, page: Path) -> None:
    (tmp_path / "library").mkdir()
    async with served(Node(tmp_path / "library")) as site:
        assert await library(site) == {"titles": [], "next": None}


@pytest.mark.parametrize(
    ("cursor", "behind"),
    [("", 5), ("c", 3), ("zzz", 0), ("%ff", 0), ("%00", 5), ("c&cursor=d", 3), ("..%2f..", 5)],
)
async def test_any_cursor_is_a_place_in_the_order(site: Served, cursor: str, behind: int) -> None:
    page = await library(site, f"?cursor={cursor}")
    assert len(page["titles"]) == behind


async def test_a_title_that_takes_long_is_listed_without_its_length(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    gate = asyncio.Event()
    title = site.node.origin.title

    async def slow(asset_id: str) -> object:
        if asset_id == "city":
            await gate.wait()
        return await title(asset_id)

    monkeypatch.setattr(app, "PAGE_WAIT_SECONDS", 0.2)
    monkeypatch.setattr(site.node.origin, "title", slow)
    durations = {t["id"]: t["duration"] for t in (await library(site))["titles"]}
    assert durations["city"] is None
    gate.set()
    await title("city")
    durations = {t["id"]: t["duration"] for t in (await library(site))["titles"]}
    assert durations["city"] is not None


async def test_one_title_that_cannot_be_read_does_not_hide_the_others(
    site: Served, monkeypatch: pytest.MonkeyPatch
) -> None:
    asset = site.node.catalogue.asset

    async def failing(asset_id: str) -> object:
        if asset_id == "city":
            raise StorageError("cannot open city/video.mp4: Permission denied")
        return await asset(asset_id)

    monkeypatch.setattr(site.node.catalogue, "asset", failing)
    problems = {title["id"]: title["problem"] for title in (await library(site))["titles"]}
    assert problems["city"] == "cannot open city/video.mp4: Permission denied"
    assert problems["film"] is None


async def test_a_library_that_is_away_is_a_problem(tmp_path: Path, page: Path) -> None:
    (tmp_path / "library").mkdir()
    async with served(Node(tmp_path / "library")) as site:
        (tmp_path / "library").rmdir()
        reply = await site.get("/api/library")
        assert reply.status == 503
        assert reply.headers["retry-after"] == "1"
        assert orjson.loads(reply.body)["code"] == "storage-error"


# The page.


@pytest.mark.parametrize("path", ["/", "/index.html"])
async def test_the_index_is_revalidated(site: Served, path: str) -> None:
    reply = await site.get(path)
    assert (reply.status, reply.body) == (200, INDEX)
    assert reply.headers["content-type"] == "text/html; charset=utf-8"
    assert reply.headers["cache-control"] == "no-cache"
    assert reply.headers["vary"] == "Accept-Encoding"
    assert "content-encoding" not in reply.headers


async def test_what_the_page_may_load(site: Served) -> None:
    for path in ("/", f"/{HASHED}"):
        headers = (await site.get(path)).headers
        policy = dict(
            directive.strip().split(" ", 1)
            for directive in headers["content-security-policy"].split(";")
        )
        assert policy["default-src"] == "'self'"
        assert policy["connect-src"] == "'self'"
        assert {"'self'", "blob:"} <= set(policy["media-src"].split())
        assert policy["frame-ancestors"] == policy["object-src"] == "'none'"
        assert headers["x-content-type-options"] == "nosniff"


async def test_assets_are_kept_for_ever(site: Served) -> None:
    reply = await site.get(f"/{HASHED}")
    assert (reply.status, reply.body) == (200, SCRIPT)
    assert reply.headers["content-type"] == "text/javascript; charset=utf-8"
    assert reply.headers["cache-control"] == "public, max-age=31536000, immutable"


@pytest.mark.parametrize(
    ("accepted", "coding"),
    [
        ("gzip, deflate, br, zstd", "br"),
        ("gzip, deflate", "gzip"),
        ("gzip;q=1.0, br;q=0.5", "br"),
        ("BR", "br"),
        ("br;q=0, gzip", "gzip"),
        ("gzip; q=0.000, br ; q=0", ""),
        ("identity", ""),
        ("brotli, xgzip", ""),
        ("*", ""),
        ("", ""),
    ],
)
async def test_the_content_coding_that_is_accepted(
    site: Served, accepted: str, coding: str
) -> None:
    reply = await site.get(f"/{HASHED}", f"Accept-Encoding: {accepted}")
    assert reply.headers.get("content-encoding", "") == coding
    bodies = {"": SCRIPT, "gzip": gzip.compress(SCRIPT), "br": b"brotli of " + HASHED.encode()}
    body = gzip.compress(gzip.decompress(reply.body)) if coding == "gzip" else reply.body
    assert body == bodies[coding]
    assert reply.headers["vary"] == "Accept-Encoding"


async def test_a_file_without_coded_forms_is_sent_plain(site: Served) -> None:
    reply = await site.get("/favicon.svg", "Accept-Encoding: br, gzip")
    assert (reply.status, reply.body) == (200, b"<svg/>")
    assert "content-encoding" not in reply.headers


async def test_the_coded_forms_have_no_address_of_their_own(site: Served) -> None:
    assert (await site.get("/index.html.br")).status == 404
    assert (await site.get("/index.html.gz")).status == 404


async def test_each_coding_has_an_entity_tag(site: Served) -> None:
    tags = {}
    for accepted in ("identity", "gzip", "br"):
        reply = await site.get("/", f"Accept-Encoding: {accepted}")
        tags[accepted] = reply.headers["etag"]
    assert len(set(tags.values())) == 3
    for accepted, tag in tags.items():
        coding = f"Accept-Encoding: {accepted}"
        for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
            reply = await site.get("/", coding, f"If-None-Match: {held}")
            assert (reply.status, reply.body) == (304, b"")
            assert reply.headers["etag"] == tag
            assert reply.headers["cache-control"] == "no-cache"
            assert "content-encoding" not in reply.headers
        assert (await site.get("/", coding, 'If-None-Match: "other"')).status == 200


async def test_a_changed_page_has_another_tag(films: Path, page: Path) -> None:
    tags = []
    for body in (INDEX, INDEX + b"!"):
        (page / "index.html").write_bytes(body)
        async with served(Node(films)) as site:
            tags.append((await site.get("/")).headers["etag"])
    assert tags[0] != tags[1]


async def test_a_page_that_is_not_built_says_so(films: Path, page: Path) -> None:
    shutil.rmtree(page)
    async with served(Node(films)) as site:
        for path in ("/", "/index.html"):
            reply = await site.get(path)
            assert reply.status == 404
            assert orjson.loads(reply.body)["detail"] == (
                "the web page is not built: run 'make install'"
            )
        assert (await site.get("/api/library")).status == 200


# Refusals, and methods.


async def test_nothing_there_is_a_problem(site: Served) -> None:
    reply = await site.get("/no/such/thing")
    assert reply.status == 404
    assert reply.headers["content-type"] == "application/problem+json"
    assert reply.headers["cache-control"] == "public, max-age=60"
    assert orjson.loads(reply.body) == {
        "type": "about:blank",
        "title": "Not Found",
        "status": 404,
        "code": "not-found",
        "detail": "nothing at this path",
    }


@pytest.mark.parametrize("method", ["POST", "PUT", "DELETE"])
async def test_other_methods_are_refused(site: Served, method: str) -> None:
    for path in ("/", "/api/library", "/livez"):
        reply = await site.get(path, method=method)
        assert reply.status == 405
        assert set(reply.headers["allow"].split(",")) == {"GET", "HEAD"}
        assert orjson.loads(reply.body)["code"] == "method-not-allowed"


async def test_head_has_the_fields_of_get(site: Served) -> None:
    for path in ("/", f"/{HASHED}", "/livez", "/api/library", "/nothing"):
        got, head = await site.get(path), await site.get(path, method="HEAD")
        assert head.status == got.status
        assert head.headers | {"date": ""} == got.headers | {"date": ""}


async def test_a_defect_is_a_problem_and_is_logged(
    site: Served, monkeypatch: pytest.MonkeyPatch, caplog: pytest.LogCaptureFixture
) -> None:
    async def broken(*_: object) -> None:
        raise ZeroDivisionError("secret")

    monkeypatch.setattr(site.node.catalogue, "page", broken)
    reply = await site.get("/api/library")
    assert reply.status == 500
    assert orjson.loads(reply.body)["code"] == "internal-error"
    assert b"secret" not in reply.body
    assert "ZeroDivisionError: secret" in caplog.text


async def test_one_title(site: Served) -> None:
    listed = orjson.loads((await site.get("/api/library")).body)["titles"]
    for entry in listed:
        reply = await site.get(f"/api/library/{quote(entry['id'], safe='')}")
        assert orjson.loads(reply.body) == entry
    assert (await site.get("/api/library/nothing")).status == 404
