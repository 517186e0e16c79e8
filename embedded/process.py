"""A server as a child process.

It ends when it is told to, and on Linux also when whoever started it dies, however that happens.
Elsewhere one that was left behind is found by its pid file at the next start in its folder, and
ended. For root it runs as ``nobody``, who owns its folder then. Where ``nobody`` cannot enter, as
below /root, it is in a folder elsewhere, to which a link leads, with a copy of its programs.
"""

from __future__ import annotations

import ctypes
import os
import pwd
import shutil
import signal
import subprocess
import sys
import tempfile
import time
from collections.abc import Callable, Sequence
from dataclasses import dataclass
from pathlib import Path
from typing import Any

PATIENCE_SECONDS = 20.0
LOOK_SECONDS = 0.01
SOCKET_BYTES = 107
"""The longest path of a Unix socket (sun_path)."""

_PR_SET_PDEATHSIG = 1
_ELSEWHERE = "elsewhere"
_KEPT = Path("/var/tmp")  # what is there outlives a restart of the machine


class CannotStart(Exception):
    """A server does not start; the message says what to do about it."""


@dataclass(frozen=True, slots=True)
class Server:
    """A running server; ``url``: where clients find it; ``ends_by``: the signal that stops it."""

    process: subprocess.Popen[bytes]
    url: str
    ends_by: signal.Signals

    @property
    def pid(self) -> int:
        return self.process.pid

    def stop(self) -> None:
        """Have it end, and wait for that."""
        if self.process.poll() is None:
            self.process.send_signal(self.ends_by)
            try:
                self.process.wait(PATIENCE_SECONDS)
            except subprocess.TimeoutExpired:
                self.process.kill()
                self.process.wait()

    def __enter__(self) -> Server:
        return self

    def __exit__(self, *_: object) -> None:
        self.stop()


def own_folder(folder: Path, socket_name: str) -> Path:
    """``folder``, or the one instead of it: it is there, and whoever runs the server has it."""
    folder = folder.resolve()
    folder.mkdir(mode=0o700, parents=True, exist_ok=True)
    if os.geteuid() == 0:
        _give_to_nobody(folder)
        if not _is_reached(folder):
            folder = _elsewhere(folder / _ELSEWHERE)
    if len(os.fsencode(folder / socket_name)) > SOCKET_BYTES:
        raise CannotStart(f"{folder}: too long a path for the socket of a server")
    return folder


def _elsewhere(link: Path) -> Path:
    """The folder that ``link`` leads to: that of last time, if it is still there."""
    if link.is_symlink() and _is_reached(link.resolve()):
        return link.resolve()
    for place in (_KEPT, Path(tempfile.gettempdir())):
        if _is_reached(place):
            made = Path(tempfile.mkdtemp(prefix="vod-origin-", dir=place))
            _give_to_nobody(made)
            link.unlink(missing_ok=True)
            link.symlink_to(made)
            return made
    raise CannotStart(f"{link.parent}: 'nobody' cannot enter, and {_KEPT} neither")


def within_reach(package: Path, program: str, folder: Path) -> Path:
    """The ``program`` of a ``package``; that of a copy in ``folder``, where ``nobody`` is to run it
    and cannot reach it."""
    if _is_reached(package / program):
        return package / program
    copies = folder / "programs"
    shutil.rmtree(copies, ignore_errors=True)
    for part in (package, package.with_name(f"{package.name}.libs")):  # as auditwheel names them
        if part.exists():
            shutil.copytree(part, copies / part.name)
    for path in (copies, *copies.rglob("*")):  # a strict umask may have closed these, too
        mode = path.stat().st_mode
        path.chmod(mode | (0o555 if mode & 0o100 else 0o444))
    return copies / package.name / program


def _give_to_nobody(folder: Path) -> None:
    nobody = pwd.getpwnam("nobody")
    os.chown(folder, nobody.pw_uid, nobody.pw_gid)


def _is_reached(path: Path) -> bool:
    """Whether it may be entered, or run, by whoever runs the server."""
    asked = ["/bin/sh", "-c", 'test -x "$1"', "sh", str(path)]
    return subprocess.run(asked, cwd="/", check=False, **unprivileged()).returncode == 0


def unprivileged() -> dict[str, Any]:
    """What ``subprocess`` is told so that a server does not run as root."""
    if os.geteuid() != 0:
        return {}
    nobody = pwd.getpwnam("nobody")
    return {"user": nobody.pw_uid, "group": nobody.pw_gid, "extra_groups": []}


def start(
    command: Sequence[str], folder: Path, url: str, ends_by: signal.Signals, log: Path
) -> Server:
    """Start it in ``folder``; what it says is in ``log``."""
    with open(log, "ab") as file:
        try:
            process = subprocess.Popen(
                command,
                cwd=folder,
                stdin=subprocess.DEVNULL,
                stdout=file,
                stderr=file,
                start_new_session=True,  # an interrupt at the terminal is not its own affair
                preexec_fn=_dying_with_parent(ends_by),
                **unprivileged(),
            )
        except PermissionError as error:
            raise CannotStart(
                f"{error.filename}: not to be reached by 'nobody', who runs the server for root; "
                "start as another user"
            ) from error
    return Server(process, url, ends_by)


def wait_until(server: Server, answers: Callable[[], bool], log: Path) -> None:
    end = time.monotonic() + PATIENCE_SECONDS
    while not answers():
        if server.process.poll() is not None or time.monotonic() > end:
            server.stop()
            said = log.read_text(errors="replace").strip().splitlines()[-5:]
            raise CannotStart("a server does not start: " + " / ".join(said))
        time.sleep(LOOK_SECONDS)


def end_left_behind(pid_file: Path, program: str, ends_by: signal.Signals) -> None:
    """End the server that ``pid_file`` is of, if there still is one."""
    try:
        pid = int(pid_file.read_text().split()[0])
    except (OSError, ValueError, IndexError):
        return
    if not _runs(pid, program):
        return
    os.kill(pid, ends_by)
    end = time.monotonic() + PATIENCE_SECONDS
    while _runs(pid, program):
        if time.monotonic() > end:
            raise CannotStart(f"process {pid}, a {program} that was left behind, does not end")
        time.sleep(LOOK_SECONDS)


def _runs(pid: int, program: str) -> bool:
    """Whether there is such a process, and it is that program: numbers are used again."""
    shown = subprocess.run(
        ["ps", "-o", "stat=,comm=", "-p", str(pid)], capture_output=True, text=True, check=False
    )
    return program in shown.stdout and not shown.stdout.startswith("Z")


def _dying_with_parent(ends_by: signal.Signals) -> Callable[[], None] | None:
    if sys.platform != "linux":
        return None
    libc = ctypes.CDLL(None)  # before the fork

    def arrange() -> None:
        libc.prctl(_PR_SET_PDEATHSIG, int(ends_by), 0, 0, 0)

    return arrange
