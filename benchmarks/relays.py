"""What else would pass objects of S3 on to viewers: nginx's ``proxy_pass``, and the stream that
aiobotocore gives. Both send copies of our segments, which are objects of their own.

``python -m benchmarks.relays`` is the second one, for the bucket that the environment names.
"""

from __future__ import annotations

import asyncio
import os
import re
import sys
from collections.abc import Iterator
from contextlib import contextmanager
from importlib.metadata import version
from pathlib import Path
from typing import Any

import uvloop
from aiohttp import web

from benchmarks.buckets import COPIES, Bucket
from benchmarks.machine import cores
from benchmarks.nginx import run_nginx
from benchmarks.servers import HOST, Server, running, wait_for

PROXY, STOCK = "nginx proxy_pass", "aiobotocore"
PIECE = 256 * 1024
MOST_CONNECTIONS = 64

UPSTREAM = "upstream bucket {{ server {address}; keepalive {most}; keepalive_requests 1000000; }}"
PLACES = """
    location / {{
        proxy_pass http://bucket/{copies}/;
        proxy_http_version 1.1;
        proxy_set_header Connection "";
        proxy_buffer_size 64k;
        proxy_buffers 16 64k;
        proxy_busy_buffers_size 128k;
        proxy_max_temp_file_size 0;
    }}
"""


@contextmanager
def nginx_proxy(bucket: Bucket, scratch: Path) -> Iterator[Server]:
    """In buffers of memory; nothing is kept."""
    address = bucket.endpoint.removeprefix("http://")
    upstreams = UPSTREAM.format(address=address, most=MOST_CONNECTIONS)
    places = PLACES.format(copies=COPIES)
    with run_nginx(PROXY, places, scratch, upstreams=upstreams) as server:
        yield server


@contextmanager
def stock_stream(bucket: Bucket, scratch: Path) -> Iterator[Server]:
    log = scratch / f"{STOCK}.log"
    command = [sys.executable, "-m", "benchmarks.relays"]
    with running(command, log, {**os.environ, **bucket.environment}) as process:
        port = wait_for(process, log, lambda: _announced_port(log))
        yield Server(
            name=STOCK,
            program=f"{STOCK} {version(STOCK)}",
            host=HOST,
            port=port,
            pid=process.pid,
            cores={cores()[0]},
        )


def _announced_port(log: Path) -> int | None:
    found = re.match(r"port (\d+)\n", log.read_text(encoding="utf-8", errors="replace"))
    return int(found[1]) if found else None


async def serve() -> None:
    from aiobotocore.config import AioConfig
    from aiobotocore.session import get_session

    config = AioConfig(
        max_pool_connections=MOST_CONNECTIONS,
        s3={"addressing_style": "path"},
        response_checksum_validation="when_required",
    )
    async with get_session().create_client(
        "s3",
        endpoint_url=os.environ["VOD_S3_ENDPOINT"],
        region_name=os.environ["VOD_S3_REGION"],
        config=config,
    ) as client:
        app = web.Application()
        app.router.add_get("/{key:.+}", lambda request: relay(client, request))
        runner = web.AppRunner(app, access_log=None)
        await runner.setup()
        await web.TCPSite(runner, HOST, 0).start()
        print(f"port {runner.addresses[0][1]}", flush=True)
        await asyncio.Event().wait()


async def relay(client: Any, request: web.Request) -> web.StreamResponse:
    found = await client.get_object(Bucket=COPIES, Key=request.match_info["key"])
    response = web.StreamResponse(headers={"Content-Type": "video/mp4"})
    response.content_length = found["ContentLength"]
    await response.prepare(request)
    async with found["Body"] as body:
        async for piece in body.iter_chunks(PIECE):
            await response.write(piece)
    await response.write_eof()
    return response


if __name__ == "__main__":
    uvloop.run(serve())
