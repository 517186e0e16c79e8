"""Time as viewers know it, so that a test can say how long things took."""

from __future__ import annotations

import time
from typing import Protocol


class Clock(Protocol):
    def now(self) -> float:
        """Seconds; only differences mean anything."""

    def sleep(self, seconds: float) -> None:
        """At least so long."""


class SystemClock:
    """Names looked up at each call: Locust puts gevent's functions in their places."""

    def now(self) -> float:
        return time.monotonic()

    def sleep(self, seconds: float) -> None:
        time.sleep(seconds)
