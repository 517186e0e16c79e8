"""A scenario: who comes, how fast, what they have and how they watch. Read from TOML.

Nothing is taken on trust: an unknown key, a wrong kind or a number out of range is a
``BadScenario`` that names the place.
"""

from __future__ import annotations

import tomllib
from collections.abc import Mapping, Sequence
from dataclasses import dataclass, replace
from pathlib import Path
from typing import Any

from loadtest import abr, thresholds
from loadtest.errors import BadScenario, LoadTestError
from loadtest.thresholds import Threshold

FOLDER = Path(__file__).parent / "scenarios"
FORMATS = ("hls", "dash", "mixed")
ORDERS = ("zipf", "each")
CMCD_MODES = ("query", "headers", "off")
CMCD_EVENTS = ("auto", "on", "off")
MAX_VIEWERS = 1_000_000
DAY = 86_400.0


@dataclass(frozen=True, slots=True)
class Network:
    """``kbit``: per second, 0 for as fast as it goes; ``rtt``: seconds before each request."""

    name: str
    share: float
    kbit: int
    rtt: float


@dataclass(frozen=True, slots=True)
class Device:
    """``max_height``: of pictures it asks for, 0 for any."""

    name: str
    share: float
    max_height: int


@dataclass(frozen=True, slots=True)
class Titles:
    """``order``: by popularity (Zipf, rank to the power of -``zipf``), or each viewer another."""

    order: str
    zipf: float


@dataclass(frozen=True, slots=True)
class Watching:
    """Means of exponential distributions, in seconds; ``mean_seconds`` 0: to the end. ``patience``:
    how long a viewer waits for the first picture."""

    mean_seconds: float
    break_seconds: float
    seeks_per_hour: float
    pauses_per_hour: float
    pause_seconds: float
    patience_seconds: float


@dataclass(frozen=True, slots=True)
class Player:
    """``buffer_seconds``: it fetches no further ahead; ``resume_seconds``: buffered before it plays
    on after a stall; ``first_kbit``: what it begins with, before it knows the network."""

    abr: str
    buffer_seconds: float
    resume_seconds: float
    first_kbit: int


@dataclass(frozen=True, slots=True)
class Ramp:
    """The run goes on as long as the last ``window_seconds`` meet all of ``while_``."""

    window_seconds: int
    while_: tuple[Threshold, ...]


@dataclass(frozen=True, slots=True)
class Scenario:
    """Viewers join evenly over ``join_seconds`` and stay for ``hold_seconds`` more. ``sample``:
    share of segments that are read whole and looked at. ``cmcd_events``: whether they also send
    reports to the server's ``/cmcd``; ``auto`` is until it says that it reads none."""

    name: str
    description: str
    viewers: int
    join_seconds: float
    hold_seconds: float
    format: str
    titles: Titles
    watching: Watching
    player: Player
    networks: tuple[Network, ...]
    devices: tuple[Device, ...]
    sample: float
    cmcd_version: int
    cmcd_mode: str
    cmcd_events: str
    thresholds: tuple[Threshold, ...]
    ramp: Ramp | None

    @property
    def seconds(self) -> float:
        return self.join_seconds + self.hold_seconds

    @property
    def numbers(self) -> str:
        """As they are now: the description may speak of others."""
        joining, holding = self.join_seconds, self.hold_seconds
        return f"{self.viewers:,} viewers over {joining:.0f} s, then {holding:.0f} s"

    def wanted(self, elapsed: float) -> int:
        """So many viewers, so long after the beginning."""
        if elapsed >= self.join_seconds:
            return self.viewers
        return max(1, round(self.viewers * elapsed / self.join_seconds))

    def with_format(self, wanted: str) -> Scenario:
        return replace(self, format=wanted)

    def with_changes(self, viewers: int | None, join: float | None, hold: float | None) -> Scenario:
        """As the command line or the environment says instead."""
        changed = replace(
            self,
            viewers=self.viewers if viewers is None else viewers,
            join_seconds=self.join_seconds if join is None else join,
            hold_seconds=self.hold_seconds if hold is None else hold,
        )
        for name, value, low, high in (
            ("viewers", changed.viewers, 1, MAX_VIEWERS),
            ("join", changed.join_seconds, 0, DAY),
            ("hold", changed.hold_seconds, 1, DAY * 30),
        ):
            if not low <= value <= high:
                raise BadScenario(f"{name} {value} is outside {low}..{high}")
        return changed


def names() -> list[str]:
    return sorted(path.stem for path in FOLDER.glob("*.toml"))


def load(name: str) -> Scenario:
    """One of ours by its name, or a file ending in .toml."""
    path = Path(name) if name.endswith(".toml") else FOLDER / f"{name}.toml"
    if not name.endswith(".toml") and name not in names():
        raise BadScenario(
            f"no scenario {name!r}; there are {', '.join(names())}, and files: x.toml"
        )
    try:
        text = path.read_text(encoding="utf-8")
    except (OSError, UnicodeError) as error:
        raise BadScenario(f"scenario {path}: {error}") from None
    return parse(text, path.stem, str(path))


def parse(text: str, name: str, where: str) -> Scenario:
    try:
        data = tomllib.loads(text)
    except tomllib.TOMLDecodeError as error:
        raise BadScenario(f"scenario {where}: {error}") from None
    top = _Table(data, where)
    scenario = Scenario(
        name=name,
        description=top.text("description"),
        viewers=top.whole("viewers", 1, MAX_VIEWERS),
        join_seconds=top.number("join_seconds", 0, DAY),
        hold_seconds=top.number("hold_seconds", 1, DAY * 30),
        format=top.choice("format", FORMATS, "hls"),
        titles=_titles(top.table("titles")),
        watching=_watching(top.table("watching")),
        player=_player(top.table("player")),
        networks=_networks(top.tables("networks")),
        devices=_devices(top.tables("devices")),
        sample=top.number("sample", 0, 1, 0.01),
        cmcd_version=top.whole("cmcd_version", 1, 2, 2),
        cmcd_mode=top.choice("cmcd_mode", CMCD_MODES, "query"),
        cmcd_events=top.choice("cmcd_events", CMCD_EVENTS, "auto"),
        thresholds=top.thresholds("thresholds"),
        ramp=_ramp(top.table("ramp")) if "ramp" in data else None,
    )
    top.finish()
    return scenario


def _titles(table: _Table) -> Titles:
    made = Titles(table.choice("order", ORDERS, "zipf"), table.number("zipf", 0, 5, 0.9))
    table.finish()
    return made


def _watching(table: _Table) -> Watching:
    made = Watching(
        mean_seconds=table.number("mean_seconds", 0, DAY, 0),
        break_seconds=table.number("break_seconds", 0, DAY, 1),
        seeks_per_hour=table.number("seeks_per_hour", 0, 3600, 0),
        pauses_per_hour=table.number("pauses_per_hour", 0, 3600, 0),
        pause_seconds=table.number("pause_seconds", 0, DAY, 20),
        patience_seconds=table.number("patience_seconds", 0.1, 3600, 20),
    )
    table.finish()
    return made


def _player(table: _Table) -> Player:
    made = Player(
        abr=table.choice("abr", tuple(abr.WAYS), "throughput"),
        buffer_seconds=table.number("buffer_seconds", 1, 600, 20),
        resume_seconds=table.number("resume_seconds", 0, 60, 2),
        first_kbit=table.whole("first_kbit", 0, 1_000_000, 1500),
    )
    table.finish()
    return made


def _networks(tables: Sequence[_Table]) -> tuple[Network, ...]:
    made = []
    for table in tables:
        network = Network(
            table.text("name"),
            table.number("share", 0.001, 1e6),
            table.whole("kbit", 0, 10_000_000, 0),
            table.number("rtt_ms", 0, 10_000, 0) / 1000,
        )
        table.finish()
        made.append(network)
    return tuple(made) or (Network("any", 1, 0, 0),)


def _devices(tables: Sequence[_Table]) -> tuple[Device, ...]:
    made = []
    for table in tables:
        device = Device(
            table.text("name"),
            table.number("share", 0.001, 1e6),
            table.whole("max_height", 0, 10_000, 0),
        )
        table.finish()
        made.append(device)
    return tuple(made) or (Device("any", 1, 0),)


def _ramp(table: _Table) -> Ramp:
    made = Ramp(table.whole("window_seconds", 1, 600, 10), table.thresholds("while"))
    if not made.while_:
        raise BadScenario(f"{table.where}: 'while' names no threshold, so it would never end")
    table.finish()
    return made


class _Table:
    """A table of TOML that is taken apart key by key."""

    def __init__(self, data: Mapping[str, Any], where: str) -> None:
        self._left = dict(data)
        self.where = where

    def finish(self) -> None:
        for key in self._left:
            raise BadScenario(f"{self.where}: no setting {key!r}")

    def text(self, key: str) -> str:
        value = self._take(key, None)
        if not isinstance(value, str) or not value:
            raise BadScenario(f"{self.where}: {key} must be a text")
        return value

    def choice(self, key: str, among: Sequence[str], default: str) -> str:
        value = self._take(key, default)
        if value not in among:
            raise BadScenario(f"{self.where}: {key} {value!r} is none of {', '.join(among)}")
        return str(value)

    def number(self, key: str, low: float, high: float, default: float | None = None) -> float:
        value = self._take(key, default)
        if not isinstance(value, int | float) or isinstance(value, bool):
            raise BadScenario(f"{self.where}: {key} must be a number")
        if not low <= value <= high:
            raise BadScenario(f"{self.where}: {key} {value} is outside {low}..{high}")
        return value

    def whole(self, key: str, low: int, high: int, default: int | None = None) -> int:
        value = self.number(key, low, high, default)
        if not isinstance(value, int):
            raise BadScenario(f"{self.where}: {key} {value} must be a whole number")
        return value

    def thresholds(self, key: str) -> tuple[Threshold, ...]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, str) for item in value):
            raise BadScenario(f"{self.where}: {key} must be a list of texts")
        try:
            return tuple(thresholds.parse(item) for item in value)
        except LoadTestError as error:
            raise BadScenario(f"{self.where}: {error}") from None

    def table(self, key: str) -> _Table:
        value = self._take(key, {})
        if not isinstance(value, dict):
            raise BadScenario(f"{self.where}: {key} must be a table")
        return _Table(value, f"{self.where}: [{key}]")

    def tables(self, key: str) -> list[_Table]:
        value = self._take(key, [])
        if not isinstance(value, list) or not all(isinstance(item, dict) for item in value):
            raise BadScenario(f"{self.where}: {key} must be tables: [[{key}]]")
        return [
            _Table(item, f"{self.where}: [[{key}]] {place}") for place, item in enumerate(value)
        ]

    def _take(self, key: str, default: Any) -> Any:
        value = self._left.pop(key, default)
        if value is None:
            raise BadScenario(f"{self.where}: {key} is missing")
        return value
