"""Who is measured in turn with whom. The first server of a contest is ours, or what costs more;
each of the others is what it is compared with."""

from __future__ import annotations

from collections.abc import Callable, Iterator
from contextlib import AbstractContextManager, contextmanager
from dataclasses import dataclass
from pathlib import Path
from urllib.parse import urlsplit

from benchmarks.certificates import has_openssl, make_certificate
from benchmarks.load import has_wrk
from benchmarks.nginx import nginx, nginx_program
from benchmarks.origins import Variant, vod_origin
from benchmarks.servers import Server

ONE_WORKER = "one worker"
SPARE = 100
"""Connections besides those that are counted."""


@dataclass(frozen=True, slots=True)
class Ground:
    """``static``: bodies as files for nginx; ``scratch``: for logs and the like; ``peer``: one more
    server, by its URL."""

    library: Path
    static: Path
    scratch: Path
    peer: str | None = None


Contest = Callable[[Ground], Iterator[AbstractContextManager[Server]]]
"""Servers that are not started yet; none where something is missing."""


class BadPeer(ValueError):
    """Not a URL that can be measured."""


def beside_nginx(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    yield vod_origin(ground.library, ground.scratch)
    if nginx_program() is not None:
        yield nginx(ground.static, ground.scratch)
    if ground.peer is not None:
        yield peer(ground.peer)


def crowded(ground: Ground, size: int) -> Iterator[AbstractContextManager[Server]]:
    """Servers that let in ``size`` connections: ours by itself allows as many as there are files
    for when all are served at a time. No peer, for nobody knows its memory."""
    yield vod_origin(ground.library, ground.scratch, Variant(connections=size + SPARE))
    if nginx_program() is not None:
        yield nginx(ground.static, ground.scratch)


def over_tls(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    if not has_openssl() or not has_wrk():
        return
    certificate = make_certificate(ground.scratch)
    yield vod_origin(ground.library, ground.scratch, Variant(certificate=certificate))
    if nginx_program() is not None:
        yield nginx(ground.static, ground.scratch, certificate)


def token(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    yield vod_origin(ground.library, ground.scratch, Variant("with tokens"))
    yield vod_origin(ground.library, ground.scratch, Variant("without tokens", token=False))


def telemetry(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    yield vod_origin(ground.library, ground.scratch, Variant("with metrics and log"))
    yield vod_origin(ground.library, ground.scratch, Variant("without either", telemetry=False))


def workers(ground: Ground) -> Iterator[AbstractContextManager[Server]]:
    yield vod_origin(ground.library, ground.scratch, Variant("two workers", workers=2))
    yield vod_origin(ground.library, ground.scratch, Variant(ONE_WORKER))


@contextmanager
def peer(url: str) -> Iterator[Server]:
    """A server that somebody else runs."""
    parts = urlsplit(url)
    try:
        host, port = parts.hostname, parts.port or 80
    except ValueError as error:
        raise BadPeer(f"{url}: {error}") from None
    if parts.scheme != "http" or host is None or parts.query or parts.fragment:
        raise BadPeer(f"{url}: a peer is http://HOST[:PORT][/PATH]")
    base = parts.path.rstrip("/")
    yield Server(name=f"{host}:{port}{base}", program="", host=host, port=port, pid=None, base=base)
