"""Answers of the API: JSON, and nobody keeps what is a person's."""

from __future__ import annotations

import orjson
from aiohttp import web


def reply(body: object, status: int = 200, cache_control: str = "no-store") -> web.Response:
    return web.Response(
        status=status,
        body=orjson.dumps(body),
        content_type="application/json",
        headers={"Cache-Control": cache_control},
    )


def done() -> web.Response:
    return web.Response(status=204, headers={"Cache-Control": "no-store"})
