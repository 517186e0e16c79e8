"""Pictures of the library, and nothing else of it."""

from __future__ import annotations

import asyncio
import secrets
import shutil
from pathlib import Path

import pytest

from catalog.postgres.records import TitleDraft
from origin.control.api.artwork import MOST_BYTES
from tests.origin.control_api.conftest import Api


@pytest.fixture
def films(films: Path, tmp_path: Path) -> Path:
    """A copy, to add pictures to."""
    return shutil.copytree(films, tmp_path / "films")


@pytest.fixture
def picture(films: Path) -> bytes:
    return (films / "artwork" / "poster.jpg").read_bytes()


async def with_artwork(api: Api, key: str, title: str = "drawn") -> None:
    await api.database.titles.put(TitleDraft(title, artwork={"poster": key}))


async def test_a_poster_comes_without_a_login_and_is_kept_an_hour(api: Api, picture: bytes) -> None:
    answer = await api.get("/api/artwork/city/poster")
    assert (answer.status, answer.json) == (200, picture)
    assert answer.headers["content-type"] == "image/jpeg"
    assert answer.headers["cache-control"] == "public, max-age=3600"
    assert answer.headers["x-content-type-options"] == "nosniff"


async def test_whoever_has_it_is_told_so(api: Api) -> None:
    tag = (await api.get("/api/artwork/city/poster")).headers["etag"]
    assert tag.startswith('"')  # a strong one
    for held in (tag, f"W/{tag}", f'"other", {tag}', "*"):
        answer = await api.get("/api/artwork/city/poster", headers={"If-None-Match": held})
        assert (answer.status, answer.json) == (304, b"")
        assert answer.headers["etag"] == tag
        assert answer.headers["cache-control"] == "public, max-age=3600"
    answer = await api.get("/api/artwork/city/poster", headers={"If-None-Match": '"other"'})
    assert answer.status == 200


async def test_the_tag_is_of_the_content(api: Api, films: Path, picture: bytes) -> None:
    tag = (await api.get("/api/artwork/city/poster")).headers["etag"]
    (films / "artwork" / "same.png").write_bytes(picture)
    (films / "artwork" / "other.png").write_bytes(picture + b"\0")
    await with_artwork(api, "artwork/same.png", "same")
    await with_artwork(api, "artwork/other.png", "other")
    same = await api.get("/api/artwork/same/poster")
    other = await api.get("/api/artwork/other/poster")
    assert same.headers["etag"] == tag != other.headers["etag"]
    assert same.headers["content-type"] == "image/png"


@pytest.mark.parametrize("path", ["city/backdrop", "city/poster.jpg", "film/poster", "no/poster"])
async def test_what_a_title_does_not_have_is_not_found(api: Api, path: str) -> None:
    answer = await api.get(f"/api/artwork/{path}")
    assert (answer.status, answer.json["code"]) == (404, "no-such-row")
    assert answer.headers["cache-control"] == "no-store"


@pytest.mark.parametrize(
    "key",
    ["film.mp4", "film.en.srt", "artwork/picture.svg", "../films/artwork/poster.jpg", "no.jpg"],
)
async def test_only_pictures_of_the_library_are_sent(api: Api, films: Path, key: str) -> None:
    (films / "artwork" / "picture.svg").write_text("<svg/>", encoding="ascii")
    await with_artwork(api, key)
    assert (await api.get("/api/artwork/drawn/poster")).status == 404


@pytest.mark.parametrize(
    "path",
    [
        "city/artwork%2Fposter.jpg",
        "..%2Fartwork/poster.jpg",
        "city/..%2F..%2Ffilm.mp4",
        "%2e%2e/film.mp4",
        "artwork/poster.jpg",
    ],
)
async def test_an_address_names_no_file(api: Api, path: str) -> None:
    assert (await api.get(f"/api/artwork/{path}")).status == 404


async def test_a_picture_has_at_most_8_megabytes(api: Api, films: Path) -> None:
    file = films / "artwork" / "large.webp"
    file.write_bytes(bytes(MOST_BYTES + 1))
    await with_artwork(api, "artwork/large.webp")
    answer = await api.get("/api/artwork/drawn/poster")
    assert answer.status == 404
    assert "8 MB" in answer.json["detail"]
    file.write_bytes(secrets.token_bytes(MOST_BYTES))
    answer = await api.get("/api/artwork/drawn/poster")
    assert (answer.status, len(answer.json)) == (200, MOST_BYTES)


async def test_what_was_read_is_sent_again_from_memory(api: Api, films: Path) -> None:
    file = films / "artwork" / "once.avif"
    file.write_bytes(b"a picture")
    await with_artwork(api, "artwork/once.avif", "once")
    answers = await asyncio.gather(*(api.get("/api/artwork/once/poster") for _ in range(8)))
    file.unlink()
    answers.append(await api.get("/api/artwork/once/poster"))
    assert [answer.json for answer in answers] == [b"a picture"] * 9
    assert answers[0].headers["content-type"] == "image/avif"


async def test_a_picture_that_is_known_outlives_its_storage(
    api: Api, films: Path, picture: bytes, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.setattr("origin.control.api.artwork.FRESH_SECONDS", 0.0)
    await with_artwork(api, "artwork/never-read.jpg")
    await api.get("/api/artwork/city/poster")
    shutil.rmtree(films / "artwork")
    (films / "artwork").write_bytes(b"no folder: nothing in it can be read")
    answer = await api.get("/api/artwork/city/poster")
    assert (answer.status, answer.json) == (200, picture)
    answer = await api.get("/api/artwork/drawn/poster")
    assert (answer.status, answer.json["code"]) == (503, "storage-error")
