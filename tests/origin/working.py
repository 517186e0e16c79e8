"""A process for tests of ``origin.workers``: serves ``/pid`` and a large file at ``/v/large``.

    working.py COUNT FILE [HANG_SECONDS]

Prints its port and serves until told to stop. A worker that finds a file named ``FILE.crash`` fails
at its start, one that finds ``FILE.block`` when it has drained never ends.
"""

from __future__ import annotations

import asyncio
import logging
import os
import socket
import sys
import time
from pathlib import Path

import uvloop
from aiohttp import web

from origin import workers
from origin.delivery.resource import FileSpan, OpenFile, Resource
from origin.delivery.server import serve
from origin.errors import describe

GRACE_SECONDS = 30.0


async def work(sock: socket.socket, path: Path, worker: workers.Worker) -> None:
    if path.with_suffix(".crash").exists():
        raise RuntimeError("told to crash")
    file = OpenFile(os.open(path, os.O_RDONLY))
    size = os.fstat(file.fileno()).st_size
    large = Resource("video/mp4", '"1"', "no-store", size, (FileSpan(file, 0, size),))
    app = web.Application()
    app.router.add_get("/pid", _pid)
    runner = web.AppRunner(app, access_log=None)
    await runner.setup()
    assert runner.server is not None
    server = await serve(sock, lambda _: large, runner.server, describe)
    await worker.stopped()
    await server.close(GRACE_SECONDS)
    await runner.cleanup()
    if path.with_suffix(".block").exists():
        asyncio.get_running_loop().run_in_executor(None, time.sleep, 3600)


async def _pid(_: web.Request) -> web.Response:
    return web.Response(text=str(os.getpid()))


def main(count: int, path: Path, hang_seconds: float = workers.HANG_SECONDS) -> int:
    logging.basicConfig(level="INFO", format="%(message)s")
    workers.HANG_SECONDS = hang_seconds
    sock = socket.create_server(("127.0.0.1", 0), backlog=100)
    print(sock.getsockname()[1], flush=True)
    return workers.run(sock, count, lambda worker: uvloop.run(work(sock, path, worker)))


if __name__ == "__main__":
    sys.exit(main(int(sys.argv[1]), Path(sys.argv[2]), *map(float, sys.argv[3:])))
