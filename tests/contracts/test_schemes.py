"""What every token scheme in ``SCHEMES`` owes whoever relies on it.

A new scheme needs one bench in ``BENCHES``, which says of what its key files consist; these tests
do the rest.
"""

from __future__ import annotations

import re
import string
from collections.abc import Callable, Iterator
from dataclasses import dataclass
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.path_token import MOST_SECONDS
from origin.auth.reread import Reread
from origin.auth.schemes import SCHEMES
from origin.auth.schemes.spelling import (
    from_base64url,
    from_cloudfront,
    to_base64url,
    to_cloudfront,
)
from origin.auth.visit import Scheme
from origin.errors import Refused
from origin.settings import BadSetting
from tests.support.token_keys import SECRET, key_file, key_word
from tests.support.tracks import PROPERTY
from tests.support.visits import MEDIA, NOW, SESSION, opens, visit

SCOPE = "/v/film/"
EXPIRY = NOW + 3600
OTHER_SECRET = bytes(range(100, 132)).hex()


@dataclass(frozen=True)
class Bench:
    """``kinds``: each becomes a key file with ``line``, given the key's id, the kind and what the
    key file has for a key. ``flips``: a token with each bit flipped that its text only encodes."""

    ids: tuple[str, str]
    kinds: tuple[str, ...]
    line: Callable[[str, str, str], str]
    tokens: int
    flips: Callable[[str], Iterator[str]]

    def lines(self, folder: Path, kind: str, key_id: str) -> str:
        return self.line(key_id, kind, key_word(folder, kind))


def flip(content: bytes) -> Iterator[bytes]:
    number = int.from_bytes(content, "big")
    for bit in range(8 * len(content)):
        yield (number ^ 1 << bit).to_bytes(len(content), "big")


def flip_text(token: str) -> Iterator[str]:
    """What stands in the URL."""
    return (content.decode("latin-1") for content in flip(token.encode()))


def flip_base64url(token: str) -> Iterator[str]:
    """What is encoded, in each part."""
    parts = token.split(".")
    for number, part in enumerate(parts):
        for content in flip(from_base64url(part)):
            yield ".".join([*parts[:number], to_base64url(content), *parts[number + 1 :]])


def flip_cloudfront(token: str) -> Iterator[str]:
    parts = token.split("&")
    for number, part in enumerate(parts):
        name, _, value = part.partition("=")
        if name in ("Policy", "Signature"):
            for content in flip(from_cloudfront(value)):
                changed = f"{name}={to_cloudfront(content)}"
                yield "&".join([*parts[:number], changed, *parts[number + 1 :]])


def pinned(key_id: str, kind: str, word: str) -> str:
    return f"{key_id} {kind} {word} issuer=https://auth.example audience=vod"


BENCHES = {
    "path": Bench(
        ("1", "2"), ("HS256",), lambda key_id, _, word: f"{key_id} {word}", 20, flip_base64url
    ),
    "cat": Bench(("edge", "other"), ("HS256", "ES256", "PS256"), pinned, 20, flip_base64url),
    "cloudfront": Bench(
        ("K2JCJMDEHXQW5F", "KOTHER"),
        ("RSA-SHA1", "RSA-SHA256", "ECDSA-SHA1", "ECDSA-SHA256"),
        lambda key_id, kind, word: f"{key_id} {kind} {word} url=https://media.example",
        20,
        flip_cloudfront,
    ),
    "akamai": Bench(
        ("first", "other"),
        ("HS256",),
        lambda key_id, _, word: f"{key_id} {word} salt=pepper",
        20,
        lambda _: iter(()),
    ),
    "jwt": Bench(
        ("edge", "other"), ("HS256", "RS256", "PS256", "ES256"), pinned, 20, flip_base64url
    ),
}
KINDS = [(name, kind) for name, bench in BENCHES.items() for kind in bench.kinds]


@pytest.fixture(params=KINDS, ids=lambda pair: "-".join(pair))
def pair(request: pytest.FixtureRequest) -> tuple[str, str]:
    found: tuple[str, str] = request.param
    return found


@pytest.fixture
def scheme(pair: tuple[str, str], tmp_path: Path) -> Scheme:
    return make(tmp_path, *pair)


def make(folder: Path, name: str, kind: str) -> Scheme:
    bench = BENCHES[name]
    return SCHEMES[name](key_file(folder, bench.lines(folder, kind, bench.ids[0])))


def is_open(scheme: Scheme, token: str, path: str = MEDIA, now: float = NOW) -> bool:
    return opens(scheme, visit(path, token=token), now)


def test_each_scheme_has_a_bench() -> None:
    assert list(BENCHES) == list(SCHEMES)
    assert sum(bench.tokens for bench in BENCHES.values()) >= 100


def test_it_opens_all_of_its_title_and_nothing_else(scheme: Scheme, pair: tuple[str, str]) -> None:
    token = scheme.issue(SCOPE, EXPIRY, SESSION)
    assert scheme.name == pair[0]
    assert re.fullmatch(r"[!-.0->@-~]+", token)  # a segment of a path
    for path in (MEDIA, "/v/film/master.m3u8", "/v/film/"):
        assert is_open(scheme, token, path)
    for path in (
        "/v/other/master.m3u8",
        "/v/film2/master.m3u8",
        "/v/fil/master.m3u8",
        "/v/film",
        "/v/%66ilm/master.m3u8",
        "/v/Film/master.m3u8",
        "/v//film/master.m3u8",
        "/v/other/v/film/master.m3u8",
        "//v/film/master.m3u8",
        "/api/v/film/master.m3u8",
        "/",
        "",
    ):
        assert not is_open(scheme, token, path), path


def test_it_opens_until_it_expires(scheme: Scheme) -> None:
    token = scheme.issue(SCOPE, EXPIRY, SESSION)
    assert is_open(scheme, token, now=EXPIRY - 0.001)
    assert not is_open(scheme, token, now=EXPIRY)
    assert not is_open(scheme, token, now=EXPIRY + 1e6)


def test_one_that_lives_for_more_than_a_day_is_refused_until_it_does_not(scheme: Scheme) -> None:
    token = scheme.issue(SCOPE, NOW + MOST_SECONDS + 1, SESSION)
    assert not is_open(scheme, token, now=NOW)
    assert is_open(scheme, token, now=NOW + 1)


def test_the_grant_says_what_the_gate_has_to_know(scheme: Scheme) -> None:
    of = visit(token=scheme.issue(SCOPE, EXPIRY, SESSION))
    credential = scheme.find(of)
    assert credential is not None
    assert scheme.find(visit("/v/film/master.m3u8", token=of.token)) == credential  # looked up by
    grant = scheme.authenticate(credential)
    assert grant.expiry == EXPIRY
    assert grant.session == (None if scheme.name == "cloudfront" else SESSION)
    assert grant.admit(of, NOW) == ()


@pytest.mark.parametrize(("name", "kind"), KINDS)
def test_every_flipped_bit_is_refused(name: str, kind: str, tmp_path: Path) -> None:
    bench, scheme = BENCHES[name], make(tmp_path, name, kind)
    for number in range(-(-bench.tokens // len(bench.kinds))):
        session = bytes([7 * number % 256, 255 - number] * 8)
        token = scheme.issue(SCOPE, EXPIRY - number, session)
        assert is_open(scheme, token)
        flipped = [*bench.flips(token), *flip_text(token)]
        assert len(flipped) >= 8 * len(token)
        assert [other for other in flipped if is_open(scheme, other)] == []


@pytest.mark.parametrize("place", [0, 25, 50, -1])
def test_another_spelling_is_refused(scheme: Scheme, place: int) -> None:
    token = scheme.issue(SCOPE, EXPIRY, SESSION)
    place = place if place >= 0 else len(token)
    for more in ("=", "A", "\n", " ", "%", "~", "&", "\0", "é"):
        assert not is_open(scheme, token[:place] + more + token[place:])
    assert not is_open(scheme, token[:-1])
    assert not is_open(scheme, token + token)
    assert not is_open(scheme, token.swapcase())


def test_the_key_is_the_one_of_its_id(pair: tuple[str, str], tmp_path: Path) -> None:
    """The same key under another id, and another key under the same id."""
    name, kind = pair
    bench, scheme = BENCHES[name], make(tmp_path, *pair)
    token = scheme.issue(SCOPE, EXPIRY, SESSION)
    elsewhere = key_file(tmp_path, bench.lines(tmp_path, kind, bench.ids[1]), name="elsewhere")
    if name != "akamai":  # whose tokens name no key
        assert not is_open(SCHEMES[name](elsewhere), token)
    if kind == "HS256":
        other = key_file(tmp_path, bench.line(bench.ids[0], kind, OTHER_SECRET), name="other")
        assert not is_open(SCHEMES[name](other), token)


def test_keys_overlap_while_they_change(pair: tuple[str, str], tmp_path: Path) -> None:
    name, kind = pair
    bench = BENCHES[name]
    old, new = (bench.lines(tmp_path, kind, key_id) for key_id in bench.ids)
    if kind == "HS256":
        new = bench.line(bench.ids[1], kind, OTHER_SECRET)
    path = key_file(tmp_path, old)
    file = Reread(path, SCHEMES[name])
    first = file.current()
    assert file.current() is first
    token = first.issue(SCOPE, EXPIRY, SESSION)
    key_file(tmp_path, new, old)
    both = file.current()
    assert both is not first
    later = both.issue(SCOPE, EXPIRY, SESSION)
    assert is_open(both, token)
    assert is_open(both, later)
    assert name == "akamai" or not is_open(first, later)
    key_file(tmp_path, new)
    assert not is_open(file.current(), token)
    assert is_open(file.current(), later)
    key_file(tmp_path, "nonsense")
    assert is_open(file.current(), later)


NAMES = st.text(string.ascii_letters + string.digits + "-_.~", min_size=1, max_size=40).filter(
    lambda name: name.strip(".")
)


@pytest.mark.parametrize(
    ("name", "kind"), [(name, bench.kinds[0]) for name, bench in BENCHES.items()]
)
def test_what_is_issued_opens_what_it_was_issued_for(
    name: str, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scheme = make(tmp_path_factory.mktemp(name), name, kind)

    @PROPERTY
    @given(
        NAMES | st.just("caf%C3%A9%20%2F"),
        st.integers(1, MOST_SECONDS),
        st.binary(min_size=16, max_size=16),
        NAMES,
    )
    def check(title: str, life: int, session: bytes, other: str) -> None:
        token = scheme.issue(f"/v/{title}/", NOW + life, session)
        assert is_open(scheme, token, f"/v/{title}/master.m3u8")
        assert other == title or not is_open(scheme, token, f"/v/{other}/master.m3u8")

    check()


@pytest.mark.parametrize(
    ("name", "kind"), [(name, bench.kinds[0]) for name, bench in BENCHES.items()]
)
def test_whatever_else_is_presented_is_refused(
    name: str, kind: str, tmp_path_factory: pytest.TempPathFactory
) -> None:
    scheme = make(tmp_path_factory.mktemp(name), name, kind)
    token = scheme.issue(SCOPE, EXPIRY, SESSION)

    @PROPERTY
    @given(st.text(max_size=200), st.text(max_size=20), st.integers(0, len(token)))
    def check(text: str, more: str, place: int) -> None:
        for shown in (text, token[:place] + more, more + token[place:]):
            if shown != token:
                assert not is_open(scheme, shown)
            for of in (
                visit(query=shown),
                visit(query=f"cat={shown}&jwt={shown}&hdnts={shown}"),
                visit(cookie=f"{shown}; CTA-Common-Access-Token={text}; jwt={text}; hdnts={text}"),
                visit(authorization=f"Bearer {text}", cta_common_access_token=text),
            ):
                assert shown == token or not opens(scheme, of)
        with pytest.raises(Refused):
            scheme.authenticate(text)

    check()


def test_nothing_shows_a_key(scheme: Scheme, pair: tuple[str, str], tmp_path: Path) -> None:
    name, kind = pair
    credential = scheme.find(visit(token=scheme.issue(SCOPE, EXPIRY, SESSION)))
    assert credential is not None
    shown = repr(scheme) + repr(scheme.authenticate(credential))
    assert not any(
        form in shown for form in (SECRET.hex(), repr(SECRET)[2:-1], "PRIVATE", "pepper")
    )
    bench = BENCHES[name]
    line = bench.lines(tmp_path, kind, bench.ids[0])
    words = line.split()
    for wrong in (
        " ".join(words[::-1]),
        words[-1],
        f"{line}\n{line}",
        f"{line} {SECRET.hex()}",
        f"{line} {SECRET.hex()}={SECRET.hex()}",
        line.replace(words[-1], f"{SECRET.hex()}!"),
        line.replace(words[0], SECRET.hex() * 9),
        "",
    ):
        path = key_file(tmp_path, wrong, name="wrong")
        with pytest.raises(BadSetting) as raised:
            SCHEMES[name](path)
        assert path in str(raised.value)
        assert SECRET.hex()[:16] not in str(raised.value)
