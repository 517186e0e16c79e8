"""A library behind a web server, through the whole stack."""

from __future__ import annotations

import asyncio
import os
import re
import shutil
from collections.abc import AsyncIterator
from contextlib import asynccontextmanager
from pathlib import Path

import pytest
from aiohttp import web

from benchmarks.nginx import nginx, nginx_program
from catalog.unlisted import Unlisted
from cli.main import main
from origin.errors import ObjectChanged, StorageError, UnknownTitle, describe
from origin.settings import BadSetting, Settings
from origin.storage import open_library
from origin.storage.http import HttpStorage
from origin.storage.s3.options import HttpOptions
from tests.origin.far import RemoteNode
from tests.origin.node import Node
from tests.origin.s3.asking import HASTE
from tests.support.films import ODD_NAME
from tests.support.web_server import web_server

Output = pytest.CaptureFixture[str]


@pytest.fixture
def library(films: Path, tmp_path: Path) -> Path:
    """Titles of one file each, without subtitles."""
    folder = tmp_path / "www" / "films"
    folder.mkdir(parents=True)
    for name in ("film", "broken", ODD_NAME):
        shutil.copy2(films / f"{name}.mp4", folder)
    return folder


@asynccontextmanager
async def node_at(url: str, tmp_path: Path) -> AsyncIterator[RemoteNode]:
    settings = Settings(library=url, http_hosts="127.0.0.1")
    node = RemoteNode(settings, tmp_path / "cache")
    yield node
    await node.aclose()


@pytest.fixture
async def node(library: Path, tmp_path: Path) -> AsyncIterator[RemoteNode]:
    async with web_server(library.parent) as url, node_at(f"{url}/films", tmp_path) as node:
        yield node


async def compare(near: Node, far: RemoteNode, asset_id: str) -> None:
    theirs = (await near.origin.title(asset_id)).presentation.revision
    ours = await far.revision(asset_id)
    for path in await near.every_path(asset_id):
        expected = (await near.body(path)).replace(theirs.encode(), ours.encode())
        assert await far.body(path.replace(theirs, ours)) == expected, path


@pytest.mark.parametrize("asset_id", ["film", ODD_NAME])
async def test_it_answers_what_a_folder_answers(
    library: Path, node: RemoteNode, asset_id: str
) -> None:
    await compare(Node(library), node, asset_id)


@pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed")
async def test_a_library_behind_nginx(library: Path, tmp_path: Path) -> None:
    for path in (tmp_path, library.parent, library):
        path.chmod(0o755)
    with nginx(library.parent, tmp_path) as server:
        async with node_at(f"http://127.0.0.1:{server.port}/films/", tmp_path) as node:
            await compare(Node(library), node, "film")
            with pytest.raises(UnknownTitle):
                await node.revision("nobody")
            assert isinstance(node.storage, HttpStorage)
            with pytest.raises(ObjectChanged):
                await node.storage.get_range("film.mp4", 0, 9, '"other"', bytearray().extend)
            await node.storage.check()


async def test_who_has_no_such_title(node: RemoteNode) -> None:
    for asset_id in ("nobody", "fil", "..", "films/film"):
        with pytest.raises(UnknownTitle):
            await node.origin.title(asset_id)


async def test_a_file_replaced_in_use_leads_to_a_new_revision(
    films: Path, library: Path, node: RemoteNode
) -> None:
    old = await node.revision("film")
    playlist = (await node.body(f"/v/film/{old}/video1/media.m3u8")).decode()
    first, *_, last = re.findall(r"^\w+\.m4s$", playlist, re.MULTILINE)
    assert await node.body(f"/v/film/{old}/video1/{first}")
    shutil.copy(films / "city" / "video-36.mp4", library / "fresh")
    os.replace(library / "fresh", library / "film.mp4")
    with pytest.raises(Exception, match="are not"):
        await node.body(f"/v/film/{old}/video1/{last}")
    new = await node.revision("film")
    assert new != old
    assert await node.body(f"/v/film/{new}/video1/init.mp4")


async def test_there_is_no_list_and_that_is_said(
    node: RemoteNode, monkeypatch: pytest.MonkeyPatch, capsys: Output
) -> None:
    with pytest.raises(Unlisted) as told:
        await node.catalogue.page(None, 24)
    problem = describe(told.value)
    assert (problem.status, problem.code) == (404, "unlisted")
    monkeypatch.setenv("VOD_HTTP_HOSTS", "127.0.0.1")
    for command in ("check", "index"):
        assert await asyncio.to_thread(main, [command, node.storage.location]) == 2
        assert "cannot be listed" in capsys.readouterr().err


# Which servers are asked.


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://films.example/library", ""),
        ("http://films.example/library", "example, films.example.org"),
        ("http://films.example:8080/library", "films.example:80"),
        ("https://films.example@other.example/", "films.example"),
        ("http://[::1]/", "127.0.0.1"),
        ("http:///films", ""),
    ],
)
def test_a_host_that_nobody_named_is_not_asked(url: str, hosts: str) -> None:
    with pytest.raises(BadSetting):
        open_library(Settings(library=url, http_hosts=hosts))


@pytest.mark.parametrize(
    ("url", "hosts"),
    [
        ("http://Films.example/library", "other.example, films.EXAMPLE"),
        ("http://films.example:8080/library", "films.example:8080"),
        ("https://films.example:8080/library", "films.example"),
        ("http://[::1]:80/", "::1"),
    ],
)
async def test_a_host_that_is_named(url: str, hosts: str) -> None:
    opened = open_library(Settings(library=url, http_hosts=hosts))
    assert isinstance(opened.storage, HttpStorage)
    await opened.storage.aclose()


def test_sidecars_cannot_be_written() -> None:
    with pytest.raises(BadSetting, match="nothing can be written over HTTP"):
        open_library(Settings(library="http://a/", http_hosts="a", write_sidecars=1))


class Told:
    """A server that says one thing; ``asked``: how often."""

    def __init__(self, status: int, body: bytes = b"", **fields: str) -> None:
        self.asked = 0
        self._answer = status, body, {name.replace("_", "-"): v for name, v in fields.items()}

    async def handle(self, _: web.Request) -> web.Response:
        self.asked += 1
        status, body, headers = self._answer
        return web.Response(status=status, body=body, headers=headers)


@asynccontextmanager
async def saying(told: Told) -> AsyncIterator[HttpStorage]:
    app = web.Application()
    app.router.add_get("/{path:.*}", told.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    storage = HttpStorage(HttpOptions(f"http://127.0.0.1:{runner.addresses[0][1]}"), HASTE)
    try:
        yield storage
    finally:
        await storage.aclose()
        await runner.cleanup()


async def test_a_redirect_is_not_followed() -> None:
    elsewhere = Told(206, b"x", ETag='"1"', Content_Range="bytes 0-0/1")
    async with saying(elsewhere) as other:
        moved = Told(302, Location=f"{other.location}film.mp4")
        async with saying(moved) as storage:
            with pytest.raises(StorageError, match=r"302 \(redirects are not followed\)"):
                await storage.stat(["film.mp4"])
    assert (moved.asked, elsewhere.asked) == (1, 0)


@pytest.mark.parametrize(
    "fields",
    [
        {},
        {"ETag": 'W/"1"'},
        {"Last_Modified": "Tue, 24 Nov 2026 08:00:00 GMT"},
    ],
)
async def test_a_server_without_strong_etags_is_refused(fields: dict[str, str]) -> None:
    async with saying(Told(206, b"x", Content_Range="bytes 0-0/1", **fields)) as storage:
        with pytest.raises(StorageError, match=r"film\.mp4: a reply has no strong ETag"):
            await storage.stat(["film.mp4"])


async def test_a_server_without_ranges_is_refused() -> None:
    async with saying(Told(200, b"all of it", ETag='"1"')) as storage:
        with pytest.raises(StorageError, match="is not the range that was asked for"):
            await storage.stat(["film.mp4"])


async def test_a_server_that_does_not_look_at_conditions() -> None:
    """It sends another version, and says so."""
    async with saying(Told(206, b"x", ETag='"2"', Content_Range="bytes 0-0/1")) as storage:
        with pytest.raises(ObjectChanged):
            await storage.get_range("film.mp4", 0, 1, '"1"', bytearray().extend)


@pytest.mark.parametrize("status", [200, 401, 403, 404])
async def test_a_server_that_answers_is_there(status: int) -> None:
    async with saying(Told(status)) as storage:
        await storage.check()


@pytest.mark.parametrize("status", [500, 503])
async def test_one_that_fails_is_not(status: int) -> None:
    async with saying(Told(status)) as storage:
        with pytest.raises(StorageError, match=str(status)):
            await storage.check()
    with pytest.raises(StorageError, match="no connection"):
        await HttpStorage(HttpOptions("http://127.0.0.1:1"), HASTE).check()
