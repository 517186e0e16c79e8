"""nginx as the yardstick: one worker that sends files from memory, as fast as it can."""

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
    server {{ listen {host}:{port} backlog=4096{tls}; root {root}; }}
}}
"""
TLS = """ ssl;
        ssl_protocols TLSv1.2 TLSv1.3;
        ssl_certificate {certificate};
        ssl_certificate_key {key}"""


@contextmanager
def nginx(root: Path, scratch: Path, certificate: Certificate | None = None) -> Iterator[Server]:
    """``root`` as static files; raises ``FileNotFoundError`` where there is no nginx."""
    program = nginx_program()
    if program is None:
        raise FileNotFoundError("nginx is not installed")
    prefix = scratch / "nginx"
    prefix.mkdir(exist_ok=True)
    port = free_port()
    log = prefix / "error.log"
    log.unlink(missing_ok=True)
    (prefix / "nginx.conf").write_text(_conf(root, port, certificate), encoding="utf-8")
    command = [program, "-p", f"{prefix.resolve()}/", "-c", "nginx.conf", "-e", "error.log"]
    with running(command, log) as process:
        wait_for(process, log, lambda: accepts(port))
        yield Server(
            name="nginx",
            program=f"nginx {_version(program)}",
            host=HOST,
            port=port,
            pid=process.pid,
            cores={cores()[0]},
            certificate=certificate.certificate if certificate else None,
        )


def nginx_program() -> str | None:
    # Debian has it where only root's PATH leads.
    return shutil.which("nginx", path=f"{os.environ.get('PATH', os.defpath)}:/usr/sbin")


def _conf(root: Path, port: int, certificate: Certificate | None) -> str:
    tls = (
        TLS.format(certificate=certificate.certificate, key=certificate.key) if certificate else ""
    )
    return CONF.format(
        user=_user_line(),
        files=raise_file_limit(),
        host=HOST,
        port=port,
        tls=tls,
        root=root.resolve(),
    )


def _user_line() -> str:
    """A master that is root would give its worker another user, who may not read the files."""
    if os.geteuid() != 0:
        return ""
    return f"user {pwd.getpwuid(0).pw_name} {grp.getgrgid(os.getegid()).gr_name};"


def _version(program: str) -> str:
    said = subprocess.run([program, "-v"], capture_output=True, text=True, check=True).stderr
    return said.strip().rpartition("/")[2]
