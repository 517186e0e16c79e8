"""A real Valkey and a real PostgreSQL, as fixtures and with what may befall them."""

from __future__ import annotations

import os
import signal
import tempfile
from collections.abc import Iterator
from contextlib import contextmanager
from pathlib import Path

import pytest

from embedded.postgres import start_postgres
from embedded.process import Server
from embedded.valkey import start_valkey


@contextmanager
def server_folder() -> Iterator[Path]:
    """One that ``nobody``, as whom servers run for root, can reach; pytest's own are closed."""
    with tempfile.TemporaryDirectory(prefix="vod-") as folder:
        os.chmod(folder, 0o755)
        yield Path(folder)


@pytest.fixture(scope="session")
def valkey() -> Iterator[Server]:
    with server_folder() as folder, start_valkey(folder / "valkey") as server:
        yield server


@pytest.fixture(scope="session")
def postgres() -> Iterator[Server]:
    with server_folder() as folder, start_postgres(folder / "postgres", "-F") as server:
        yield server


@contextmanager
def frozen(server: Server) -> Iterator[None]:
    """It takes connections meanwhile, and answers none."""
    pids = _family(server.pid)
    for pid in pids:
        os.kill(pid, signal.SIGSTOP)
    try:
        yield
    finally:
        for pid in pids:
            os.kill(pid, signal.SIGCONT)


def _family(pid: int) -> list[int]:
    """The process and its children: PostgreSQL has one for each connection."""
    children = Path(f"/proc/{pid}/task/{pid}/children").read_text(encoding="ascii").split()
    return [pid, *map(int, children)]
