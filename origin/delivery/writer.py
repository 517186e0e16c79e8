"""A body onto the wire, without holding it in memory and without holding up the others.

On a plain TCP connection files go by sendfile on the transport's own descriptor, and a duplicate of
it is made while a full socket has to be watched, which uvloop lets nobody do with the own one: a
viewer takes one descriptor, and a slow one two. The head and what else is in memory go first, with
MSG_MORE, so that they share a packet with the media. That is done behind the transport's back and
so only while its own buffer is empty. Where there is no socket to write to (TLS) or no Linux,
bodies are copied through the transport under its back pressure.

Connections take turns (``Rounds``): each sends ``TURN`` bytes, or a little more where that is all.
What one poll of the loop brings is read and decided first, and then sent, the long stretches of
files of many connections in one call (``push_all``): the interpreter and the kernel's network code
push each other out of the processor's caches, and so do it once a round, not once a request. Where
a connection stands is two numbers, part and offset; what a socket did not take is read again later,
so a stalled reader costs nothing.
"""

from __future__ import annotations

import asyncio
import os
import socket
import sys
from collections import deque
from collections.abc import Callable
from enum import Enum, auto
from functools import partial

from origin.delivery.resource import Arrival, FileSpan, MemorySpan, Part, part_size
from origin.delivery.spans import (
    GATHER_BELOW,
    Cold,
    Push,
    Why,
    gather,
    push_all,
    send_now,
    warm,
)

TURN = 512 * 1024
REST = TURN // 4
"""What may be sent beyond a turn to spare another one."""
SCRATCH = 128 * 1024
"""Size of the buffer that the connections of one loop share: nothing is in it between two turns."""

AGAIN_SECONDS = 0.05
"""How soon a full socket is tried again that could not be watched."""

_TOGETHER = 32  # turns, in one call
_LEAST = TURN // 16  # what a step counts for: very small spans make many system calls a byte
_MSG_MORE: int = getattr(socket, "MSG_MORE", 0)


class _Late(Exception):
    """The next bytes are still to come."""

    def __init__(self, arrival: Arrival) -> None:
        super().__init__(arrival)
        self.arrival = arrival


class Outcome(Enum):
    """How a body ended."""

    WHOLE = auto()
    GONE = auto()
    """The peer was, before all of it was sent."""
    BROKEN = auto()
    """A file is not what was promised, or what was to arrive did not."""


class Rounds:
    """The turns that are due, of all the connections of one loop."""

    __slots__ = ("_due", "_ended", "_loop", "_scheduled", "scratch")

    def __init__(self, loop: asyncio.AbstractEventLoop) -> None:
        self.scratch = memoryview(bytearray(SCRATCH))
        """For whoever has the turn."""
        self._loop = loop
        self._due: deque[BodyWriter] = deque()
        self._ended: deque[BodyWriter] = deque()
        self._scheduled = False

    def add(self, writer: BodyWriter) -> None:
        if not writer.due:
            writer.due = True
            self._due.append(writer)
            if not self._scheduled:
                self._scheduled = True
                self._loop.call_soon(self._round)

    def _round(self) -> None:
        ended = self._ended
        try:
            left = len(self._due)
            while left > 0:
                self._turns(min(left, _TOGETHER))
                left -= _TOGETHER
            while ended:
                ended.popleft().end()
        finally:  # the others go on, should one raise
            self._scheduled = bool(self._due or ended)
            if self._scheduled:
                self._loop.call_soon(self._round)

    def _turns(self, count: int) -> None:
        pushing: list[BodyWriter] = []
        pushes: list[Push] = []
        try:
            for _ in range(count):
                writer = self._due.popleft()
                writer.due = False
                push = writer.turn()
                if push is not None:
                    pushing.append(writer)
                    pushes.append(push)
                elif writer.over:
                    self._ended.append(writer)
        finally:
            for writer, push, (sent, why) in zip(pushing, pushes, push_all(pushes), strict=True):
                writer.pushed(push, sent, why)
                if writer.over:
                    self._ended.append(writer)


class BodyWriter:
    """Writes one body after another; ``sent`` counts what was taken of all of them."""

    __slots__ = (
        "_descriptor",
        "_direct",
        "_finished",
        "_index",
        "_left",
        "_loop",
        "_offset",
        "_outcome",
        "_parts",
        "_paused",
        "_rounds",
        "_socket",
        "_transport",
        "_trusting",
        "_watched",
        "due",
        "over",
        "sent",
    )

    def __init__(
        self, loop: asyncio.AbstractEventLoop, transport: asyncio.Transport, rounds: Rounds
    ) -> None:
        self._loop = loop
        self._transport = transport
        self._rounds = rounds
        self._finished: Callable[[Outcome], None] | None = None
        sock = transport.get_extra_info("socket")
        plain = transport.get_extra_info("sslcontext") is None
        self._direct = sys.platform == "linux" and plain and sock is not None
        self._descriptor = sock.fileno() if sock is not None else -1
        self._socket: socket.socket | None = None
        self._watched: int | None = None
        """Descriptor that the loop tells of when there is room."""
        self._paused = False
        self._trusting = False
        self._outcome = Outcome.WHOLE
        self._parts: tuple[Part, ...] = ()
        self._index = self._offset = self._left = 0
        self.sent = 0
        self.due = False
        """It is among those whose turn comes."""
        self.over = False
        """It has ended, and is to say so."""

    @property
    def active(self) -> bool:
        return self._finished is not None

    def put(self, parts: tuple[bytes, ...], size: int) -> None:
        """Have ``parts`` sent, ``size`` bytes and not many, past the transport where that has
        nothing in front of them: it would put them aside until the end of the loop's round."""
        transport, sent = self._transport, 0
        if self._direct and not transport.get_write_buffer_size() and not transport.is_closing():
            sent = send_now(self._descriptor, parts)
            if sent == size:
                return
        transport.write(b"".join(parts)[sent:])

    def start(
        self, parts: tuple[Part, ...], size: int, finished: Callable[[Outcome], None]
    ) -> None:
        """Have ``parts`` sent, ``size`` bytes, none of them empty but for files' spans.

        ``finished`` is called when they have been, or cannot be.
        """
        self._parts = parts
        self._left = size
        self._index = self._offset = 0
        self._finished = finished
        if self._direct:
            if self._socket is None:
                self._socket = _borrowed(self._transport)
            if self._transport.get_write_buffer_size():
                # Answers before this one are still in it: have it say when it is empty.
                self._transport.set_write_buffer_limits(high=0)
        self._rounds.add(self)

    def pause(self) -> None:
        """The transport's buffer is full."""
        self._paused = True

    def resume(self) -> None:
        """The transport's buffer has drained."""
        self._paused = False
        if self.active:
            if self._direct:
                self._transport.set_write_buffer_limits()
            self._rounds.add(self)

    def close(self) -> None:
        """Stop, and let go of everything."""
        self._finished = None
        self._release()

    def _release(self) -> None:
        self._left = 0
        self._parts = ()
        self._unwatch()
        if self._socket is not None:
            self._socket.detach()
            self._socket = None

    def turn(self) -> Push | None:
        """What to push for it, a turn's bytes; where there is nothing to push, they are sent."""
        if self._paused or not self._left:
            return None
        budget = TURN if self._left > TURN + REST else 2 * TURN
        try:
            if self._index or self._offset:
                self._check()
            push = self._to_push(budget)
            if push is None:
                self._write(budget)
            return push
        except BlockingIOError:
            self._watch()
        except Cold as cold:
            self._warm(cold)
        except _Late as late:
            late.arrival.wait(partial(self._rounds.add, self))
        except ConnectionError:
            self._fail(Outcome.GONE)
        except (OSError, EOFError):
            self._fail(Outcome.BROKEN)
        return None

    def pushed(self, push: Push, sent: int, why: int) -> None:
        """What became of a turn's ``push``."""
        self._advance(sent)
        if not why:
            self._go_on()
        elif why == Why.FULL:
            self._watch()
        elif why == Why.COLD:
            self._warm(Cold(push[2], push[3], push[4]))
        else:
            self._fail(Outcome.BROKEN if why == Why.SHORT else Outcome.GONE)

    def end(self) -> None:
        """Say how it ended."""
        self.over = False
        finished, self._finished = self._finished, None
        if finished is not None:
            finished(self._outcome)

    def _go_on(self) -> None:
        if not self._left:
            self._unwatch()
            self._parts = ()
            self.over = True
        elif self._watched is None and not self._paused:
            self._rounds.add(self)

    def _fail(self, outcome: Outcome) -> None:
        """Never end short, or mixed."""
        self._outcome = outcome
        self._release()
        self.over = True

    def _check(self) -> None:
        """Between turns a file may be overwritten; in front of the first it was just looked at."""
        part = self._parts[self._index]
        if isinstance(part, FileSpan) and not part.file.unchanged():
            raise EOFError("the file has changed")

    def _advance(self, sent: int) -> None:
        self.sent += sent
        self._left -= sent
        self._offset += sent
        while self._left and self._offset >= (size := part_size(self._parts[self._index])):
            self._offset -= size
            self._index += 1

    def _to_push(self, budget: int) -> Push | None:
        """The next bytes, where they are a long stretch of a file, or end with one."""
        if self._socket is None:
            return None
        parts, index, offset = self._parts, self._index, self._offset
        part, front = parts[index], b""
        if isinstance(part, bytes):
            if offset or len(part) > REST or index + 1 == len(parts):
                return None
            front, part, offset = part, parts[index + 1], 0
        if not isinstance(part, FileSpan) or part.length < GATHER_BELOW:
            return None
        count = min(part.ready(offset), budget)
        if count <= 0:
            return None
        wait, self._trusting = self._trusting, False
        return self._socket, front, part.file, part.start + offset, count, wait

    def _write(self, budget: int) -> None:
        """Send ``budget`` bytes or a little more, up to where there is something to push."""
        while self._left and budget > 0:
            sent = self._step(budget)
            if not sent:
                break
            self._advance(sent)
            budget -= max(sent, _LEAST)
        self._go_on()

    def _step(self, budget: int) -> int:
        part = self._parts[self._index]
        wait, self._trusting = self._trusting, False
        if not isinstance(part, bytes):
            _require_ready(part, self._offset)
        if isinstance(part, FileSpan):
            if self._direct and part.length >= GATHER_BELOW:
                return 0
        elif part_size(part) >= GATHER_BELOW or self._stands_alone():
            # What comes behind a span may be long in coming: nothing waits for it in the kernel.
            more = _MSG_MORE if isinstance(part, bytes) else 0
            return self._send(_bytes_of(part, self._offset, budget), more)
        filled = gather(
            self._parts,
            self._index,
            self._offset,
            self._rounds.scratch,
            below=GATHER_BELOW if self._direct else sys.maxsize,
            wait=wait,
        )
        return self._send(self._rounds.scratch[:filled])

    def _stands_alone(self) -> bool:
        """Whether the part has no small neighbour to be gathered with."""
        following = self._parts[self._index + 1 : self._index + 2]
        return not following or part_size(following[0]) >= GATHER_BELOW

    def _send(self, data: memoryview, more: int = _MSG_MORE) -> int:
        if self._socket is not None:
            return self._socket.send(data, more if len(data) < self._left else 0)
        if self._transport.is_closing():
            raise ConnectionAbortedError
        if self._paused:
            raise BlockingIOError
        self._transport.write(bytes(data))
        return len(data)

    def _watch(self) -> None:
        """Go on when the socket has room; copied bodies go on when the transport resumes."""
        if self._socket is None or self._watched is not None:
            return
        try:
            self._watched = os.dup(self._socket.fileno())
        except OSError:  # none is left; one may be soon
            self._loop.call_later(AGAIN_SECONDS, self._rounds.add, self)
        else:
            self._loop.add_writer(self._watched, self._rounds.add, self)

    def _unwatch(self) -> None:
        if self._watched is not None:
            self._loop.remove_writer(self._watched)
            os.close(self._watched)
            self._watched = None

    def _warm(self, cold: Cold) -> None:
        self._unwatch()
        self._loop.run_in_executor(None, warm, cold).add_done_callback(self._warmed)

    def _warmed(self, reading: asyncio.Future[None]) -> None:
        # What could not be read shows in the next turn, which may wait for the disk: were it to
        # ask again whether the bytes are in memory, a machine short of it might never get on.
        if not reading.cancelled():
            reading.exception()
        self._trusting = True
        self._rounds.add(self)


def _require_ready(part: FileSpan | MemorySpan, offset: int) -> None:
    arrival = part.arrival
    if arrival is not None and part.ready(offset) <= 0:
        raise EOFError("no more comes") if arrival.failed else _Late(arrival)


def _bytes_of(part: bytes | MemorySpan, offset: int, count: int) -> memoryview:
    if isinstance(part, bytes):
        return memoryview(part)[offset : offset + count]
    return part.view(offset, count)


def _borrowed(transport: asyncio.Transport) -> socket.socket:
    """The transport's socket, by its own descriptor: to be detached before that is closed."""
    original = transport.get_extra_info("socket")
    kind = (original.family, original.type, original.proto)
    borrowed = socket.socket(*kind, fileno=original.fileno())
    borrowed.setblocking(False)
    return borrowed
