"""One connection: requests are read, answered one at a time in their order, and timed.

    bytes -> RequestReader -> queue -> media: Handler -> Answer -> transport or BodyWriter
                                       else:  Exchange with the control plane

``_pump`` is the one place that decides what comes next; it runs when something has arrived, ended
or drained. An answer that ends at once is a turn of its loop, so pipelining needs no stack.
Whatever a peer sends, a connection holds a head, a control request's body, ``pipelined_requests``
requests and one piece more of input; beyond that it does not read.

A connection that we end is lingered on (RFC 9112 section 9.6): our side is shut and what still
arrives is thrown away, for closing over unread bytes resets the answer out of the peer's hands.
"""

from __future__ import annotations

import asyncio
import time
from collections.abc import Callable
from enum import Enum, auto
from functools import partial
from typing import cast

from origin.delivery import fields
from origin.delivery.answer import (
    NOT_ALLOWED,
    PREFLIGHT,
    answer_problem,
    answer_resource,
)
from origin.delivery.handover import Ending, Exchange
from origin.delivery.limits import Patience, Waiting
from origin.delivery.request import Refusal, Request, RequestReader
from origin.delivery.resource import Answer, Resource
from origin.delivery.site import CUT_SHORT, Site
from origin.delivery.writer import BodyWriter, Outcome
from origin.problem import Problem

INLINE = 64 * 1024
"""Bodies in memory up to this size go to the transport whole; larger ones take turns."""

_TIMED_OUT = Problem(408, "request-timeout", "The request took too long to arrive.")
_NO_ANSWER = Problem(500, "internal-error", "The server failed; its log says why.")
_NO_REQUEST = Refusal(_TIMED_OUT)
_VIEWER_LEFT = 499
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


class State(Enum):
    WAITING = auto()
    """For a request, or for the transport to drain before the next."""
    ANSWERING = auto()
    LINGERING = auto()
    """The last answer is out; the peer is to close."""
    GONE = auto()


# Of an Enum, a member that is not at hand takes longer to read than a function to call.
_WAITING, _ANSWERING, _LINGERING, _GONE = State
_WHOLE = Outcome.WHOLE
_IDLE = Waiting.IDLE


class DeliveryProtocol(asyncio.Protocol):
    __slots__ = (
        "_answers",
        "_at_rest",
        "_ended_input",
        "_exchange",
        "_held",
        "_joined",
        "_keep_alive",
        "_left",
        "_patience",
        "_paused",
        "_queue",
        "_reader",
        "_request",
        "_sent_before",
        "_site",
        "_started",
        "_state",
        "_status",
        "_transport",
        "_unparsed",
        "_writer",
        "due",
    )

    _transport: asyncio.Transport
    _writer: BodyWriter
    _request: Request | Refusal

    def __init__(
        self,
        site: Site,
        joined: Callable[[DeliveryProtocol], None],
        left: Callable[[DeliveryProtocol], None],
    ) -> None:
        """``joined`` is called when there is a connection, ``left`` when it is gone."""
        self._site = site
        self._joined = joined
        self._left = left
        self._state = _WAITING
        self._patience = Patience(site.limits)
        self.due = 0.0
        """The time of the next ``look``; 0 after whatever may begin a shorter wait."""
        # Input.
        self._queue: list[Request | Refusal] = []
        self._reader = RequestReader(site.limits, site.media, self._queue)
        self._unparsed = b""
        self._held = False
        self._ended_input = False
        self._at_rest = True
        """Nothing is read, asked, answered or held back: the next request may take the short way
        through ``data_received``, which is that of ``_pump`` without its questions."""
        # The answer in progress.
        self._answers = 0
        self._exchange: Exchange | None = None
        self._keep_alive = True
        self._paused = False
        self._status = 0
        self._started = 0.0
        self._sent_before = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        site = self._site
        self._transport = cast("asyncio.Transport", transport)  # uvloop's is none by name
        peer = transport.get_extra_info("peername")
        if isinstance(peer, tuple):  # a Unix socket's is none
            self._reader.address = peer[0]
        self._writer = BodyWriter(site.loop, self._transport, site.rounds)
        self._joined(self)

    def data_received(self, data: bytes) -> None:
        if self._at_rest:
            self._at_rest = False
            request = self._reader.plain(data)
            if request is not None:
                self._begin(request)
                self._keep_alive = not self._site.draining
                self._ask(request)
                self._at_rest = self._state is _WAITING and not self._paused
                return
        if self._state is not _LINGERING:
            self._unparsed = self._unparsed + data if self._unparsed else data
            self._pump()

    def eof_received(self) -> bool:
        """Answer what has been asked, then close; TLS has no half-closed connections."""
        self._ended_input = True
        self._at_rest = False
        if self._transport.get_extra_info("sslcontext") is not None:
            return False
        self._pump()
        return self._state in (_WAITING, _ANSWERING)

    def pause_writing(self) -> None:
        self._paused = True
        self._at_rest = False
        self.due = 0.0
        if self._exchange is not None:
            self._exchange.pause()
        else:
            self._writer.pause()

    def resume_writing(self) -> None:
        self._paused = False
        if self._exchange is not None:
            self._exchange.resume()
        else:
            self._writer.resume()
        self._pump()

    def connection_lost(self, error: Exception | None) -> None:
        if self._state is _ANSWERING:
            if self._exchange is not None and self._status != CUT_SHORT:
                self._status = self._exchange.status or _VIEWER_LEFT
            self._report(self._sent(), aborted=True)
        self._state = _GONE
        self._writer.close()
        self._reader.close()
        self._queue.clear()
        if self._exchange is not None:
            self._exchange.lose(error)
            self._exchange = None
        self._left(self)

    # What the server calls.

    def close_if_idle(self) -> None:
        reading = self._unparsed or self._reader.waiting is not _IDLE
        if self._state is _WAITING and not self._queue and not reading:
            self._close()

    def abort(self) -> None:
        """Cut short what is being answered."""
        self._status = CUT_SHORT
        self._transport.abort()

    def look(self, now: float) -> None:
        """Give up what has not moved for too long; to be called when it is ``due``."""
        buffered = self._transport.get_write_buffer_size()
        if buffered or self._writer.active:
            waiting = Waiting.STALL
        elif self._state is _WAITING:
            waiting = self._reader.waiting
        else:
            waiting = Waiting.ANSWER if self._state is _ANSWERING else Waiting.LINGER
        self.due = now + self._site.limits.seconds(waiting) / 4
        if self._patience.is_over(waiting, self._answers + self._writer.sent, buffered, now):
            self._give_up(waiting)

    def _give_up(self, waiting: Waiting) -> None:
        if waiting is Waiting.STALL or self._transport.is_closing():
            self._transport.abort()
        elif waiting in (Waiting.HEAD, Waiting.BODY):
            self._reader.close()
            self._queue.append(Refusal(_TIMED_OUT))
            self._pump()
        else:
            self._close()

    def _close(self) -> None:
        """Let the transport flush and close; a second call would break asyncio's TLS transport."""
        self._state = _LINGERING
        self._at_rest = False
        self.due = 0.0
        if not self._transport.is_closing():
            self._transport.close()

    # Reading, in order.

    def _pump(self) -> None:
        """Answer what can be answered now, then wait, read on, or close."""
        parsed = False
        while self._state is _WAITING and not self._paused:
            if self._queue:
                self._answer(self._queue.pop(0))
            elif self._unparsed and not self._reader.done and not parsed:
                self._parse()
                parsed = True
            else:
                self._rest()
                break
        if self._state is _ANSWERING or self._paused:
            self._read_ahead()

    def _parse(self) -> None:
        """One piece, so that neither a long head nor very many requests come of one read."""
        size = self._site.limits.head_bytes
        piece, self._unparsed = self._unparsed[:size], self._unparsed[size:]
        self._reader.feed(piece)

    def _rest(self) -> None:
        """All that was asked is answered."""
        if self._unparsed and not self._reader.done:
            # The others' turn first.
            self._hold_input(True)
            self._site.loop.call_soon(self._pump)
        elif self._ended_input:
            self._close()
        else:
            self._hold_input(False)
            if self._reader.waiting is not _IDLE:
                self.due = 0.0
            else:
                self._at_rest = not self._reader.done
            if self._reader.continue_due:
                self._reader.continue_due = False
                self._transport.write(_CONTINUE)

    def _read_ahead(self) -> None:
        most = self._site.limits.pipelined_requests
        while self._unparsed and not self._reader.done and len(self._queue) < most:
            self._parse()
        self._hold_input(bool(self._unparsed) or len(self._queue) >= most)

    def _hold_input(self, hold: bool) -> None:
        if hold is not self._held and not self._ended_input:
            self._held = hold
            if hold:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # Answering.

    def _begin(self, request: Request | Refusal) -> None:
        self._state = _ANSWERING
        self.due = 0.0
        self._answers += 1
        self._request = request
        self._status = _VIEWER_LEFT
        self._sent_before = self._writer.sent
        self._started = time.perf_counter()

    def _answer(self, request: Request | Refusal) -> None:
        self._begin(request)
        if isinstance(request, Refusal):
            self._keep_alive = False
            self._send_problem(request.problem)
            return
        self._keep_alive = request.keep_alive and not self._site.draining
        if not request.media:
            self._hand_over(request)
        elif request.method in ("GET", "HEAD"):
            self._ask(request)
        elif request.method == "OPTIONS":
            self._send(PREFLIGHT)
        else:
            self._send_problem(NOT_ALLOWED)

    def _ask(self, request: Request) -> None:
        site = self._site
        try:
            found = site.handler(request)
        except Exception as error:
            self._send_problem(site.describe(error))
            return
        if isinstance(found, Resource):
            self._send(answer_resource(request.method == "HEAD", request.headers, found))
        else:
            future = asyncio.ensure_future(found)
            site.loading.add(future)
            future.add_done_callback(partial(self._loaded, request))

    def _loaded(self, request: Request, future: asyncio.Future[Resource]) -> None:
        site = self._site
        site.loading.discard(future)
        error = asyncio.CancelledError() if future.cancelled() else future.exception()
        if self._state is _GONE or self._transport.is_closing():
            return
        if error is not None:
            self._send_problem(site.describe(error))
        else:
            resource = future.result()
            self._send(answer_resource(request.method == "HEAD", request.headers, resource))
        self._pump()

    def _send_problem(self, problem: Problem) -> None:
        self._send(answer_problem(self._request.method == "HEAD", problem))

    def _send(self, answer: Answer) -> None:
        status, lines, parts, size, in_memory = answer
        self._status = status
        first = self._site.preambles[status, self._connection_line()]
        whole = len(first) + len(lines) + size
        if in_memory and size <= INLINE:
            self._writer.put((first, lines, *parts), whole)  # type: ignore[arg-type]
            self._done(whole)
            return
        head = first + lines
        if isinstance(parts[0], bytes):
            self._writer.start((head + parts[0], *parts[1:]), whole, self._written)
        else:
            self._writer.start((head, *parts), whole, self._written)

    def _written(self, outcome: Outcome) -> None:
        """The end of what took turns."""
        if self._state is _GONE:
            return
        if outcome is _WHOLE:
            self._done(self._writer.sent - self._sent_before)
            self._pump()
        elif outcome is Outcome.BROKEN:
            self.abort()
        else:
            self._transport.abort()

    def _hand_over(self, request: Request) -> None:
        site, line = self._site, self._connection_line()
        exchange = Exchange(site.loop, self._transport, request, line, self._answered)
        self._exchange = exchange
        exchange.begin(site.control)

    def _answered(self, ending: Ending) -> None:
        """The end of what the control plane answers."""
        exchange = self._exchange
        if exchange is None:
            return
        if ending is Ending.CUT:
            self.abort()
            return
        self._status = exchange.status
        self._exchange = None
        if ending is Ending.NOTHING:
            self._keep_alive = False
            self._send_problem(_NO_ANSWER)
        else:
            self._keep_alive = self._keep_alive and ending is Ending.WHOLE
            self._done(exchange.sent)
        self._pump()

    def _done(self, sent: int) -> None:
        self._report(sent, aborted=False)
        self._request = _NO_REQUEST  # an idle connection holds nothing of its last one
        if self._keep_alive and not self._site.draining:
            self._state = _WAITING
            self.due = 0.0
        else:
            self._linger()

    def _linger(self) -> None:
        self._state = _LINGERING
        self.due = 0.0
        self._queue.clear()
        self._unparsed = b""
        if self._ended_input or not self._transport.can_write_eof():
            self._close()
        else:
            self._hold_input(False)
            self._transport.write_eof()

    def _connection_line(self) -> bytes:
        if not self._keep_alive:
            return fields.CLOSE
        # HTTP/1.0 closes unless told otherwise.
        return fields.KEEP_ALIVE if self._request.version == "1.0" else b""

    def _sent(self) -> int:
        if self._exchange is not None:
            return self._exchange.sent
        return self._writer.sent - self._sent_before

    def _report(self, sent: int, *, aborted: bool) -> None:
        observe, request = self._site.observe, self._request
        if observe is not None:
            seconds = time.perf_counter() - self._started
            observe(request.method, request.path, self._status, sent, seconds, aborted)
