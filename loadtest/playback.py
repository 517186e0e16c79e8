"""A player's buffer and its clockwork: when it plays, when it stalls, and for how long.

Nothing here waits. Whoever fetches says what arrived and when; between two such moments the
playhead moves at the speed of the clock as far as every track is buffered, so that the beginning of
a stall is known exactly although nobody watched it begin.
"""

from __future__ import annotations

from collections.abc import Iterable
from enum import Enum


class State(Enum):
    STARTING = "s"
    PLAYING = "p"
    STALLED = "r"
    SEEKING = "k"
    PAUSED = "a"
    ENDED = "e"


STARTING, PLAYING, STALLED = State.STARTING, State.PLAYING, State.STALLED
SEEKING, PAUSED, ENDED = State.SEEKING, State.PAUSED, State.ENDED
"""By themselves: looking one up in its class takes longer than all else that is done here."""


class Playback:
    """``resume``: seconds that must be buffered before a stalled viewer plays on. ``duration``: of
    the media. All times are of one clock; positions are seconds of media."""

    def __init__(
        self,
        tracks: Iterable[str],
        duration: float,
        resume: float,
        now: float,
        position: float = 0.0,
    ) -> None:
        self.ends = dict.fromkeys(tracks, position)
        self.duration = duration
        self.position = position
        self.state = STARTING
        self.play_seconds = 0.0
        self.stalls: list[float] = []
        self.waited = 0.0
        self._resume = resume
        self._since = now
        self._arrived: set[str] = set()
        self._waiting = now

    def append(self, track: str, end: float, now: float) -> None:
        """A segment of ``track`` that ends at ``end`` is whole."""
        self.advance(now)
        self.ends[track] = max(self.ends[track], end)
        self._arrived.add(track)
        if self.state in (STARTING, SEEKING):
            if len(self._arrived) == len(self.ends):
                self.waited = now - self._waiting
                self._play(now)
        elif self.state is STALLED and self._can_resume():
            self.stalls.append(now - self._waiting)
            self._play(now)

    def advance(self, now: float) -> None:
        """Up to ``now``."""
        if self.state is not PLAYING:
            return
        until = min(self.ends.values(), default=self.duration)
        if until > self.duration:
            until = self.duration
        played = now - self._since
        if played > until - self.position:
            played = until - self.position
        self.position += played
        self.play_seconds += played
        self._since += played
        if self.position >= self.duration - 1e-6:
            self.state = ENDED
        elif self._since < now:
            self.state, self._waiting = STALLED, self._since

    def ahead(self, track: str) -> float:
        """Seconds that are buffered of it."""
        return self.ends[track] - self.position

    def level(self) -> float:
        """Seconds until it would stall."""
        return min(self.ends.values()) - self.position

    def stalled_for(self, now: float) -> float:
        """How long a stall that is not over has lasted."""
        return now - self._waiting if self.state is STALLED else 0.0

    def seek(self, position: float, now: float) -> None:
        """The buffer is let go; a stall ends with it."""
        self.advance(now)
        self._end_stall(now)
        self.position = position
        self.ends = dict.fromkeys(self.ends, position)
        self._arrived.clear()
        self.state, self._waiting = SEEKING, now

    def pause(self, now: float) -> None:
        self.advance(now)
        if self.state is PLAYING:
            self.state = PAUSED

    def unpause(self, now: float) -> None:
        if self.state is PAUSED:
            self._play(now)

    def finish(self, now: float) -> None:
        """The viewer leaves."""
        self.advance(now)
        self._end_stall(now)

    def _end_stall(self, now: float) -> None:
        if self.state is STALLED:
            self.stalls.append(now - self._waiting)
            self.state = ENDED

    def _play(self, now: float) -> None:
        self.state, self._since = PLAYING, now

    def _can_resume(self) -> bool:
        return self.level() >= min(self._resume, self.duration - self.position) - 1e-6
