"""Akamai's EdgeAuth 2.0: ``st=…~exp=…~acl=…~hmac=…``.

    ip, st, exp, id, data      each at most once; exp is a must; data is nothing to us
    acl                        patterns of paths, apart by ``!``, with ``*`` and ``?``
    hmac                       HMAC-SHA256 of all before it, in small hex digits

Without ``acl`` it is good for one path, which is signed but does not stand in it, and neither does
a salt. A token names no key, so each key of the file is tried, and always all of them.

    # ID KEY [salt=SALT] [escape=early] [life=SECONDS]

It is looked for in ``/t/{token}/``, and in the query parameter or the cookie that is called
``hdnts``, ``hdnea`` or ``__token__``.
"""

from __future__ import annotations

import hmac
import re
from collections.abc import Callable
from dataclasses import dataclass, field
from urllib.parse import quote_plus, unquote_plus

from origin.auth.key_lines import read_lines, secret
from origin.auth.path_token import closed
from origin.auth.schemes.addresses import Network, is_within, network_of
from origin.auth.schemes.pinned import LEEWAY, MOST_CHARACTERS, check_id, life_of, options_of
from origin.auth.schemes.presented import cookies, parameter
from origin.auth.schemes.wildcards import matcher
from origin.auth.visit import Fields, Visit

_NAMES = ("hdnts", "hdnea", "__token__")
_KNOWN = frozenset(("ip", "st", "exp", "acl", "id", "data"))
_TOKEN = re.compile(r"([^\s]+)~hmac=([0-9a-f]{64})")
_TIME = re.compile(r"[0-9]{1,12}")
_SESSION = re.compile(r"[0-9a-f]{32}")


@dataclass(frozen=True, slots=True)
class Key:
    """``early``: a path is signed percent-encoded, with small hex digits."""

    secret: bytes = field(repr=False)
    salt: str | None = field(repr=False)
    early: bool
    life: int

    def mac(self, text: str, url: str) -> bytes:
        if url:
            text += f"~url={escaped(url) if self.early else url}"
        if self.salt is not None:
            text += f"~salt={self.salt}"
        return hmac.digest(self.secret, text.encode(), "sha256")


@dataclass(frozen=True, slots=True)
class AkamaiGrant:
    expiry: float
    session: bytes | None
    begin: float
    life: int
    paths: tuple[Callable[[str], bool], ...]
    network: Network | None

    def admit(self, visit: Visit, now: float) -> Fields:
        good = (
            self.begin <= now + LEEWAY
            and now < self.expiry <= now + self.life
            and any(matches(visit.path) for matches in self.paths)
            and (self.network is None or is_within(visit.address, self.network))
        )
        if not good:
            raise closed()
        return ()


@dataclass(frozen=True, slots=True)
class AkamaiScheme:
    keys: tuple[Key, ...]
    name: str = "akamai"

    def find(self, visit: Visit) -> str | None:
        """``TOKEN``, or ``TOKEN PATH`` where it names no path itself."""
        token = _presented(visit)
        if token is None or " " in token:
            return None
        return token if "acl=" in token else f"{token} {visit.path}"

    def authenticate(self, credential: str) -> AkamaiGrant:
        token, _, url = credential.partition(" ")
        found = _TOKEN.fullmatch(token)
        if found is None or len(token) > MOST_CHARACTERS:
            raise closed()
        text, mac = found[1], bytes.fromhex(found[2])
        good = [key for key in self.keys if hmac.compare_digest(key.mac(text, url), mac)]
        if not good:
            raise closed()
        try:
            return _grant(_fields(text), url, good[0])
        except ValueError:
            raise closed() from None

    def issue(self, scope: str, expiry: int, session: bytes) -> str:
        acl = escaped(scope).replace("~", "%7e")  # which ends a field
        text = f"exp={expiry}~acl={acl}*~id={session.hex()}"
        return f"{text}~hmac={self.keys[0].mac(text, '').hex()}"


def read(path: str) -> AkamaiScheme:
    return AkamaiScheme(
        tuple(read_lines(path, "Akamai keys", _key, lambda _: "of this line").values())
    )


def escaped(text: str) -> str:
    """As Akamai's own generators do: hex digits of what they escape are small."""
    return re.sub("%..", lambda found: found[0].lower(), quote_plus(text))


def _presented(visit: Visit) -> str | None:
    if visit.token is not None and "~hmac=" in visit.token:
        return visit.token
    sent = cookies(visit)
    for name in _NAMES:
        if (token := parameter(visit.query, name)) or (token := sent.get(name)):
            return token
    return None


def _fields(text: str) -> dict[str, str]:
    found: dict[str, str] = {}
    for part in text.split("~"):
        name, _, value = part.partition("=")
        if name in found or name not in _KNOWN:
            raise ValueError("a field that is unknown, or there already")
        found[name] = value
    return found


def _grant(fields: dict[str, str], url: str, key: Key) -> AkamaiGrant:
    acl = fields.get("acl")
    session = fields.get("id", "")
    return AkamaiGrant(
        expiry=_time(fields.get("exp", "")),
        session=bytes.fromhex(session) if _SESSION.fullmatch(session) else None,
        begin=_time(fields.get("st", "0")),
        life=key.life,
        paths=(url.__eq__,) if acl is None else tuple(map(_pattern, acl.split("!"))),
        network=network_of(fields["ip"]) if "ip" in fields else None,
    )


def _pattern(text: str) -> Callable[[str], bool]:
    """Paths begin with a slash: where that is escaped, all is."""
    return matcher(unquote_plus(text) if text.lower().startswith("%2f") else text)


def _time(text: str) -> int:
    if not _TIME.fullmatch(text):
        raise ValueError("no time")
    return int(text)


def _key(words: list[str]) -> tuple[str, Key]:
    if len(words) < 2:
        raise ValueError("not ID KEY")
    key_id, word, *more = words
    check_id(key_id)
    options = options_of(more, frozenset({"salt", "escape", "life"}))
    if options.get("escape", "early") != "early":
        raise ValueError("escape is early, or is not there")
    life = life_of(options)
    return key_id, Key(secret(word), options.get("salt"), "escape" in options, life)
