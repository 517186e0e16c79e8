"""Bytes to requests: llhttp (through httptools) parses, this module refuses what it lets pass.

A media request as players and CDNs send it, whole and by itself in what arrives, is read by two
regular expressions instead, at a fifth of the cost (``plain``). They match nothing that llhttp
would understand otherwise, and llhttp reads what they do not match.

llhttp, in its strict default, answers for the grammar: it rejects bare CR and LF, folded lines,
spaces before a colon, characters outside the tables, Content-Length with Transfer-Encoding or
twice, and broken chunks. The rest is here: one Host, known versions and methods, the forms of a
target (RFC 9112 section 3.2), bounds on the head, and which requests may have a body.

A request is whole before it is seen: its body (the control plane's only, and small) is with it.
What cannot be understood becomes a ``Refusal`` in its place in the order, and ends the reading.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field
from functools import lru_cache
from typing import NamedTuple

from httptools import (
    HttpParserCallbackError,
    HttpParserError,
    HttpParserUpgrade,
    HttpRequestParser,
)

from origin.delivery.limits import Limits, Waiting
from origin.native import NATIVE, Head
from origin.problem import Problem

MEDIA_METHODS = ("GET", "HEAD", "OPTIONS")
_METHODS = {
    method.encode(): method for method in (*MEDIA_METHODS, "POST", "PUT", "PATCH", "DELETE")
}
_NO_HEADERS: dict[bytes, bytes] = {}
_BLANK_LINE = b"\r\n\r\n"
# Chunk framing may cost several bytes for one of the body; without a bound it costs any number.
_CHUNK_OVERHEAD = 8

# uri-host [ ":" port ] (RFC 9110 section 7.2), without the "," that joins repeated lines.
_HOST = re.compile(rb"(?:[A-Za-z0-9._~!$&'()*+;=%-]*|\[[0-9A-Fa-fv:.]+\])(?::[0-9]*)?")
_is_host = lru_cache(maxsize=256)(_HOST.fullmatch)
_ABSOLUTE = re.compile(rb"https?://[^/?]+(.*)", re.IGNORECASE | re.DOTALL)


# A head of common characters, and the field lines in it that an answer may depend on. What is
# matched of a line is never given back (``++``), so the time is proportional to the length. (Of
# a group it works from CPython 3.11.5 on only.)
_PATH = rb"/[A-Za-z0-9_./~%!$&'()*+,;=:@-]*+"
_PLAIN = re.compile(
    rb"(GET|HEAD) ((" + _PATH + rb")(?:\?[A-Za-z0-9_./~%!$&'()*+,;=:@?-]*+)?) HTTP/1\.1"
    rb"((?:\r\n[A-Za-z0-9_!#$%&'*+.^`|~-]++:[\t\x20-\x7e\x80-\xff]*+)+)\r\n\r\n"
)
_MEANT = re.compile(
    rb"\n(host|range|if-[a-z-]+|accept-encoding|connection|keep-alive|proxy-connection|upgrade"
    rb"|content-length|transfer-encoding|te|trailer|expect):[\t ]*([^\r]*)",
    re.IGNORECASE,
)
_CMCD_FIELD = re.compile(rb"\ncmcd-", re.IGNORECASE)
_PLAINLY_MEANT = frozenset(
    b"host range accept-encoding if-match if-none-match if-range if-modified-since"
    b" if-unmodified-since".split()
)


@dataclass(slots=True)
class Request:
    """``target`` is in origin form; ``headers`` by lower-case name, repeated lines joined; of a
    media request, those at least that an answer depends on.

    ``body`` is None where the request has no framing for one. ``plain``: the whole head, of which
    only those headers were read. ``address``: the peer's, empty where it has none.
    ``tells``: there may be a CMCD report in its query or its fields (CTA-5004 section 2).
    """

    method: str
    path: str
    target: bytes
    version: str
    headers: dict[bytes, bytes]
    media: bool
    keep_alive: bool
    body: bytearray | None = None
    plain: bytes = field(default=b"", compare=False)
    address: str = ""
    tells: bool = field(default=True, compare=False)

    @property
    def query(self) -> str:
        """Raw, without the question mark."""
        return self.target.partition(b"?")[2].decode("ascii")

    def field(self, name: bytes) -> bytes | None:
        """A header by its lower-case name, whether an answer depends on it or not."""
        if self.plain:
            values = _line(name).findall(self.plain)
            return _joint(name).join(value.rstrip() for value in values) if values else None
        return self.headers.get(name)


class Refusal(NamedTuple):
    """A request that is answered with ``problem`` and the end of the connection."""

    problem: Problem
    method: str = ""
    path: str = ""
    version: str = ""


def read_head_in_python(
    data: bytes, media: tuple[str, ...], head_bytes: int, target_bytes: int, header_lines: int
) -> Head | None:
    """``data`` read as the head of one plain request below a path of ``media``, if it is that and
    is within the limits."""
    match = _PLAIN.fullmatch(data)
    if match is None:
        return None
    method, target, raw_path, lines = match.groups()
    path = raw_path.decode("ascii")
    found = _MEANT.findall(lines)
    headers = {name.lower(): value.rstrip() for name, value in found}
    if (
        b"host" not in headers
        or not path.startswith(media)
        or len(headers) < len(found)
        or not headers.keys() <= _PLAINLY_MEANT
        or not _is_host(headers[b"host"])
        or len(data) > head_bytes
        or len(target) > target_bytes
        or lines.count(b"\n") > header_lines
    ):
        return None
    tells = b"CMCD=" in target or _CMCD_FIELD.search(lines) is not None
    return method.decode("ascii"), path, target, headers, tells


@lru_cache(maxsize=64)
def _line(name: bytes) -> re.Pattern[bytes]:
    """The values of a header's lines in a plain head."""
    return re.compile(rb"\n" + re.escape(name) + rb":[\t ]*([^\r]*)", re.IGNORECASE)


def _joint(name: bytes) -> bytes:
    """What stands between the values of repeated lines (RFC 9110 section 5.3, RFC 6265)."""
    return b"; " if name == b"cookie" else b", "


read_head = NATIVE.read_head if NATIVE else read_head_in_python


class _Refused(Exception):
    def __init__(self, status: int, code: str, detail: str) -> None:
        super().__init__(detail)
        self.problem = Problem(status, code, detail)


class RequestReader:
    """Fed with what arrives, in any pieces; appends to ``queue`` in the order of arrival."""

    __slots__ = (
        "_began_here",
        "_headers",
        "_limits",
        "_lines",
        "_media",
        "_method",
        "_parser",
        "_queue",
        "_received",
        "_request",
        "_target",
        "address",
        "continue_due",
        "done",
        "waiting",
    )

    def __init__(
        self, limits: Limits, media: tuple[str, ...], queue: list[Request | Refusal]
    ) -> None:
        self.waiting = Waiting.IDLE
        """For what part of a request: IDLE, HEAD or BODY."""
        self.done = False
        """No further input is looked at: a request said so, or could not be understood."""
        self.continue_due = False
        """The peer waits for 100 (Continue) before it sends the body."""
        self.address = ""
        """The peer's; who makes the connection says."""
        self._limits = limits
        self._media = media
        self._queue = queue
        self._parser: HttpRequestParser | None = None  # until there is a need for it
        self._method = ""
        self._target = b""
        self._headers = _NO_HEADERS
        self._lines = 0
        self._request: Request | None = None
        self._began_here = False
        self._received = 0

    def plain(self, data: bytes) -> Request | None:
        """The media request that ``data`` is, if it is one whole plain request and nothing was
        fed before it."""
        limits = self._limits
        found = read_head(
            data, self._media, limits.head_bytes, limits.target_bytes, limits.header_lines
        )
        if found is None:
            return None
        method, path, target, headers, tells = found
        return Request(
            method, path, target, "1.1", headers, True, True, None, data, self.address, tells
        )

    def feed(self, data: bytes) -> None:
        """``data`` no longer than ``limits.head_bytes``."""
        if self.done:
            return
        if self._parser is None:
            self._parser = HttpRequestParser(self)
        self._began_here = False
        try:
            self._parse(self._parser, data)
            self._bound(data)
        except _Refused as refused:
            self._refuse(refused.problem)
        except HttpParserCallbackError as error:
            if not isinstance(error.__context__, _Refused):
                raise
            self._refuse(error.__context__.problem)
        except HttpParserError as error:
            # After a request that ends the connection llhttp calls any further byte an error.
            if not self.done:
                self._refuse(Problem(400, "bad-request", f"Not HTTP: {error}."))

    def close(self) -> None:
        """Let go of the parser, which refers back to this reader."""
        self.done = True
        self._parser = None

    def _parse(self, parser: HttpRequestParser, data: bytes) -> None:
        while True:
            try:
                return parser.feed_data(data)
            except HttpParserUpgrade as upgrade:
                # No protocol is upgraded to (RFC 9110 section 7.8 lets a server ignore it), so
                # what follows is the next request.
                data = data[upgrade.args[0] :]

    def _bound(self, data: bytes) -> None:
        """Bound what is buffered inside the parser: a head or trailer without an end."""
        if self.waiting is Waiting.IDLE:
            return
        self._received += len(data)
        if self._began_here and self.waiting is Waiting.HEAD:
            # Requests before this one may lie in the same piece.
            before = data.rfind(_BLANK_LINE)
            self._received -= before + len(_BLANK_LINE) if before >= 0 else 0
        limit = self._limits.head_bytes
        if self.waiting is Waiting.HEAD:
            if self._received > limit:
                raise _too_large()
        elif self._received > _CHUNK_OVERHEAD * self._limits.control_body_bytes + limit:
            raise _body_too_large()

    def _refuse(self, problem: Problem) -> None:
        path = self._target.partition(b"?")[0].decode("latin-1")
        self._queue.append(Refusal(problem, self._method, path))
        self.done = True

    # What httptools calls.

    def on_message_begin(self) -> None:
        self.waiting = Waiting.HEAD
        self._began_here = True
        self._received = 0
        self._method = ""
        self._target = b""
        self._headers = {}
        self._lines = 0

    def on_url(self, url: bytes) -> None:
        assert self._parser is not None
        if not self._target:
            method = self._parser.get_method()
            self._method = _METHODS.get(method) or method.decode("ascii")
        self._target += url
        if len(self._target) > self._limits.target_bytes:
            raise _Refused(414, "target-too-long", "The request target is too long.")

    def on_header(self, name: bytes, value: bytes) -> None:
        if self.waiting is not Waiting.HEAD:
            return  # a trailer: it may arrive, and means nothing here
        self._lines += 1
        if self._lines > self._limits.header_lines:
            raise _too_large()
        name = name.lower()
        value = value.rstrip()
        held = self._headers.get(name)
        if held is not None:
            value = held + _joint(name) + value
        self._headers[name] = value

    def on_headers_complete(self) -> None:
        parser = self._parser
        assert parser is not None
        headers = self._headers
        self._check_size()
        version = parser.get_http_version()
        _check_version(version, headers)
        target = _origin_form(self._target, self._method)
        path = target.partition(b"?")[0].decode("ascii")
        media = path.startswith(self._media) or path == "*"
        request = Request(
            self._method,
            path,
            target,
            version,
            headers,
            media,
            parser.should_keep_alive(),
            address=self.address,
        )
        if b"content-length" in headers or b"transfer-encoding" in headers:
            self._expect_body(request, parser.should_upgrade())
        if not media and self._method not in _METHODS.values():
            raise _Refused(501, "method-not-implemented", "That method is not served here.")
        self._request = request
        self.waiting = Waiting.BODY

    def on_body(self, body: bytes) -> None:
        assert self._request is not None
        assert self._request.body is not None
        self._request.body += body
        if len(self._request.body) > self._limits.control_body_bytes:
            raise _body_too_large()

    def on_message_complete(self) -> None:
        assert self._request is not None
        self.waiting = Waiting.IDLE
        self._headers = _NO_HEADERS
        self._target = b""
        self.continue_due = False
        self.done = not self._request.keep_alive
        self._queue.append(self._request)
        self._request = None

    def _check_size(self) -> None:
        if self._received == 0 and self._began_here:
            return  # it lies within one piece, and no piece is longer than a head may be
        size = len(self._target) + sum(
            len(name) + len(value) + 4 for name, value in self._headers.items()
        )
        if size > self._limits.head_bytes:
            raise _too_large()

    def _expect_body(self, request: Request, upgrade: bool) -> None:
        """Allow the body, or refuse the request before a byte of it is read."""
        headers = request.headers
        coding = headers.get(b"transfer-encoding")
        if coding is not None and request.version == "1.0":
            raise _bad("Transfer-Encoding in a request of HTTP/1.0.")
        if coding is not None and coding.lower() != b"chunked":
            raise _Refused(501, "transfer-coding", "No transfer coding but chunked is known.")
        length = int(headers.get(b"content-length", b"0"))
        if upgrade and (coding or length):
            # llhttp takes what follows the head of an upgrade for the new protocol's bytes.
            raise _bad("A body in a request for an upgrade.")
        if request.media and (coding or length):
            if request.method in MEDIA_METHODS:
                raise _bad("A media request has no body.")
            raise _Refused(405, "method-not-allowed", "Media is read with GET and HEAD only.")
        if length > self._limits.control_body_bytes:
            raise _body_too_large()
        request.body = bytearray()
        expects = headers.get(b"expect", b"").lower() == b"100-continue"
        self.continue_due = expects and request.version != "1.0" and bool(coding or length)


def _check_version(version: str, headers: dict[bytes, bytes]) -> None:
    if version not in ("1.1", "1.0"):
        raise _Refused(505, "http-version", "Only HTTP/1.1 and HTTP/1.0 are spoken here.")
    host = headers.get(b"host")
    if host is None:
        if version == "1.1":
            raise _bad("No Host field.")
    elif not _HOST.fullmatch(host):
        raise _bad("More than one Host, or one that is no host.")


def _origin_form(target: bytes, method: str) -> bytes:
    """RFC 9112 section 3.2: origin form, absolute form (of which the path is taken), asterisk."""
    if target[:1] != b"/":
        if target == b"*" and method == "OPTIONS":
            return target
        absolute = _ABSOLUTE.fullmatch(target)
        if absolute is None:
            raise _bad("The request target has a form that this method does not take.")
        target = absolute[1] if absolute[1][:1] == b"/" else b"/" + absolute[1]
    if not target.isascii() or b"#" in target:
        raise _bad("A character in the request target that no target has.")
    return target


def _bad(detail: str) -> _Refused:
    return _Refused(400, "bad-request", detail)


def _too_large() -> _Refused:
    return _Refused(431, "head-too-large", "The request head is too large.")


def _body_too_large() -> _Refused:
    return _Refused(413, "body-too-large", "The request body is too large.")
