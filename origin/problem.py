"""A refusal as HTTP says it: problem details (RFC 9457)."""

from __future__ import annotations

from collections.abc import Mapping
from dataclasses import dataclass, field
from http import HTTPStatus

import orjson

MEDIA_TYPE = "application/problem+json"


@dataclass(frozen=True, slots=True)
class Problem:
    """``code`` is stable and ours (logs and metrics use it); ``detail`` is for people;
    ``retry_after`` in seconds; ``fields``: further field lines of the answer; ``members``: of the
    body besides the usual ones."""

    status: int
    code: str
    detail: str
    cache_control: str = "no-store"
    retry_after: int | None = None
    fields: tuple[tuple[str, str], ...] = ()
    members: Mapping[str, object] = field(default_factory=dict)

    def body(self) -> bytes:
        title = HTTPStatus(self.status).phrase
        return orjson.dumps(
            {
                "type": "about:blank",
                "title": title,
                "status": self.status,
                "code": self.code,
                "detail": self.detail,
                **self.members,
            }
        )
