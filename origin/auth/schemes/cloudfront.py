"""CloudFront's signed URLs and signed cookies, verified at the origin.

A canned policy is never sent: its exact bytes are made again of the viewer's URL and ``Expires``,
so it is good for that URL only. A custom policy is sent, and may have wildcards in its Resource, a
beginning, and addresses. Both are signed with RSA or ECDSA, over SHA-1 unless ``Hash-Algorithm``
says otherwise; an id may stand in the key file with both hashes.

    /t/Policy=…&Signature=…&Key-Pair-Id=…/v/…       our own: it follows from manifest to segment
    ?Expires=… or Policy=…, &Signature=…&Key-Pair-Id=…[&Hash-Algorithm=…]
    Cookie: CloudFront-Expires=… or -Policy=…; CloudFront-Signature=…; …

The URL is ``url=`` of the key's line, or scheme and Host of the request, and then path and query
without these parameters.
"""

from __future__ import annotations

import re
from collections.abc import Callable, Iterable
from dataclasses import dataclass
from typing import Any

import orjson

from origin.auth.path_token import closed
from origin.auth.schemes.addresses import Network, is_within, network_of
from origin.auth.schemes.pinned import MOST_CHARACTERS, Key, Keys, read_pinned
from origin.auth.schemes.presented import cookies, parameters, without
from origin.auth.schemes.spelling import from_cloudfront, to_cloudfront
from origin.auth.schemes.wildcards import matcher
from origin.auth.visit import Fields, Visit
from origin.settings import BadSetting

_NAMES = ("Expires", "Policy", "Signature", "Key-Pair-Id", "Hash-Algorithm")
_PARAMETERS = frozenset(_NAMES)
_COOKIE = "CloudFront-"
_EXPIRES = re.compile(r"[1-9][0-9]{0,11}")
_HASHES = ("SHA1", "SHA256")
_ALGORITHMS = frozenset(f"{kind}-{name}" for kind in ("RSA", "ECDSA") for name in _HASHES)
_BASE = re.compile(r"https?://[^/?#*\s\"\\]+")
_MOST_EXPIRY = 1 << 40


@dataclass(frozen=True, slots=True)
class Policy:
    """``opens``: whether it is for a URL. ``begin`` and ``expiry``: seconds since 1970."""

    opens: Callable[[str], bool]
    expiry: int
    begin: int = 0
    network: Network | None = None


@dataclass(frozen=True, slots=True)
class CloudFrontGrant:
    policy: Policy
    key: Key
    session: bytes | None = None

    @property
    def expiry(self) -> float:
        return self.policy.expiry

    def admit(self, visit: Visit, now: float) -> Fields:
        policy = self.policy
        good = (
            policy.begin < now < policy.expiry <= now + self.key.life
            and policy.opens(_url(self.key, visit))
            and (policy.network is None or is_within(visit.address, policy.network))
        )
        if not good:
            raise closed()
        return ()


@dataclass(frozen=True, slots=True)
class CloudFrontScheme:
    keys: Keys
    name: str = "cloudfront"

    def find(self, visit: Visit) -> str | None:
        """``URL Parameters``, the URL with a canned policy only."""
        found = _presented(visit)
        values = dict(found)
        if "Signature" not in values or "Key-Pair-Id" not in values:
            return None
        key = self._key(values)
        url = _url(key, visit) if "Policy" not in values else ""
        return f"{url} {'&'.join(f'{name}={value}' for name, value in found)}"

    def authenticate(self, credential: str) -> CloudFrontGrant:
        url, _, rest = credential.partition(" ")
        found = list(parameters(rest))
        values = dict(found)
        if len(rest) > MOST_CHARACTERS or len(values) != len(found):
            raise closed()
        try:
            return self._authenticate(url, values)
        except (KeyError, ValueError):
            raise closed() from None

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        key = self.keys.issuing
        if "url" not in key.options:
            raise BadSetting(
                f"the key {key.id} needs url=https://HOST in its line: it is the viewers' URL that "
                "is signed"
            )
        return signed_policy(key, custom_policy(f"{key.options['url']}{scope}*", expiry))

    def _key(self, values: dict[str, str]) -> Key | None:
        name = values.get("Hash-Algorithm", _HASHES[0])
        for kind in ("RSA", "ECDSA"):
            if key := self.keys.by_id.get((values["Key-Pair-Id"], f"{kind}-{name}")):
                return key
        return None

    def _authenticate(self, url: str, values: dict[str, str]) -> CloudFrontGrant:
        signature, expires = from_cloudfront(values["Signature"]), values.get("Expires")
        custom = from_cloudfront(values["Policy"]) if "Policy" in values else None
        if custom is not None:
            content = custom
        elif expires is not None and _EXPIRES.fullmatch(expires):
            content = _canned_policy(url, expires)
        else:
            raise ValueError("no policy")
        key = self._key(values)
        algorithm = key.algorithm if key else ""
        if (
            self.keys.genuine(values["Key-Pair-Id"], algorithm, content, signature) is None
            or not key
        ):
            raise ValueError("not signed so")
        if custom is None:
            return CloudFrontGrant(Policy(url.__eq__, int(expires or "")), key)
        if expires is not None:
            raise ValueError("both kinds of policy")
        return CloudFrontGrant(_policy(custom), key)


def read(path: str) -> CloudFrontScheme:
    keys = read_pinned(path, "CloudFront keys", _ALGORITHMS, frozenset({"url"}), both=True)
    for key in keys.by_id.values():
        if "url" in key.options and not _BASE.fullmatch(key.options["url"]):
            raise BadSetting(f"CloudFront keys: {path}: a url is https://HOST, without a path")
    return CloudFrontScheme(keys)


def custom_policy(resource: str, expiry: int) -> bytes:
    condition = {"DateLessThan": {"AWS:EpochTime": expiry}}
    return orjson.dumps({"Statement": [{"Resource": resource, "Condition": condition}]})


def signed_policy(key: Key, policy: bytes) -> str:
    """The parameters of a URL, or of ``/t/{…}/``."""
    signature = to_cloudfront(key.signature(policy))
    hashed = "&Hash-Algorithm=SHA256" if key.algorithm.endswith("-SHA256") else ""
    return f"Policy={to_cloudfront(policy)}&Signature={signature}&Key-Pair-Id={key.id}{hashed}"


def _presented(visit: Visit) -> list[tuple[str, str]]:
    """Of the first place that has a signature, in the order of ``_NAMES``."""
    if visit.token is not None and "Signature=" in visit.token:
        found = list(parameters(visit.token))
        return _in_order(found) if _PARAMETERS.issuperset(dict(found)) else []
    found = [pair for pair in parameters(visit.query) if pair[0] in _PARAMETERS]
    if any(name == "Signature" for name, _ in found):
        return _in_order(found)
    sent = cookies(visit)
    return [(name, sent[_COOKIE + name]) for name in _NAMES if _COOKIE + name in sent]


def _in_order(found: list[tuple[str, str]]) -> list[tuple[str, str]]:
    return sorted(found, key=lambda pair: _NAMES.index(pair[0]))


def _url(key: Key | None, visit: Visit) -> str:
    base = key.options.get("url") if key else None
    if base is None:
        base = f"{'https' if visit.secure else 'http'}://{visit.host}"
    query = without(visit.query, _PARAMETERS)
    return f"{base}{visit.path}?{query}" if query else base + visit.path


def _canned_policy(url: str, expires: str) -> bytes:
    if '"' in url or "\\" in url:
        raise ValueError("a URL that would be another policy")
    return (
        f'{{"Statement":[{{"Resource":"{url}",'
        f'"Condition":{{"DateLessThan":{{"AWS:EpochTime":{expires}}}}}}}]}}'
    ).encode()


def _policy(content: bytes) -> Policy:
    """Of a custom policy whose signature is good; ValueError where it says what is not known."""
    document = _members(orjson.loads(content), {"Statement"})
    if not isinstance(document["Statement"], list) or len(document["Statement"]) != 1:
        raise ValueError("not one statement")
    statement = _members(document["Statement"][0], {"Condition"}, {"Resource"})
    resource = statement.get("Resource", "*")
    if not isinstance(resource, str):
        raise ValueError("no resource")
    condition = _members(statement["Condition"], {"DateLessThan"}, {"DateGreaterThan", "IpAddress"})
    begin, address = condition.get("DateGreaterThan"), condition.get("IpAddress")
    return Policy(
        matcher(resource),
        _time(condition["DateLessThan"]),
        0 if begin is None else _time(begin),
        None if address is None else _network(address),
    )


def _members(value: Any, needed: set[str], known: Iterable[str] = ()) -> dict[str, Any]:
    if not isinstance(value, dict) or not needed <= value.keys() <= needed.union(known):
        raise ValueError("not the members of a policy")
    return value


def _time(value: Any) -> int:
    time = _members(value, {"AWS:EpochTime"})["AWS:EpochTime"]
    if type(time) is not int or not 0 <= time < _MOST_EXPIRY:
        raise ValueError("no time")
    return time


def _network(value: Any) -> Network | None:
    """None: ``0.0.0.0/0``, which is how a policy says any address."""
    text = _members(value, {"AWS:SourceIp"})["AWS:SourceIp"]
    if not isinstance(text, str):
        raise ValueError("no address")
    return None if text == "0.0.0.0/0" else network_of(text)
