"""Rows as the rest of the product sees them. Times are aware; ids are text: those of titles are
their own, the others UUIDs of version 7, which sort as they were made."""

from __future__ import annotations

import secrets
import time
from collections.abc import Mapping
from dataclasses import dataclass, field
from datetime import datetime
from typing import Any, Generic, Literal, TypeVar
from uuid import UUID

from catalog.assets import Asset

Kind = Literal["movie", "series", "episode"]
Row = TypeVar("Row")


@dataclass(frozen=True, slots=True)
class Page(Generic[Row]):
    """``next``: what to pass as ``after`` for the page behind this one, None on the last."""

    rows: tuple[Row, ...]
    next: str | None


@dataclass(frozen=True, slots=True)
class Audience:
    """Who looks, and when: what is not available there and then is not found. ``country``: ISO
    3166 alpha-2; None is nowhere known, where only windows of the whole world count.
    ``maturities``: those that may be seen; None is all, and what says none."""

    country: str | None
    now: datetime
    maturities: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class Window:
    """When and where a title may be seen: from ``opens`` until just before ``closes``; None is no
    limit, of ``countries`` the whole world."""

    opens: datetime | None = None
    closes: datetime | None = None
    countries: tuple[str, ...] | None = None


@dataclass(frozen=True, slots=True)
class TitleDraft:
    """What is told of a title. ``names`` and ``synopses`` by language (BCP 47), ``artwork`` by
    "poster" and "backdrop": keys of the library. Without ``windows`` it is available always and
    everywhere; an episode is only where its series is."""

    id: str
    kind: Kind = "movie"
    names: Mapping[str, str] = field(default_factory=dict)
    synopses: Mapping[str, str] = field(default_factory=dict)
    year: int | None = None
    genres: tuple[str, ...] = ()
    maturity: str | None = None
    duration_seconds: float | None = None
    languages: tuple[str, ...] = ()
    subtitles: tuple[str, ...] = ()
    artwork: Mapping[str, str] = field(default_factory=dict)
    series: str | None = None
    season: int | None = None
    episode: int | None = None
    windows: tuple[Window, ...] = ()


@dataclass(frozen=True, slots=True)
class Title(TitleDraft):
    """``playable``: it has media."""

    added: datetime = field(kw_only=True)
    playable: bool = field(kw_only=True)


@dataclass(frozen=True, slots=True)
class Shelf:
    """A row of a home page: ``id`` is "new", "series" or "genre:drama"."""

    id: str
    titles: tuple[Title, ...]


@dataclass(frozen=True, slots=True)
class Found:
    """What an import found in a library: ``asset`` is None for a series."""

    title: TitleDraft
    asset: Asset | None


@dataclass(frozen=True, slots=True)
class Account:
    """``role``: "viewer" or "admin". ``streams``: as many as its plan allows."""

    id: str
    email: str
    name: str
    language: str
    plan: str
    streams: int
    role: str
    disabled: bool
    created: datetime
    password_hash: str = field(repr=False)


@dataclass(frozen=True, slots=True)
class Profile:
    id: str
    account: str
    name: str
    colour: str
    language: str
    kids: bool


@dataclass(frozen=True, slots=True)
class Plan:
    """``everything``: it entitles to all titles, otherwise to those listed."""

    name: str
    streams: int
    everything: bool


@dataclass(frozen=True, slots=True)
class Progress:
    """Where a profile stands in a title, in seconds."""

    profile: str
    title: str
    position: float
    duration: float
    updated: datetime


@dataclass(frozen=True, slots=True)
class Watched:
    title: Title
    progress: Progress


@dataclass(frozen=True, slots=True)
class Entry:
    """Of the audit log: ``actor`` (an account's id) did ``action`` to ``subject``."""

    id: str
    at: datetime
    actor: str
    action: str
    subject: str
    details: Mapping[str, Any]


def new_id() -> str:
    """A UUID of version 7 (RFC 9562, 5.7)."""
    milliseconds = time.time_ns() // 1_000_000
    value = milliseconds << 80 | secrets.randbits(80)
    value = value & ~(0xF << 76) | 7 << 76
    value = value & ~(0x3 << 62) | 2 << 62
    return str(UUID(int=value))
