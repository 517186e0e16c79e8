"""When not to ask a service at all: it has failed too often, and is left alone for a moment.

This is arithmetic: what is asked, and what of its ends is a failure, is the caller's.
"""

from __future__ import annotations

import math
import time
from collections.abc import Callable


class Breaker:
    """After ``patience`` failures in a row nothing is asked for ``shortest`` seconds, then one
    request tries whether it works again; if not, for twice as long, up to ``longest`` seconds.

    Who is admitted says in the end that it ``worked``, ``failed``, or that it was ``abandoned``.
    """

    PATIENCE = 10
    SHORTEST = 1.0
    LONGEST = 4.0

    def __init__(
        self,
        clock: Callable[[], float] = time.monotonic,
        patience: int = PATIENCE,
        shortest: float = SHORTEST,
        longest: float = LONGEST,
    ) -> None:
        self._clock = clock
        self._patience = patience
        self._shortest = shortest
        self._longest = longest
        self._failures = 0
        self._pause = shortest
        self._until = -math.inf
        self._trying = False

    @property
    def is_open(self) -> bool:
        return self._failures >= self._patience

    def admit(self) -> bool:
        """Whether one may ask now."""
        if self.is_open:
            if self._trying or self._clock() < self._until:
                return False
            self._trying = True
        return True

    def worked(self) -> None:
        self._failures = 0
        self._pause = self._shortest
        self._trying = False

    def failed(self) -> None:
        self._failures += 1
        if self._trying or self._failures == self._patience:
            self._until = self._clock() + self._pause
            self._pause = min(self._pause * 2, self._longest)
        self._trying = False

    def abandoned(self) -> None:
        """Nobody knows how it would have ended."""
        self._trying = False
