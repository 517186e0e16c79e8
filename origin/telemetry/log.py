"""Logs as JSON lines, one object an event (Elastic Common Schema names), text on a terminal.

Answers are sampled: one of ``every`` that went well, and all that did not. A line is made only for
those, and lines are written once a second by a thread of their own, so the log can stay on and no
viewer waits for whoever reads it. Tokens in paths are replaced by their digests, wherever in the
path they stand: a mistyped address may hold a good one.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from threading import Thread
from typing import Any

import orjson

# The segment behind /t/, whatever it is, unless "t" is a title; and a path token's shape anywhere.
_TOKEN = re.compile(r"(?<=/t/)(?<!/v/t/)[^/]+|(?<![\w-])A[Q-Za-f][\w-]{49}(?![\w-])", re.ASCII)
_MOST_LINES = 1024

log = logging.getLogger(__name__)


def configure(level: str) -> None:
    """Send the log of this process to standard error."""
    handler = logging.StreamHandler(sys.stderr)
    if not sys.stderr.isatty():
        handler.setFormatter(_JsonFormatter())
    else:
        handler.setFormatter(logging.Formatter("%(asctime)s %(levelname)s %(message)s"))
    logging.basicConfig(level=level.upper(), handlers=[handler], force=True)


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
