"""What the reports of one playback add up to.

    start-up    [msd], once a session. Players of version 1 do not say it: then it is the time from
                their first report to the first object that they want no longer for a start
    waiting     the sum of [bsd], which each mode tells for itself, or [bsda]: whichever is most
    playing     the time in state ``p``, by the player's clock where it says the time
    outcome     started; or the player failed, or the viewer left, or was silent, before it did

Every worker keeps so many sessions at most, those heard of last; what they add goes to the metrics
at once, and only ever grows.
"""

from __future__ import annotations

from collections import OrderedDict
from dataclasses import dataclass, field
from typing import Protocol

from origin.cmcd.report import (
    ENDS,
    EVENT,
    FAILED,
    MOST_SECONDS,
    MOST_SESSION_SECONDS,
    PLAYING,
    STARTING,
    Report,
)

MOST_SESSIONS = 65_536
SILENT_SECONDS = 60.0
"""After which a session is none of those that are active."""
FORGET_SECONDS = 1800.0
TRUST_SECONDS = 10.0
"""For which an estimate waits for what the player has measured."""
WINDOW = 64
"""How far behind the highest number of a mode a report may come and be told from its double."""

_MEDIA = ("a", "v", "av")


class Figures(Protocol):
    """Where what is learnt goes."""

    def started(self, seconds: float, *, estimated: bool) -> None: ...
    def waited(self, seconds: float) -> None: ...
    def played(self, seconds: float) -> None: ...
    def began(self, outcome: str) -> None: ...


@dataclass(slots=True)
class _Numbers:
    """The numbers of one mode that were seen; ``seen``: a bit for each of the last."""

    highest: int = -1
    seen: int = 0

    def is_new(self, number: int) -> bool:
        ahead = number - self.highest
        if ahead > 0:
            self.seen = (self.seen << ahead if ahead < WINDOW else 0) & ((1 << WINDOW) - 1) | 1
            self.highest = number
            return True
        if -ahead >= WINDOW or self.seen >> -ahead & 1:
            return False
        self.seen |= 1 << -ahead
        return True


@dataclass(slots=True)
class _Session:
    """Times are of ``clock``, but ``told_at``, which is the player's."""

    since: float
    heard: float
    numbers: dict[str, _Numbers] = field(default_factory=dict)
    state: str = ""
    stated_at: float = 0.0
    """When the state came."""
    told_at: float | None = None
    startup_known: bool = False
    estimate: tuple[float, float] | None = None
    """A start-up in seconds, and when it was reckoned."""
    starting: bool = False
    """It said that it starts, one way or the other."""
    outcome: str = ""
    waits: dict[str, float] = field(default_factory=dict)
    """By mode."""
    waited: float = 0.0
    played: float = 0.0


class Sessions:
    """Of one worker; times are seconds of one monotonic clock."""

    def __init__(self, figures: Figures, most: int = MOST_SESSIONS) -> None:
        self._figures = figures
        self._most = most
        self._active: OrderedDict[str, _Session] = OrderedDict()
        self._silent: OrderedDict[str, _Session] = OrderedDict()

    @property
    def active(self) -> int:
        return len(self._active)

    def add(self, report: Report, now: float) -> bool:
        """False for a report that came before."""
        session = self._session(report.sid, now)
        if report.number is not None:
            numbers = session.numbers.setdefault(report.mode, _Numbers())
            if not numbers.is_new(report.number):
                return False
        self._begin(session, report, now)
        self._wait(session, report)
        self._play(session, report, now)
        session.heard = now
        if report.state in ENDS or session.state in ENDS:  # the latter: this one was on its way
            self._active.pop(report.sid, None)
            self._silent[report.sid] = session
        return True

    def sweep(self, now: float) -> None:
        """To be called now and then: who is silent is not active, and in the end forgotten."""
        while self._active:
            sid, session = next(iter(self._active.items()))
            if now - session.heard < SILENT_SECONDS:
                break
            del self._active[sid]
            self._silent[sid] = session
            self._settle(session)
            if session.starting:
                self._decide(session, "left-before-start")
        while self._silent:
            sid, session = next(iter(self._silent.items()))
            if now - session.heard < FORGET_SECONDS:
                break
            self._forget(self._silent)

    def _session(self, sid: str, now: float) -> _Session:
        """The session, as the one that was heard of last."""
        session = self._active.get(sid)
        if session is None:
            session = self._silent.pop(sid, None) or _Session(now, now)
            self._active[sid] = session
        self._active.move_to_end(sid)
        while len(self._active) + len(self._silent) > self._most:
            self._forget(self._silent or self._active)
        return session

    def _forget(self, sessions: OrderedDict[str, _Session]) -> None:
        _, session = sessions.popitem(last=False)
        self._settle(session)
        self._decide(session, "unknown")

    def _decide(self, session: _Session, outcome: str) -> None:
        if not session.outcome:
            session.outcome = outcome
            self._figures.began(outcome)

    def _begin(self, session: _Session, report: Report, now: float) -> None:
        if report.startup is not None:
            self._started(session, report.startup, estimated=False)
            self._decide(session, "started")
        elif report.state == PLAYING:
            self._decide(session, "started")
        elif report.state == FAILED:
            self._decide(session, "failed-start")
        elif report.state in ENDS and session.starting:
            self._decide(session, "left-before-start")
        elif report.version == 1 and _plays(session, report):
            self._decide(session, "started")
            session.estimate = session.estimate or (min(now - session.since, MOST_SECONDS), now)
        if session.estimate is not None and now - session.estimate[1] >= TRUST_SECONDS:
            self._started(session, session.estimate[0], estimated=True)
        session.starting |= report.state == STARTING or report.in_startup

    def _started(self, session: _Session, seconds: float, *, estimated: bool) -> None:
        if not session.startup_known:
            session.startup_known = True
            self._figures.started(seconds, estimated=estimated)

    def _settle(self, session: _Session) -> None:
        """No better figure will come."""
        if session.estimate is not None:
            self._started(session, session.estimate[0], estimated=True)

    def _wait(self, session: _Session, report: Report) -> None:
        waits = session.waits
        if report.waited:
            waits[report.mode] = waits.get(report.mode, 0.0) + report.waited
        told = max(report.waited_in_all, *waits.values(), 0.0)
        more = min(told, MOST_SESSION_SECONDS) - session.waited
        if more > 0:
            self._figures.waited(more)
            session.waited += more

    def _play(self, session: _Session, report: Report, now: float) -> None:
        """What has been played since the last report that told a state. Events say when it was;
        of other reports the time that they came has to do."""
        if not report.state or (report.mode != EVENT and session.told_at is not None):
            return
        told_at = report.time if report.mode == EVENT else None
        if session.state == PLAYING:
            if told_at is not None and session.told_at is not None:
                passed = told_at - session.told_at
            else:
                passed = now - session.stated_at
            seconds = min(max(passed, 0.0), MOST_SECONDS, MOST_SESSION_SECONDS - session.played)
            session.played += seconds
            self._figures.played(seconds)
        session.state, session.stated_at = report.state, now
        session.told_at = told_at or session.told_at


def _plays(session: _Session, report: Report) -> bool:
    """Whether the object is wanted for later, where those before it were for a start."""
    return session.starting and not report.in_startup and report.object_type in _MEDIA
