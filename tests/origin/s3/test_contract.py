"""What our client asks of an S3, put to our stub and to moto, whose answers must be the same.

moto checks signatures by code of its own, so this is also where ours are believed by somebody else.
"""

from __future__ import annotations

import random
from collections.abc import AsyncIterator, Iterator
from contextlib import AsyncExitStack
from dataclasses import dataclass, replace
from itertools import count

import pytest

from origin.errors import Archived, ObjectChanged, StorageError
from origin.storage.s3.client import S3Client
from origin.storage.s3.listing import Listed
from origin.storage.s3.objects import S3Objects
from origin.storage.s3.options import Limits, S3Options
from origin.storage.s3.replies import ObjectInfo
from origin.storage.s3.sigv4 import Credentials
from tests.origin.s3.asking import source
from tests.support.moto_server import BUCKETS, Moto, moto_server
from tests.support.s3_server import ACCESS_KEY, BUCKET, REGION, SECRET_KEY, s3_server

PATIENT = Limits(connect_seconds=10.0, first_byte_seconds=20.0, total_seconds=60.0)
FILM = random.Random(4).randbytes(20_000)
ODD = ["a b", "a+b", "a%20b", "100%", "ü/☃.mp4", "?a=b&c#d", "a//b", "!$'()*,;:@=~", "-._", "\t"]
numbers = count()

with_and_without_versions = pytest.mark.parametrize(
    "place", [False, True], ids=["plain", "versions"], indirect=True
)


@dataclass
class Place:
    """One S3, with a prefix that no other test has."""

    options: S3Options
    credentials: Credentials
    client: S3Client
    objects: S3Objects
    prefix: str

    async def put(self, name: str, body: bytes) -> ObjectInfo:
        info = await self.objects.put(self.prefix + name, body, media_type="video/mp4")
        assert info is not None
        return info

    async def read(self, name: str, start: int, stop: int, version: str) -> bytes:
        body = bytearray()
        await self.client.get_range(self.prefix + name, start, stop, version, body.extend)
        return bytes(body)


@pytest.fixture(scope="session")
def moto() -> Iterator[Moto]:
    with moto_server() as running:
        yield running


@pytest.fixture(params=["stub", "moto"])
def server(request: pytest.FixtureRequest) -> str:
    chosen: str = request.param
    return chosen


@pytest.fixture
async def place(request: pytest.FixtureRequest, server: str, moto: Moto) -> AsyncIterator[Place]:
    keeps_versions = getattr(request, "param", False)
    async with AsyncExitStack() as stack:
        if server == "stub":
            stub = await stack.enter_async_context(s3_server())
            stub.versioned = keeps_versions
            url, bucket, credentials = stub.url, BUCKET, Credentials(ACCESS_KEY, SECRET_KEY)
        else:
            url, credentials = moto.url, Credentials(moto.access_key, moto.secret_key)
            bucket = next(name for name, versions in BUCKETS.items() if versions == keeps_versions)
        options = S3Options(bucket, REGION, url)
        client = S3Client(options, source(credentials), PATIENT)
        stack.push_async_callback(client.aclose)
        objects = S3Objects(options, source(credentials), PATIENT)
        stack.push_async_callback(objects.aclose)
        yield Place(options, credentials, client, objects, f"{next(numbers)}/")


async def test_objects_of_any_name(place: Place) -> None:
    listed = []
    for number, name in enumerate(ODD):
        film = FILM[number:]
        put = await place.put(name, film)
        key = place.prefix + name
        listed.append(Listed(key, len(film), put.etag))
        assert await place.objects.head(key) == put
        assert await place.client.peek(key, 100) == (put, film[:100])
        assert await place.read(name, 5, 20, put.etag) == film[5:20]
    listed.sort(key=lambda one: one.key.encode())
    assert await place.client.list_page(place.prefix) == (listed, [], None)


async def test_any_range(place: Place) -> None:
    put = await place.put("film", FILM)
    chance = random.Random(2)
    for _ in range(10):
        start = chance.randrange(len(FILM))
        stop = chance.randrange(start, len(FILM)) + 1
        assert await place.read("film", start, stop, put.etag) == FILM[start:stop]
    assert await place.client.peek(place.prefix + "film", len(FILM) + 9) == (put, FILM)
    with pytest.raises(ObjectChanged):
        await place.read("film", len(FILM), len(FILM) + 1, put.etag)


@with_and_without_versions
async def test_a_replaced_object(place: Place) -> None:
    old = await place.put("film", FILM)
    new = await place.put("film", FILM[::-1])
    with pytest.raises(ObjectChanged):
        await place.read("film", 0, 9, old.etag)
    assert await place.read("film", 0, 9, new.etag) == FILM[::-1][:9]
    assert await place.objects.head(place.prefix + "film") == new
    if old.version_id:
        assert await place.read("film", 0, 9, old.version_id) == FILM[:9]
        assert await place.objects.head(place.prefix + "film", old.version_id) == old


async def test_what_is_not_there(place: Place) -> None:
    assert await place.objects.head(place.prefix + "film") is None
    assert await place.objects.head("no\udcff") is None
    assert await place.client.list_page(place.prefix) == ([], [], None)
    with pytest.raises(ObjectChanged, match="is gone"):
        await place.client.peek(place.prefix + "film", 9)
    with pytest.raises(ObjectChanged):
        await place.read("film", 0, 9, '"0123"')


async def test_a_put_that_must_be_the_first(place: Place) -> None:
    key = place.prefix + "index"
    first = await place.objects.put(key, b"one", media_type="text/plain", only_new=True)
    assert first is not None
    assert await place.objects.put(key, b"two", media_type="text/plain", only_new=True) is None
    assert (await place.client.peek(key, 9))[1] == b"one"


async def test_a_listing_in_pages(place: Place) -> None:
    names = ["a.mp4", "b/1.mp4", "b/2.mp4", "b.mp4", "c/1.mp4", "é.mp4", "z"]
    for name in names:
        await place.put(name, b"x")
    ordered = sorted(names, key=str.encode)
    page = await place.client.list_page(place.prefix)
    assert [one.key for one in page.objects] == [place.prefix + name for name in ordered]

    found: list[str] = []
    pages, token = 0, None
    while pages == 0 or token is not None:
        page = await place.client.list_page(place.prefix, delimiter="/", token=token, limit=2)
        assert 0 < len(page.objects) + len(page.folders) <= 2
        found += [one.key for one in page.objects] + list(page.folders)
        pages, token = pages + 1, page.next
    expected = ["a.mp4", "b.mp4", "b/", "c/", "é.mp4", "z"]
    assert sorted(found) == sorted(place.prefix + name for name in expected)
    assert pages == 3

    behind = await place.client.list_page(place.prefix, after=place.prefix + "c/1.mp4")
    assert [one.key for one in behind.objects] == [place.prefix + "z", place.prefix + "é.mp4"]


async def test_an_archived_object_is_restored(place: Place) -> None:
    key = place.prefix + "film"
    await place.objects._call("put_object", key, Key=key, Body=FILM, StorageClass="GLACIER")
    info = await place.objects.head(key)
    assert info is not None
    with pytest.raises(Archived):
        await place.read("film", 0, 9, info.etag)
    assert await place.objects.restore(key, days=1)
    assert await place.read("film", 0, 9, info.etag) == FILM[:9]


@pytest.mark.parametrize("wrong", ["secret", "key"])
async def test_credentials_that_are_wrong(wrong: str, place: Place) -> None:
    put = await place.put("film", FILM)
    mine = place.credentials
    other = {
        "secret": (Credentials(mine.access_key, "not-the-secret-key"), "SignatureDoesNotMatch"),
        "key": (Credentials("AKIANOBODYKNOWSTHIS0", mine.secret_key), "InvalidAccessKeyId"),
    }
    credentials, code = other[wrong]
    client = S3Client(place.options, source(credentials), PATIENT)
    objects = S3Objects(place.options, source(credentials), PATIENT)
    try:
        key = place.prefix + "film"
        for asking in (
            client.get_range(key, 0, 9, put.etag, lambda _: None),
            client.list_page(place.prefix),
            objects.put(key, b"x", media_type="text/plain"),
        ):
            with pytest.raises(StorageError, match=code) as failed:
                await asking
            assert mine.secret_key not in str(failed.value)
            assert "not-the-secret" not in str(failed.value)
    finally:
        await client.aclose()
        await objects.aclose()


async def test_a_bucket_that_is_not_there(place: Place) -> None:
    options = replace(place.options, bucket="nowhere")
    client = S3Client(options, source(place.credentials), PATIENT)
    objects = S3Objects(options, source(place.credentials), PATIENT)
    try:
        with pytest.raises(StorageError, match="NoSuchBucket"):
            await client.peek("film", 9)
        with pytest.raises(StorageError, match="NoSuchBucket"):
            await client.list_page()
    finally:
        await client.aclose()
        await objects.aclose()
