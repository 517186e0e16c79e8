"""A web server of files that others made: aiohttp's, with ranges, conditions and strong ETags."""

from __future__ import annotations

import asyncio
import os
import ssl
import threading
from collections.abc import AsyncIterator, Iterator
from contextlib import asynccontextmanager, contextmanager
from pathlib import Path
from urllib.parse import unquote_to_bytes

from aiohttp import web


@asynccontextmanager
async def web_server(folder: Path, tls: ssl.SSLContext | None = None) -> AsyncIterator[str]:
    """Its URL; what lies in ``folder`` is below."""

    async def serve(request: web.Request) -> web.StreamResponse:
        path = folder / os.fsdecode(unquote_to_bytes(request.raw_path.lstrip("/")))
        if not path.is_file():
            raise web.HTTPNotFound
        return web.FileResponse(path)

    app = web.Application()
    app.router.add_get(r"/{path:[\s\S]*}", serve)
    runner = web.AppRunner(app, access_log=None, shutdown_timeout=1.0)
    await runner.setup()
    await web.TCPSite(runner, "127.0.0.1", 0, ssl_context=tls).start()
    try:
        yield f"{'https' if tls else 'http'}://127.0.0.1:{runner.addresses[0][1]}"
    finally:
        await runner.cleanup()


@contextmanager
def files_over_http(folder: Path) -> Iterator[str]:
    """The same for tests that are not asynchronous: in a thread of its own."""
    loop = asyncio.new_event_loop()
    thread = threading.Thread(target=loop.run_forever)
    thread.start()
    server = web_server(folder)
    try:
        yield asyncio.run_coroutine_threadsafe(server.__aenter__(), loop).result()
        asyncio.run_coroutine_threadsafe(server.__aexit__(None, None, None), loop).result()
    finally:
        loop.call_soon_threadsafe(loop.stop)
        thread.join()
        loop.close()
