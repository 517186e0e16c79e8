"""Which tokens open what, and until when."""

from __future__ import annotations

import hashlib
import hmac
import string
from base64 import urlsafe_b64decode, urlsafe_b64encode

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.keys import Keys
from origin.auth.path_token import MOST_SECONDS, issue, verify
from origin.errors import Refused
from tests.support.tracks import PROPERTY

ALPHABET = string.ascii_letters + string.digits + "-_"
KEYS = Keys(1, {1: b"k" * 32, 7: b"o" * 16})
SCOPE = "/v/film/"
SESSION = bytes(range(16))
NOW = 1_800_000_000.0
EXPIRY = 1_800_003_600


def is_good(token: str, *, keys: Keys = KEYS, scope: str = SCOPE, now: float = NOW) -> bool:
    try:
        verify(keys, token, scope, now)
    except Refused as refused:
        said = str(refused)
    else:
        return True
    assert said == "The token does not open this path."  # whatever is wrong with it
    return False


def token_of(expiry: int = EXPIRY, *, scope: str = SCOPE, keys: Keys = KEYS) -> str:
    return issue(keys, scope, expiry, SESSION)


def made_by_hand(version: int, key_id: int, key: bytes, prefix: bytes = b"vod1") -> str:
    """As ``docs/tokens.md`` has it, with none of the code under test."""
    signed = bytes([version, key_id]) + EXPIRY.to_bytes(4, "big") + SESSION
    mac = hmac.new(key, prefix + signed + SCOPE.encode(), hashlib.sha256).digest()[:16]
    return urlsafe_b64encode(signed + mac).decode().rstrip("=")


@PROPERTY
@given(
    key_id=st.integers(0, 255),
    key=st.binary(min_size=16, max_size=80),
    name=st.text(string.ascii_letters + "%-.~", min_size=1),
    life=st.integers(1, MOST_SECONDS),
    session=st.binary(min_size=16, max_size=16),
)
def test_what_is_issued_is_good(
    key_id: int, key: bytes, name: str, life: int, session: bytes
) -> None:
    keys, scope = Keys(key_id, {key_id: key}), f"/v/{name}/"
    token = issue(keys, scope, int(NOW) + life, session)
    assert len(token) == 51
    assert set(token) <= set(ALPHABET)
    assert verify(keys, token, scope, NOW)[0] == NOW + life


def test_the_bytes_are_those_of_the_scheme() -> None:
    token = made_by_hand(1, 1, KEYS.by_id[1])
    assert token == token_of()
    assert is_good(token)
    assert is_good(made_by_hand(1, 7, KEYS.by_id[7]))


@pytest.mark.parametrize("session", [SESSION, bytes(16), b"\xff" * 16])
def test_each_flipped_bit_is_refused(session: bytes) -> None:
    content = urlsafe_b64decode(issue(KEYS, SCOPE, EXPIRY, session) + "=")
    number = int.from_bytes(content, "big")
    refused = 0
    for bit in range(304):
        flipped = (number ^ (1 << bit)).to_bytes(38, "big")
        refused += not is_good(urlsafe_b64encode(flipped).decode().rstrip("="))
    assert refused == 304


def test_each_other_character_is_refused() -> None:
    """The last one as well, two of whose bits carry nothing."""
    token = token_of()
    others = [
        token[:place] + other + token[place + 1 :]
        for place in range(51)
        for other in ALPHABET + "+/=.% é\n\0"
        if other != token[place]
    ]
    assert len(others) == 51 * (63 + 9)
    assert [other for other in others if is_good(other)] == []


@pytest.mark.parametrize(
    "respell",
    [
        lambda token: token + "=",
        lambda token: token + "A",
        lambda token: token + "\n",
        lambda token: token[:-1],
        lambda token: token + token,
        lambda token: "",
        lambda token: token[:25] + "=" + token[25:],
        lambda token: f"%{ord(token[0]):02X}{token[1:]}",
        lambda token: token.swapcase(),
        lambda token: urlsafe_b64decode(token + "=").hex(),
    ],
)
def test_another_spelling_is_refused(respell: object) -> None:
    assert not is_good(respell(token_of()))  # type: ignore[operator]


def test_the_standard_alphabet_is_refused() -> None:
    tokens = [issue(KEYS, SCOPE, EXPIRY, bytes([n]) * 16) for n in (0xFB, 0xFF)]
    assert all(set(token) & set("-_") for token in tokens)
    for token in tokens:
        assert is_good(token)
        assert not is_good(token.replace("-", "+").replace("_", "/"))


@pytest.mark.parametrize("version", [0, 2, 129])
def test_other_versions_are_refused_though_signed(version: int) -> None:
    assert not is_good(made_by_hand(version, 1, KEYS.by_id[1]))


@pytest.mark.parametrize(
    ("key_id", "key"),
    [(2, b"k" * 32), (7, b"k" * 32), (1, b"o" * 16), (0, b""), (1, b"k" * 31), (2, bytes(32))],
)
def test_the_key_is_that_of_its_id(key_id: int, key: bytes) -> None:
    assert not is_good(made_by_hand(1, key_id, key))


def test_what_is_signed_for_something_else_is_refused() -> None:
    assert not is_good(made_by_hand(1, 1, KEYS.by_id[1], prefix=b"vod2"))
    assert not is_good(made_by_hand(1, 1, KEYS.by_id[1], prefix=b""))


@pytest.mark.parametrize(
    "scope",
    [
        "/v/films/",
        "/v/fil/",
        "/v/Film/",
        "/v/%66ilm/",
        "/v/film%20/",
        "/v/film",
        "/v/film//",
        "/v/film/x/",
        "/v//",
        "/v/",
        "v/film/",
        "/t/film/",
        "",
    ],
)
def test_another_title_or_another_spelling_of_it_is_refused(scope: str) -> None:
    assert not is_good(token_of(), scope=scope)


@pytest.mark.parametrize("scope", ["/v/", "/v//", "/v/a/b/", "/v/film", "/", ""])
def test_nothing_but_a_title_is_opened_though_signed(scope: str) -> None:
    assert not is_good(token_of(scope=scope), scope=scope)


def test_it_is_good_until_its_expiry() -> None:
    token = token_of(EXPIRY)
    assert is_good(token, now=EXPIRY - 0.001)
    assert not is_good(token, now=EXPIRY)
    assert not is_good(token, now=EXPIRY + 1)


def test_a_life_of_more_than_a_day_is_refused() -> None:
    token = token_of(EXPIRY)
    assert is_good(token, now=EXPIRY - 86_400)
    assert not is_good(token, now=EXPIRY - 86_400.001)
    assert not is_good(token_of(2**32 - 1))
    assert not is_good(token_of(0))


def test_an_expiry_that_does_not_fit_is_no_token() -> None:
    with pytest.raises(OverflowError):
        token_of(2**32)


def test_each_key_of_a_rotation_verifies_and_the_first_issues() -> None:
    old = Keys(3, {3: b"3" * 32})
    both = Keys(4, {4: b"4" * 32, 3: b"3" * 32})
    new = Keys(4, {4: b"4" * 32})
    before, after = token_of(keys=old), token_of(keys=both)
    assert (is_good(before, keys=old), is_good(before, keys=both)) == (True, True)
    assert (is_good(after, keys=both), is_good(after, keys=new)) == (True, True)
    assert (is_good(before, keys=new), is_good(after, keys=old)) == (False, False)
