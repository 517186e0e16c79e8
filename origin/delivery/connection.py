"""One connection: requests are read, answered one at a time in their order, and timed.

    bytes -> RequestReader -> queue -> [media: Handler -> Answer -> transport or BodyWriter]
                                       [else:  Exchange with the control plane             ]

``_pump`` is the one place that decides what comes next. It runs when something has arrived, ended or
drained; an answer that ends at once is part of its loop, so a thousand pipelined requests need no
stack. Whatever a peer does costs at most a head, a body of the control plane's limit, and
``pipelined_requests`` requests and one piece more of the input; past that it is not read from.

A connection that we end is lingered on (RFC 9112 section 9.6): our side is shut and what still
arrives is thrown away, since closing over unread bytes would reset the answer out of the peer's hands.
"""

from __future__ import annotations

import asyncio
import time
from collections import deque
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field
from enum import Enum, auto
from functools import partial

from origin.delivery import fields
from origin.delivery.answer import (
    NOT_ALLOWED,
    PREFLIGHT,
    Answer,
    answer_problem,
    answer_resource,
)
from origin.delivery.handover import Ending, Exchange
from origin.delivery.limits import Limits
from origin.delivery.request import Refusal, Request, RequestReader, Stage
from origin.delivery.resource import Resource
from origin.delivery.writer import SCRATCH, BodyWriter
from origin.problem import Problem

Handler = Callable[[str], Resource | Awaitable[Resource]]
"""The resource at a raw path (no query): at once if it is at hand, else to be awaited; or raises.

A load that others may share is never cancelled here, whoever leaves.
"""

Observer = Callable[[str, str, int, int, float, bool], None]
"""``(method, path, status, body bytes sent, seconds, aborted)``, once for each answer.

The status of a request that was dropped before it had one is 499.
"""

INLINE = 64 * 1024
"""Bodies in memory up to this size go to the transport whole; larger ones keep to the turns."""

_TIMED_OUT = Problem(408, "request-timeout", "The request took too long to arrive.")
_NO_ANSWER = Problem(500, "internal-error", "The server failed; its log says why.")
_DROPPED = 499
_CONTINUE = b"HTTP/1.1 100 Continue\r\n\r\n"


@dataclass(slots=True)
class Site:
    """What the connections of one server share."""

    loop: asyncio.AbstractEventLoop
    handler: Handler
    control: Callable[[], asyncio.Protocol]
    describe: Callable[[BaseException], Problem]
    limits: Limits
    media: tuple[str, ...]
    observe: Observer | None = None
    draining: bool = False
    preamble: fields.Preamble = field(default_factory=fields.Preamble)
    scratch: memoryview = field(default_factory=lambda: memoryview(bytearray(SCRATCH)))
    connections: set[DeliveryProtocol] = field(default_factory=set)
    emptied: Callable[[], None] = lambda: None

    def ticks(self, seconds: float) -> int:
        return round(seconds / self.limits.tick_seconds)


class State(Enum):
    WAITING = auto()
    """For a request, or for more of one."""
    ANSWERING = auto()
    LINGERING = auto()
    """The last answer is out; waiting for the peer to close."""
    GONE = auto()


class DeliveryProtocol(asyncio.Protocol):
    __slots__ = (
        "_buffered",
        "_ended_input",
        "_exchange",
        "_keep_alive",
        "_patience",
        "_paused",
        "_queue",
        "_reader",
        "_reading_paused",
        "_request",
        "_sent",
        "_sent_before",
        "_site",
        "_stage",
        "_started",
        "_state",
        "_status",
        "_transport",
        "_unparsed",
        "_writer",
    )

    _transport: asyncio.Transport
    _writer: BodyWriter

    def __init__(self, site: Site) -> None:
        self._site = site
        self._state = State.WAITING
        self._queue: deque[Request | Refusal] = deque()
        self._reader = RequestReader(site.limits, site.media, self._queue)
        self._unparsed = b""
        self._reading_paused = False
        self._ended_input = False
        self._paused = False
        # The request being answered.
        self._request: Request | Refusal | None = None
        self._exchange: Exchange | None = None
        self._keep_alive = True
        self._status = 0
        self._started = 0.0
        self._sent_before = 0
        # The clock: what is waited for, for how many ticks yet, and how far writing was.
        self._stage: Stage | None = None
        self._patience = 0
        self._buffered = 0
        self._sent = 0

    # What the transport calls.

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        site = self._site
        self._transport = transport
        self._writer = BodyWriter(site.loop, transport, site.scratch, self._written)
        site.connections.add(self)
        self._settle()

    def data_received(self, data: bytes) -> None:
        if self._state is State.LINGERING:
            return
        self._unparsed = self._unparsed + data if self._unparsed else data
        self._pump()

    def eof_received(self) -> bool:
        """Answer what has been asked, then close; TLS knows no half-closed connection."""
        self._ended_input = True
        if self._state is State.LINGERING or self._transport.get_extra_info("sslcontext"):
            return False
        self._pump()
        return self._state is State.ANSWERING

    def pause_writing(self) -> None:
        self._paused = True
        self._writer.pause()
        if self._exchange is not None:
            self._exchange.pause()

    def resume_writing(self) -> None:
        self._paused = False
        self._writer.resume()
        if self._exchange is not None:
            self._exchange.resume()
        self._pump()

    def connection_lost(self, error: Exception | None) -> None:
        site = self._site
        if self._state is State.ANSWERING:
            self._report(aborted=True)
        self._state = State.GONE
        self._writer.close()
        self._reader.close()
        self._queue.clear()
        self._request = None
        if self._exchange is not None:
            self._exchange.lose(error)
            self._exchange = None
        site.connections.discard(self)
        if not site.connections:
            site.emptied()

    # What the server calls.

    def drain(self) -> None:
        """End the connection as soon as it has nothing to answer."""
        idle = self._reader.stage is Stage.IDLE and not self._queue and not self._unparsed
        if self._state is State.WAITING and idle:
            self._transport.close()

    def abort(self) -> None:
        self._transport.abort()

    def tick(self) -> None:
        """A tick of the server's clock: out of patience with whatever does not move?"""
        buffered = self._transport.get_write_buffer_size()
        if buffered or self._writer.active:
            moved = buffered < self._buffered or self._writer.sent != self._sent
            self._buffered, self._sent = buffered, self._writer.sent
            if moved or self._stage is not None:
                self._stage = None
                self._patience = self._site.ticks(self._site.limits.stall_seconds)
        elif self._state is State.ANSWERING:
            self._stage = None
            self._patience = self._site.ticks(self._site.limits.stall_seconds)
            return
        self._patience -= 1
        if self._patience < 0:
            self._expire()

    def _expire(self) -> None:
        waiting = self._state is State.WAITING and self._stage is not None
        if waiting and self._reader.stage is not Stage.IDLE:
            self._reader.close()
            self._queue.append(Refusal(_TIMED_OUT))
            self._pump()
        elif waiting:
            self._transport.close()
        else:
            self._transport.abort()

    # Reading, in order.

    def _pump(self) -> None:
        """Answer what can be answered now, then read on, wait or close."""
        while self._state is State.WAITING and not self._paused:
            if self._queue:
                self._answer(self._queue.popleft())
            elif self._unparsed and not self._reader.done:
                self._parse()
            else:
                break
        if self._state is State.ANSWERING:
            self._read_ahead()
        elif self._state is State.WAITING:
            self._settle()

    def _parse(self) -> None:
        """Feed the reader one piece: bounded, so that few bytes cannot become very many requests."""
        size = self._site.limits.head_bytes
        piece, self._unparsed = self._unparsed[:size], self._unparsed[size:]
        self._reader.feed(piece)

    def _read_ahead(self) -> None:
        most = self._site.limits.pipelined_requests
        while self._unparsed and not self._reader.done and len(self._queue) < most:
            self._parse()
        self._hold_reading(bool(self._unparsed) or len(self._queue) >= most)

    def _settle(self) -> None:
        """Nothing is being answered: wait for what the reader stands in, from its beginning."""
        if not self._paused and self._ended_input:
            self._state = State.LINGERING
            self._transport.close()
            return
        self._hold_reading(self._paused)
        stage = self._reader.stage
        if stage is not self._stage:
            self._stage = stage
            self._patience = self._site.ticks(_patience_seconds(self._site.limits, stage))
        if self._reader.continue_due and not self._paused:
            self._reader.continue_due = False
            self._transport.write(_CONTINUE)

    def _hold_reading(self, hold: bool) -> None:
        if hold is not self._reading_paused and not self._ended_input:
            self._reading_paused = hold
            if hold:
                self._transport.pause_reading()
            else:
                self._transport.resume_reading()

    # Answering.

    def _answer(self, request: Request | Refusal) -> None:
        site = self._site
        self._state = State.ANSWERING
        self._stage = None
        self._request = request
        self._status = _DROPPED
        self._sent_before = self._writer.sent
        if site.observe is not None:
            self._started = time.perf_counter()
        if isinstance(request, Refusal):
            self._keep_alive = False
            self._send(request, answer_problem(request.method == "HEAD", request.problem))
            return
        self._keep_alive = request.keep_alive and not site.draining
        if not request.media:
            self._hand_over(request)
        elif request.method == "OPTIONS":
            self._send(request, PREFLIGHT)
        elif request.method in ("GET", "HEAD"):
            self._ask(request)
        else:
            self._send(request, answer_problem(False, NOT_ALLOWED))

    def _ask(self, request: Request) -> None:
        try:
            found = self._site.handler(request.path)
        except Exception as error:
            self._fail(request, error)
            return
        if isinstance(found, Resource):
            self._respond(request, found)
        else:
            future = asyncio.ensure_future(found)
            future.add_done_callback(partial(self._loaded, request))

    def _loaded(self, request: Request, future: asyncio.Future[Resource]) -> None:
        error: BaseException | None = (
            asyncio.CancelledError() if future.cancelled() else future.exception()
        )
        if self._state is State.GONE:
            return
        if error is not None:
            self._fail(request, error)
        else:
            self._respond(request, future.result())
        self._pump()

    def _fail(self, request: Request, error: BaseException) -> None:
        self._send(request, answer_problem(request.method == "HEAD", self._site.describe(error)))

    def _respond(self, request: Request, resource: Resource) -> None:
        self._send(request, answer_resource(request.method == "HEAD", request.headers, resource))

    def _send(self, request: Request | Refusal, answer: Answer) -> None:
        self._status = answer.status
        head = self._site.preamble(answer.status, self._connection_line(request)) + answer.lines
        if answer.in_memory and answer.size <= INLINE:
            self._transport.write(head if not answer.size else b"".join((head, *answer.parts)))
            self._done(answer.size)
        elif self._writer.start((head, *answer.parts), len(head) + answer.size):
            self._done(answer.size)

    def _written(self, whole: bool) -> None:
        """The writer's word on a body that did not go at once."""
        if self._state is not State.ANSWERING:
            return
        if not whole:
            self._transport.abort()
            return
        self._done(self._writer.sent - self._sent_before)
        self._pump()

    def _hand_over(self, request: Request) -> None:
        self._exchange = Exchange(
            self._site.loop,
            self._transport,
            request,
            self._connection_line(request),
            self._answered,
        )
        self._exchange.begin(self._site.control)

    def _answered(self, ending: Ending) -> None:
        exchange, self._exchange = self._exchange, None
        if exchange is None or self._request is None:
            return
        self._status = exchange.status or _DROPPED
        if ending is Ending.CUT:
            self._transport.abort()
            return
        if ending is Ending.NOTHING:
            self._keep_alive = False
            self._send(self._request, answer_problem(False, _NO_ANSWER))
        else:
            self._keep_alive = self._keep_alive and ending is Ending.WHOLE
            self._done(exchange.sent)
        self._pump()

    def _connection_line(self, request: Request | Refusal) -> bytes:
        if not self._keep_alive:
            return fields.CLOSE
        assert isinstance(request, Request)
        return fields.KEEP_ALIVE if request.version == "1.0" else b""

    def _done(self, sent: int) -> None:
        self._report(sent=sent)
        self._request = None
        if self._keep_alive and not self._site.draining:
            self._state = State.WAITING
        else:
            self._linger()

    def _linger(self) -> None:
        self._state = State.LINGERING
        self._stage = None
        self._patience = self._site.ticks(self._site.limits.linger_seconds)
        self._queue.clear()
        self._unparsed = b""
        if self._ended_input or not self._transport.can_write_eof():
            self._transport.close()
        else:
            self._hold_reading(False)
            self._transport.write_eof()

    def _report(self, *, sent: int = 0, aborted: bool = False) -> None:
        observe, request = self._site.observe, self._request
        if observe is None or request is None:
            return
        if aborted:
            sent = self._writer.sent - self._sent_before
            if self._exchange is not None:
                sent = self._exchange.sent
        seconds = time.perf_counter() - self._started
        observe(request.method, request.path, self._status, sent, seconds, aborted)


def _patience_seconds(limits: Limits, stage: Stage) -> float:
    if stage is Stage.HEAD:
        return limits.head_seconds
    return limits.body_seconds if stage is Stage.BODY else limits.idle_seconds
