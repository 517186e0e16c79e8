"""One viewer: chooses a title, plays it as a player would, leaves, and comes again.

It fetches the multivariant playlist or MPD, the media playlists it needs, inits, and then segments
of whichever track has the least buffered, over one kept connection. What is due is computed from
the playhead, never from the last wait, so nothing drifts. A segment that fails is asked for again;
after ``ATTEMPTS`` the viewer gives up.
"""

from __future__ import annotations

import math
import random
import secrets
from bisect import bisect_right
from collections.abc import Callable, Sequence
from dataclasses import dataclass, field
from itertools import count
from typing import TypeVar
from urllib.parse import quote

from loadtest import abr, cmcd, dash, hls
from loadtest.clock import Clock
from loadtest.errors import Failure
from loadtest.figures import Figures
from loadtest.http import Connection, Place, Reply, place_of
from loadtest.playback import ENDED, PLAYING, SEEKING, STALLED, STARTING, Playback
from loadtest.reports import Account, Reports
from loadtest.scenario import Device, Network, Scenario
from loadtest.streams import Media, Parsed, Piece, Presentation, Rung, resolve
from loadtest.titles import Access, Entry, Library
from loadtest.verify import Checks

ATTEMPTS = 3
RETRY_SECONDS = 0.5
"""Before the second attempt; doubled before each further one."""
LEFT_WAITING = 1.0
"""Whoever still waits for a first picture when the run ends, and has for so long, is counted as a
failed start: else a server that answers nobody would look like one nobody asked."""
KINDS = {"manifest": "m", "playlist": "m", "init": "i"}
"""Types of objects (CMCD ``ot``); segments are of their track's."""
SMALL = 0.1
"""Seconds by which segments of different rungs may be apart and still be the same."""

T = TypeVar("T")
P = TypeVar("P", Network, Device)

OnRequest = Callable[[str, float, int, Failure | None], None]
OnFigure = Callable[[str, float], None]


@dataclass
class Ground:
    """What viewers of one process share. ``on_request``: what was asked for, seconds, bytes, what
    was wrong; ``on_figure``: a figure's name and seconds."""

    scenario: Scenario
    library: Library
    access: Access
    clock: Clock
    dice: random.Random
    on_request: OnRequest = lambda what, seconds, nbytes, failure: None
    on_figure: OnFigure = lambda name, seconds: None
    figures: Figures = field(default_factory=Figures)
    checks: Checks = field(default_factory=Checks)
    parsed: Parsed = field(default_factory=Parsed)
    reports: Reports | None = None
    present: int = 0
    """Viewers who came and did not leave for good; some choose their next title."""


class GivenUp(Exception):
    """The session is over, and not because the viewer wanted it."""


class Viewer:
    """``number``: counted from 0 over all processes."""

    def __init__(self, ground: Ground, number: int) -> None:
        self.ground = ground
        self.number = number
        scenario = ground.scenario
        self.network: Network = _pick(scenario.networks, ground.dice)
        self.device: Device = _pick(scenario.devices, ground.dice)
        formats = ("hls", "dash")
        self.format = formats[number % 2] if scenario.format == "mixed" else scenario.format
        self._connections: dict[Place, Connection] = {}

    def live(self) -> None:
        """For ever; whoever started it ends it."""
        dice, pause = self.ground.dice, self.ground.scenario.watching.break_seconds
        self.ground.clock.sleep(dice.random())  # Locust lets them in once a second, all at once
        self.ground.present += 1
        try:
            for session in count():
                self.watch(session)
                self.ground.clock.sleep(_exponential(pause, dice) if pause else RETRY_SECONDS)
        finally:
            self.ground.present -= 1

    def watch(self, session: int) -> None:
        Session(self, session).run()

    def close(self) -> None:
        for connection in self._connections.values():
            connection.close()

    def connection(self, place: Place) -> Connection:
        found = self._connections.get(place)
        if found is None:
            rate = self.network.kbit * 125
            found = self._connections[place] = Connection(place, self.ground.clock, rate)
        return found


@dataclass
class _Track:
    """What is played of it, and how far it is fetched."""

    name: str
    ladder: Sequence[Rung]
    rung: int
    playlist: str = ""
    media: Media | None = None
    medias: dict[int, tuple[Media, str]] = field(default_factory=dict)
    fetched_init: str = ""
    done: bool = False
    rates: Sequence[int] = field(init=False)

    def __post_init__(self) -> None:
        self.rates = [rung.bandwidth for rung in self.ladder]


class Session:
    """From play until the viewer leaves."""

    def __init__(self, viewer: Viewer, number: int) -> None:
        self.viewer, self.ground = viewer, viewer.ground
        self.scenario = self.ground.scenario
        self.clock, self.figures = self.ground.clock, self.ground.figures
        self.title = self.ground.library.choose(viewer.number, number, self.ground.dice)
        self.sid = secrets.token_hex(16)
        self.began = self.clock.now()
        self.estimate = abr.Estimate()
        self.playback: Playback | None = None
        self.tracks: list[_Track] = []
        self.entry = Entry("")
        self._counted = 0.0
        self._stalls = 0
        self._startup = 0.0
        self._told_start = False
        self._told_stalls = 0
        self._sent = 0
        self._always: dict[str, cmcd.Value] = {
            "cid": quote(self.title.name, safe="/ ")[:64],
            "sf": "h" if viewer.format == "hls" else "d",
            "sid": self.sid,
            "st": "v",
        }
        reports = self.ground.reports
        self._told = Account(reports, self.sid, self.began) if reports is not None else None

    def run(self) -> None:
        self.figures.count("sessions")
        given_up = False
        try:
            self._start()
            self._play()
        except GivenUp:
            given_up = True
        finally:
            self._account(over=True, given_up=given_up)
            self._report_end(given_up)
        self._leave()

    # --- starting

    def _start(self) -> None:
        wanted = self.viewer.format
        self.entry = self._attempt(
            "api", lambda: self.ground.access.enter(self.title, wanted, self.viewer.number)
        )
        presentation = self._manifest()
        self._say("manifest", self.clock.now() - self.began)
        main = _within(presentation.main, self.viewer.device.max_height)
        first = abr.fitting(
            [rung.bandwidth for rung in main], self.scenario.player.first_kbit * 1e3
        )
        self.tracks = [_Track("v" if main[0].height else "av", main, first)]
        if presentation.sound:
            self.tracks.append(_Track("a", presentation.sound[:1], 0))
        for track in self.tracks:
            self._load(track)
        media = self.tracks[0].media
        assert media is not None
        names = [track.name for track in self.tracks]
        self.playback = Playback(
            names, media.duration, self.scenario.player.resume_seconds, self.began
        )
        for track in self.tracks:
            self._fetch_next(track)
        self.figures.count("starts")
        self._startup = self.playback.waited
        self._report(self.playback, self.clock.now(), self._startup)
        self._say("startup", self._startup)

    def _manifest(self) -> Presentation:
        url = self.entry.url
        is_dash = url.partition("?")[0].endswith(".mpd")
        return self._document(
            url, dash.parse_mpd if is_dash else hls.parse_multivariant, "manifest"
        )

    def _load(self, track: _Track) -> None:
        """The media playlist of its rung, unless it is known."""
        if track.rung not in track.medias:
            rung = track.ladder[track.rung]
            if rung.media is not None:
                found = rung.media, self.entry.url
            else:
                url = resolve(self.entry.url, rung.playlist)
                found = self._document(url, hls.parse_media, "playlist"), url
            track.medias[track.rung] = found
        track.media, track.playlist = track.medias[track.rung]

    # --- playing

    def _play(self) -> None:
        playback = self.playback
        assert playback is not None
        plans = _Plans(self.scenario, self.ground.dice, self.clock.now())
        while True:
            now = self.clock.now()
            playback.advance(now)
            if playback.state is ENDED:
                return
            if now >= plans.leave:
                self.figures.count("left_early")
                return
            self._act(plans, playback, now)
            self._report(playback, self.clock.now())
            track = self._hungriest(playback)
            wait = math.inf if track is None else self._until_due(playback, track)
            if track is not None and wait <= 0:
                self._fetch_next(track)
                self._account()
            else:
                self._rest(plans, playback, wait)

    def _act(self, plans: _Plans, playback: Playback, now: float) -> None:
        """Pause or seek, if it is time to."""
        if now >= plans.resume:
            playback.unpause(now)
            plans.resume = math.inf
        if now >= plans.pause and playback.state is PLAYING:
            playback.pause(now)
            self.figures.count("pauses")
            plans.paused(now)
        if now >= plans.seek:
            self._seek(playback, now)
            plans.sought(now)

    def _seek(self, playback: Playback, now: float) -> None:
        """Anywhere but into the last segment, and wait until it plays on."""
        main = self.tracks[0].media
        assert main is not None
        position = self.ground.dice.random() * main.segments[-1].start
        playback.seek(position, now)
        self._report(playback, now)
        self.figures.count("seeks")
        for track in self.tracks:
            track.done = False
            self._fetch_next(track)
        if playback.state is not SEEKING:
            self._say("seek", playback.waited)

    def _until_due(self, playback: Playback, track: _Track) -> float:
        """Seconds until its next segment is to be fetched."""
        return playback.ahead(track.name) - self.scenario.player.buffer_seconds

    def _hungriest(self, playback: Playback) -> _Track | None:
        found, least = None, math.inf
        for track in self.tracks:
            end = playback.ends[track.name]
            if not track.done and end < least:
                found, least = track, end
        return found

    def _rest(self, plans: _Plans, playback: Playback, wait: float) -> None:
        """Until a segment is due, the title ends, or the viewer does something."""
        now = self.clock.now()
        if playback.state is PLAYING:
            wait = min(wait, playback.duration - playback.position)
        else:
            wait = math.inf  # a paused viewer with a full buffer
        wake = min(now + wait, plans.next())
        self.clock.sleep(min(max(wake - now, 0.001), 60.0))

    # --- fetching

    def _fetch_next(self, track: _Track) -> None:
        """The segment after what is buffered of it, in the rung that is right now."""
        playback = self.playback
        assert playback is not None
        if playback.state not in (STARTING, SEEKING) and len(track.ladder) > 1:
            self._switch(track, playback)
        media = track.media
        assert media is not None
        at = bisect_right(media.ends, playback.ends[track.name] + SMALL)
        if at < len(media.segments):
            piece = media.segments[at]
            self._fetch_init(track, media)
            following = media.segments[at + 1] if at + 1 < len(media.segments) else None
            reply = self._attempt("segment", lambda: self._segment(track, piece, following))
            self.estimate.add(reply.length, reply.seconds)
            self.figures.observe("segment", reply.seconds)
            rate = reply.length * 8 / max(reply.seconds, 1e-6) / 1000
            self.figures.observe_number("throughput", round(rate))
        track.done = at + 1 >= len(media.segments)
        end = playback.duration if track.done else media.segments[at].end
        playback.append(track.name, end, self.clock.now())

    def _switch(self, track: _Track, playback: Playback) -> None:
        situation = abr.Situation(
            track.rates,
            self.estimate.value(),
            playback.level(),
            self.scenario.player.buffer_seconds,
            track.rung,
        )
        wanted = abr.WAYS[self.scenario.player.abr](situation)
        if wanted != track.rung:
            self.figures.count("switches")
            track.rung = wanted
            self._load(track)

    def _fetch_init(self, track: _Track, media: Media) -> None:
        if media.init is None:
            return
        url = resolve(track.playlist, media.init.uri)
        if url != track.fetched_init:
            piece = media.init
            self._attempt("init", lambda: self._media(url, piece, "init", track, self._samples()))
            track.fetched_init = url

    def _segment(self, track: _Track, piece: Piece, following: Piece | None) -> Reply:
        url = resolve(track.playlist, piece.uri)
        return self._media(url, piece, "segment", track, self._samples(), following)

    def _samples(self) -> bool:
        """Whether this one is to be read whole and looked at."""
        return self.ground.dice.random() < self.scenario.sample

    def _media(
        self,
        url: str,
        piece: Piece,
        what: str,
        track: _Track,
        whole: bool,
        following: Piece | None = None,
    ) -> Reply:
        fields = ""
        if piece.span is not None:
            first, count = piece.span
            fields = f"Range: bytes={first}-{first + count - 1}\r\n"
        reply, target = self._get(
            url, what, whole, fields, self._tell(what, track, piece, following)
        )
        self.ground.checks.media(target, piece.span, reply)
        if whole and reply.body is not None:
            self.figures.count("verified")
            name = target if piece.span is None else f"{target}#{piece.span}"
            self.ground.checks.sample(name, what, reply.body)
        return reply

    def _document(self, url: str, parse: Callable[[bytes], T], what: str) -> T:
        def once() -> T:
            fields = "Accept-Encoding: gzip\r\n"
            reply, target = self._get(url, what, True, fields, self._tell(what, None, None, None))
            self.ground.checks.document(target, reply)
            assert reply.sent is not None
            return self.ground.parsed.get(reply.sent, parse, lambda: reply.body or b"")

        return self._attempt(what, once)

    def _get(
        self, url: str, what: str, keep: bool, fields: str, told: cmcd.Payload
    ) -> tuple[Reply, str]:
        """The reply, and the target it is of without what was told."""
        place, target = place_of(url)
        if self.viewer.network.rtt:
            self.clock.sleep(self.viewer.network.rtt)
        asked = target
        if told and self.scenario.cmcd_mode == "query":
            joint = "&" if "?" in target else "?"
            asked = f"{target}{joint}{cmcd.as_query(told, self.scenario.cmcd_version)}"
        elif told:
            fields += cmcd.as_fields(told, self.scenario.cmcd_version)
        reply = self.viewer.connection(place).request(asked, fields, keep=keep)
        self.figures.answered(reply.length)
        self.ground.on_request(what, reply.seconds, reply.length, None)
        return reply, target

    def _attempt(self, what: str, once: Callable[[], T]) -> T:
        for attempt in range(ATTEMPTS):
            begun = self.clock.now()
            try:
                return once()
            except Failure as failure:
                self.figures.fail(what, failure.kind, str(failure))
                self.ground.on_request(what, self.clock.now() - begun, 0, failure)
                if failure.kind == "unsupported" or attempt + 1 == ATTEMPTS:
                    break
            self.clock.sleep(RETRY_SECONDS * 2**attempt)
            waited = self.clock.now() - self.began
            if self.playback is None and waited > self.scenario.watching.patience_seconds:
                break
        raise GivenUp

    # --- telling

    def _tell(
        self, what: str, track: _Track | None, piece: Piece | None, following: Piece | None
    ) -> dict[str, cmcd.Value]:
        """CMCD of one request; nothing where it is off."""
        if self.scenario.cmcd_mode == "off":
            return {}
        self._sent += 1
        told = {
            **self._always,
            "ot": KINDS.get(what) or (track.name if track else "o"),
            "sn": self._sent,
        }
        self._tell_playback(track, told)
        rate = self.estimate.value()
        if rate is not None:
            told["mtp"] = round(rate / 1000)
        if track is not None and piece is not None:
            told["br"] = round(track.ladder[track.rung].bandwidth / 1000)
            told["tb"] = round(track.ladder[-1].bandwidth / 1000)
            if piece.duration:
                told["d"] = round(piece.duration * 1000)
            if following is not None and following.span is None:
                told["nor"] = following.uri
        return told

    def _tell_playback(self, track: _Track | None, told: dict[str, cmcd.Value]) -> None:
        playback = self.playback
        if playback is None or playback.state in (STARTING, SEEKING):
            told["su"] = True
            told["sta"] = (STARTING if playback is None else playback.state).value
            return
        playback.advance(self.clock.now())
        told["sta"] = playback.state.value
        told["su"] = playback.state is STALLED
        if track is not None:
            told["bl"] = round(max(0.0, playback.ahead(track.name)) * 1000)
        if not self._told_start:
            told["msd"] = round(self._startup * 1000)
            self._told_start = True
        stalls = len(playback.stalls)
        if stalls > self._told_stalls:
            told["bs"] = True
            told["bsd"] = round(sum(playback.stalls[self._told_stalls :]) * 1000)
            self._told_stalls = stalls

    def _report(self, playback: Playback, now: float, startup: float | None = None) -> None:
        if self._told is not None:
            self._told.look(playback, now, startup)

    def _report_end(self, given_up: bool) -> None:
        if self._told is None:
            return
        playback = self.playback
        over = playback is not None and playback.position >= playback.duration - 1e-6
        self._told.end("f" if given_up else "e" if over else "q", self.clock.now(), playback)

    # --- counting

    def _account(self, over: bool = False, given_up: bool = False) -> None:
        playback = self.playback
        if playback is None or playback.state is STARTING:
            self._account_start(given_up)
            return
        if over:
            playback.finish(self.clock.now())
        self.figures.count("play_seconds", playback.play_seconds - self._counted)
        self._counted = playback.play_seconds
        for stall in playback.stalls[self._stalls :]:
            self.figures.count("stalls")
            self.figures.count("rebuffer_seconds", stall)
            self._say("stall", stall)
        self._stalls = len(playback.stalls)
        if given_up:
            self.figures.count("broken_sessions")

    def _account_start(self, given_up: bool) -> None:
        waited = self.clock.now() - self.began
        if given_up or waited >= LEFT_WAITING:
            self.figures.count("failed_starts")
        else:
            self.figures.count("unfinished_starts")

    def _say(self, name: str, seconds: float) -> None:
        self.figures.observe(name, seconds)
        self.ground.on_figure(name, seconds)

    def _leave(self) -> None:
        position = self.playback.position if self.playback else 0.0
        try:
            self.ground.access.leave(self.entry, self.viewer.number, position)
        except Failure as failure:
            self.figures.fail("api", failure.kind, str(failure))


class _Plans:
    """What the viewer will do, by the clock."""

    def __init__(self, scenario: Scenario, dice: random.Random, now: float) -> None:
        self._watching, self._dice = scenario.watching, dice
        mean = scenario.watching.mean_seconds
        self.leave = now + _exponential(mean, dice) if mean else math.inf
        self.resume = math.inf
        self.seek = self.pause = math.inf
        self.sought(now)
        self._next_pause(now)

    def next(self) -> float:
        return min(self.leave, self.seek, self.pause, self.resume)

    def sought(self, now: float) -> None:
        each = self._watching.seeks_per_hour
        self.seek = now + _exponential(3600 / each, self._dice) if each else math.inf

    def paused(self, now: float) -> None:
        self.resume = now + _exponential(self._watching.pause_seconds, self._dice)
        self._next_pause(self.resume)

    def _next_pause(self, now: float) -> None:
        each = self._watching.pauses_per_hour
        self.pause = now + _exponential(3600 / each, self._dice) if each else math.inf


def _pick(among: Sequence[P], dice: random.Random) -> P:
    return dice.choices(among, [item.share for item in among])[0]


def _within(rungs: Sequence[Rung], height: int) -> Sequence[Rung]:
    """Those the device shows, or the lowest."""
    fitting = [rung for rung in rungs if not height or rung.height <= height]
    return fitting or rungs[:1]


def _exponential(mean: float, dice: random.Random) -> float:
    return dice.expovariate(1 / mean) if mean else 0.0
