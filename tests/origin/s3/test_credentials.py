from __future__ import annotations

import asyncio
import json
import logging
import os
import re
from collections.abc import AsyncIterator, Callable
from contextlib import asynccontextmanager
from dataclasses import replace
from datetime import UTC, datetime, timedelta
from pathlib import Path

import pytest
from aiohttp import web

from origin.errors import StorageError
from origin.storage.s3.client import S3Client
from origin.storage.s3.credentials import FRESH, SEARCH_SECONDS, USABLE, CredentialSource, from_aws
from origin.storage.s3.faults import NotAccepted
from origin.storage.s3.objects import S3Objects
from origin.storage.s3.options import S3Options
from origin.storage.s3.sigv4 import Credentials
from tests.origin.s3.asking import HASTE, KEY, client_of, options_of, read, source
from tests.support.s3_server import ACCESS_KEY, SECRET_KEY, S3Server

FILM = bytes(range(256)) * 100
OLD, NEW = Credentials("AKIAOLD", "old secret"), Credentials("AKIANEW", "new secret", "new token")
CANARIES = ("old secret", "new secret", "new token", SECRET_KEY)


class Clock:
    now = 1000.0

    def __call__(self) -> float:
        return self.now


def counting(*answers: Credentials | StorageError) -> tuple[CredentialSource, Clock, list[bool]]:
    """A source that gives one answer after the other, the last for ever."""
    left, clock, asked = list(answers), Clock(), list[bool]()

    async def load(anew: bool) -> Credentials:
        asked.append(anew)
        answer = left.pop(0) if len(left) > 1 else left[0]
        await asyncio.sleep(0)
        if isinstance(answer, StorageError):
            raise answer
        return answer

    return CredentialSource(load, clock), clock, asked


async def test_those_who_come_first_share_one_look() -> None:
    held, _, asked = counting(OLD)
    assert await asyncio.gather(*[held.get() for _ in range(20)]) == [OLD] * 20
    assert asked == [False]


async def test_requests_go_on_while_others_are_looked_for() -> None:
    held, clock, asked = counting(OLD, NEW)
    await held.get()
    clock.now += FRESH + 1
    assert await held.get() == OLD
    assert held._loading is not None
    await asyncio.wait((held._loading,))
    assert await held.get() == NEW
    assert asked == [False, False]


async def test_after_a_long_rest_they_are_looked_at_first() -> None:
    held, clock, _ = counting(OLD, NEW)
    await held.get()
    clock.now += USABLE + 1
    assert await held.get() == NEW


async def test_a_look_in_vain_does_not_spoil_what_there_is(
    caplog: pytest.LogCaptureFixture,
) -> None:
    held, clock, _ = counting(OLD, StorageError("not now"))
    await held.get()
    clock.now += FRESH + 1
    assert await held.get() == OLD
    await asyncio.sleep(0.001)
    assert "not now" in caplog.text
    assert await held.get() == OLD


async def test_a_first_look_in_vain_is_an_error_and_the_next_is_another() -> None:
    held, _, _ = counting(StorageError("not yet"), NEW)
    with pytest.raises(StorageError, match="not yet"):
        await held.get()
    assert await held.get() == NEW


async def test_what_is_refused_is_looked_for_anew_but_not_all_the_time() -> None:
    held, clock, asked = counting(OLD, OLD, NEW)
    await held.get()
    assert held.refused(OLD)
    assert await held.get() == OLD
    assert not held.refused(OLD)
    assert await held.get() == OLD
    clock.now += SEARCH_SECONDS
    assert held.refused(OLD)
    assert await held.get() == NEW
    assert held.refused(OLD), "others are at hand"
    assert asked == [False, True, True]


async def test_who_leaves_does_not_end_the_look_of_the_others() -> None:
    held, _, asked = counting(OLD)
    first, second = asyncio.create_task(held.get()), asyncio.create_task(held.get())
    await asyncio.sleep(0)
    first.cancel()
    assert await second == OLD
    assert asked == [False]


@pytest.mark.parametrize("new", [NEW, Credentials("AKIAOLD", "new secret")])
async def test_credentials_may_change_while_they_are_used(new: Credentials, s3: S3Server) -> None:
    film = s3.put(KEY, FILM)
    s3.keys = {OLD.access_key: (OLD.secret_key, "session")}
    old = Credentials(OLD.access_key, OLD.secret_key, "session")
    held = source(old, new)
    objects = S3Objects(options_of(s3), held, HASTE)
    async with client_of(s3, credentials=held) as client:
        assert await read(client, 0, 99, film.etag) == FILM[:99]
        assert await objects.head(KEY)
        s3.keys = {new.access_key: (new.secret_key, new.token)}
        bodies = await asyncio.gather(*[read(client, 0, 99, film.etag) for _ in range(20)])
        assert bodies == [FILM[:99]] * 20
        assert await objects.head(KEY)
    await objects.aclose()


async def test_aiobotocores_requests_find_the_others_too(s3: S3Server) -> None:
    s3.put(KEY, FILM)
    s3.keys = {NEW.access_key: (NEW.secret_key, NEW.token)}
    objects = S3Objects(options_of(s3), source(OLD, NEW), HASTE)
    assert await objects.head(KEY)
    await objects.aclose()


async def test_no_secret_is_told(s3: S3Server, caplog: pytest.LogCaptureFixture) -> None:
    film = s3.put(KEY, FILM)
    caplog.set_level(logging.DEBUG, "origin")
    told = []
    for wrong in (OLD, NEW, Credentials(ACCESS_KEY, "old secret")):
        async with client_of(s3, credentials=source(wrong)) as client:
            with pytest.raises(StorageError) as failed:
                await read(client, 0, 9, film.etag)
            error: BaseException | None = failed.value
            while error is not None:
                told.append(f"{error!r} {error}")
                error = error.__cause__ or error.__context__
    for canary in (*CANARIES, "Signature="):
        assert canary not in "".join(told) + caplog.text


# botocore's own chain.


@pytest.fixture
def clean(monkeypatch: pytest.MonkeyPatch, tmp_path: Path) -> pytest.MonkeyPatch:
    """No credentials anywhere."""
    for name in list(os.environ):
        if name.startswith("AWS_"):
            monkeypatch.delenv(name)
    monkeypatch.setenv("AWS_EC2_METADATA_DISABLED", "true")
    monkeypatch.setenv("AWS_SHARED_CREDENTIALS_FILE", str(tmp_path / "credentials"))
    monkeypatch.setenv("AWS_CONFIG_FILE", str(tmp_path / "config"))
    return monkeypatch


async def first_of(held: CredentialSource) -> Credentials:
    try:
        return await held.get()
    finally:
        await held.aclose()


async def test_from_the_environment(clean: pytest.MonkeyPatch) -> None:
    clean.setenv("AWS_ACCESS_KEY_ID", "AKIANEW")
    clean.setenv("AWS_SECRET_ACCESS_KEY", "new secret")
    clean.setenv("AWS_SESSION_TOKEN", "new token")
    assert await first_of(from_aws()) == NEW


async def test_from_nowhere(clean: pytest.MonkeyPatch) -> None:
    with pytest.raises(StorageError, match="there are none"):
        await first_of(from_aws())


async def test_from_a_profile_that_is_rewritten(
    clean: pytest.MonkeyPatch, tmp_path: Path, s3: S3Server
) -> None:
    film = s3.put(KEY, FILM)
    clean.setenv("AWS_PROFILE", "films")

    def write(credentials: Credentials) -> None:
        lines = [
            "[films]",
            f"aws_access_key_id = {credentials.access_key}",
            f"aws_secret_access_key = {credentials.secret_key}",
        ]
        (tmp_path / "credentials").write_text("\n".join(lines))
        s3.keys = {credentials.access_key: (credentials.secret_key, None)}

    write(OLD)
    async with client_of(s3, credentials=from_aws()) as client:
        assert await read(client, 0, 9, film.etag) == FILM[:9]
        write(Credentials("AKIANEW", "new secret"))
        assert await read(client, 0, 9, film.etag) == FILM[:9]


def expiring(number: int, seconds: float) -> dict[str, str]:
    ends = datetime.now(UTC) + timedelta(seconds=seconds)
    return {
        "AccessKeyId": f"AKIA{number}",
        "SecretAccessKey": f"secret {number}",
        "Token": f"token {number}",
        "Expiration": ends.strftime("%Y-%m-%dT%H:%M:%SZ"),
    }


@asynccontextmanager
async def answering(answer: Callable[[web.Request, bytes], web.Response]) -> AsyncIterator[str]:
    async def handle(request: web.Request) -> web.Response:
        return answer(request, await request.read())

    app = web.Application()
    app.router.add_route("*", "/{path:.*}", handle)
    runner = web.AppRunner(app)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0).start()
    yield f"http://127.0.0.1:{runner.addresses[0][1]}"
    await runner.cleanup()


@pytest.mark.parametrize(("seconds", "second"), [(7200, "AKIA1"), (60, "AKIA2")])
async def test_from_pod_identity(
    seconds: float, second: str, clean: pytest.MonkeyPatch, tmp_path: Path
) -> None:
    """Renewed only when they end soon: botocore's own rule."""
    (tmp_path / "token").write_text("pod token")
    clean.setenv("AWS_CONTAINER_AUTHORIZATION_TOKEN_FILE", str(tmp_path / "token"))
    asked = 0

    def answer(request: web.Request, _: bytes) -> web.Response:
        nonlocal asked
        asked += 1
        assert request.headers["Authorization"] == "pod token"
        return web.json_response(expiring(asked, seconds if asked == 1 else 7200))

    async with answering(answer) as url:
        clean.setenv("AWS_CONTAINER_CREDENTIALS_FULL_URI", f"{url}/v1/credentials")
        clock = Clock()
        held = CredentialSource(from_aws()._load, clock)
        first = await held.get()
        clock.now += USABLE + 1
        assert (await held.get()).access_key == second
    if second == "AKIA1":
        assert first == Credentials("AKIA1", "secret 1", "token 1")


async def test_from_a_web_identity(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    (tmp_path / "token").write_text("a.web.token")
    clean.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "token"))
    clean.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/origin")
    clean.setenv("AWS_DEFAULT_REGION", "eu-central-1")

    def answer(_: web.Request, body: bytes) -> web.Response:
        assert b"Action=AssumeRoleWithWebIdentity" in body
        assert b"WebIdentityToken=a.web.token" in body
        found = expiring(7, 3600)
        found["SessionToken"] = found.pop("Token")
        fields = "".join(f"<{name}>{value}</{name}>" for name, value in found.items())
        text = (
            '<AssumeRoleWithWebIdentityResponse xmlns="https://sts.amazonaws.com/doc/2011-06-15/">'
            f"<AssumeRoleWithWebIdentityResult><Credentials>{fields}</Credentials>"
            "</AssumeRoleWithWebIdentityResult></AssumeRoleWithWebIdentityResponse>"
        )
        return web.Response(text=text, content_type="text/xml")

    async with answering(answer) as url:
        clean.setenv("AWS_ENDPOINT_URL_STS", url)
        assert await first_of(from_aws()) == Credentials("AKIA7", "secret 7", "token 7")


async def test_a_chain_that_breaks(clean: pytest.MonkeyPatch, tmp_path: Path) -> None:
    clean.setenv("AWS_WEB_IDENTITY_TOKEN_FILE", str(tmp_path / "missing"))
    clean.setenv("AWS_ROLE_ARN", "arn:aws:iam::123456789012:role/origin")
    with pytest.raises(StorageError, match="cannot be had"):
        await first_of(from_aws())


# What S3 says of requests whose signature is not to be believed.


async def refusal_by(s3: S3Server, options: S3Options | None = None) -> str:
    film = s3.put(KEY, FILM)
    async with client_of(s3, options=options) as client:
        with pytest.raises(StorageError) as failed:
            await read(client, 0, 9, film.etag)
    return str(failed.value)


async def test_a_clock_that_is_wrong_is_said_to_be(s3: S3Server) -> None:
    s3.clock = lambda: datetime.now(UTC).timestamp() + 3600
    assert re.search(
        r"RequestTimeTooSkewed \(our clock is 3[56]\d\d s slow\)", await refusal_by(s3)
    )


async def test_a_region_that_is_wrong_is_said_to_be(s3: S3Server) -> None:
    told = await refusal_by(s3, replace(options_of(s3), region="us-west-2"))
    assert "the bucket is in eu-central-1, not in us-west-2" in told


async def test_a_token_that_has_expired(s3: S3Server) -> None:
    s3.keys = {ACCESS_KEY: (SECRET_KEY, "current")}
    film = s3.put(KEY, FILM)
    old = Credentials(ACCESS_KEY, SECRET_KEY, "expired")
    async with client_of(s3, credentials=source(old)) as client:
        with pytest.raises(NotAccepted, match="ExpiredToken"):
            await read(client, 0, 9, film.etag)


async def test_a_bucket_that_is_open_to_all(s3: S3Server) -> None:
    s3.public = True
    film = s3.put(KEY, FILM)
    options = options_of(s3)
    client = S3Client(options, None, HASTE)
    assert await read(client, 0, 9, film.etag) == FILM[:9]
    await client.aclose()
    s3.public = False
    client = S3Client(options, None, HASTE)
    with pytest.raises(StorageError, match="403 AccessDenied"):
        await read(client, 0, 9, film.etag)
    await client.aclose()


def test_the_tests_canaries_are_found() -> None:
    assert any(canary in json.dumps([OLD.secret_key]) for canary in CANARIES)
