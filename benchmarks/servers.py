"""The servers that are measured: each one process of service on one core, ended by its pid."""

from __future__ import annotations

import grp
import os
import pwd
import re
import shutil
import socket
import subprocess
import sys
import time
from collections.abc import Callable, Iterator
from contextlib import contextmanager
from dataclasses import dataclass
from importlib.metadata import PackageNotFoundError, version
from pathlib import Path
from typing import TypeVar

from benchmarks.machine import cores, on_core

T = TypeVar("T")

HOST = "127.0.0.1"
START_SECONDS = 30.0
STOP_SECONDS = 10.0

NGINX_CONF = """\
{user}
worker_processes 1;
daemon off;
pid nginx.pid;
error_log error.log;
events {{ worker_connections 20000; }}
http {{
    access_log off;
    sendfile on;
    tcp_nopush on;
    keepalive_requests 1000000;
    open_file_cache max=10000 inactive=1h;
    open_file_cache_valid 1h;
    client_body_temp_path body;
    proxy_temp_path proxy;
    fastcgi_temp_path fastcgi;
    uwsgi_temp_path uwsgi;
    scgi_temp_path scgi;
    types {{ video/mp4 m4s; application/vnd.apple.mpegurl m3u8; }}
    server {{ listen {host}:{port} backlog=4096; root {root}; }}
}}
"""


class ServerFailed(Exception):
    """A server did not start; the message ends with what it said."""


@dataclass(frozen=True, slots=True)
class Server:
    """``pid``: of the process whose CPU, children included, is the server's."""

    name: str
    version: str
    host: str
    port: int
    pid: int


@contextmanager
def vod_origin(library: Path, scratch: Path) -> Iterator[Server]:
    """This checkout's, whichever may be installed."""
    run = "from cli.main import main; raise SystemExit(main())"
    arguments = ["serve", str(library), "--host", HOST, "--port", "0", "--workers", "1"]
    log = scratch / "vod-origin.log"
    environment = os.environ | {"VOD_CACHE_FOLDER": str(scratch.resolve())}
    with _running([sys.executable, "-c", run, *arguments], log, environment) as process:
        port = _wait_for(process, log, lambda: _announced_port(log))
        yield Server("vod-origin", _own_version(), HOST, port, process.pid)


@contextmanager
def nginx(root: Path, scratch: Path) -> Iterator[Server]:
    """``root`` as static files; raises ``FileNotFoundError`` where there is no nginx."""
    program = nginx_program()
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    prefix = scratch / "nginx"
    prefix.mkdir(exist_ok=True)
    port = _free_port()
    log = prefix / "error.log"
    log.unlink(missing_ok=True)
    conf = NGINX_CONF.format(user=_user_line(), host=HOST, port=port, root=root.resolve())
    (prefix / "nginx.conf").write_text(conf, encoding="utf-8")
    command = [program, "-p", f"{prefix.resolve()}/", "-c", "nginx.conf", "-e", "error.log"]
    with _running(command, log) as process:
        _wait_for(process, log, lambda: _accepts(port))
        yield Server("nginx", _nginx_version(program), HOST, port, process.pid)


def nginx_program() -> str | None:
    # Debian has it where only root's PATH leads.
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


@contextmanager
def _running(
    command: list[str], log: Path, environment: dict[str, str] | None = None
) -> Iterator[subprocess.Popen[bytes]]:
    with log.open("wb") as output, on_core(cores()[0]):
        process = subprocess.Popen(
            command, stdout=output, stderr=subprocess.STDOUT, env=environment
        )
    try:
        yield process
    finally:
        process.terminate()
        try:
            process.wait(STOP_SECONDS)
        except subprocess.TimeoutExpired:
            process.kill()
            process.wait()


def _wait_for(process: subprocess.Popen[bytes], log: Path, ready: Callable[[], T | None]) -> T:
    deadline = time.monotonic() + START_SECONDS
    while time.monotonic() < deadline:
        if process.poll() is not None:
            break
        if (found := ready()) is not None:
            return found
        time.sleep(0.05)
    said = log.read_text(errors="replace").strip()[-2000:]
    raise ServerFailed(f"{process.args!r} did not start. It said:\n{said}")


def _announced_port(log: Path) -> int | None:
    found = re.search(r"http://[^\s/]+:(\d+)", log.read_text(errors="replace"))
    return int(found[1]) if found else None


def _accepts(port: int) -> int | None:
    try:
        socket.create_connection((HOST, port), timeout=1).close()
    except ConnectionRefusedError:
        return None
    return port


def _free_port() -> int:
    with socket.create_server((HOST, 0)) as probe:
        port: int = probe.getsockname()[1]
        return port


def _user_line() -> str:
    """A master that is root would give its worker another user, who may not read the files."""
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getegid()).gr_name};"


def _own_version() -> str:
    try:
        return version("vod-origin")
    except PackageNotFoundError:  # run from a checkout that is not installed
        return ""


def _nginx_version(program: str) -> str:
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2]
