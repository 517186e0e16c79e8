"""A body onto the wire, without holding it in memory and without holding up the others.

On a plain TCP connection files go by sendfile on a duplicate of the socket's descriptor (uvloop
lets nobody watch a transport's own): the head and what else is in memory first, with MSG_MORE, so
that they share a packet with the media. That is done behind the transport's back and so only while
its own buffer is empty. Where there is no socket to write to (TLS) or no Linux, bodies are copied
through the transport under its back pressure.

A connection sends at most ``TURN`` bytes, then the loop goes round. Where it stands is two numbers,
part and offset; what a socket did not take is read again later, so a stalled reader costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections.abc import Callable

from origin.delivery.resource import FileSpan, Part, part_size
from origin.delivery.spans import GATHER_BELOW, Cold, gather, resident, warm

TURN = 512 * 1024
SCRATCH = 128 * 1024
"""Size of the buffer that the writers of one loop share: nothing is in it between two turns."""

_LEAST = TURN // 16  # what a step counts for: very small spans make many system calls a byte
_MSG_MORE: int = getattr(socket, "MSG_MORE", 0)


class BodyWriter:
    """Writes one body after another; ``sent`` counts what was taken of all of them."""

    __slots__ = (
        "_direct",
        "_finished",
        "_index",
        "_left",
        "_loop",
        "_offset",
        "_parts",
        "_paused",
        "_scratch",
        "_socket",
        "_transport",
        "_trusting",
        "_watching",
        "sent",
    )

    def __init__(
        self,
        loop: asyncio.AbstractEventLoop,
        transport: asyncio.Transport,
        scratch: memoryview,
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._scratch = scratch
        self._finished: Callable[[bool], None] | None = None
        self._direct = (
            sys.platform == "linux"
            and transport.get_extra_info("sslcontext") is None
            and transport.get_extra_info("socket") is not None
        )
        self._socket: socket.socket | None = None
        self._watching = False
        self._paused = False
        self._trusting = False
        self._parts: tuple[Part, ...] = ()
        self._index = self._offset = self._left = 0
        self.sent = 0

    @property
    def active(self) -> bool:
        return self._left > 0

    def start(self, parts: tuple[Part, ...], size: int, finished: Callable[[bool], None]) -> bool:
        """Send ``parts``, ``size`` bytes; whether they all went at once.

        If not, ``finished`` is called when they have, or with False when they cannot.
        """
        self._parts = parts
        self._left = size
        self._index = self._offset = 0
        self._advance(0)
        if self._direct:
            if self._socket is None:
                self._socket = _duplicate(self._transport)
            if self._transport.get_write_buffer_size():
                # Answers before this one are still in it: have it say when it is empty.
                self._transport.set_write_buffer_limits(high=0)
        if self._turn():
            return True
        self._finished = finished
        return False

    def pause(self) -> None:
        """The transport's buffer is full."""
        self._paused = True

    def resume(self) -> None:
        """The transport's buffer has drained."""
        self._paused = False
        if self.active:
            if self._direct:
                self._transport.set_write_buffer_limits()
            self._go_on()

    def close(self) -> None:
        """Stop, and let go of everything."""
        self._finished = None
        self._release()

    def _release(self) -> None:
        self._left = 0
        self._parts = ()
        self._unwatch()
        if self._socket is not None:
            self._socket.close()
            self._socket = None

    def _go_on(self) -> None:
        if self.active and self._turn():
            self._finish(True)

    def _finish(self, ok: bool) -> None:
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(ok)

    def _turn(self) -> bool:
        """Send up to ``TURN`` bytes and see to it that more follow; whether all is sent."""
        if self._paused:
            return False
        budget = TURN
        try:
            self._check()
            while self._left and budget > 0:
                sent = self._step(budget)
                budget -= max(sent, _LEAST)
                self._advance(sent)
        except BlockingIOError:
            self._watch()
            return False
        except Cold as cold:
            self._warm(cold)
            return False
        except (OSError, EOFError):
            # The peer has gone, or a file is not what was promised: never end short, or mixed.
            self._release()
            self._loop.call_soon(self._finish, False)
            return False
        if self._left:
            if not self._watching and not self._paused:
                self._loop.call_soon(self._go_on)
            return False
        self._unwatch()
        self._parts = ()
        return True

    def _check(self) -> None:
        """Between turns a file may be overwritten; in front of the first it was just looked at."""
        part = self._parts[self._index]
        later = self._index or self._offset
        if later and isinstance(part, FileSpan) and not part.file.unchanged():
            raise EOFError("the file has changed")

    def _advance(self, sent: int) -> None:
        self.sent += sent
        self._left -= sent
        self._offset += sent
        while self._left and self._offset >= (size := part_size(self._parts[self._index])):
            self._offset -= size
            self._index += 1

    def _step(self, budget: int) -> int:
        part = self._parts[self._index]
        wait, self._trusting = self._trusting, False
        if isinstance(part, FileSpan):
            if self._direct and part.length >= GATHER_BELOW:
                return self._sendfile(part, budget, wait)
        elif len(part) >= GATHER_BELOW:
            return self._send(memoryview(part)[self._offset : self._offset + budget])
        filled = gather(
            self._parts,
            self._index,
            self._offset,
            self._scratch,
            below=GATHER_BELOW if self._direct else sys.maxsize,
            wait=wait,
        )
        return self._send(self._scratch[:filled])

    def _sendfile(self, span: FileSpan, budget: int, wait: bool) -> int:
        assert self._socket is not None
        start = span.start + self._offset
        count = min(span.length - self._offset, budget)
        if not wait and not resident(span.file, start + count - 1):
            raise Cold(span.file, start, count)
        sent = os.sendfile(self._socket.fileno(), span.file.fileno(), start, count)
        if sent == 0:
            raise EOFError("the file ends before its span")
        return sent

    def _send(self, data: memoryview) -> int:
        if self._socket is not None:
            return self._socket.send(data, _MSG_MORE if len(data) < self._left else 0)
        if self._paused:
            raise BlockingIOError
        self._transport.write(bytes(data))
        return len(data)

    def _watch(self) -> None:
        """Go on when the socket has room; copied bodies go on when the transport resumes."""
        if self._socket is not None and not self._watching:
            self._loop.add_writer(self._socket.fileno(), self._go_on)
            self._watching = True

    def _unwatch(self) -> None:
        if self._socket is not None and self._watching:
            self._loop.remove_writer(self._socket.fileno())
            self._watching = False

    def _warm(self, cold: Cold) -> None:
        self._unwatch()
        self._loop.run_in_executor(None, warm, cold).add_done_callback(self._warmed)

    def _warmed(self, reading: asyncio.Future[None]) -> None:
        # What could not be read shows in the next turn, which may wait for the disk: were it to
        # ask again whether the bytes are in memory, a machine short of it might never get on.
        if not reading.cancelled():
            reading.exception()
        self._trusting = True
        self._go_on()


def _duplicate(transport: asyncio.Transport) -> socket.socket:
    original = transport.get_extra_info("socket")
    fd = os.dup(original.fileno())
    duplicate = socket.socket(original.family, original.type, original.proto, fileno=fd)
    duplicate.setblocking(False)
    return duplicate
