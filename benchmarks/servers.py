"""A server that is measured: what a client needs to know of it, its start, and its end by its
pid."""

from __future__ import annotations

import socket
import subprocess
import time
from collections.abc import Callable, Collection, Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field
from pathlib import Path
from typing import TypeVar

from benchmarks.machine import cores, on_cores

T = TypeVar("T")

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0


class ServerFailed(Exception):
    """A server did not start, or ended; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """``program``: with its version, as far as known. ``pid``: of the process whose CPU and memory,
    children included, are the server's; None for one that somebody else runs. ``cores``: what it is
    held to. ``behind``: of the process that it has its bytes from, if that is held to the client's
    core. ``certificate``: it speaks TLS and is known by this file. ``base``: stands before each
    path. ``tokens``: by title, for a server that wants them. ``revisions``: of titles, by those
    that are meant."""

    name: str
    program: str
    host: str
    port: int
    pid: int | None
    cores: Collection[int] = ()
    behind: int | None = None
    certificate: Path | None = None
    base: str = ""
    tokens: Mapping[str, str] = field(default_factory=dict, repr=False)
    revisions: Mapping[str, str] = field(default_factory=dict)

    @property
    def scheme(self) -> str:
        return "http" if self.certificate is None else "https"

    def address(self, path: str) -> str:
        """What this server is asked for when ``/v/{title}/…`` is meant."""
        names = path.split("/")
        token = self.tokens.get(names[2])
        names[3:4] = [self.revisions.get(name, name) for name in names[3:4]]
        own = "/".join(names)
        return f"{self.base}/t/{token}{own}" if token else self.base + own


@contextmanager
def running(
    command: list[str],
    log: Path,
    environment: dict[str, str] | None = None,
    *,
    held_to: Collection[int] | None = None,
) -> Iterator[subprocess.Popen[bytes]]:
    """On the server's core, or those of ``held_to``; what it says goes to ``log``."""
    with log.open("wb") as output, on_cores(held_to or {cores()[0]}):
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
    try:
        yield process
    except Exception as error:
        if isinstance(error, ServerFailed) or not _has_ended(process):
            raise
        raise ServerFailed(f"{process.args!r} ended. {_said(log)}") from error
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if (found := ready()) is not None:
            return found
        time.sleep(0.05)
    raise ServerFailed(f"{process.args!r} did not start. {_said(log)}")


def _has_ended(process: subprocess.Popen[bytes]) -> bool:
    """Its connections are gone a moment before it is."""
    try:
        process.wait(1.0)
    except subprocess.TimeoutExpired:
        return False
    return True


def _said(log: Path) -> str:
    return f"It said:\n{log.read_text(errors='replace').strip()[-2000:]}"


def accepts(port: int) -> int | None:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except ConnectionRefusedError:
        return None
    return port


def free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port
