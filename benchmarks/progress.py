"""How far a run is, on standard error: a line for each part and, on a terminal, what it does."""

from __future__ import annotations

import sys
import time
from collections.abc import Mapping


class Progress:
    """``plan``: seconds that each part is expected to take, in order."""

    def __init__(self, plan: Mapping[str, float]) -> None:
        self._ahead = dict(plan)
        self._part, self._expected = "", 0.0
        self._start = self._began = time.monotonic()
        self._redraws = sys.stderr.isatty()

    @property
    def seconds(self) -> float:
        return time.monotonic() - self._start

    @property
    def left(self) -> float:
        """Seconds, if what is ahead takes what it is expected to."""
        ours = self._expected - (time.monotonic() - self._began)
        return max(0.0, ours) + sum(self._ahead.values())

    def begin(self, part: str) -> None:
        self._part, self._expected = part, self._ahead.pop(part, 0.0)
        self._began = time.monotonic()
        self._write(part, "\n")

    def say(self, message: str) -> None:
        if self._redraws:
            self._write(f"{self._part}: {message}", "")

    def end(self) -> None:
        self._part, self._expected = "", 0.0
        self._ahead.clear()
        self._write("done", "\n")

    def _write(self, message: str, end: str) -> None:
        wipe = "\r\x1b[K" if self._redraws else ""
        text = f"{wipe}[{_clock(self.seconds)}, about {_clock(self.left)} left] {message[:100]}"
        print(text, end=end, file=sys.stderr, flush=True)


def _clock(seconds: float) -> str:
    return f"{int(seconds) // 60}:{int(seconds) % 60:02}"
