"""What becomes of a token at the end of its life: ``catr`` renews it, ``catif`` sends its viewer
elsewhere.

Both put words of the token into a response, so both say less here than they may: a field of the
token's own name or one that begins with ``X-``, a cookie, a redirect to where the token says. A
redirect to the same place with another token (``catr`` of that kind) is not made.
"""

from __future__ import annotations

import re
from collections.abc import Mapping
from dataclasses import dataclass
from typing import Any

from origin.auth.schemes.cat import labels
from origin.auth.schemes.cat.claims import BadClaim
from origin.auth.visit import Fields
from origin.errors import Elsewhere

FIELD = "CTA-Common-Access-Token"
COOKIE = "CTA-Common-Access-Token"

_DEADLINE = 60
_MOST_SECONDS = 1 << 31
_COOKIE_DEFAULTS = ("Path=/", "HttpOnly", "SameSite=Lax")
_KIND, _EXPADD, _DEADLINE_AT, _COOKIE_NAME, _FIELD_NAME, _COOKIE_WITH, _FIELD_WITH, _CODE = range(8)
_FIELD_NAMES = re.compile(r"(?i:CTA-Common-Access-Token|X-[A-Za-z0-9-]{1,60})")
_COOKIE_NAMES = re.compile(r"[A-Za-z0-9_-]{1,64}")
_PARAMETER = re.compile(r"[A-Za-z][A-Za-z0-9-]{0,31}(=[!-:<-~]{0,256})?")
_LOCATION = re.compile(r"(https?://|/(?!/))[!-\[\]-~]{0,2048}")
_REDIRECTS = (301, 302, 303, 307, 308)


@dataclass(frozen=True, slots=True)
class Renewal:
    """``kind``: how the new token is sent. ``deadline``: from how many seconds before the expiry
    on; ``expadd``: how long the new token lives."""

    kind: int
    expadd: int
    deadline: int
    cookie: str
    field: str
    cookie_with: tuple[str, ...]
    field_with: tuple[str, ...]

    def fields(self, token: str, presented: str) -> Fields:
        """That carry the new token; none where there is no way. ``presented``: where the old one
        was found, ``field``, ``cookie`` or else."""
        kind = self.kind
        if kind == labels.AUTOMATIC:
            kind = {"field": labels.BY_HEADER, "cookie": labels.BY_COOKIE}.get(presented, kind)
        if kind == labels.BY_HEADER:
            return ((self.field.encode(), "; ".join((token, *self.field_with)).encode()),)
        if kind == labels.BY_COOKIE:
            value = "; ".join((f"{self.cookie}={token}", *self.cookie_with))
            return ((b"Set-Cookie", value.encode()),)
        return ()


def renewal(value: object) -> Renewal:
    """Of ``catr``."""
    if not isinstance(value, dict) or not set(value) <= set(range(8)):
        raise BadClaim("no renewal")
    return Renewal(
        _number(value.get(_KIND), labels.BY_REDIRECT + 1),
        _number(value.get(_EXPADD), _MOST_SECONDS),
        _number(value.get(_DEADLINE_AT, _DEADLINE), _MOST_SECONDS),
        _name(value.get(_COOKIE_NAME, COOKIE), _COOKIE_NAMES),
        _name(value.get(_FIELD_NAME, FIELD), _FIELD_NAMES),
        _parameters(value.get(_COOKIE_WITH, list(_COOKIE_DEFAULTS))),
        _parameters(value.get(_FIELD_WITH, [])),
    )


def departures(value: object) -> Mapping[int, Elsewhere | None]:
    """Of ``catif``: by the label of the claim that is not met, where to; None: a plain refusal."""
    if not isinstance(value, dict):
        raise BadClaim("no catif")
    found: dict[int, Elsewhere | None] = {}
    for label, action in value.items():
        if type(label) is not int or not isinstance(action, list) or not 2 <= len(action) <= 3:
            raise BadClaim("no claim and what is to be done")
        found[label] = _departure(*action[:2])
    return found


def _departure(status: object, fields: Any) -> Elsewhere | None:
    if not isinstance(fields, dict) or type(status) is not int:
        raise BadClaim("no status and fields")
    location = next(iter(fields.values()), None)
    names = [name.lower() for name in fields if isinstance(name, str)]
    if status not in _REDIRECTS or names != ["location"] or not isinstance(location, str):
        return None
    if not _LOCATION.fullmatch(location):
        raise BadClaim("no place to be sent to")
    return Elsewhere(status, location)


def _number(value: object, below: int) -> int:
    if type(value) is not int or not 0 <= value < below:
        raise BadClaim("no number")
    return value


def _name(value: object, pattern: re.Pattern[str]) -> str:
    if not isinstance(value, str) or not pattern.fullmatch(value):
        raise BadClaim("no name to renew by")
    return value


def _parameters(value: object) -> tuple[str, ...]:
    several = [value] if isinstance(value, str) else value
    if not isinstance(several, list) or len(several) > 8:
        raise BadClaim("no parameters")
    return tuple(_name(one, _PARAMETER) for one in several)
