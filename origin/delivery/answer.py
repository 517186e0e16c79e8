"""What a request is answered with: status, field lines and body, decided before a byte is read.

The order of decisions is RFC 9110's (13.2.2): preconditions, then If-Range, then Range, which
only a GET has. Sizes are known, so every answer that may have a Content-Length has one.
"""

from __future__ import annotations

import hashlib
from collections.abc import Mapping
from http import HTTPStatus

from origin.delivery import fields
from origin.delivery.coding import prefers_gzip
from origin.delivery.conditional import precondition, range_holds
from origin.delivery.ranges import Interval, requested
from origin.delivery.resource import Answer, Part, Resource, slice_parts
from origin.problem import MEDIA_TYPE, Problem

PRECONDITION_FAILED = Problem(412, "precondition-failed", "The object is not the one named.")
NOT_ALLOWED = Problem(405, "method-not-allowed", "Media is read with GET and HEAD only.")
UNSATISFIABLE = Problem(416, "range-not-satisfiable", "The object ends before that range.")


PREFLIGHT = Answer(204, fields.SHARED + fields.PREFLIGHT + b"\r\n")


def answer_resource(head_only: bool, headers: Mapping[bytes, bytes], resource: Resource) -> Answer:
    """``headers`` by lower-case name; lines of one name are joined by commas."""
    if resource.gzip is not None and prefers_gzip(headers.get(b"accept-encoding", b"")):
        resource = resource.gzip
    if b"if-none-match" in headers or b"if-match" in headers:
        status = precondition(headers, resource.etag.encode())
        if status == 304:
            return Answer(304, resource.validators + b"\r\n")
        if status == 412:
            return answer_problem(head_only, PRECONDITION_FAILED)
    if head_only:
        return Answer(200, resource.whole.lines)
    if b"range" in headers and range_holds(headers, resource.etag.encode()):
        intervals = requested(headers[b"range"], resource.size, multipart=resource.multipart)
        if intervals is not None:
            return _partial(resource, intervals)
    return resource.whole


def answer_problem(
    head_only: bool, problem: Problem, extra: tuple[tuple[str, str], ...] = ()
) -> Answer:
    """``extra`` field lines go with some statuses, as Content-Range with 416."""
    body = problem.body()
    lines = [
        ("Cache-Control", problem.cache_control),
        ("Content-Type", MEDIA_TYPE),
        ("Content-Length", str(len(body))),
        *problem.fields,
        *extra,
    ]
    if problem.status == HTTPStatus.METHOD_NOT_ALLOWED:
        lines.append(("Allow", fields.METHODS))
    if problem.retry_after is not None:
        lines.append(("Retry-After", str(problem.retry_after)))
    head = fields.SHARED + fields.block(lines) + b"\r\n"
    if head_only:
        return Answer(problem.status, head)
    return Answer(problem.status, head, (body,), len(body))


def _partial(resource: Resource, intervals: tuple[Interval, ...]) -> Answer:
    if not intervals:
        return answer_problem(
            False, UNSATISFIABLE, (("Content-Range", f"bytes */{resource.size}"),)
        )
    if len(intervals) > 1:
        return _multipart(resource, intervals)
    start, stop = intervals[0]
    lines = fields.block(
        [
            *resource.content_lines,
            ("Content-Length", str(stop - start)),
            ("Content-Range", _content_range(resource, intervals[0])),
            ("Accept-Ranges", "bytes"),
        ]
    )
    return Answer(
        206,
        resource.validators + lines + b"\r\n",
        slice_parts(resource.parts, start, stop),
        stop - start,
        resource.whole.in_memory,
    )


def _multipart(resource: Resource, intervals: tuple[Interval, ...]) -> Answer:
    """multipart/byteranges (RFC 9110 section 14.6)."""
    # A digest of the entity tag: constant for these bytes, and nothing they can hold by chance.
    boundary = hashlib.blake2b(resource.etag.encode(), digest_size=16).hexdigest()
    parts: list[Part] = []
    size = 0
    for interval in intervals:
        head = (
            f"\r\n--{boundary}\r\nContent-Type: {resource.media_type}\r\n"
            f"Content-Range: {_content_range(resource, interval)}\r\n\r\n"
        ).encode()
        parts += (head, *slice_parts(resource.parts, *interval))
        size += len(head) + interval.stop - interval.start
    end = f"\r\n--{boundary}--\r\n".encode()
    size += len(end)
    lines = fields.block(
        [
            ("Content-Type", f"multipart/byteranges; boundary={boundary}"),
            ("Content-Length", str(size)),
            ("Accept-Ranges", "bytes"),
        ]
    )
    head = resource.validators + lines + b"\r\n"
    return Answer(206, head, (*parts, end), size, resource.whole.in_memory)


def _content_range(resource: Resource, interval: Interval) -> str:
    return f"bytes {interval.start}-{interval.stop - 1}/{resource.size}"
