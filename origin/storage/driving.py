"""Readers of far objects, such as the indexing of a movie: run in threads, fed by requests."""

from __future__ import annotations

import asyncio
from collections.abc import Generator
from typing import Any, Generic, TypeVar

from origin.storage.remote import Source
from packager.errors import PackagerError
from packager.ranges import ByteRange

T = TypeVar("T")


async def drive(
    source: Source, key: str, version: str, reader: Generator[ByteRange, bytes, T]
) -> T:
    """Run ``reader`` to its result, feeding it the ranges of that version it asks for. Goes on to
    its end when whoever waits has left: a thread may be inside ``reader``."""
    driving = asyncio.ensure_future(_drive(source, key, version, reader))
    driving.add_done_callback(_look_at)
    return await asyncio.shield(driving)


async def _drive(
    source: Source, key: str, version: str, reader: Generator[ByteRange, bytes, T]
) -> T:
    data: bytes | None = None
    try:
        while True:
            step: ByteRange | _Done[T] = await asyncio.to_thread(_step, reader, data)
            if isinstance(step, _Done):
                return step.value
            data = await _read(source, key, version, step)
    except PackagerError:
        await _read(source, key, version, ByteRange(0, 1))  # another version is the reason
        raise
    finally:
        reader.close()


async def _read(source: Source, key: str, version: str, span: ByteRange) -> bytes:
    data = bytearray()
    await source.get_range(key, span.start, span.stop, version, data.extend)
    return bytes(data)


class _Done(Generic[T]):
    """What a reader has come to."""

    def __init__(self, value: T) -> None:
        self.value = value


def _step(reader: Generator[ByteRange, bytes, T], data: bytes | None) -> ByteRange | _Done[T]:
    """StopIteration would not pass through a future."""
    try:
        return next(reader) if data is None else reader.send(data)
    except StopIteration as done:
        return _Done(done.value)


def _look_at(driving: asyncio.Task[Any]) -> None:
    if not driving.cancelled():
        driving.exception()
