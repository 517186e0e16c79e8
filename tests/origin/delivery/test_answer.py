"""The decision table of RFC 9110 sections 13 to 15, whole: method and fields in, answer out."""

from __future__ import annotations

import email
import email.policy
import re
from typing import NamedTuple

import orjson
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.delivery.answer import (
    PREFLIGHT,
    answer_problem,
    answer_resource,
)
from origin.delivery.resource import Answer, FileSpan, OpenFile, Resource
from origin.problem import Problem
from tests.origin.delivery.library import content, noise, open_file, resource
from tests.support.tracks import PROPERTY

BODY = noise(100)
ETAG = '"r1"'
DATE = "Tue, 24 Nov 2026 00:00:00 GMT"


@pytest.fixture(scope="module")
def segment(tmp_path_factory: pytest.TempPathFactory) -> Resource:
    """100 bytes: 20 in memory, 50 and 30 of a file."""
    file = open_file(tmp_path_factory.mktemp("library") / "file", b"...." + BODY[20:] + b"....")
    return _segment(file)


def _segment(file: OpenFile) -> Resource:
    return resource(BODY[:20], FileSpan(file, 4, 50), FileSpan(file, 54, 30))


def fields_of(answer: Answer) -> dict[str, str]:
    head, blank, rest = answer.lines.decode().partition("\r\n\r\n")
    assert (blank, rest) == ("\r\n\r\n", "")
    pairs = [line.split(": ", 1) for line in head.split("\r\n")]
    fields = dict(pairs)
    assert len(fields) == len(pairs), "a field is there twice"
    return fields


class Case(NamedTuple):
    headers: dict[str, str]
    status: int
    body: slice | None = None
    method: str = "GET"


ALL = slice(0, 100)
RANGE = {"range": "bytes=10-19"}
TEN = slice(10, 20)

CASES = [
    Case({}, 200, ALL),
    Case({}, 200, None, "HEAD"),
    # Ranges.
    Case(RANGE, 206, TEN),
    Case({"range": "bytes=0-"}, 206, ALL),
    Case({"range": "bytes=-10"}, 206, slice(90, 100)),
    Case({"range": "bytes=15-75"}, 206, slice(15, 76)),
    Case({"range": "bytes=99-1000"}, 206, slice(99, 100)),
    Case({"range": "bytes=100-"}, 416),
    Case({"range": "bytes=-0"}, 416),
    Case({"range": "bytes=9-0"}, 200, ALL),
    Case({"range": "pages=1-2"}, 200, ALL),
    Case({"range": "bytes=0-9,5-14"}, 200, ALL),
    Case({"range": "bytes=0-9, bytes=20-29"}, 200, ALL),
    Case({"range": "bytes=" + "0-0," * 300}, 200, ALL),
    Case({"range": "bytes=0-9,200-"}, 206, slice(0, 10)),
    # HEAD has no Range (section 14.2).
    Case(RANGE, 200, None, "HEAD"),
    Case({"range": "bytes=100-"}, 200, None, "HEAD"),
    # If-Range.
    Case(RANGE | {"if-range": ETAG}, 206, TEN),
    Case(RANGE | {"if-range": '"old"'}, 200, ALL),
    Case(RANGE | {"if-range": f"W/{ETAG}"}, 200, ALL),
    Case(RANGE | {"if-range": DATE}, 200, ALL),
    Case({"if-range": ETAG}, 200, ALL),
    Case({"range": "bytes=100-", "if-range": ETAG}, 416),
    Case({"range": "bytes=100-", "if-range": '"old"'}, 200, ALL),
    # Preconditions, before ranges.
    Case({"if-none-match": ETAG}, 304),
    Case({"if-none-match": ETAG}, 304, None, "HEAD"),
    Case({"if-none-match": f"W/{ETAG}"}, 304),
    Case({"if-none-match": "*"}, 304),
    Case({"if-none-match": '"old"'}, 200, ALL),
    Case({"if-none-match": '"old"', "if-modified-since": DATE}, 200, ALL),
    Case({"if-none-match": '"old"'} | RANGE, 206, TEN),
    Case({"if-none-match": ETAG} | RANGE, 304),
    Case({"if-none-match": ETAG, "range": "bytes=100-"}, 304),
    Case({"if-none-match": ETAG, "if-range": '"old"'} | RANGE, 304),
    Case({"if-match": ETAG}, 200, ALL),
    Case({"if-match": ETAG} | RANGE, 206, TEN),
    Case({"if-match": '"old"'}, 412),
    Case({"if-match": '"old"'}, 412, None, "HEAD"),
    Case({"if-match": '"old"'} | RANGE, 412),
    Case({"if-match": f"W/{ETAG}"}, 412),
    Case({"if-match": '"old"', "if-none-match": ETAG}, 412),
    Case({"if-match": ETAG, "if-none-match": ETAG}, 304),
    Case({"if-unmodified-since": "Thu, 01 Jan 1970 00:00:00 GMT"}, 200, ALL),
    Case({"if-modified-since": DATE}, 200, ALL),
]


@pytest.mark.parametrize("case", CASES, ids=lambda c: f"{c.method} {c.headers}"[:90])
def test_decisions(case: Case, segment: Resource) -> None:
    answer = ask(segment, case.headers, case.method)
    fields = fields_of(answer)
    assert answer.status == case.status
    sent = content(answer.parts)
    assert len(sent) == answer.size
    if case.body is not None:
        assert sent == BODY[case.body]
        assert fields["Content-Length"] == str(len(sent))
    if answer.status == 206:
        assert case.body is not None
        assert fields["Content-Range"] == f"bytes {case.body.start}-{case.body.stop - 1}/100"
    if answer.status in (200, 206, 304):
        assert fields["ETag"] == ETAG
        assert fields["Cache-Control"] == "public, max-age=31536000, immutable"
    else:
        assert fields["Cache-Control"] == "no-store"
        assert fields["Content-Type"] == "application/problem+json"
    if answer.status == 416:
        assert fields["Content-Range"] == "bytes */100"
    if answer.status == 304:
        assert "Content-Length" not in fields
        assert "Content-Type" not in fields
    if case.method == "HEAD":
        assert sent == b""
    assert fields["Access-Control-Allow-Origin"] == "*"


def ask(of: Resource, headers: dict[str, str], method: str = "GET") -> Answer:
    given = {name.encode(): value.encode() for name, value in headers.items()}
    return answer_resource(method == "HEAD", given, of)


@pytest.mark.parametrize("headers", [c.headers for c in CASES if c.status == 200 and c.body])
def test_head_is_get_without_a_body(headers: dict[str, str], segment: Resource) -> None:
    assert ask(segment, headers, "HEAD").lines == ask(segment, headers).lines


def test_a_304_repeats_what_a_200_would_say_of_caching() -> None:
    text = coded()
    fields = fields_of(ask(text, {"if-none-match": "*"}))
    assert fields["Vary"] == "Accept-Encoding"
    assert fields["ETag"] == ETAG


def coded() -> Resource:
    """A playlist and its compressed twin."""
    twin = resource(b"packed", etag='"r1-gz"', content_encoding="gzip")
    return resource(b"#EXTM3U\n", etag=ETAG, gzip=twin)


@pytest.mark.parametrize(
    "accepted",
    ["gzip", "gzip, deflate, br", "GZIP;q=0.5, identity;q=0.4", "x-gzip", "*", "br , gzip ; q=1"],
)
def test_the_twin_goes_to_those_who_accept_it(accepted: str) -> None:
    answer = ask(coded(), {"accept-encoding": accepted})
    fields = fields_of(answer)
    assert content(answer.parts) == b"packed"
    assert fields["Content-Encoding"] == "gzip"
    assert fields["Content-Length"] == "6"
    assert fields["ETag"] == '"r1-gz"'
    assert fields["Vary"] == "Accept-Encoding"


@pytest.mark.parametrize(
    "accepted",
    [None, "", "identity", "br", "gzip;q=0", "gzip;q=0.1, identity", "*;q=0", "gzip;q=much"],
)
def test_the_plain_one_goes_to_the_others(accepted: str | None) -> None:
    answer = ask(coded(), {} if accepted is None else {"accept-encoding": accepted})
    assert content(answer.parts) == b"#EXTM3U\n"
    assert "Content-Encoding" not in fields_of(answer)
    assert fields_of(answer)["Vary"] == "Accept-Encoding"


def test_tags_and_ranges_are_those_of_the_coding() -> None:
    gzip = {"accept-encoding": "gzip"}
    assert ask(coded(), {**gzip, "if-none-match": '"r1-gz"'}).status == 304
    assert ask(coded(), {**gzip, "if-none-match": ETAG}).status == 200
    part = ask(coded(), {**gzip, "range": "bytes=1-2"})
    assert content(part.parts) == b"ac"
    assert fields_of(part)["Content-Range"] == "bytes 1-2/6"
    assert fields_of(part)["Content-Encoding"] == "gzip"


def test_multipart_byteranges(segment: Resource) -> None:
    answer = ask(segment, {"range": "bytes=0-4, 18-24,-1"})
    fields = fields_of(answer)
    body = content(answer.parts)
    assert answer.status == 206
    assert fields["Content-Length"] == str(len(body)) == str(answer.size)
    assert "Content-Range" not in fields
    parts = parse_multipart(fields["Content-Type"], body)
    assert parts == [
        ("bytes 0-4/100", "video/mp4", BODY[:5]),
        ("bytes 18-24/100", "video/mp4", BODY[18:25]),
        ("bytes 99-99/100", "video/mp4", BODY[99:]),
    ]


def parse_multipart(content_type: str, body: bytes) -> list[tuple[str, str, bytes]]:
    message = email.message_from_bytes(
        b"Content-Type: " + content_type.encode() + b"\r\n\r\n" + body, policy=email.policy.HTTP
    )
    found = []
    for part in message.iter_parts():
        payload = part.get_payload(decode=True)
        assert isinstance(payload, bytes)
        found.append((str(part["Content-Range"]), str(part["Content-Type"]), payload))
    return found


def test_a_manifest_is_one_range_or_whole() -> None:
    text = resource(BODY, multipart=False)
    assert ask(text, {"range": "bytes=0-4,10-14"}).status == 200
    assert ask(text, RANGE).status == 206


@PROPERTY
@given(
    method=st.sampled_from(["GET", "HEAD"]),
    first=st.none() | st.integers(0, 120),
    last=st.none() | st.integers(0, 120),
    conditions=st.dictionaries(
        st.sampled_from(["if-match", "if-none-match", "if-range"]),
        st.sampled_from(['"r1"', '"old"', 'W/"r1"', "*"]),
    ),
    has_range=st.booleans(),
)
def test_against_a_plain_reading_of_the_rules(
    segment: Resource,
    method: str,
    first: int | None,
    last: int | None,
    conditions: dict[str, str],
    has_range: bool,
) -> None:
    headers = dict(conditions)
    if has_range:
        headers["range"] = f"bytes={'' if first is None else first}-{'' if last is None else last}"
    answer = ask(segment, headers, method)
    status, body = _plain(method, headers)
    assert answer.status == status
    if body is not None:
        assert content(answer.parts) == body


def _plain(method: str, headers: dict[str, str]) -> tuple[int, bytes | None]:
    if headers.get("if-match", "*") not in ("*", ETAG):
        return 412, None
    if headers.get("if-none-match", "none") in ("*", ETAG, f"W/{ETAG}"):
        return 304, b""
    if method == "HEAD":
        return 200, b""
    if "range" not in headers or headers.get("if-range", ETAG) != ETAG:
        return 200, BODY
    if match := re.fullmatch(r"bytes=(\d+)-(\d*)", headers["range"]):
        first, last = int(match[1]), int(match[2] or 10**9)
        if last < first:
            return 200, BODY
        return (206, BODY[first : last + 1]) if first < 100 else (416, None)
    if match := re.fullmatch(r"bytes=-(\d+)", headers["range"]):
        count = min(int(match[1]), 100)
        return (206, BODY[100 - count :]) if count else (416, None)
    return 200, BODY


def test_a_problem() -> None:
    answer = answer_problem(
        False, Problem(503, "storage-error", "Not now.", "public, max-age=5", retry_after=7)
    )
    fields = fields_of(answer)
    assert answer.status == 503
    assert fields["Retry-After"] == "7"
    assert fields["Cache-Control"] == "public, max-age=5"
    assert fields["Content-Type"] == "application/problem+json"
    assert orjson.loads(content(answer.parts)) == {
        "type": "about:blank",
        "title": "Service Unavailable",
        "status": 503,
        "code": "storage-error",
        "detail": "Not now.",
    }
    head = answer_problem(True, Problem(503, "storage-error", "Not now."))
    assert head.parts == ()
    assert fields_of(head)["Content-Length"] == fields["Content-Length"]


def test_a_405_says_what_is_allowed() -> None:
    fields = fields_of(answer_problem(False, Problem(405, "method-not-allowed", "No.")))
    assert fields["Allow"] == "GET, HEAD, OPTIONS"


def test_a_preflight_allows_what_players_send() -> None:
    fields = fields_of(PREFLIGHT)
    assert PREFLIGHT.status == 204
    assert PREFLIGHT.parts == ()
    assert "Content-Length" not in fields
    assert fields["Access-Control-Allow-Methods"] == "GET, HEAD, OPTIONS"
    assert fields["Access-Control-Max-Age"] == "86400"
    allowed = fields["Access-Control-Allow-Headers"].lower().split(", ")
    assert {"range", "if-none-match", "if-range", "cmcd-session"} <= set(allowed)
