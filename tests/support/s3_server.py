"""An S3 of our own: what the origin asks of one, signatures judged by botocore, faults on demand.

In a test, in the test's own loop, on a free port:

    async with s3_server() as s3:
        s3.put("title/film.mp4", b"...")
        s3.faults.extend([Fault.RESET, None])    # of the next two GETs of objects

For a benchmark, as a process that serves a folder; a line of JSON says where, and one for each
request what it was and from when to when, by the monotonic clock:

    python -m tests.support.s3_server FOLDER --delay-ms 20
"""

from __future__ import annotations

import argparse
import asyncio
import hashlib
import json
import mmap
import socket
import ssl
import struct
import time
from collections import deque
from collections.abc import AsyncIterator, Awaitable, Callable, Iterable
from contextlib import asynccontextmanager, suppress
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from email.utils import formatdate
from enum import Enum, auto
from pathlib import Path
from typing import NamedTuple
from urllib.parse import quote, unquote
from xml.sax.saxutils import escape

from aiohttp import hdrs, web
from botocore.auth import S3SigV4Auth
from botocore.awsrequest import AWSRequest
from botocore.credentials import ReadOnlyCredentials

SKEW = timedelta(minutes=15)
REFUSED_SECONDS = 0.005
PIECE = 64 * 1024
LATE_SECONDS = 0.2
BUCKET = "films"
REGION = "eu-central-1"
ACCESS_KEY = "AKIAIOSFODNN7EXAMPLE"
SECRET_KEY = "wJalrXUtnFEMI/K7MDENG/bPxRfiCYEXAMPLEKEY"


class Fault(Enum):
    """What befalls one GET."""

    HANG = auto()
    """No answer."""
    LATE = auto()
    """A good one, after ``LATE_SECONDS``."""
    RESET = auto()
    """The connection is reset in front of the head,"""
    RESET_IN_BODY = auto()
    """or in the middle of the body."""
    SHORT = auto()
    """The connection is closed there."""
    DRIP = auto()
    """A byte of the body now and then."""
    WHOLE = auto()
    """200, and all of the object."""
    PLAIN_200 = auto()
    """What was asked for and its Content-Range, but 200: rclone's way."""
    WRONG_RANGE = auto()
    """Other bytes of the object, and says so."""
    SHORT_RANGE = auto()
    """Fewer of them, and says so."""
    NO_LENGTH = auto()
    """A chunked body."""
    SLOW_DOWN = auto()
    INTERNAL = auto()
    CHANGED = auto()
    """412."""
    IGNORED_MATCH = auto()
    """206 of another version."""
    GARBAGE = auto()
    """No HTTP."""
    REFUSE = auto()
    """The connection is reset, and for ``REFUSED_SECONDS`` new ones are refused."""


class Refused(Exception):
    def __init__(self, status: int, code: str, more: str = "", **headers: str) -> None:
        super().__init__(code)
        self.status, self.code, self.more, self.headers = status, code, more, headers


@dataclass(frozen=True, slots=True)
class Stored:
    body: bytes | mmap.mmap
    etag: str
    version_id: str | None
    archived: bool = False


class Told(NamedTuple):
    """A request: its method or LIST, its key or prefix, and seconds by the monotonic clock."""

    kind: str
    key: str
    began: float
    ended: float


@dataclass
class S3Server:
    """``keys``: secret key and session token by access key. ``seen``: method and key of each
    request that was let in; ``refusals``: codes of those that were not answered well; ``delay``:
    seconds to the first byte of each answer; ``folder``: what is put is written there, too;
    ``tell``: called with each request that was answered; ``restoring``: None, or keys whose restore
    is under way."""

    url: str = ""
    versioned: bool = False
    public: bool = False
    delay: float = 0.0
    keys: dict[str, tuple[str, str | None]] = field(
        default_factory=lambda: {ACCESS_KEY: (SECRET_KEY, None)}
    )
    objects: dict[str, list[Stored]] = field(default_factory=dict)
    faults: deque[Fault | None] = field(default_factory=deque)
    seen: list[tuple[str, str]] = field(default_factory=list)
    refusals: list[str] = field(default_factory=list)
    clock: Callable[[], float] = time.time
    restoring: set[str] | None = None
    folder: Path | None = None
    tell: Callable[[Told], None] | None = None
    _versions: int = 0
    _door: _Door | None = None
    _closing: asyncio.Event = field(default_factory=asyncio.Event)

    # What a test does behind the client's back.

    def put(
        self, key: str, body: bytes | mmap.mmap, *, archived: bool = False, etag: str = ""
    ) -> Stored:
        self._versions += 1
        etag = etag or f'"{hashlib.md5(body, usedforsecurity=False).hexdigest()}"'
        version_id = f"v.{self._versions}" if self.versioned else None
        stored = Stored(body, etag, version_id, archived)
        self.objects[key] = [*(self.objects.get(key, []) if self.versioned else []), stored]
        return stored

    def remove(self, key: str) -> None:
        del self.objects[key]

    # Requests.

    async def handle(self, request: web.Request) -> web.StreamResponse:
        began = time.monotonic()
        try:
            response = await self._answer(request)
        except Refused as refused:
            self.refusals.append(refused.code)
            response = await self._error(request, refused)
        if self.tell is not None:
            key = request.path.removeprefix(f"/{BUCKET}").removeprefix("/")
            kind = request.method if key else "LIST"
            self.tell(Told(kind, key or request.query.get("prefix", ""), began, time.monotonic()))
        return response

    async def _answer(self, request: web.Request) -> web.StreamResponse:
        body = await request.read()
        if not self.public:
            self._authenticate(request, body)
        path = unquote(request.raw_path.partition("?")[0], errors="strict")
        bucket, _, key = path.removeprefix("/").partition("/")
        if bucket != BUCKET:
            raise Refused(404, "NoSuchBucket")
        self.seen.append((request.method, key))
        if request.method != "GET" or not key:  # which waits when its fault has been chosen
            await asyncio.sleep(self.delay)
        return await self._answers(request.method, bool(key))(request, key, body)

    def _answers(
        self, method: str, is_object: bool
    ) -> Callable[[web.Request, str, bytes], Awaitable[web.StreamResponse]]:
        answers = {
            ("GET", True): self._get,
            ("GET", False): self._list,
            ("HEAD", True): self._head,
            ("PUT", True): self._put,
            ("POST", True): self._restore,
        }
        if (method, is_object) not in answers:
            raise Refused(405, "MethodNotAllowed")
        return answers[method, is_object]

    def _authenticate(self, request: web.Request, body: bytes) -> None:
        """By what botocore would have signed: its code knows nothing of ours."""
        scheme, _, rest = request.headers.get("Authorization", "").partition(" ")
        said = dict(part.strip().split("=", 1) for part in rest.split(",") if "=" in part)
        if scheme != "AWS4-HMAC-SHA256" or said.keys() != {
            "Credential",
            "SignedHeaders",
            "Signature",
        }:
            raise Refused(403, "AccessDenied")
        access_key, day, region, service, end = said["Credential"].split("/")
        if access_key not in self.keys:
            raise Refused(403, "InvalidAccessKeyId")
        secret_key, token = self.keys[access_key]
        if request.headers.get("x-amz-security-token") != token:
            raise Refused(400, "ExpiredToken" if token else "InvalidToken")
        if (region, service, end) != (REGION, "s3", "aws4_request"):
            more = f"<Region>{REGION}</Region>"
            raise Refused(400, "AuthorizationHeaderMalformed", more)
        moment = datetime.strptime(request.headers["x-amz-date"], "%Y%m%dT%H%M%SZ")
        now = datetime.fromtimestamp(self.clock(), UTC)
        if abs(moment.replace(tzinfo=UTC) - now) > SKEW:
            raise Refused(403, "RequestTimeTooSkewed")
        content = request.headers["x-amz-content-sha256"]
        if content not in ("UNSIGNED-PAYLOAD", hashlib.sha256(body).hexdigest()):
            raise Refused(400, "XAmzContentSHA256Mismatch")
        names = said["SignedHeaders"].split(";")
        owed = {name.lower() for name in request.headers if name.lower().startswith("x-amz-")}
        if not {"host", *owed} <= set(names):
            raise Refused(403, "AccessDenied")
        signed = AWSRequest(
            request.method,
            f"http://{request.host}{request.raw_path}",
            {name: request.headers[name] for name in names},
        )
        signed.context["timestamp"] = request.headers["x-amz-date"]
        auth = S3SigV4Auth(ReadOnlyCredentials(access_key, secret_key, token), "s3", region)
        wanted = auth.string_to_sign(signed, auth.canonical_request(signed))
        if not day == request.headers["x-amz-date"][:8]:
            raise Refused(403, "AccessDenied")
        if auth.signature(wanted, signed) != said["Signature"]:
            raise Refused(403, "SignatureDoesNotMatch")

    def _find(self, request: web.Request, key: str) -> Stored:
        versions = self.objects.get(key)
        if not versions:
            raise Refused(404, "NoSuchKey")
        version_id = request.query.get("versionId")
        found = [one for one in versions if version_id in (None, one.version_id)]
        if not found:
            raise Refused(404, "NoSuchVersion")
        stored = found[-1]
        if request.headers.get("If-Match", stored.etag) not in (stored.etag, "*"):
            raise Refused(412, "PreconditionFailed")
        if request.headers.get("If-None-Match") == stored.etag:
            raise Refused(304, "NotModified", ETag=stored.etag)
        return stored

    async def _head(self, request: web.Request, key: str, _: bytes) -> web.StreamResponse:
        stored = self._find(request, key)
        headers = {**_fields(stored), "Content-Length": str(len(stored.body))}
        return web.Response(headers=headers)

    async def _get(self, request: web.Request, key: str, _: bytes) -> web.StreamResponse:
        fault = self.faults.popleft() if self.faults else None
        if self.delay:
            await asyncio.sleep(self.delay)
        if await self._fails(request, fault):
            return web.Response()  # to nobody
        stored = self._find(request, key)
        if stored.archived:
            raise Refused(403, "InvalidObjectState")
        size = len(stored.body)
        start, stop = _distort(fault, size, *_range(request.headers.get("Range"), size))
        whole = fault is Fault.WHOLE or "Range" not in request.headers
        response = web.StreamResponse(
            status=200 if whole or fault is Fault.PLAIN_200 else 206, headers=_fields(stored)
        )
        if not whole:
            response.headers["Content-Range"] = f"bytes {start}-{stop - 1}/{size}"
        if fault is Fault.IGNORED_MATCH:
            response.headers["ETag"] = '"another"'
        if fault is Fault.NO_LENGTH:
            response.enable_chunked_encoding()
        else:
            response.content_length = stop - start
        with suppress(ConnectionError):
            await response.prepare(request)
            await self._send(request, response, memoryview(stored.body)[start:stop], fault)
        return response

    async def _fails(self, request: web.Request, fault: Fault | None) -> bool:
        """Whether this was all there is to the answer."""
        if request.transport is None:
            return True
        match fault:
            case Fault.HANG:
                await self._closing.wait()
                return True
            case Fault.LATE:
                await asyncio.sleep(LATE_SECONDS)
            case Fault.RESET:
                _reset(request.transport)
                return True
            case Fault.REFUSE if self._door is not None:
                self._door.shut()
                _reset(request.transport)
                return True
            case Fault.GARBAGE:
                request.transport.write(b"SSH-2.0-OpenSSH_9.2p1\r\n\r\n")
                request.transport.close()
                return True
            case Fault.SLOW_DOWN:
                raise Refused(503, "SlowDown")
            case Fault.INTERNAL:
                raise Refused(500, "InternalError")
            case Fault.CHANGED:
                raise Refused(412, "PreconditionFailed")
        return False

    async def _send(
        self,
        request: web.Request,
        response: web.StreamResponse,
        body: memoryview,
        fault: Fault | None,
    ) -> None:
        half = len(body) // 2
        match fault:
            case Fault.RESET_IN_BODY if request.transport:
                await response.write(body[:half])
                _reset(request.transport)
            case Fault.SHORT if request.transport:
                await response.write(body[:half])
                request.transport.close()
            case Fault.DRIP:
                for at in range(len(body)):
                    await response.write(body[at : at + 1])
                    with suppress(TimeoutError):
                        await asyncio.wait_for(self._closing.wait(), 0.02)
            case _:
                for at in range(0, len(body), PIECE):
                    await response.write(body[at : at + PIECE])
                await response.write_eof()

    async def _list(self, request: web.Request, _: str, __: bytes) -> web.StreamResponse:
        query = request.query
        prefix, delimiter = query.get("prefix", ""), query.get("delimiter", "")
        after = query.get("continuation-token") or query.get("start-after", "")
        limit = int(query.get("max-keys", "1000"))
        parts: list[str] = []
        last = ""
        more = False
        for name, is_folder in _names(self.objects, prefix, delimiter):
            if name.encode() <= after.encode():
                continue
            if len(parts) == limit:
                more = True
                break
            last = name
            shown = quote(name, safe="/") if query.get("encoding-type") == "url" else escape(name)
            if is_folder:
                parts.append(f"<CommonPrefixes><Prefix>{shown}</Prefix></CommonPrefixes>")
                continue
            stored = self.objects[name][-1]
            parts.append(
                f"<Contents><Key>{shown}</Key><ETag>{escape(stored.etag)}</ETag>"
                f"<Size>{len(stored.body)}</Size></Contents>"
            )
        if more:
            token = escape(last)
            parts.append(f"<NextContinuationToken>{token}</NextContinuationToken>")
        if query.get("encoding-type") == "url":
            parts.append("<EncodingType>url</EncodingType>")
        truncated = f"<IsTruncated>{str(more).lower()}</IsTruncated>"
        return _xml("ListBucketResult", truncated + "".join(parts))

    async def _put(self, request: web.Request, key: str, body: bytes) -> web.StreamResponse:
        if request.headers.get("If-None-Match") == "*" and key in self.objects:
            raise Refused(412, "PreconditionFailed")
        archived = request.headers.get("x-amz-storage-class") == "GLACIER"
        if self.folder is not None:
            (self.folder / key).parent.mkdir(parents=True, exist_ok=True)
            (self.folder / key).write_bytes(body)
        return web.Response(headers=_fields(self.put(key, body, archived=archived)))

    async def _restore(self, request: web.Request, key: str, body: bytes) -> web.StreamResponse:
        """At once; where ``restoring`` is a set, it takes hours, as S3 does."""
        stored = self._find(request, key)
        if "restore" not in request.query or b"<Days>" not in body:
            raise Refused(400, "MalformedXML")
        if not stored.archived or (self.restoring and key in self.restoring):
            raise Refused(409, "RestoreAlreadyInProgress")
        if self.restoring is not None:
            self.restoring.add(key)
            return web.Response(status=202)
        restored = Stored(stored.body, stored.etag, stored.version_id)
        self.objects[key] = [restored if one is stored else one for one in self.objects[key]]
        return web.Response(status=202)

    async def _error(self, request: web.Request, refused: Refused) -> web.StreamResponse:
        """Chunked, as S3's errors are."""
        date = formatdate(self.clock(), usegmt=True)
        headers = {**refused.headers, "Content-Type": "application/xml", "Date": date}
        response = web.StreamResponse(status=refused.status, headers=headers)
        if request.method == "HEAD" or refused.status == 304:
            return response
        response.enable_chunked_encoding()
        told = f"<Code>{refused.code}</Code><Message>for people</Message>{refused.more}"
        with suppress(ConnectionError):
            await response.prepare(request)
            await response.write(f"<Error>{told}</Error>".encode())
        return response


def _names(keys: Iterable[str], prefix: str, delimiter: str) -> list[tuple[str, bool]]:
    """Keys and folders in the order of a listing; whether each is a folder."""
    found = set()
    for key in keys:
        if key.startswith(prefix):
            head, cut, _ = key[len(prefix) :].partition(delimiter) if delimiter else (key, "", "")
            found.add((prefix + head + cut, True) if cut else (key, False))
    return sorted(found, key=lambda one: one[0].encode())


def _distort(fault: Fault | None, size: int, start: int, stop: int) -> tuple[int, int]:
    match fault:
        case Fault.WHOLE:
            return 0, size
        case Fault.WRONG_RANGE if start:
            return start - 1, stop - 1
        case Fault.WRONG_RANGE | Fault.SHORT_RANGE:
            return start, stop - 1
    return start, stop


def _range(asked: str | None, size: int) -> tuple[int, int]:
    if asked is None:
        return 0, size
    first, _, last = asked.removeprefix("bytes=").partition("-")
    start = int(first) if first else max(size - int(last), 0)
    stop = min(int(last) + 1, size) if first and last else size
    if start >= stop:
        headers = {"Content-Range": f"bytes */{size}"}
        raise Refused(416, "InvalidRange", **headers)
    return start, stop


def _fields(stored: Stored) -> dict[str, str]:
    version = {"x-amz-version-id": stored.version_id} if stored.version_id else {}
    return {"ETag": stored.etag, "Content-Type": "video/mp4", **version}


class _Door:
    """Where connections come in."""

    def __init__(self, runner: web.AppRunner, tls: ssl.SSLContext | None) -> None:
        self._runner = runner
        self._tls = tls
        self._opening: asyncio.Task[None] | None = None
        self.port = 0

    async def open(self, port: int) -> None:
        self._listener = socket.create_server(("127.0.0.1", port), backlog=128)
        self._site = web.SockSite(self._runner, self._listener, ssl_context=self._tls)
        await self._site.start()
        self.port = self._listener.getsockname()[1]

    def shut(self) -> None:
        """For a while; those who are in stay."""
        if self._opening is None or self._opening.done():
            self._opening = asyncio.create_task(self._open_again())

    async def stay(self) -> None:
        """As it is when it is next open."""
        if self._opening is not None:
            await self._opening

    async def _open_again(self) -> None:
        # First no one more is let in: asyncio loses who comes while it closes.
        asyncio.get_running_loop().remove_reader(self._listener)
        for _ in range(10):  # turns of the loop until the last of them is
            await asyncio.sleep(0)
        await self._site.stop()
        await asyncio.sleep(REFUSED_SECONDS)
        await self.open(self.port)


def _reset(transport: asyncio.Transport) -> None:
    """With RST, not FIN."""
    sock = transport.get_extra_info("socket")
    sock.setsockopt(socket.SOL_SOCKET, socket.SO_LINGER, struct.pack("ii", 1, 0))
    transport.abort()


def _xml(name: str, content: str) -> web.Response:
    text = f'<?xml version="1.0" encoding="UTF-8"?>\n<{name}>{content}</{name}>'
    return web.Response(text=text, content_type="application/xml")


@asynccontextmanager
async def s3_server(*, tls: ssl.SSLContext | None = None, port: int = 0) -> AsyncIterator[S3Server]:
    server = S3Server()
    app = web.Application(client_max_size=64 << 20)
    app.router.add_route(hdrs.METH_ANY, r"/{path:[\s\S]*}", server.handle)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    server._door = door = _Door(runner, tls)
    await door.open(port)
    scheme = "https" if tls else "http"
    server.url = f"{scheme}://127.0.0.1:{door.port}"
    try:
        yield server
    finally:
        server._closing.set()
        await door.stay()
        await runner.cleanup()


def load(server: S3Server, folder: Path) -> None:
    """ETags are those that nginx has for these files, whose content may be long."""
    for path in sorted(folder.rglob("*")):
        if path.is_file() and path.stat().st_size:
            with path.open("rb") as file:
                content = mmap.mmap(file.fileno(), 0, access=mmap.ACCESS_READ)
            status = path.stat()
            etag = f'"{int(status.st_mtime):x}-{status.st_size:x}"'
            server.put(path.relative_to(folder).as_posix(), content, etag=etag)


def _print(told: Told) -> None:
    print(json.dumps(told._asdict()), flush=True)


async def _serve(folder: Path, port: int, delay: float, keep: bool) -> None:
    async with s3_server(port=port) as server:
        load(server, folder)
        server.delay, server.tell = delay, _print
        server.folder = folder if keep else None
        where = {"endpoint": server.url, "bucket": BUCKET, "region": REGION}
        print(json.dumps({**where, "access_key": ACCESS_KEY, "secret_key": SECRET_KEY}), flush=True)
        await asyncio.Event().wait()


def main() -> None:
    parser = argparse.ArgumentParser(description="Serve a folder as a bucket, until interrupted.")
    parser.add_argument("folder", type=Path)
    parser.add_argument("--port", type=int, default=0)
    parser.add_argument("--delay-ms", type=float, default=0.0)
    parser.add_argument("--keep", action="store_true", help="write what is put into the folder")
    chosen = parser.parse_args()
    with suppress(KeyboardInterrupt):
        asyncio.run(_serve(chosen.folder, chosen.port, chosen.delay_ms / 1000, chosen.keep))


if __name__ == "__main__":
    main()
