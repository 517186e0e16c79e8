"""Logs as JSON lines, one object an event (Elastic Common Schema names), text on a terminal.

Answers are sampled: one of ``every`` that went well, and all that did not. A line is made only for
those, and lines are written once a second by a thread of their own, so the log can stay on and no
viewer waits for whoever reads it. Tokens in paths are replaced by their digests, wherever in the
path they stand: a mistyped address may hold a good one.
"""

from __future__ import annotations

import logging
import os
import re
import sys
from collections.abc import Callable
from contextlib import suppress
from datetime import UTC, datetime
from hashlib import blake2b
from queue import Full, Queue
from threading import Event, Thread
from typing import Any, TextIO

import orjson

# The segment behind /t/, whatever it is, unless "t" is a title; and a path token's shape anywhere.
_TOKEN = re.compile(r"(?<=/t/)(?<!/v/t/)[^/]+|(?<![\w-])A[Q-Za-f][\w-]{49}(?![\w-])", re.ASCII)
_MOST_LINES = 1024
LAST_LINES_SECONDS = 1.0
"""For what is left of a log when its process ends."""

log = logging.getLogger(__name__)


def configure(level: str) -> None:
    """Send the log of this process to standard error."""
    handler = _Aside(sys.stderr)
    if not sys.stderr.isatty():
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


class _Aside(logging.Handler):
    """Lines go to ``stream`` by a thread of their own. What it does not keep up with is dropped,
    and how much that was is told: whoever reads the log, or does not, stops no worker."""

    def __init__(self, stream: TextIO) -> None:
        super().__init__()
        self._stream = stream
        self._process = 0

    def emit(self, record: logging.LogRecord) -> None:
        try:
            line = self.format(record) + "\n"
        except Exception:
            self.handleError(record)
            return
        if self._process != os.getpid():  # none wrote a line before, or this is a fork of it
            self._begin()
        try:
            self._lines.put_nowait(line)
        except Full:
            self._dropped += 1

    def flush(self) -> None:
        """Wait for the lines to be written, but no longer than ``LAST_LINES_SECONDS``."""
        if self._process == os.getpid():
            written = Event()
            with suppress(Full):
                self._lines.put(written, timeout=LAST_LINES_SECONDS / 2)
                written.wait(LAST_LINES_SECONDS / 2)

    def _begin(self) -> None:
        self._process = os.getpid()
        self._dropped = 0
        self._lines: Queue[str | Event] = Queue(_MOST_LINES)
        Thread(target=self._write, args=(self._lines,), daemon=True).start()

    def _write(self, lines: Queue[str | Event]) -> None:
        while True:
            match lines.get():
                case str(line):
                    self._put(line)
                case written:
                    written.set()
            if self._dropped:
                dropped, self._dropped = self._dropped, 0
                told = f"the log is not read: {dropped} lines dropped"
                about = {"name": __name__, "levelno": logging.WARNING, "levelname": "WARNING"}
                self._put(self.format(logging.makeLogRecord({**about, "msg": told})) + "\n")

    def _put(self, line: str) -> None:
        with suppress(OSError):  # nobody is there to read it
            self._stream.write(line)
            self._stream.flush()


class _JsonFormatter(logging.Formatter):
    def format(self, record: logging.LogRecord) -> str:
        event: dict[str, Any] = {
            "@timestamp": _timestamp(record.created),
            "log.level": record.levelname.lower(),
            "log.logger": record.name,
            "message": record.getMessage(),
            "process.pid": record.process,
        }
        if record.exc_info and record.exc_info[0] is not None:
            event["error.type"] = record.exc_info[0].__name__
            event["error.stack_trace"] = self.formatException(record.exc_info)
        return orjson.dumps(event, default=str).decode(errors="replace")


class AccessLog:
    """Answers of one worker; ``flush`` is to be called now and then, and ``close`` at the end.

    ``write``: all of some lines, however long that takes. What it does not keep up with is dropped,
    and how much that was is told.
    """

    def __init__(
        self, write: Callable[[bytes], object], every: int, clock: Callable[[], float]
    ) -> None:
        self._write = write
        self._writing: Thread | None = None
        self._dropped = 0
        self._every = every
        self._clock = clock
        self._seen = 0
        self._lines: list[bytes] = []

    def observe(
        self, method: str, path: str, status: int, sent: int, seconds: float, aborted: bool
    ) -> None:
        self._seen += 1
        if status < 500 and not aborted and self._seen % self._every:
            return
        event = {
            "@timestamp": _timestamp(self._clock()),
            "log.level": "error" if status >= 500 or not status else "info",
            "event.dataset": "vod-origin.access",
            "event.duration": round(seconds * 1e9),
            "event.outcome": "failure" if aborted or status >= 500 else "success",
            "http.request.method": method,
            "http.response.status_code": status or None,
            "http.response.body.bytes": sent,
            "url.path": _without_token(path),
        }
        if len(self._lines) < _MOST_LINES:
            self._lines.append(orjson.dumps(event))
        else:
            self._dropped += 1

    def flush(self) -> None:
        """Have what there is written, once what came before is."""
        if not self._lines or (self._writing is not None and self._writing.is_alive()):
            return
        if self._dropped:
            log.warning("the access log is not read: %d lines dropped", self._dropped)
            self._dropped = 0
        data = b"\n".join((*self._lines, b""))
        self._lines.clear()
        self._writing = Thread(target=self._write, args=(data,), daemon=True)
        self._writing.start()

    def close(self, patience: float) -> None:
        """Wait for the last lines to be written, but no longer than ``patience`` seconds."""
        if self._writing is not None:
            self._writing.join(patience / 2)
        self.flush()
        if self._writing is not None:
            self._writing.join(patience / 2)


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _without_token(path: str) -> str:
    return _TOKEN.sub(lambda found: blake2b(found[0].encode(), digest_size=4).hexdigest(), path)
