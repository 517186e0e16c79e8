"""What there is to watch, which of it a viewer takes, and how it is let in.

Titles come from a vod-origin's ``/api/library``, from a list, or are one manifest: so anything that
speaks HLS or DASH will do.
"""

from __future__ import annotations

import json
import random
import shlex
import subprocess
from bisect import bisect
from collections.abc import Callable, Iterator, Sequence
from dataclasses import dataclass
from itertools import accumulate
from pathlib import Path
from typing import Any
from urllib.parse import quote, urlsplit

from loadtest.accounts import Accounts
from loadtest.clock import SystemClock
from loadtest.errors import Failure, LoadTestError
from loadtest.http import Connection, place_of
from loadtest.scenario import Titles
from loadtest.streams import resolve
from loadtest.tokens import Key, make_token

MAX_TITLES = 1_000_000


@dataclass(frozen=True, slots=True)
class Title:
    """``hls``, ``dash``: absolute URLs, or ''."""

    name: str
    hls: str
    dash: str

    def manifest(self, wanted: str) -> str:
        """The URL in that format, or in the other if there is but one."""
        first, second = (self.hls, self.dash) if wanted == "hls" else (self.dash, self.hls)
        return first or second


@dataclass(frozen=True, slots=True)
class Entry:
    """The address to play a title from. ``session``: of a playback to be ended, or ''."""

    url: str
    session: str = ""


class Access:
    """How viewers are let in: freely, with tokens, or as people with accounts."""

    def __init__(
        self,
        key: Key | None = None,
        command: str = "",
        accounts: Accounts | None = None,
    ) -> None:
        self._key = key
        self._command = command
        self._accounts = accounts
        self._tokens: dict[str, str] = {}

    def enter(self, title: Title, wanted: str, viewer: int) -> Entry:
        """``Failure`` where the server lets nobody in."""
        if self._accounts is not None:
            hls, dash, session = self._accounts.play(viewer, title.name)
            return Entry(Title(title.name, hls, dash).manifest(wanted), session)
        url = title.manifest(wanted)
        if self._key is not None:
            return Entry(_with_token(url, lambda scope: make_token(self._key, scope)))
        if self._command:
            token = self._tokens.get(title.name) or self._ask(title.name)
            return Entry(_with_token(url, lambda _: token))
        return Entry(url)

    def leave(self, entry: Entry, viewer: int, position: float) -> None:
        if self._accounts is not None and entry.session:
            self._accounts.end(viewer, entry.session, position)

    def _ask(self, title: str) -> str:
        """The last line of what a command says of a title; once for each."""
        words = [word.replace("{}", title) for word in shlex.split(self._command)]
        try:
            done = subprocess.run(words, capture_output=True, text=True, timeout=30, check=True)
            token = done.stdout.splitlines()[-1].strip()
        except (OSError, subprocess.SubprocessError, IndexError):
            raise Failure("status", f"the command for tokens gave none for {title!r}") from None
        self._tokens[title] = token
        return token


def _with_token(url: str, token_of: Callable[[str], str]) -> str:
    parts = urlsplit(url)
    pieces = parts.path.split("/")
    if len(pieces) < 4 or pieces[1] != "v":
        raise Failure(
            "unsupported", f"no /v/title/ in {parts.path}: a path token has no place there"
        )
    scope = f"/v/{pieces[2]}/"
    return f"{parts.scheme}://{parts.netloc}/t/{token_of(scope)}{parts.path}"


class Library:
    """Titles in the order of their popularity."""

    def __init__(self, titles: Sequence[Title], order: Titles, viewers: int) -> None:
        if not titles:
            raise LoadTestError("there is no title to watch")
        self.titles = titles
        self._each = order.order == "each"
        self._viewers = viewers
        weights = (rank**-order.zipf for rank in range(1, len(titles) + 1))
        self._weights = list(accumulate(weights))

    def choose(self, viewer: int, session: int, dice: random.Random) -> Title:
        """``viewer``, ``session``: counted from 0. Where each takes another, no two sessions have
        the same as long as there are titles."""
        if self._each:
            return self.titles[(viewer + session * self._viewers) % len(self.titles)]
        return self.titles[bisect(self._weights, dice.random() * self._weights[-1])]


def load_titles(url: str, listed: str = "") -> list[Title]:
    """``url``: of a manifest, or of a server. ``listed``: a file with a title on each line, a path
    or URL of a manifest; else the server's library."""
    if listed:
        return _from_file(url, listed)
    if urlsplit(url).path.endswith((".m3u8", ".mpd")):
        return [_title(url)]
    return list(_from_library(url))


def _from_file(url: str, listed: str) -> list[Title]:
    try:
        lines = Path(listed).read_text(encoding="utf-8").splitlines()
    except (OSError, UnicodeError) as error:
        raise LoadTestError(f"titles: {error}") from None
    named = [line.strip() for line in lines if line.strip() and not line.startswith("#")]
    titles = [_title(resolve(url, line)) for line in named]
    if not titles:
        raise LoadTestError(f"titles: {listed} names none")
    return titles


def _title(url: str) -> Title:
    path = urlsplit(url).path
    is_dash = path.endswith(".mpd")
    return Title(path, "" if is_dash else url, url if is_dash else "")


def _from_library(url: str) -> Iterator[Title]:
    try:
        place, _ = place_of(url)
    except ValueError as error:
        raise LoadTestError(str(error)) from None
    connection = Connection(place, SystemClock())
    base = f"{'https' if place.secure else 'http'}://{place.authority}/"
    cursor, count = "", 0
    try:
        while True:
            query = f"?cursor={quote(cursor, safe='')}" if cursor else ""
            page = _page(connection, f"/api/library{query}")
            for item in page["titles"]:
                if not item.get("problem"):
                    yield Title(item["id"], resolve(base, item["hls"]), resolve(base, item["dash"]))
                    count += 1
            cursor = page.get("next") or ""
            if not cursor or count >= MAX_TITLES:
                return
    except (KeyError, TypeError, AttributeError):
        raise LoadTestError(f"{base}api/library is no list of titles") from None
    finally:
        connection.close()


def _page(connection: Connection, target: str) -> Any:
    try:
        reply = connection.request(target, keep=True)
    except Failure as failure:
        raise LoadTestError(f"{connection.place.authority}{target}: {failure}") from None
    if reply.status != 200:
        raise LoadTestError(
            f"{connection.place.authority}{target}: {reply.status}; for a server without a "
            "library, give the URL of a manifest, or --titles"
        )
    try:
        return json.loads(reply.body or b"")
    except ValueError:
        raise LoadTestError(f"{connection.place.authority}{target} is no JSON") from None
