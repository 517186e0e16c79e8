"""Which URLs a workload asks for, and the same bytes as static files for a server of files."""

from __future__ import annotations

import os
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException
from pathlib import Path
from urllib.parse import urljoin

from benchmarks.load import CDN_FIELDS
from benchmarks.servers import Server
from benchmarks.workloads import Asks, Workload

MAX_SEGMENTS = 64
"""1080p: 240 MB in each server's files, more than a processor caches, less than memory holds."""
_SHORT_ONES = 2  # the first segments are shorter, for players to start on


class WrongAnswer(Exception):
    """A server does not answer with the bytes that the others answer."""


class Reader:
    """Whole bodies from one server, on one connection."""

    def __init__(self, server: Server, connection: HTTPConnection) -> None:
        self._server = server
        self._connection = connection
        self._fields = dict(line.split(": ", 1) for line in CDN_FIELDS)

    def get(self, path: str) -> bytes:
        try:
            self._connection.request("GET", path, headers=self._fields)
            response = self._connection.getresponse()
            body = response.read()
        except (HTTPException, OSError) as error:
            raise WrongAnswer(f"{self._server.name} does not answer {path}: {error!r}") from error
        if response.status != 200:
            raise WrongAnswer(f"{self._server.name} answers {response.status} to {path}")
        return body


@contextmanager
def reading(server: Server) -> Iterator[Reader]:
    connection = HTTPConnection(server.host, server.port, timeout=60)
    try:
        yield Reader(server, connection)
    finally:
        connection.close()


def find_paths(workload: Workload, reader: Reader) -> tuple[str, ...]:
    """Paths from the server's own manifests."""
    master = f"/v/{workload.title.id}/master.m3u8"
    playlist = _uris(reader, master)[0]
    if workload.asks is Asks.PLAYLIST:
        return (playlist,)
    return tuple(_spread(_uris(reader, playlist)[_SHORT_ONES:-1]))


def copy(paths: Sequence[str], reader: Reader, root: Path) -> None:
    """Each path's body as a file below ``root``, on the disk when this returns."""
    for path in paths:
        file, body = root / path.lstrip("/"), reader.get(path)
        if not file.is_file() or file.read_bytes() != body:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)
    os.sync()


def check_same(paths: Sequence[str], ours: Reader, theirs: Reader) -> int:
    """Bytes of all bodies; raises ``WrongAnswer`` at the first that differs."""
    total = 0
    for path in paths:
        body = ours.get(path)
        if theirs.get(path) != body:
            raise WrongAnswer(f"the servers answer {path} with different bytes")
        total += len(body)
    return total


def _uris(reader: Reader, playlist: str) -> list[str]:
    lines = reader.get(playlist).decode().splitlines()
    return [urljoin(playlist, line) for line in lines if line and not line.startswith("#")]


def _spread(paths: Sequence[str]) -> Sequence[str]:
    """Up to ``MAX_SEGMENTS``, evenly over the title."""
    count = min(MAX_SEGMENTS, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]
