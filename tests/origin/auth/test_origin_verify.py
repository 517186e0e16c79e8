"""L0: only those who know the secret are answered, on every path but the probes'."""

from __future__ import annotations

import http.client
import os
from pathlib import Path

import pytest

from origin.auth import origin_verify
from origin.auth.origin_verify import OriginVerify, Secrets, read_secrets
from origin.errors import Refused
from origin.settings import BadSetting
from tests.cli.running import Running, serving

CURRENT, PREVIOUS, NEXT = "current-secret-0123", "previous-secret-0123", "next-secret-0123456"


def test_both_secrets_are_good_and_nothing_else() -> None:
    verify = OriginVerify(lambda: Secrets(CURRENT.encode(), PREVIOUS.encode()))
    verify.check(CURRENT.encode())
    verify.check(PREVIOUS.encode())
    wrong = [None, b"", b" ", CURRENT[:-1].encode(), (CURRENT + "0").encode(), b"\xff" * 20]
    for value in (*wrong, CURRENT.upper().encode(), f"{CURRENT}, {CURRENT}".encode()):
        with pytest.raises(Refused) as raised:
            verify.check(value)
        assert "secret" not in str(raised.value)


@pytest.mark.parametrize(
    ("content", "complaint"),
    [
        ("", "the current secret on its first line"),
        ("short", "line 1: a secret has 16 to 256"),
        (f"{CURRENT}\nshort", "line 2: a secret has 16 to 256"),
        (f"{CURRENT}\n{PREVIOUS}\n{NEXT}", "are all there is to be in it"),
        ("é" * 20, "line 1: a secret has 16 to 256 ASCII"),
        ("x" * 5000, "are all there is to be in it"),
    ],
)
def test_a_file_that_cannot_be_used(tmp_path: Path, content: str, complaint: str) -> None:
    file = tmp_path / "secret"
    file.write_text(content, encoding="utf-8")
    with pytest.raises(BadSetting, match=complaint) as raised:
        read_secrets(str(file))
    assert not content or content not in str(raised.value)


def test_there_may_be_no_previous_one(tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(f"\n{CURRENT}\n\n")
    secrets = read_secrets(str(file))
    assert (secrets.current, secrets.previous) == (CURRENT.encode(), CURRENT.encode())
    assert CURRENT not in repr(secrets)


PATHS = (
    *("/v/film/master.m3u8", "/v/film/manifest.mpd", "/v/film/x", "/v/none/master.m3u8", "/"),
    *("/api/library", "/api/library/film", "/metrics", "/favicon.svg", "/nothing/here"),
)


def test_a_server_answers_those_who_know_it(films: Path, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(CURRENT)
    with serving(films, VOD_ORIGIN_VERIFY_FILE=str(file)) as server:
        for path in PATHS:
            for method in ("GET", "HEAD"):
                assert ask(server, path, method=method) == 403
                assert ask(server, path, method=method, secret="wrong-" + CURRENT) == 403
                assert ask(server, path, method=method, secret=CURRENT) in (200, 404)
        assert ask(server, "/livez") == ask(server, "/readyz") == 200
        replacement = tmp_path / "new"
        replacement.write_text(f"{NEXT}\n{CURRENT}")
        os.replace(replacement, file)
        server.until(lambda: ask(server, "/v/film/master.m3u8", secret=NEXT) == 200)
        assert ask(server, "/v/film/master.m3u8", secret=CURRENT) == 200
        file.write_text(NEXT)
        server.until(lambda: ask(server, "/v/film/master.m3u8", secret=CURRENT) == 403)
        assert ask(server, "/v/film/master.m3u8", secret=NEXT) == 200
    assert origin_verify.LOOK_SECONDS <= 60


def test_the_secret_is_in_no_log(films: Path, tmp_path: Path) -> None:
    file = tmp_path / "secret"
    file.write_text(CURRENT)
    options = {"VOD_LOG_LEVEL": "debug", "VOD_LOG_EVERY": "1"}
    with serving(films, VOD_ORIGIN_VERIFY_FILE=str(file), **options) as server:
        for path in PATHS:
            ask(server, path, secret=CURRENT)
            ask(server, path, secret=PREVIOUS)
        server.stop()
        assert server.process.stdout is not None
        written = server.process.stdout.read()
        _, errors = server.ended()
    assert "master.m3u8" in written
    assert not {secret for secret in (CURRENT, PREVIOUS) if secret in written + errors}


def ask(server: Running, path: str, *, secret: str = "", method: str = "GET") -> int:
    connection: http.client.HTTPConnection = server.connect()
    try:
        connection.request(method, path, headers={"X-Origin-Verify": secret} if secret else {})
        return connection.getresponse().status
    finally:
        connection.close()
