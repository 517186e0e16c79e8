"""nginx as the yardstick, and as a quick storage: one worker that sends files from memory, or what
another server sends it, as fast as it can."""

from __future__ import annotations

import grp
import os
import pwd
import shutil
import subprocess
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

from benchmarks.certificates import Certificate
from benchmarks.machine import cores, raise_file_limit
from benchmarks.servers import HOST, Server, accepts, free_port, running, wait_for

CONF = """\
{user}
worker_processes 1;
worker_rlimit_nofile {files};
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
    {upstreams}
    server {{ listen {host}:{port} backlog=4096{tls}; {places} }}
}}
"""
TLS = """ ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key}"""


@contextmanager
def nginx(root: Path, scratch: Path, certificate: Certificate | None = None) -> Iterator[Server]:
    """``root`` as static files."""
    with run_nginx("nginx", f"root {root.resolve()};", scratch, certificate=certificate) as server:
        yield server


@contextmanager
def run_nginx(
    name: str,
    places: str,
    scratch: Path,
    *,
    upstreams: str = "",
    certificate: Certificate | None = None,
    core: int | None = None,
) -> Iterator[Server]:
    """``places`` and ``upstreams`` are of its configuration; on the servers' core if on no other.
    Raises ``FileNotFoundError`` where there is no nginx."""
    program = nginx_program()
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    prefix = scratch / name.replace(" ", "-")
    prefix.mkdir(exist_ok=True)
    port = free_port()
    log = prefix / "error.log"
    log.unlink(missing_ok=True)
    conf = _conf(places, upstreams, port, certificate)
    (prefix / "nginx.conf").write_text(conf, encoding="utf-8")
    command = [program, "-p", f"{prefix.resolve()}/", "-c", "nginx.conf", "-e", "error.log"]
    held_to = {cores()[0] if core is None else core}
    with running(command, log, held_to=held_to) as process:
        wait_for(process, log, lambda: accepts(port))
        yield Server(
            name=name,
            program=f"nginx {_version(program)}",
            host=HOST,
            port=port,
            pid=process.pid,
            cores=held_to,
            certificate=certificate.certificate if certificate else None,
        )


def nginx_program() -> str | None:
    # Debian has it where only root's PATH leads.
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _conf(places: str, upstreams: str, port: int, certificate: Certificate | None) -> str:
    tls = (
        TLS.format(certificate=certificate.certificate, key=certificate.key) if certificate else ""
    )
    return CONF.format(
        user=_user_line(),
        files=raise_file_limit(),
        host=HOST,
        port=port,
        tls=tls,
        places=places,
        upstreams=upstreams,
    )


def _user_line() -> str:
    """A master that is root would give its worker another user, who may not read the files."""
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getegid()).gr_name};"


def _version(program: str) -> str:
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2]
