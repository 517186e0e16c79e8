"""Serve a library in this process, ask for every path on standard input (a line each), and print
as JSON the statuses and every file that the interpreter was asked to open meanwhile.

A process of its own, since an audit hook cannot be taken back.
"""

from __future__ import annotations

import asyncio
import json
import os
import socket
import sys

import uvloop

from origin.app import start
from origin.settings import read_settings
from tests.origin.delivery.serving import Wire, request

opened: set[str] = set()


def hook(event: str, arguments: tuple[object, ...]) -> None:
    if event in ("open", "os.listdir", "os.scandir"):
        opened.add(os.fsdecode(arguments[0]) if isinstance(arguments[0], str | bytes) else "")


async def status(port: int, target: str) -> int:
    wire = Wire(*await asyncio.open_connection("127.0.0.1", port, limit=1 << 20))
    try:
        await wire.send(request(target))
        return (await wire.reply()).status
    finally:
        await wire.close()


async def main(library: str, targets: list[str]) -> dict[str, object]:
    listener = socket.create_server(("127.0.0.1", 0))
    port = listener.getsockname()[1]
    server = await start(listener, read_settings(library=library))
    for target in ("/v/city/master.m3u8", "/v/x", "/nothing"):  # all is imported that will be
        await status(port, target)
    sys.addaudithook(hook)
    statuses = [await status(port, target) for target in targets]
    await server.close(grace=5)
    return {"statuses": statuses, "opened": sorted(opened)}


if __name__ == "__main__":
    targets = [line.removesuffix("\n") for line in sys.stdin]
    print(json.dumps(uvloop.run(main(sys.argv[1], targets))))
