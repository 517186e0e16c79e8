"""HTTP/1.1 on one connection: a GET, the head of its reply, then its body, as it arrives.

    fetch(request, answer): answer(head) says which sink the body goes to, sink(piece) takes it

A piece is a view of the buffer it was read into. All connections of a loop read into the same one,
for nothing stays in it between two turns of the loop; or each where its caller has room for a body.

A connection takes another request only when the last byte of a reply has come, none came behind it,
and its server means to go on. Whatever else happens, it is closed.
"""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from typing import TypeAlias, cast

from httptools import HttpParserError, HttpParserUpgrade, HttpResponseParser

from origin.errors import StorageError
from origin.storage.s3.faults import Passing, Reason
from origin.storage.s3.options import Limits

Sink = Callable[[memoryview], Awaitable[None] | None]
"""Takes the next piece of a body; the view is good until the call returns. If it returns something
to await, no more is read until that is done."""

Room = Callable[[], memoryview | None]
"""Says where the next bytes of a body may be read to, if there is a place for them: the sink is
then given a view of that, and need not copy it."""

SCRATCH_BYTES = 512 * 1024
_FIRST_BYTES = 16 * 1024
"""Read with a head, where there is room for the rest."""
_LAST_BYTES = 16 * 1024
"""Of a body, read into the common buffer, that it shows whether more comes than was announced."""
HEAD_BYTES = 16 * 1024

_WANTED = (200, 206)
_BLANK_LINE = b"\r\n\r\n"


class Stale(Passing):
    """A connection that was kept turned out to be closed before anything of this reply came."""


class Head:
    """``length``: bytes of the body; None: it is chunked."""

    __slots__ = (
        "_fields",
        "_messages",
        "_parser",
        "_pieces",
        "is_over",
        "keep_alive",
        "length",
        "status",
    )

    def __init__(self, data: bytes) -> None:
        """``data``: all of the head. Raises ``HttpParserError`` or ``HttpParserUpgrade``."""
        self._fields: dict[bytes, bytes] = {}
        self.is_over = False
        self._messages = 0
        self._pieces: list[bytes] = []
        self._parser = HttpResponseParser(self)
        self.status = 0
        self.keep_alive = False
        self._parser.feed_data(data)
        self.length = self._length()

    def field(self, name: bytes) -> str | None:
        """``name`` in lower case."""
        value = self._fields.get(name)
        return None if value is None else value.decode("latin-1")

    def decode(self, data: memoryview) -> bytes:
        """What ``data`` holds of a chunked body; ``is_over`` once that was the last of it."""
        self._pieces.clear()
        self._parser.feed_data(data)
        if self._messages > 1:
            raise HttpParserError("a reply to nothing")
        return b"".join(self._pieces)

    def _length(self) -> int | None:
        """RFC 9112 section 6.3; a body that only the end of the connection ends is refused."""
        if self.status < 200:
            raise HttpParserError(f"status {self.status}")
        if self.status in (204, 304):
            return 0
        if self._fields.get(b"transfer-encoding", b"").lower() == b"chunked":
            return None
        length = self._fields.get(b"content-length", b"")
        if not length.isdigit():
            raise HttpParserError("no length")
        return int(length)

    # What the parser calls.

    def on_message_begin(self) -> None:
        self._messages += 1

    def on_header(self, name: bytes, value: bytes) -> None:
        field = name.lower()
        self._fields[field] = (
            self._fields[field] + b", " + value if field in self._fields else value
        )

    def on_headers_complete(self) -> None:
        self.status = self._parser.get_status_code()
        self.keep_alive = self._parser.should_keep_alive()

    def on_body(self, data: bytes) -> None:
        self._pieces.append(data)

    def on_message_complete(self) -> None:
        self.is_over = True


Answer: TypeAlias = Callable[[Head], Sink]
"""Called with the head of a reply. What it raises, or the sink, ends the request."""


def _refuse(head: Head) -> Sink:
    raise HttpParserError("a reply to nothing")


def _drop(piece: memoryview) -> None:
    """Nobody wants it."""


class Connection(asyncio.BufferedProtocol):
    __slots__ = (
        "_answer",
        "_head",
        "_left",
        "_limits",
        "_loop",
        "_lost",
        "_moved",
        "_part",
        "_pause",
        "_replies",
        "_room",
        "_scratch",
        "_sink",
        "_target",
        "_timer",
        "_transport",
        "_view",
        "_waiter",
    )

    _timer: asyncio.TimerHandle
    _transport: asyncio.Transport

    def __init__(
        self, scratch: bytearray, limits: Limits, lost: Callable[[Connection], None]
    ) -> None:
        """``lost`` is called when the connection is gone."""
        self._loop = asyncio.get_running_loop()
        self._scratch = scratch
        self._view = memoryview(scratch)
        self._limits = limits
        self._lost = lost
        self._replies = 0
        self._waiter: asyncio.Future[None] | None = None
        self._head: Head | None = None
        self._part = b""  # of a head that is not whole
        self._left = 0  # bytes of the body; 1 while a chunked one is not over
        self._moved = 0
        self._pause: asyncio.Future[None] | None = None
        self._room: Room | None = None
        self._answer: Answer = _refuse
        self._sink: Sink = _drop
        self._target = self._view

    @property
    def reusable(self) -> bool:
        is_free = self._waiter is None and not self._transport.is_closing()
        return is_free and (self._head is None or self._head.keep_alive)

    # What the owner calls.

    async def fetch(self, request: bytes, answer: Answer, room: Room | None = None) -> None:
        """Send ``request``, a whole GET, and have its reply taken, to the end. ``room``: for the
        body of an answer that is what was asked for."""
        self._head = None
        self._room = room
        self._answer = answer
        self._waiter = self._loop.create_future()
        self._timer = self._loop.call_later(self._limits.first_byte_seconds, self._give_up)
        self._transport.write(request)
        try:
            await self._waiter
        except BaseException:
            self.close()
            raise
        finally:
            self._timer.cancel()
            if self._pause is not None:
                self._pause.cancel()
            self._waiter = self._pause = self._room = None
            # While it is kept for another, it keeps nothing of this one's caller.
            self._answer, self._sink, self._target = _refuse, _drop, self._view

    def close(self) -> None:
        self._transport.abort()

    def fail(self, error: BaseException) -> None:
        """End the request, if there is one, and the connection."""
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_exception(error)
        self.close()

    def _finish(self) -> None:
        if self._waiter is not None and not self._waiter.done():
            self._waiter.set_result(None)

    # What the timer calls.

    def _give_up(self) -> None:
        seconds = self._limits.first_byte_seconds
        self.fail(Passing(Reason.TIMEOUT, f"the storage has not answered within {seconds:g} s"))

    def _look(self) -> None:
        if self._pause is None and self._moved < self._limits.progress_bytes:
            self.fail(Passing(Reason.STALL, "a reply of the storage came to a standstill"))
        else:
            self._watch()

    def _watch(self) -> None:
        self._timer.cancel()
        self._moved = 0
        self._timer = self._loop.call_later(self._limits.progress_seconds, self._look)

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name

    def get_buffer(self, sizehint: int) -> memoryview:
        self._target = self._view if self._room is None else self._room_or_scratch(self._room)
        return self._target

    def _room_or_scratch(self, find: Room) -> memoryview:
        head = self._head
        if head is None:
            return self._view[:_FIRST_BYTES]
        most = min(self._left - _LAST_BYTES, SCRATCH_BYTES)
        room = find() if head.status in _WANTED and most > 0 else None
        return room[:most] if room else self._view

    def buffer_updated(self, nbytes: int) -> None:
        if self._waiter is None or self._waiter.done():
            self.close()  # a reply to nothing
            return
        try:
            if self._head is None:
                self._read_head(nbytes)
            else:
                self._deliver(self._target[:nbytes])
        except (HttpParserError, HttpParserUpgrade) as error:
            self.fail(Passing(Reason.BAD_REPLY, f"the storage sent what is no HTTP: {error}"))
        except Exception as error:  # of whoever takes the reply, and to be told them
            self.fail(error)

    def connection_lost(self, exc: Exception | None) -> None:
        if self._head is not None and not self._left:
            pass  # all of it has come; a sink may be busy with the last piece
        elif self._replies and self._head is None and not self._part:
            self.fail(Stale(Reason.RESET, "the storage closed a connection that was kept"))
        else:
            self.fail(Passing(Reason.RESET, "the storage ended the connection within a reply"))
        self._lost(self)

    # The reply.

    def _read_head(self, nbytes: int) -> None:
        data = self._view[:nbytes]
        end = self._scratch.find(_BLANK_LINE, 0, nbytes)
        if self._part or end < 0:
            self._part += data
            data = memoryview(self._part)
            end = self._part.find(_BLANK_LINE)
        if end < 0:
            if len(data) > HEAD_BYTES:
                raise HttpParserError("its head has no end")
            return
        end += len(_BLANK_LINE)
        head = self._head = Head(bytes(data[:end]))
        self._part = b""
        self._replies += 1
        self._left = 1 if head.length is None else head.length
        self._sink = self._answer(head)
        self._watch()
        self._deliver(data[end:])

    def _deliver(self, data: memoryview) -> None:
        piece = self._body(data)
        pause = self._sink(piece) if piece else None
        if pause is not None:
            self._transport.pause_reading()
            self._pause = asyncio.ensure_future(pause)
            self._pause.add_done_callback(self._resume)
        elif not self._left:
            self._finish()

    def _body(self, data: memoryview) -> memoryview:
        """What ``data`` holds of it."""
        assert self._head is not None
        self._moved += len(data)
        if self._head.length is None:
            piece = self._head.decode(data)
            self._left = 0 if self._head.is_over else 1
            return memoryview(piece)
        if len(data) > self._left:
            raise HttpParserError("it is longer than announced")
        self._left -= len(data)
        return data

    def _resume(self, pause: asyncio.Future[None]) -> None:
        if pause is not self._pause:
            return  # of a reply that was given up
        self._pause = None
        self._moved = self._limits.progress_bytes  # the time of the pause is not the server's
        if pause.cancelled():
            self.fail(StorageError("what was being read cannot be kept"))
        elif error := pause.exception():
            self.fail(error)
        else:
            if not self._transport.is_closing():
                self._transport.resume_reading()
            if not self._left:
                self._finish()
