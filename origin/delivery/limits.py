"""What a connection may use, in bytes and in time, whatever its peer does; and how many may be."""

from __future__ import annotations

import math
from dataclasses import dataclass
from enum import Enum, auto


class Waiting(Enum):
    """What a connection may wait for."""

    IDLE = auto()
    """A request."""
    HEAD = auto()
    """The rest of a head."""
    BODY = auto()
    """The rest of a request's body."""
    ANSWER = auto()
    """What to answer: for as long as the one who is asked takes."""
    STALL = auto()
    """The peer, to take more of an answer."""
    LINGER = auto()
    """The peer, to close after our last answer."""


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    A connection is looked at four times in what it waits for, so a time is kept to a quarter.
    """

    head_bytes: int = 16 * 1024
    target_bytes: int = 8 * 1024
    header_lines: int = 100
    control_body_bytes: int = 64 * 1024
    pipelined_requests: int = 32

    idle_seconds: float = 75.0
    """Longer than the 60 s of a load balancer, which else answers 502 when the two cross."""
    head_seconds: float = 10.0
    """From a head's first byte to its last, however it drips."""
    body_seconds: float = 30.0
    stall_seconds: float = 30.0
    """Without a single byte taken."""
    linger_seconds: float = 2.0

    backlog: int = 4096
    connections: int = 10_000
    """Beyond these, media is refused."""

    @property
    def most_connections(self) -> int:
        """Beyond these, nothing is accepted."""
        return self.connections + min(256, max(8, self.connections // 8))

    def seconds(self, waiting: Waiting) -> float:
        match waiting:
            case Waiting.IDLE:
                return self.idle_seconds
            case Waiting.HEAD:
                return self.head_seconds
            case Waiting.BODY:
                return self.body_seconds
            case Waiting.ANSWER:
                return math.inf
            case Waiting.STALL:
                return self.stall_seconds
            case Waiting.LINGER:
                return self.linger_seconds

    @property
    def tick_seconds(self) -> float:
        return min(1.0, min(map(self.seconds, Waiting)) / 4)


class Patience:
    """Since when nothing has moved, as far as those know who look now and then."""

    __slots__ = ("_buffered", "_limits", "_moves", "_since", "_waiting")

    def __init__(self, limits: Limits) -> None:
        self._limits = limits
        self._waiting = Waiting.IDLE
        self._moves = -1
        self._buffered = 0
        self._since = 0.0

    def is_over(self, waiting: Waiting, moves: int, buffered: int, now: float) -> bool:
        """``moves`` grows with all that gets done, ``buffered`` is yet to be taken by the peer."""
        moved = moves != self._moves or buffered < self._buffered
        self._moves, self._buffered = moves, buffered
        if moved or waiting is not self._waiting:
            self._waiting = waiting
            self._since = now
        return now - self._since >= self._limits.seconds(waiting)
