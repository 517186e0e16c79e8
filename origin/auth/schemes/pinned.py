"""Keys with an algorithm of their own, from a file with one on each line.

    # ID ALGORITHM KEY [NAME=VALUE …]
    edge-2 HS256 q0VlbWcNYqGVyCFGqqd3XHgvCLAFRPVvb4w4KCrJzF0 issuer=https://auth.example
    edge-1 ES256 keys/edge-1.pem audience=vod life=172800

What verifies a token is the key that its id names, with the algorithm that stands beside that key:
a token never chooses. An id that no key has is tried with the first key and refused after that, so
that it takes as long as any other.

KEY is a secret in hex or base64url for HMAC; for all else a PEM file, public or private, beside the
key file, or ``inline:`` and the base64 that such a file has between its two lines. Only a private
one issues. PEM files are read when the key file is.
"""

from __future__ import annotations

import hmac
import os
import re
from collections.abc import Callable, Mapping
from dataclasses import dataclass, field
from functools import partial
from importlib.util import find_spec

from origin.auth.key_lines import read_lines, secret
from origin.auth.path_token import MOST_SECONDS
from origin.settings import BadSetting

LEEWAY = 30.0
"""Seconds that whoever issues may be ahead of us. An expiry has none."""
MOST_CHARACTERS = 4096
"""Of a credential."""

_ID = re.compile(r"[!-~]{1,64}")
_MOST_LIFE = 366 * 86_400

Verify = Callable[[bytes, bytes], bool]
"""Of what is signed, and the signature."""
Sign = Callable[[bytes], bytes]


@dataclass(frozen=True, slots=True)
class Key:
    """``sign``: None where the key only verifies. ``life``: the most seconds that a token of it may
    still have. ``options``: what else stands in its line, by name."""

    id: str
    algorithm: str
    verify: Verify = field(repr=False)
    sign: Sign | None = field(repr=False)
    life: int = MOST_SECONDS
    options: Mapping[str, str] = field(default_factory=dict, repr=False)

    def signature(self, content: bytes) -> bytes:
        if self.sign is None:
            raise BadSetting(f"the key {self.id} is a public one, which makes no tokens")
        return self.sign(content)


@dataclass(frozen=True, slots=True)
class Keys:
    """By id and algorithm, the issuing key first."""

    by_id: Mapping[tuple[str, str], Key] = field(repr=False)

    @property
    def issuing(self) -> Key:
        return next(iter(self.by_id.values()))

    def genuine(self, key_id: str, algorithm: str, content: bytes, signature: bytes) -> Key | None:
        """The key of that id, if ``content`` is signed with it."""
        named = (key_id, algorithm)
        key = self.by_id.get(named, self.issuing)
        good, known = key.verify(content, signature), (key.id, key.algorithm) == named
        return key if good and known else None


def read_pinned(
    path: str, what: str, algorithms: frozenset[str], options: frozenset[str], *, both: bool = False
) -> Keys:
    """The keys of a file. ``algorithms`` and ``options``: those that the scheme knows. ``both``:
    an id may stand there with several algorithms, and the token says of which it is."""
    found = read_lines(
        path,
        what,
        partial(_key, folder=os.path.dirname(path), algorithms=algorithms, known=options),
        said=lambda _: "of this line",  # whose words may be in a wrong order
    )
    if not both and len({key_id for key_id, _ in found}) < len(found):
        raise BadSetting(f"{what}: {path}: one id with several algorithms")
    return Keys(found)


def hs256(key: bytes) -> tuple[Verify, Sign]:
    def sign(content: bytes) -> bytes:
        return hmac.digest(key, content, "sha256")

    def verify(content: bytes, signature: bytes) -> bool:
        return hmac.compare_digest(sign(content), signature)

    return verify, sign


def check_id(word: str) -> None:
    if not _ID.fullmatch(word):
        raise ValueError("the id is not 1 to 64 visible characters of ASCII")


def options_of(words: list[str], known: frozenset[str]) -> dict[str, str]:
    """``NAME=VALUE`` each."""
    found: dict[str, str] = {}
    for word in words:
        name, mark, value = word.partition("=")
        if not mark or not value or name not in known or name in found:
            raise ValueError(
                f"what follows the key is not NAME=VALUE of {', '.join(sorted(known))}"
            )
        found[name] = value
    return found


def life_of(options: dict[str, str]) -> int:
    """Takes ``life`` out of them."""
    life = options.pop("life", str(MOST_SECONDS))
    if not re.fullmatch(r"[0-9]{1,9}", life) or not 1 <= int(life) <= _MOST_LIFE:
        raise ValueError(f"the life is outside 1..{_MOST_LIFE} (s)")
    return int(life)


def _key(
    words: list[str], *, folder: str, algorithms: frozenset[str], known: frozenset[str]
) -> tuple[tuple[str, str], Key]:
    if len(words) < 3:
        raise ValueError("not ID ALGORITHM KEY")
    key_id, algorithm, word, *more = words
    check_id(key_id)
    if algorithm not in algorithms:
        raise ValueError(f"the algorithm is none of {', '.join(sorted(algorithms))}")
    options = options_of(more, known | {"life"})
    life = life_of(options)
    verify, sign = hs256(secret(word)) if algorithm == "HS256" else _pair(algorithm, word, folder)
    return (key_id, algorithm), Key(key_id, algorithm, verify, sign, life, options)


def _pair(algorithm: str, word: str, folder: str) -> tuple[Verify, Sign | None]:
    if find_spec("cryptography") is None:
        raise ValueError(
            f"{algorithm} needs more than is installed: pip install 'vod-origin[tokens]'"
        )
    from origin.auth.schemes import asymmetric  # not installed with the core

    return asymmetric.pair(algorithm, word, folder)
