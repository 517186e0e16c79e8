"""``vod-origin demo`` as its user sees it: what it prints, what can be done then, what is left."""

from __future__ import annotations

import http.client
import json
import os
import re
import signal
import subprocess
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from pathlib import Path
from typing import Any

import pytest

from tests.cli.running import PATIENCE, ROOT
from tests.support.servers import server_folder


@dataclass
class Demo:
    process: subprocess.Popen[str]
    said: str
    port: int

    @property
    def password(self) -> str:
        found = re.search(r"viewer@example\.com +password (\S+)", self.said)
        assert found is not None, self.said
        return found[1]

    def ask(
        self, method: str, path: str, body: object = None, login: str = ""
    ) -> tuple[int, http.client.HTTPMessage, bytes]:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        headers = {"Cookie": login, "Sec-Fetch-Site": "same-origin"} if login else {}
        if body is not None:
            headers["Content-Type"] = "application/json"
        try:
            connection.request(
                method, path, json.dumps(body) if body is not None else None, headers
            )
            reply = connection.getresponse()
            return reply.status, reply.headers, reply.read()
        finally:
            connection.close()

    def sign_in(self, email: str) -> tuple[str, Any]:
        """The cookie, and who that is."""
        asked = {"email": email, "password": self.password, "device": "a test"}
        status, fields, body = self.ask("POST", "/api/sign-in", asked)
        assert status == 200, body
        return fields["Set-Cookie"].partition(";")[0], json.loads(body)

    def stop(self) -> int:
        self.process.send_signal(signal.SIGTERM)
        return self.process.wait(PATIENCE)


@contextmanager
def demo(*arguments: str) -> Iterator[Demo]:
    command = [sys.executable, "-m", "cli.main", "demo", *arguments, "--port", "0"]
    process = subprocess.Popen(
        command, cwd=ROOT, env=_own_databases(), stdout=subprocess.PIPE, text=True
    )
    try:
        said = ""
        assert process.stdout is not None
        for line in process.stdout:
            said += line
            if found := re.search(r"serves .* at http://127\.0\.0\.1:(\d+)/", line):
                yield Demo(process, said, int(found[1]))
                return
        raise AssertionError(f"it ended: {said}")
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


def _own_databases() -> dict[str, str]:
    theirs = ("VOD_REDIS_URL", "VOD_DATABASE_URL", "VOD_TOKEN_KEY_FILE")
    return {name: value for name, value in os.environ.items() if name not in theirs}


@pytest.fixture
def data() -> Iterator[Path]:
    with server_folder() as folder:
        yield folder / "data"


def test_all_of_it_runs_on_servers_of_its_own_and_goes_on_where_it_was(
    films: Path, data: Path
) -> None:
    with demo(str(films), "--data", str(data)) as first:
        assert json.loads(first.ask("GET", "/api/status")[2])["accounts"] is True
        assert first.ask("GET", "/v/city/master.m3u8")[0] == 403  # nobody without a token
        login, person = first.sign_in("viewer@example.com")
        profile = person["profiles"][0]["id"]
        wanted = {"title": "city", "profile": profile, "device": "a test"}
        status, _, body = first.ask("POST", "/api/playback", wanted, login)
        assert status == 201, body
        started = json.loads(body)
        assert first.ask("GET", started["hls"])[0] == 200
        ended = f"/api/playback/{started['session']}?position=7.5"
        assert first.ask("DELETE", ended, None, login)[0] == 204
        pids = [int((data / name).read_text().split()[0]) for name in PID_FILES]
        assert all(map(_runs, pids))
        assert first.stop() == 0
    assert not any(map(_runs, pids))

    with demo(str(films), "--data", str(data)) as second:
        assert second.password == first.password
        login, person = second.sign_in("viewer@example.com")
        assert person["profiles"][0]["id"] == profile
        status, _, body = second.ask("POST", "/api/playback", wanted, login)
        assert (status, json.loads(body)["resume"]) == (201, 7.5)
        assert second.sign_in("admin@example.com")[1]["account"]["role"] == "admin"
    assert _is_private(data / "password")
    assert _is_private(data / "token-keys")


PID_FILES = ("valkey/valkey.pid", "postgres/data/postmaster.pid")


def _runs(pid: int) -> bool:
    return Path(f"/proc/{pid}").exists()


def _is_private(path: Path) -> bool:
    return path.stat().st_mode & 0o077 == 0


def test_a_database_that_is_not_there_is_one_line(films: Path, data: Path, tmp_path: Path) -> None:
    url = f"postgresql://vod@/vod?host={tmp_path}"
    ended = subprocess.run(
        [sys.executable, "-m", "cli.main", "demo", str(films), "--data", str(data)],
        cwd=ROOT,
        env=_own_databases() | {"VOD_DATABASE_URL": url},
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert ended.returncode == 2
    assert ended.stderr.startswith("vod-origin: ")
    assert "database" in ended.stderr
    assert "Traceback" not in ended.stderr
