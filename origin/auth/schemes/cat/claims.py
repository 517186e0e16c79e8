"""Claims that say for what a token may be used: each is one function from its value to a check.

What is claimed is looked at once, when the token is authenticated; ``BadClaim`` refuses it for
good. A claim that is not listed here is one that we could not enforce, so a token with it is
refused, whatever it says.
"""

from __future__ import annotations

import hashlib
import math
from collections.abc import Callable, Iterable, Mapping
from ipaddress import IPv4Address, IPv4Network, IPv6Address, IPv6Network
from typing import Any

from origin.auth.schemes.addresses import address_of
from origin.auth.schemes.cat import labels
from origin.auth.schemes.pinned import LEEWAY, Key
from origin.auth.schemes.presented import text_field, without
from origin.auth.visit import Visit

QUERY_NAME = "cat"
"""The query parameter that a token may stand in."""

_MOST_CLAIMS = 64
_ALPN = "http/1.1"
"""All that is spoken here."""
_DEFAULT_PORTS = {"https": "443", "http": "80"}

Check = Callable[[Visit, float], bool]
"""Whether the claim lets a visit in at a time."""
Matcher = Callable[[str], bool]


class BadClaim(ValueError):
    """A claim that is not as CTA-5007 has it, or that cannot be enforced here."""


def checks(claims: Mapping[object, Any], key: Key) -> tuple[tuple[int, Check], ...]:
    """Of all claims but ``exp``, ``catif`` and ``catr``, with the label of each."""
    if len(claims) > _MOST_CLAIMS:
        raise BadClaim("too many claims")
    for option, wanted in (("issuer", labels.ISS), ("audience", labels.AUD)):
        if option in key.options and wanted not in claims:
            raise BadClaim(f"no {option}")
    found: list[tuple[int, Check]] = []
    for label, value in claims.items():
        if label in _TAKEN_ELSEWHERE:
            continue
        if type(label) is not int or label not in _CHECKS:
            raise BadClaim("an unknown claim")
        found.append((label, _CHECKS[label](value, key)))
    return tuple(found)


def numeric_date(value: object) -> float:
    """RFC 8392 section 2: seconds since 1970."""
    if type(value) is int and 0 <= value < 1 << 53:
        return value
    if type(value) is float and math.isfinite(value):
        return value
    raise BadClaim("no time")


def session_of(claims: Mapping[object, Any]) -> bytes | None:
    """A ``cti`` of 16 bytes is a session's id, by which it can be revoked."""
    cti = claims.get(labels.CTI)
    return cti if isinstance(cti, bytes) and len(cti) == 16 else None


def _iss(value: object, key: Key) -> Check:
    return _always(_text(value) == key.options.get("issuer", value))


def _sub(value: object, key: Key) -> Check:
    _text(value)
    return _always(True)


def _aud(value: object, key: Key) -> Check:
    """RFC 8392 section 3.1.3: who is not named refuses; so does who has no name."""
    named = [_text(one) for one in (value if isinstance(value, list) else [value])]
    return _always(key.options.get("audience") in named)


def _begins(value: object, key: Key) -> Check:
    """``nbf``, and ``iat``: a token of the future is one whose issuer's clock is wrong."""
    begin = numeric_date(value) - LEEWAY
    return lambda visit, now: now >= begin


def _cti(value: object, key: Key) -> Check:
    if not isinstance(value, bytes) or not value:
        raise BadClaim("no token id")
    return _always(True)


def _catv(value: object, key: Key) -> Check:
    return _always(_integer(value) == 1)


def _catreplay(value: object, key: Key) -> Check:
    """Whether a token was seen before is not known here: one that may not be used again, or whose
    second use is to be detected, is refused."""
    return _always(_integer(value) == 0)


def _catnip(value: object, key: Key) -> Check:
    networks: list[IPv4Network | IPv6Network] = []
    addresses: set[object] = set()
    numbers: set[object] = set()
    for one in _list(value):
        if type(one) in (IPv4Network, IPv6Network):  # tags 52 and 54 (RFC 9164)
            networks.append(one)
        elif type(one) in (IPv4Address, IPv6Address):
            addresses.add(one)
        else:
            numbers.add(_integer(one))

    def check(visit: Visit, now: float) -> bool:
        if visit.asn is not None and visit.asn in numbers:
            return True
        address = address_of(visit.address)
        if address is None:
            return False
        return address in addresses or any(address in network for network in networks)

    return check


def _catu(value: object, key: Key) -> Check:
    parts = []
    for part, ways in _map(value).items():
        if type(part) is not int or part not in _PARTS:
            raise BadClaim("an unknown part of a URI")
        parts.append((_PARTS[part], _matchers(ways, sort=part == labels.QUERY)))

    def check(visit: Visit, now: float) -> bool:
        return all(
            any(all(match(value) for match in matchers) for value in values(visit))
            for values, matchers in parts
        )

    return check


def _catm(value: object, key: Key) -> Check:
    methods = frozenset(_text(one) for one in _list(value))
    return lambda visit, now: visit.method in methods


def _catalpn(value: object, key: Key) -> Check:
    return _always(any(one in (_ALPN, _ALPN.encode()) for one in _list(value)))


def _cath(value: object, key: Key) -> Check:
    fields = []
    for name, ways in _map(value).items():
        if not set(_map(ways)) <= {labels.EXACT, labels.PREFIX}:
            raise BadClaim("a header field is matched whole or by its beginning")
        fields.append((_text(name).lower().encode(), _matchers(ways)))

    def check(visit: Visit, now: float) -> bool:
        for name, matchers in fields:
            sent = text_field(visit, name)
            if sent is None or not all(match(sent) for match in matchers):
                return False
        return True

    return check


def _catgeoiso3166(value: object, key: Key) -> Check:
    """Of regions within a country nothing is known here: nobody is in one."""
    countries = frozenset(_text(one).upper() for one in _list(value))
    return lambda visit, now: visit.country is not None and visit.country.upper() in countries


_TAKEN_ELSEWHERE = frozenset((labels.EXP, labels.CATIF, labels.CATR))
_CHECKS: Mapping[int, Callable[[Any, Key], Check]] = {
    labels.ISS: _iss,
    labels.SUB: _sub,
    labels.AUD: _aud,
    labels.NBF: _begins,
    labels.IAT: _begins,
    labels.CTI: _cti,
    labels.CATREPLAY: _catreplay,
    labels.CATV: _catv,
    labels.CATNIP: _catnip,
    labels.CATU: _catu,
    labels.CATM: _catm,
    labels.CATALPN: _catalpn,
    labels.CATH: _cath,
    labels.CATGEOISO3166: _catgeoiso3166,
}


def _matchers(value: object, *, sort: bool = False) -> list[Matcher]:
    """``sort``: parameters of a query in whatever order."""
    found = []
    for way, wanted in _map(value).items():
        if type(way) is not int or way not in _WAYS:
            raise BadClaim("an unknown way to match, or a regular expression")
        text = wanted.hex() if isinstance(wanted, bytes) and way < 0 else _text(wanted)
        found.append(_WAYS[way](_sorted(text) if sort and way >= 0 else text))
    if not found:
        raise BadClaim("no way to match")
    return found


def _digest(name: str) -> Callable[[str], Matcher]:
    return lambda wanted: lambda text: hashlib.new(name, text.encode()).hexdigest() == wanted


_WAYS: Mapping[int, Callable[[str], Matcher]] = {
    labels.EXACT: lambda wanted: lambda text: text == wanted,
    labels.PREFIX: lambda wanted: lambda text: text.startswith(wanted),
    labels.SUFFIX: lambda wanted: lambda text: text.endswith(wanted),
    labels.CONTAINS: lambda wanted: lambda text: wanted in text,
    labels.SHA256: _digest("sha256"),
    labels.SHA512_256: _digest("sha512_256"),
}


def _scheme(visit: Visit) -> str:
    return "https" if visit.secure else "http"


def _authority(visit: Visit) -> tuple[str, str]:
    """Host in small letters, and port as far as one is named."""
    host, mark, port = visit.host.lower().rpartition(":")
    return (host, port) if mark and not port.endswith("]") else (visit.host.lower(), "")


def _ports(visit: Visit) -> Iterable[str]:
    default = _DEFAULT_PORTS[_scheme(visit)]
    port = _authority(visit)[1]
    return ("", default) if port in ("", default) else (port,)


def _filename(visit: Visit) -> str:
    return visit.path.rpartition("/")[2]


def _extension(visit: Visit) -> str:
    _, dot, extension = _filename(visit).partition(".")
    return dot + extension


def _sorted(query: str) -> str:
    return "&".join(sorted(query.removeprefix("?").split("&")))


_PARTS: Mapping[int, Callable[[Visit], Iterable[str]]] = {
    labels.SCHEME: lambda visit: (_scheme(visit),),
    labels.HOST: lambda visit: (_authority(visit)[0],),
    labels.PORT: _ports,
    labels.PATH: lambda visit: (visit.path,),
    labels.QUERY: lambda visit: (_sorted(without(visit.query, frozenset({QUERY_NAME}))),),
    labels.PARENT_PATH: lambda visit: (visit.path.rpartition("/")[0],),
    labels.FILENAME: lambda visit: (_filename(visit),),
    labels.STEM: lambda visit: (_filename(visit).partition(".")[0],),
    labels.EXTENSION: lambda visit: (_extension(visit),),
}
"""What a part of the URI is, in each way that it may be written."""


def _always(good: bool) -> Check:
    return lambda visit, now: good


def _text(value: object) -> str:
    if not isinstance(value, str):
        raise BadClaim("no text")
    return value


def _integer(value: object) -> int:
    if type(value) is not int:
        raise BadClaim("no integer")
    return value


def _list(value: object) -> list[Any]:
    if not isinstance(value, list):
        raise BadClaim("no array")
    return value


def _map(value: object) -> dict[Any, Any]:
    if not isinstance(value, dict) or not value:
        raise BadClaim("no map, or an empty one")
    return value
