"""A real Varnish in front of the origin, as a CDN's edge would stand there."""

from __future__ import annotations

import os
import shutil
import socket
import subprocess
import tempfile
import time
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

VCL = """\
vcl 4.1;

backend origin {{ .host = "127.0.0.1"; .port = "{port}"; }}

# A real edge verifies the token HERE, before it looks into its cache: what follows serves whoever
# comes with any token at all what somebody else was let in to. For these tests only.

sub vcl_recv {{
    if (req.http.X-Fill) {{
        set req.hash_always_miss = true;  # this request fills the cache, whatever it holds
        unset req.http.X-Fill;
    }}
    if (req.url ~ "^/(t/[^/]+/)?v/" && (req.method == "GET" || req.method == "HEAD")) {{
        return (hash);
    }}
    return (pass);
}}

# Every viewer has a path of their own, and all get the same bytes: the token is not in the key, and
# neither is the query, which changes nothing. The origin is asked with both, as the viewer did.
sub vcl_hash {{
    hash_data(regsub(regsub(req.url, "\\?.*$", ""), "^/t/[^/]+/", "/"));
    return (lookup);
}}
"""

PATIENCE = 30


def program() -> str | None:
    """Debian has it where only root looks for programs."""
    return shutil.which("varnishd", path=f"{os.environ.get('PATH', '')}:/usr/sbin")


@contextmanager
def varnish(origin_port: int) -> Iterator[int]:
    """The port of one that asks the origin at ``origin_port``."""
    varnishd = program()
    assert varnishd is not None
    with tempfile.TemporaryDirectory(prefix="vod-varnish-") as name:
        folder = Path(name)
        folder.chmod(0o755)  # its worker is another user, where it can be
        vcl = folder / "edge.vcl"
        vcl.write_text(VCL.format(port=origin_port), encoding="ascii")
        port = _free_port()
        command = [varnishd, "-F", "-n", str(folder / "work"), "-f", str(vcl)]
        command += ["-a", f"127.0.0.1:{port}", "-s", "malloc,64m", "-T", "none"]
        command += ["-p", "thread_pool_min=10", "-p", "vsl_space=1m"]
        log = folder / "log"
        with log.open("wb") as said:
            process = subprocess.Popen(command, stdout=said, stderr=said)
        try:
            _until_it_answers(process, port, log)
            yield port
        finally:
            process.terminate()
            process.wait(PATIENCE)


def _free_port() -> int:
    with socket.create_server(("127.0.0.1", 0)) as sock:
        port: int = sock.getsockname()[1]
        return port


def _until_it_answers(process: subprocess.Popen[bytes], port: int, log: Path) -> None:
    for _ in range(PATIENCE * 100):
        assert process.poll() is None, log.read_text(errors="replace")
        try:
            socket.create_connection(("127.0.0.1", port), 1).close()
        except OSError:
            time.sleep(0.01)
        else:
            return
    raise AssertionError(log.read_text(errors="replace"))
