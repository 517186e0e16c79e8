"""What the connections of one server share, and what the server asks of its caller."""

from __future__ import annotations

import asyncio
from collections.abc import Awaitable, Callable
from dataclasses import dataclass, field

from origin.delivery.fields import Preambles
from origin.delivery.limits import Limits
from origin.delivery.request import Request
from origin.delivery.resource import Resource
from origin.delivery.writer import Rounds
from origin.problem import Problem

Handler = Callable[[Request], Resource | Awaitable[Resource]]
"""The resource a request is for: at once if it is at hand, else to be awaited; or raises.

What is awaited is never cancelled when its viewer leaves: others may wait for it too.
"""

Control = Callable[[], asyncio.Protocol]
"""Makes a protocol that speaks HTTP/1.1, as an aiohttp ``web.AppRunner(app).server`` does."""

Describe = Callable[[BaseException], Problem]

Observe = Callable[[str, str, int, int, float, bool], None]
"""``(method, path, status, bytes sent, seconds, aborted)``, once for each answer.

Bytes include the head, seconds count from the request's turn. 499 is the status of a request whose
viewer left before it had one, ``CUT_SHORT`` of one whose answer we ended early.
"""

CUT_SHORT = 0


@dataclass(slots=True)
class Site:
    loop: asyncio.AbstractEventLoop
    handler: Handler
    control: Control
    describe: Describe
    media: tuple[str, ...]
    limits: Limits
    observe: Observe | None
    draining: bool = False
    """Each answer is the last of its connection."""
    preambles: Preambles = field(default_factory=Preambles)
    rounds: Rounds = field(init=False)
    loading: set[asyncio.Future[Resource]] = field(default_factory=set)

    def __post_init__(self) -> None:
        self.rounds = Rounds(self.loop)
