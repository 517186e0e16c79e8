"""Logs as JSON lines, one object an event (Elastic Common Schema names), text on a terminal.

Answers are sampled: one of ``every`` that went well, and all that did not. A line is made only for
those, and lines are written once a second, so the log can stay on. Tokens in paths are replaced by
their digests, wherever in the path they stand: a mistyped address may hold a good one.
"""

from __future__ import annotations

import logging
import re
import sys
from collections.abc import Callable
from datetime import UTC, datetime
from hashlib import blake2b
from typing import Any, BinaryIO

import orjson

# The segment behind /t/, whatever it is, unless "t" is a title; and a path token's shape anywhere.
_TOKEN = re.compile(r"(?<=/t/)(?<!/v/t/)[^/]+|(?<![\w-])A[Q-Za-f][\w-]{49}(?![\w-])", re.ASCII)
_MOST_LINES = 1024


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
    """Answers of one worker; ``flush`` is to be called now and then."""

    def __init__(self, stream: BinaryIO, every: int, clock: Callable[[], float]) -> None:
        self._stream = stream
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
            "log.level": "error" if status >= 500 else "info",
            "event.dataset": "vod-origin.access",
            "event.duration": round(seconds * 1e9),
            "event.outcome": "failure" if aborted or status >= 500 else "success",
            "http.request.method": method,
            "http.response.status_code": status,
            "http.response.body.bytes": sent,
            "url.path": _without_token(path),
        }
        if len(self._lines) < _MOST_LINES:
            self._lines.append(orjson.dumps(event))

    def flush(self) -> None:
        if self._lines:
            self._stream.write(b"\n".join((*self._lines, b"")))
            self._stream.flush()
            self._lines.clear()


def _timestamp(seconds: float) -> str:
    return datetime.fromtimestamp(seconds, UTC).isoformat(timespec="milliseconds")


def _without_token(path: str) -> str:
    return _TOKEN.sub(lambda found: blake2b(found[0].encode(), digest_size=4).hexdigest(), path)
