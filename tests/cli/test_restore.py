from __future__ import annotations

import asyncio
from collections.abc import AsyncIterator

import pytest

from cli.main import main
from tests.support.s3_server import (
    ACCESS_KEY,
    BUCKET,
    REGION,
    SECRET_KEY,
    Fault,
    S3Server,
    s3_server,
)

LIBRARY = f"s3://{BUCKET}/library"
VIDEO, SOUND, WORDS = "library/city/video.mp4", "library/city/audio.mp4", "library/city/subs.vtt"

Output = pytest.CaptureFixture[str]


@pytest.fixture
async def server(monkeypatch: pytest.MonkeyPatch) -> AsyncIterator[S3Server]:
    async with s3_server() as server:
        for name, value in {
            "AWS_ACCESS_KEY_ID": ACCESS_KEY,
            "AWS_SECRET_ACCESS_KEY": SECRET_KEY,
            "VOD_S3_ENDPOINT": server.url,
            "VOD_S3_REGION": REGION,
        }.items():
            monkeypatch.setenv(name, value)
        server.put(VIDEO, b"pictures", archived=True)
        server.put(SOUND, b"sound", archived=True)
        server.put(WORDS, b"")
        server.put("library/other.mp4", b"other", archived=True)
        yield server


async def restore(*arguments: str) -> int:
    return await asyncio.to_thread(main, ["restore", *arguments])


def restores(server: S3Server) -> list[str]:
    return [key for method, key in server.seen if method == "POST"]


async def test_each_archived_file_of_the_title_is_asked_for(
    server: S3Server, capsys: Output
) -> None:
    assert await restore(LIBRARY, "city") == 0
    assert capsys.readouterr() == (
        "city/audio.mp4: asked for\ncity/video.mp4: asked for\ncity/subs.vtt: readable\n",
        "2 asked for, 0 under way, 1 readable, 0 failed\n",
    )
    assert restores(server) == [SOUND, VIDEO]
    assert await restore(LIBRARY, "city") == 0
    assert capsys.readouterr().err == "0 asked for, 0 under way, 3 readable, 0 failed\n"
    assert restores(server) == [SOUND, VIDEO]


async def test_what_is_under_way_is_said_to_be(server: S3Server, capsys: Output) -> None:
    server.restoring = {VIDEO}
    assert await restore(LIBRARY, "city", "--days", "3", "--tier", "Bulk") == 0
    assert capsys.readouterr() == (
        "city/audio.mp4: asked for\ncity/video.mp4: under way\ncity/subs.vtt: readable\n",
        "1 asked for, 1 under way, 1 readable, 0 failed\n",
    )


async def test_one_line_for_each_that_fails(server: S3Server, capsys: Output) -> None:
    server.faults.extend([Fault.INTERNAL] * 3)  # as often as one read is tried
    assert await restore(LIBRARY, "city") == 1
    said = capsys.readouterr()
    first, *others = said.out.splitlines()
    assert first == f"city/audio.mp4: storage-error: {SOUND}: the storage says 500 InternalError"
    assert others == ["city/video.mp4: asked for", "city/subs.vtt: readable"]
    assert said.err == "1 asked for, 0 under way, 1 readable, 1 failed\n"


@pytest.mark.parametrize("title", ["nobody", "cit", "", "../city"])
async def test_a_title_that_is_not_there(server: S3Server, title: str, capsys: Output) -> None:
    assert await restore(LIBRARY, title) == 2
    assert capsys.readouterr() == ("", f"vod-origin: no title '{title}'\n")
    assert restores(server) == []


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (("films", "city"), "library: films is not in S3: there is nothing to restore"),
        (("file:///films", "city"), "library: file:///films is not in S3"),
        (("s3:///library", "city"), "library: '' is no name of a bucket"),
        ((LIBRARY, "city", "--days", "0"), "days 0 must be at least 1"),
    ],
)
def test_what_cannot_be_asked(arguments: tuple[str, ...], complaint: str, capsys: Output) -> None:
    assert main(["restore", *arguments]) == 2
    said = capsys.readouterr()
    assert said.out == ""
    assert said.err.startswith(f"vod-origin: {complaint}")


async def test_a_bucket_that_lets_nobody_in(
    monkeypatch: pytest.MonkeyPatch, server: S3Server, capsys: Output
) -> None:
    server.keys.clear()
    assert await restore(LIBRARY, "city") == 2
    assert "InvalidAccessKeyId" in capsys.readouterr().err
