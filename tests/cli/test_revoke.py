"""A session is revoked on the command line, and a running server refuses its tokens."""

from __future__ import annotations

import os
import secrets
import subprocess
import sys
from pathlib import Path

import pytest

from embedded.process import Server
from tests.cli.running import ROOT, serving


def command(*arguments: str, **environment: str) -> subprocess.CompletedProcess[str]:
    return subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        env=os.environ | environment,
        capture_output=True,
        text=True,
        check=False,
    )


def test_a_revoked_token_is_refused_by_all_workers(
    films: Path, valkey: Server, tmp_path: Path
) -> None:
    keys = tmp_path / "keys"
    keys.write_text(f"1 {secrets.token_hex(32)}\n")
    redis = {"VOD_REDIS_URL": valkey.url}
    made = [command("token", "film", VOD_TOKEN_KEY_FILE=str(keys)).stdout.split() for _ in "ab"]
    (_, _, token), (_, _, other) = ((words[0], words[1], words[-1]) for words in made)
    with serving(
        films, "--require-token", "--workers", "2", VOD_TOKEN_KEY_FILE=str(keys), **redis
    ) as server:
        path, spared = (f"/t/{one}/v/film/master.m3u8" for one in (token, other))
        assert server.get(path)[0] == server.get(spared)[0] == 200
        done = command("revoke", token, **redis)
        assert (done.returncode, done.stderr) == (0, "1 revoked\n")
        for _ in range(10):  # whichever worker takes it
            server.until(lambda: server.get(path)[0] == 403)
        assert server.get(spared)[0] == 200
    assert token not in done.stdout + done.stderr


@pytest.mark.parametrize("session", ["", "x", "0" * 31, "A" * 52])
def test_what_is_no_session(session: str) -> None:
    done = command("revoke", session, VOD_REDIS_URL="unix:///nowhere")
    assert done.returncode == 2
    assert "32 hex digits" in done.stderr


def test_without_a_redis_nothing_is_revoked(tmp_path: Path) -> None:
    assert "VOD_REDIS_URL" in command("revoke", "0" * 32).stderr
    away = command("revoke", "0" * 32, VOD_REDIS_URL=f"unix://{tmp_path}/none")
    assert away.returncode == 2
    assert "nothing is revoked" in away.stderr
