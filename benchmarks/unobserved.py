"""One worker as ``vod-origin serve`` runs it, but for its metrics and its log: what these two cost
is the difference. ``python -m benchmarks.unobserved LIBRARY``, and settings as ever."""

from __future__ import annotations

import asyncio
import socket
import sys

import uvloop

from origin.app import start
from origin.settings import Settings, read_settings
from origin.workers import Worker


async def serve(settings: Settings) -> None:
    sock = socket.create_server((settings.host, settings.port), backlog=4096)
    server = await start(sock, settings)
    print(f"http://{settings.host}:{sock.getsockname()[1]}/", flush=True)
    await Worker(0).stopped()
    await server.close(settings.drain_seconds)


if __name__ == "__main__":
    with asyncio.Runner(loop_factory=uvloop.new_event_loop) as runner:
        runner.run(serve(read_settings(library=sys.argv[1])))
