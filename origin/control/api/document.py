"""``/api/openapi.json``: the operations and schemas as OpenAPI 3.1, put together once."""

from __future__ import annotations

import hashlib
from collections.abc import Iterator
from http import HTTPStatus
from itertools import groupby
from operator import attrgetter
from typing import Any

import orjson
from aiohttp import web

from origin import problem
from origin.control.api.callers import COOKIE
from origin.control.api.operations import OPERATIONS, PARAMETERS, Operation, Refusal
from origin.control.api.parts import Parts
from origin.control.api.schemas import SCHEMAS, STRING, Schema, ref

JSON = "application/json"
RETRIED = (429, 503)

_ABOUT = """\
Signed in is who sends the cookie `vod_login`, or its value as a bearer. With the cookie whatever is
not a GET has to come from a page of this server, as Origin or Sec-Fetch-Site say. Refusals are
problem details (RFC 9457) whose `code` stays the same."""


class Document:
    def __init__(self, _: Parts) -> None:
        self._body = orjson.dumps(document())
        self._tag = hashlib.blake2b(self._body, digest_size=16).hexdigest()

    def add_routes(self, router: web.UrlDispatcher) -> None:
        router.add_get("/api/openapi.json", self.get)

    async def get(self, request: web.Request) -> web.Response:
        headers = {"ETag": f'"{self._tag}"', "Cache-Control": "no-cache"}
        if any(held.value in (self._tag, "*") for held in request.if_none_match or ()):
            return web.Response(status=304, headers=headers)
        return web.Response(body=self._body, content_type=JSON, headers=headers)


def document() -> dict[str, Any]:
    paths: dict[str, Any] = {}
    for tag, operations in OPERATIONS.items():
        for operation in operations:
            path = paths.setdefault(operation.path, {})
            path[operation.method.lower()] = {"tags": [tag], **_operation(operation)}
    return {
        "openapi": "3.1.0",
        "info": {"title": "vod-origin", "version": "1", "description": _ABOUT},
        "servers": [{"url": "/"}],
        "security": [{"cookie": []}, {"bearer": []}],
        "tags": [{"name": tag} for tag in OPERATIONS],
        "paths": paths,
        "components": {
            "securitySchemes": {
                "cookie": {"type": "apiKey", "in": "cookie", "name": COOKIE},
                "bearer": {"type": "http", "scheme": "bearer"},
            },
            "schemas": SCHEMAS,
        },
    }


def _operation(operation: Operation) -> dict[str, Any]:
    described: dict[str, Any] = {
        "operationId": operation.name,
        "summary": operation.summary,
        "parameters": list(_parameters(operation)),
        "responses": dict(_answers(operation)) | dict(_refusals(operation)),
    }
    if operation.body is not None:
        content = {JSON: {"schema": ref(operation.body)}}
        described["requestBody"] = {"required": operation.needs_body, "content": content}
    if operation.by == "anybody":
        described["security"] = []
    return described


def _parameters(operation: Operation) -> Iterator[dict[str, Any]]:
    for name in operation.named:
        yield {"name": name, "in": "path", "required": True, "schema": PARAMETERS[name]}
    for name in operation.needs:
        yield {"name": name, "in": "query", "required": True, "schema": PARAMETERS[name]}
    for name in operation.takes:
        yield {"name": name, "in": "query", "allowEmptyValue": True, "schema": PARAMETERS[name]}


def _answers(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    headers: Schema = {}
    if operation.has_tag:
        headers["ETag"] = {"schema": STRING}
        yield "304", {"description": "It is as it was", "headers": headers}
    if operation.signs_in:
        headers["Set-Cookie"] = {"schema": STRING}
    content: dict[str, Schema] = {media: {} for media in operation.media}
    if operation.answer is not None:
        content = {JSON: {"schema": ref(operation.answer)}}
    for status in operation.statuses if content else (204,):
        described = {"description": HTTPStatus(status).phrase, "headers": headers}
        yield str(status), described | ({"content": content} if content else {})


def _refusals(operation: Operation) -> Iterator[tuple[str, dict[str, Any]]]:
    """One answer for each status: any of its codes."""
    by_status = attrgetter("status")
    for status, refusals in groupby(sorted(operation.all_refusals(), key=by_status), by_status):
        yield str(status), _refusal(status, tuple(refusals))


def _refusal(status: int, refusals: tuple[Refusal, ...]) -> dict[str, Any]:
    codes: Schema = {"properties": {"code": {"enum": [refusal.code for refusal in refusals]}}}
    described: dict[str, Any] = {
        "description": "\n".join(f"- `{refusal.code}`: {refusal.why}" for refusal in refusals),
        "content": {problem.MEDIA_TYPE: {"schema": {"allOf": [ref("Problem"), codes]}}},
    }
    if status in RETRIED:
        described["headers"] = {"Retry-After": {"required": True, "schema": {"type": "integer"}}}
    return described
