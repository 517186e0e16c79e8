"""Worker processes, with real ones: crashes, stops, hangs and the end of the parent."""

from __future__ import annotations

import contextlib
import http.client
import os
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from pathlib import Path

import pytest

PROGRAM = Path(__file__).parent / "working.py"
FORKING = PROGRAM.with_name("forking.py")
ROOT = PROGRAM.parents[2]
PATIENCE = 30.0
SIZE = 24 << 20


class Running:
    """A started ``working.py``, in a process group of its own."""

    def __init__(self, count: int, path: Path, *arguments: str, program: Path = PROGRAM) -> None:
        self.log = path.with_suffix(".log")
        with self.log.open("w") as log:
            self.process = subprocess.Popen(
                [sys.executable, str(program), str(count), str(path), *arguments],
                cwd=ROOT,
                env=os.environ | {"PYTHONPATH": str(ROOT)},
                stdout=subprocess.PIPE,
                stderr=log,
                text=True,
                start_new_session=True,
            )
        assert self.process.stdout is not None
        self.port = int(self.process.stdout.readline())

    def pid(self) -> int:
        """The process that answers a new connection."""
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        try:
            connection.request("GET", "/pid", headers={"Connection": "close"})
            return int(connection.getresponse().read())
        finally:
            connection.close()

    def workers(self, count: int) -> set[int]:
        """The pids of ``count`` workers, once that many have answered."""
        found: set[int] = set()

        def all_have_answered() -> bool:
            found.add(self.pid())
            return len(found) == count

        until(all_have_answered, every=0.0)
        return found

    def download(self) -> socket.socket:
        """A connection that has begun to receive the large file, slowly."""
        sock = socket.socket()
        sock.setsockopt(socket.SOL_SOCKET, socket.SO_RCVBUF, 4096)
        sock.settimeout(PATIENCE)
        sock.connect(("127.0.0.1", self.port))
        sock.sendall(b"GET /v/large HTTP/1.1\r\nHost: a\r\n\r\n")
        assert sock.recv(12, socket.MSG_WAITALL) == b"HTTP/1.1 200"
        return sock

    def stop(self, number: signal.Signals = signal.SIGTERM) -> None:
        self.process.send_signal(number)

    def status(self) -> int:
        return self.process.wait(PATIENCE)

    def end(self) -> None:
        """Leave nothing behind, whatever the test has shown."""
        with contextlib.suppress(ProcessLookupError):
            os.killpg(self.process.pid, signal.SIGKILL)
        self.process.wait(PATIENCE)
        assert self.process.stdout is not None
        self.process.stdout.close()


def until(condition: Callable[[], bool], *, every: float = 0.02) -> None:
    end = time.monotonic() + PATIENCE
    while not condition():
        assert time.monotonic() < end, "it never happens"
        time.sleep(every)


def is_alive(pid: int) -> bool:
    """Whether it runs; a zombie does not."""
    try:
        return Path(f"/proc/{pid}/stat").read_text().rsplit(")", 1)[1].split()[0] != "Z"
    except FileNotFoundError:
        return False


@pytest.fixture
def start(tmp_path: Path) -> Iterator[Callable[..., Running]]:
    started: list[Running] = []
    path = tmp_path / "large"
    path.write_bytes(bytes(range(256)) * (SIZE // 256))

    def start(count: int, *arguments: str, program: Path = PROGRAM) -> Running:
        started.append(Running(count, path, *arguments, program=program))
        return started[-1]

    yield start
    for running in started:
        running.end()


def rest(sock: socket.socket) -> bytes:
    received = bytearray()
    while data := sock.recv(1 << 20):
        received += data
    return bytes(received).partition(b"\r\n\r\n")[2]


def test_one_worker_is_the_process_itself(start: Callable[..., Running]) -> None:
    running = start(1)
    assert running.pid() == running.process.pid
    running.stop()
    assert running.status() == 0


@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_stop_leaves_nobody(start: Callable[..., Running], number: signal.Signals) -> None:
    running = start(3)
    pids = running.workers(3)
    assert running.process.pid not in pids
    running.stop(number)
    assert running.status() == 0
    assert not any(map(is_alive, pids))


def test_a_killed_worker_is_replaced_and_the_others_serve_on(start: Callable[..., Running]) -> None:
    running = start(2)
    victim, survivor = running.workers(2)
    time.sleep(1.2)  # longer than what counts as a quick death
    os.kill(victim, signal.SIGKILL)
    failures = 0
    answered: set[int] = set()

    def is_replaced() -> bool:
        nonlocal failures
        try:
            answered.add(running.pid())
        except (OSError, http.client.HTTPException):
            failures += 1  # it was in the hands of the one that died
        return len(answered - {victim, survivor}) == 1

    until(is_replaced, every=0.005)
    assert failures <= 1
    assert survivor in answered
    assert not is_alive(victim)
    running.stop()
    assert running.status() == 0
    assert "ended by signal 9; next in 0.0 s" in running.log.read_text()


@pytest.mark.parametrize("count", [1, 2])
def test_a_stop_waits_for_a_download(start: Callable[..., Running], count: int) -> None:
    running = start(count)
    pids = running.workers(count)
    with running.download() as sock:
        running.stop()
        until(lambda: not _accepts(running.port))
        assert running.process.poll() is None
        body = rest(sock)
    assert body == bytes(range(256)) * (SIZE // 256)
    assert running.status() == 0
    assert not any(map(is_alive, pids))


def _accepts(port: int) -> bool:
    """Whether a new connection gets an answer; the parent's socket still takes it in."""
    with contextlib.suppress(OSError), socket.create_connection(("127.0.0.1", port), 0.2) as sock:
        sock.settimeout(0.2)
        sock.sendall(b"GET /pid HTTP/1.1\r\nHost: a\r\n\r\n")
        return bool(sock.recv(1))
    return False


@pytest.mark.parametrize("count", [1, 2])
@pytest.mark.parametrize("number", [signal.SIGTERM, signal.SIGINT])
def test_a_second_stop_does_not_wait(
    start: Callable[..., Running], count: int, number: signal.Signals
) -> None:
    running = start(count)
    pids = running.workers(count)
    with running.download():
        running.stop(number)
        until(lambda: not _accepts(running.port))
        assert running.process.poll() is None
        running.stop(number)
        assert running.status() > 128
    assert not any(map(is_alive, pids))


@pytest.mark.parametrize("count", [1, 2])
def test_an_interrupt_of_a_terminal_counts_once(start: Callable[..., Running], count: int) -> None:
    """It goes to the parent and to the workers, and each waits for its downloads."""
    running = start(count)
    running.workers(count)
    with running.download() as sock:
        os.killpg(running.process.pid, signal.SIGINT)
        until(lambda: not _accepts(running.port))
        assert rest(sock) == bytes(range(256)) * (SIZE // 256)
    assert running.status() == 0


def test_a_stop_while_a_worker_is_being_made(start: Callable[..., Running]) -> None:
    assert start(2, program=FORKING).status() == 0


def test_a_worker_that_never_ends_is_ended(start: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "large.block").touch()
    running = start(2, "2.5")
    pids = running.workers(2)
    running.stop()
    assert running.status() == 0
    assert not any(map(is_alive, pids))
    assert running.log.read_text().count("hangs; ending it") == 2


def test_no_orphan_outlives_the_parent(start: Callable[..., Running]) -> None:
    running = start(2)
    pids = running.workers(2)
    running.process.kill()
    running.status()
    until(lambda: not any(map(is_alive, pids)))


def test_a_worker_that_hangs_is_replaced(start: Callable[..., Running]) -> None:
    running = start(2, "2.5")
    pids = running.workers(2)
    victim = min(pids)
    os.kill(victim, signal.SIGSTOP)
    until(lambda: not is_alive(victim))
    assert len(running.workers(2) - {victim}) == 2
    assert f"({victim}) hangs" in running.log.read_text()
    running.stop()
    assert running.status() == 0


def test_a_worker_that_keeps_failing_is_started_ever_later(
    start: Callable[..., Running], tmp_path: Path
) -> None:
    crash = tmp_path / "large.crash"
    crash.touch()
    running = start(2)
    until(lambda: "next in 1.0 s" in running.log.read_text())
    log = running.log.read_text()
    assert "told to crash" in log
    assert "ended with status 1; next in 0.5 s" in log
    crash.unlink()
    running.workers(2)
    running.stop()
    assert running.status() == 0


def test_a_stop_while_workers_fail(start: Callable[..., Running], tmp_path: Path) -> None:
    (tmp_path / "large.crash").touch()
    running = start(2)
    until(lambda: "told to crash" in running.log.read_text())
    running.stop()
    assert running.status() == 0
