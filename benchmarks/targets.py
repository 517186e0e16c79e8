"""Which URLs a workload asks for, and the same bytes as static files for a server of files."""

from __future__ import annotations

import ssl
from collections.abc import Iterator, Sequence
from contextlib import contextmanager
from http.client import HTTPConnection, HTTPException, HTTPSConnection
from pathlib import Path
from urllib.parse import urljoin

from benchmarks.load import CDN_FIELDS
from benchmarks.servers import Server
from benchmarks.workloads import Asks, Workload
from packager.ranges import ByteRange

MAX_SEGMENTS = 64
"""1080p: 240 MB in each server's files, more than a processor caches, less than memory holds."""
_SHORT_ONES = 2  # the first segments are shorter, for players to start on


class WrongAnswer(Exception):
    """A server does not answer with the bytes that the others answer."""


class NoAnswer(WrongAnswer):
    """A server does not answer at all, or not with what was asked for."""


class Reader:
    """Bodies from one server, on one connection; paths are those of a server without tokens."""

    def __init__(self, server: Server, connection: HTTPConnection) -> None:
        self._server = server
        self._connection = connection

    def get(self, path: str, part: ByteRange | None = None) -> bytes:
        fields = dict(line.split(": ", 1) for line in fields_for(part))
        try:
            self._connection.request("GET", self._server.address(path), headers=fields)
            response = self._connection.getresponse()
            body = response.read()
        except (HTTPException, OSError) as error:
            raise NoAnswer(f"{self._server.name} does not answer {path}: {error!r}") from error
        if response.status != status_for(part):
            raise NoAnswer(f"{self._server.name} answers {response.status} to {path}")
        return body


def fields_for(part: ByteRange | None) -> tuple[str, ...]:
    if part is None:
        return CDN_FIELDS
    return (*CDN_FIELDS, f"Range: bytes={part.start}-{part.stop - 1}")


def status_for(part: ByteRange | None) -> int:
    return 200 if part is None else 206


@contextmanager
def reading(server: Server) -> Iterator[Reader]:
    connection = _connection(server)
    try:
        yield Reader(server, connection)
    finally:
        connection.close()


def _connection(server: Server) -> HTTPConnection:
    if server.certificate is None:
        return HTTPConnection(server.host, server.port, timeout=60)
    trust = ssl.create_default_context(cafile=server.certificate)
    return HTTPSConnection(server.host, server.port, timeout=60, context=trust)


def find_paths(workload: Workload, reader: Reader) -> tuple[str, ...]:
    """Paths from the server's own manifests."""
    playlists = media_playlists(workload.title.id, reader)
    if workload.asks is Asks.PLAYLIST:
        return (playlists[0],)
    each = MAX_SEGMENTS // len(playlists)
    return tuple(
        path
        for playlist in playlists
        for path in _spread(_uris(reader, playlist)[_SHORT_ONES:-1], each)
    )


def media_playlists(title: str, reader: Reader) -> list[str]:
    """Of the variants that the title's multivariant playlist lists."""
    return list(dict.fromkeys(_uris(reader, f"/v/{title}/master.m3u8")))


def copy(paths: Sequence[str], reader: Reader, root: Path) -> None:
    """Each path's body as a file below ``root``."""
    for path in paths:
        file, body = root / path.lstrip("/"), reader.get(path)
        if not file.is_file() or file.read_bytes() != body:
            file.parent.mkdir(parents=True, exist_ok=True)
            file.write_bytes(body)


def check_same(
    paths: Sequence[str], ours: Reader, theirs: Reader, part: ByteRange | None = None
) -> int:
    """Bytes of all answers; raises ``WrongAnswer`` at the first that differs."""
    total = 0
    for path in paths:
        body = ours.get(path, part)
        if theirs.get(path, part) != body:
            raise WrongAnswer(f"the servers answer {path} with different bytes")
        total += len(body)
    return total


def _uris(reader: Reader, playlist: str) -> list[str]:
    lines = reader.get(playlist).decode().splitlines()
    return [urljoin(playlist, line) for line in lines if line and not line.startswith("#")]


def _spread(paths: Sequence[str], most: int) -> Sequence[str]:
    """Up to ``most``, evenly over the title."""
    count = min(most, len(paths))
    return [paths[number * len(paths) // count] for number in range(count)]
