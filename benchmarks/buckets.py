"""A folder as a bucket of S3, on this machine and on the client's core.

``slow_bucket`` is the S3 of the tests: it checks every signature, keeps every answer waiting, and
says what it was asked. It is written in Python, so a load is none for it; ``quick_bucket`` is nginx
with the same objects under the same ETags, which looks at no signature. It passes listings on to
the other, for it cannot make them.
"""

from __future__ import annotations

import json
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass, replace
from importlib.util import find_spec
from pathlib import Path
from tempfile import TemporaryDirectory
from typing import NamedTuple

from benchmarks.machine import cores
from benchmarks.nginx import run_nginx
from benchmarks.servers import running, wait_for

STUB = ("-m", "tests.support.s3_server")
DELAY_MS = 20
COPIES = "segments"
"""The bucket of what nginx and others relay, beside that of the library."""

PLACES = """
    location ~ ^/{bucket}/?$ {{ proxy_pass http://{lists}; proxy_set_header Host $http_host; }}
    location /{bucket}/ {{ alias {library}/; }}
    location /{copies}/ {{ alias {static}/; }}
    location = /count {{ stub_status; }}
"""


class Asked(NamedTuple):
    """One request: GET, HEAD, PUT or LIST; its key or prefix; and when, by the monotonic clock."""

    kind: str
    key: str
    began: float
    ended: float


@dataclass(frozen=True, slots=True)
class Bucket:
    """``pid``: of the process whose CPU time it takes; ``said``: the file in which it says what it
    was asked, one line each behind the first."""

    endpoint: str
    name: str
    region: str
    access_key: str
    secret_key: str
    pid: int
    said: Path

    @property
    def url(self) -> str:
        return f"s3://{self.name}"

    @property
    def environment(self) -> dict[str, str]:
        """What vod-origin has to know of it."""
        return {
            "VOD_S3_ENDPOINT": self.endpoint,
            "VOD_S3_REGION": self.region,
            "AWS_ACCESS_KEY_ID": self.access_key,
            "AWS_SECRET_ACCESS_KEY": self.secret_key,
            "AWS_EC2_METADATA_DISABLED": "true",
        }

    def asked(self) -> Sequence[Asked]:
        """All requests that were answered so far."""
        lines = self.said.read_text(encoding="utf-8").splitlines()[1:]
        return [Asked(**json.loads(line)) for line in lines]


def has_s3() -> bool:
    """Whether the product can read S3, and the tests' own can judge it."""
    return find_spec("aiobotocore") is not None


@contextmanager
def slow_bucket(
    folder: Path, scratch: Path, *, delay_ms: float = DELAY_MS, keep: bool = False
) -> Iterator[Bucket]:
    """``keep``: what is put into it is in ``folder`` from then on."""
    said = scratch / "s3.log"
    command = [sys.executable, *STUB, str(folder.resolve()), "--delay-ms", str(delay_ms)]
    command += ["--keep"] if keep else []
    with running(command, said, held_to={cores()[1]}) as process:
        where = wait_for(process, said, lambda: _announcement(said))
        yield Bucket(
            endpoint=where["endpoint"],
            name=where["bucket"],
            region=where["region"],
            access_key=where["access_key"],
            secret_key=where["secret_key"],
            pid=process.pid,
            said=said,
        )


@contextmanager
def quick_bucket(library: Path, static: Path, scratch: Path) -> Iterator[Bucket]:
    """``library``, and ``static`` in the bucket ``COPIES``."""
    with ExitStack() as stack:
        logs = Path(stack.enter_context(TemporaryDirectory(prefix="s3-", dir=scratch)))
        lists = stack.enter_context(slow_bucket(library, logs, delay_ms=0))
        places = PLACES.format(
            bucket=lists.name,
            lists=lists.endpoint.removeprefix("http://"),
            library=library.resolve(),
            copies=COPIES,
            static=static.resolve(),
        )
        server = stack.enter_context(run_nginx("nginx", places, logs, core=cores()[1]))
        assert server.pid is not None
        endpoint = f"http://{server.host}:{server.port}"
        yield replace(lists, endpoint=endpoint, pid=server.pid)


def _announcement(said: Path) -> dict[str, str] | None:
    line, end, _ = said.read_text(encoding="utf-8", errors="replace").partition("\n")
    if not end or not line.startswith("{"):
        return None
    found: dict[str, str] = json.loads(line)
    return found
