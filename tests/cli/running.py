"""``vod-origin serve`` as a process of its own."""

from __future__ import annotations

import http.client
import os
import re
import signal
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from pathlib import Path

import orjson

from tests.support.certificates import trusting

ROOT = Path(__file__).parents[2]
PATIENCE = 30


class Running:
    """``address`` is what it printed."""

    def __init__(self, process: subprocess.Popen[str], address: str) -> None:
        self.process = process
        self.address = address
        found = re.fullmatch(r"(https?)://(\[.+\]|[^:]+):(\d+)/", address)
        assert found is not None, address
        self.secure = found[1] == "https"
        self.host, self.port = found[2].strip("[]"), int(found[3])

    def connect(self) -> http.client.HTTPConnection:
        if self.secure:
            return http.client.HTTPSConnection(
                self.host, self.port, timeout=PATIENCE, context=trusting()
            )
        return http.client.HTTPConnection(self.host, self.port, timeout=PATIENCE)

    def get(self, path: str) -> tuple[int, bytes]:
        """Over a connection of its own."""
        connection = self.connect()
        try:
            connection.request("GET", path)
            reply = connection.getresponse()
            return reply.status, reply.read()
        finally:
            connection.close()

    def workers(self) -> list[int]:
        """The process ids of its children."""
        children = Path(f"/proc/{self.process.pid}/task/{self.process.pid}/children")
        return [int(pid) for pid in children.read_text(encoding="ascii").split()]

    def until(self, condition: Callable[[], bool]) -> None:
        for _ in range(PATIENCE * 100):
            if condition():
                return
            time.sleep(0.01)
        raise AssertionError("it did not happen")

    def stop(self, number: int = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def ended(self) -> tuple[int, str]:
        """Exit status and what was said on standard error, once it has ended."""
        _, errors = self.process.communicate(timeout=PATIENCE)
        return self.process.returncode, errors


@contextmanager
def serving(
    library: Path | str, *options: str, descriptors: str = "", **environment: str
) -> Iterator[Running]:
    """``descriptors``: what ``ulimit`` is told of open files; ``-Sn 64`` is a soft limit."""
    command = [sys.executable, "-m", "cli.main", "serve", str(library), "--port", "0", *options]
    if descriptors:
        command = ["sh", "-c", f'ulimit {descriptors}; exec "$0" "$@"', *command]
    process = subprocess.Popen(
        command,
        cwd=ROOT,
        env=os.environ | environment,
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
    )
    try:
        assert process.stdout is not None
        line = process.stdout.readline()
        found = re.search(r"https?://\S+", line)
        assert found is not None, f"{line!r} {process.communicate(timeout=PATIENCE)}"
        yield Running(process, found[0])
    finally:
        if process.poll() is None:
            process.terminate()
        process.communicate(timeout=PATIENCE)


@contextmanager
def bucket(folder: Path) -> Iterator[tuple[subprocess.Popen[bytes], str, dict[str, str]]]:
    """A bucket of the folder: its process, its location, and the settings that lead there."""
    command = [sys.executable, "-m", "tests.support.s3_server", str(folder)]
    with subprocess.Popen(command, cwd=ROOT, stdout=subprocess.PIPE) as process:
        try:
            assert process.stdout is not None
            where = orjson.loads(process.stdout.readline())
            environment = {
                "VOD_S3_ENDPOINT": where["endpoint"],
                "VOD_S3_REGION": where["region"],
                "AWS_ACCESS_KEY_ID": where["access_key"],
                "AWS_SECRET_ACCESS_KEY": where["secret_key"],
            }
            yield process, f"s3://{where['bucket']}", environment
        finally:
            process.kill()
