"""What one connection may use; each bound holds whatever the peer sends."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Limits:
    """Sizes in bytes, times in seconds.

    Times are kept by one clock of the server that ticks at a quarter of the shortest of them (at
    most a second), so a limit is passed by a tick or two before it bites.
    """

    head_bytes: int = 16 * 1024
    target_bytes: int = 8 * 1024
    header_lines: int = 100
    control_body_bytes: int = 64 * 1024
    pipelined_requests: int = 32

    idle_seconds: float = 75.0
    """Between requests: longer than the 60 s of a load balancer, which would answer 502 otherwise."""
    head_seconds: float = 10.0
    """From a head's first byte to its last, however it drips."""
    body_seconds: float = 30.0
    """For all of a control request's body."""
    stall_seconds: float = 30.0
    """Without one byte of an answer taken by the peer."""
    linger_seconds: float = 2.0
    """For the peer to close after our last answer."""

    backlog: int = 4096

    @property
    def tick_seconds(self) -> float:
        shortest = min(
            self.idle_seconds,
            self.head_seconds,
            self.body_seconds,
            self.stall_seconds,
            self.linger_seconds,
        )
        return min(1.0, shortest / 4)
