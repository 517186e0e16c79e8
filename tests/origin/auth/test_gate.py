"""Which media path a request's path opens, as time passes and keys change."""

from __future__ import annotations

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth import gate as gates
from origin.auth.gate import LOOK_SECONDS, Gate
from origin.auth.keys import Keys
from origin.auth.path_token import issue
from origin.errors import Refused
from tests.support.tracks import PROPERTY
from tests.support.visits import asked

OLD, NEW = Keys(1, {1: b"1" * 32}), Keys(2, {2: b"2" * 32})
EXPIRY = 1_800_003_600
MEDIA = "/v/film/0123456789abcdef/video1/0.m4s"


class Door:
    """A gate whose clock and keys a test sets."""

    def __init__(self, *, required: bool = True) -> None:
        self.now = EXPIRY - 3600.0
        self.keys = OLD
        self.gate = Gate(lambda: self.keys, required=required, clock=lambda: self.now)

    def opens(self, path: str) -> bool:
        try:
            self.gate.admit(asked(path))
        except Refused:
            return False
        return True


@pytest.fixture
def door() -> Door:
    return Door()


def token_of(asset: str = "film", session: int = 0, keys: Keys = OLD, expiry: int = EXPIRY) -> str:
    return issue(keys, f"/v/{asset}/", expiry, session.to_bytes(16, "big"))


def test_the_media_path_is_what_is_left(door: Door) -> None:
    token = token_of()
    for media in ("/v/film/master.m3u8", MEDIA, "/v/film/", "/v/film//x", "/v/film/../film/x"):
        assert tuple(door.gate.admit(asked(f"/t/{token}{media}"))) == (media, (), bytes(16))
        assert tuple(door.gate.admit(asked(f"/t/{token}{media}"))) == (media, (), bytes(16))


def test_a_plain_path_is_refused_where_a_token_is_required(door: Door) -> None:
    with pytest.raises(Refused, match="token"):
        door.gate.admit(asked(MEDIA))
    assert tuple(Door(required=False).gate.admit(asked(MEDIA))) == (MEDIA, (), None)


def test_a_bad_token_is_refused_where_none_is_required() -> None:
    door = Door(required=False)
    assert door.opens(f"/t/{token_of()}{MEDIA}")
    assert not door.opens(f"/t/{token_of('other')}{MEDIA}")


@pytest.mark.parametrize("seen_before", [True, False])
def test_what_it_was_not_made_for_is_refused(door: Door, seen_before: bool) -> None:
    token = token_of()
    assert not seen_before or door.opens(f"/t/{token}{MEDIA}")
    for path in (
        f"/t/{token}/v/other/master.m3u8",
        f"/t/{token}/v/film2/master.m3u8",
        f"/t/{token}/v/%66ilm/master.m3u8",
        f"/t/{token}/v/film",
        f"/t/{token}/v//film/master.m3u8",
        f"/t/{token}/v/../v/film/master.m3u8",
        f"/t/{token}//v/film/master.m3u8",
        f"/t/{token}/V/film/master.m3u8",
        f"/t/{token}/api/film/master.m3u8",
        f"/t/{token}/t/{token}/v/film/master.m3u8",
        f"/t/{token}v/film/master.m3u8",
        f"/t/{token}",
        f"/t/{token}/",
        f"/t//{token}/v/film/master.m3u8",
        f"/t/{token[:-1]}/v/film/master.m3u8",
        f"/t/{token}A/v/film/master.m3u8",
        "/t/",
        "/t//v/film/master.m3u8",
        "/t/v/film/master.m3u8",
    ):
        assert not door.opens(path)


@PROPERTY
@given(st.text(max_size=120))
def test_whatever_else_is_asked_is_refused(text: str) -> None:
    door, token = Door(), token_of()
    for path in (f"/t/{text}", f"/t/{text}{MEDIA}", f"/t/{token}{text}/master.m3u8"):
        if not text.startswith("/v/film/"):
            assert not door.opens(path)


def test_a_title_with_a_slash_in_its_name_is_another(door: Door) -> None:
    token = token_of("film%2Fextra")
    assert door.opens(f"/t/{token}/v/film%2Fextra/master.m3u8")
    assert not door.opens(f"/t/{token}/v/film/extra/master.m3u8")
    assert not door.opens(f"/t/{token}/v/film%2fextra/master.m3u8")


def test_a_token_that_was_good_expires(door: Door) -> None:
    path = f"/t/{token_of()}{MEDIA}"
    assert door.opens(path)
    door.now = EXPIRY - 0.001
    assert door.opens(path)
    door.now = EXPIRY
    assert not door.opens(path)
    assert not door.opens(path)


def test_a_token_that_lives_too_long_becomes_good_in_time(door: Door) -> None:
    door.now = EXPIRY - 86_401.0
    path = f"/t/{token_of()}{MEDIA}"
    assert not door.opens(path)
    door.now += 1
    assert door.opens(path)


def test_a_key_that_is_taken_away_takes_its_tokens_with_it(door: Door) -> None:
    old, new = f"/t/{token_of()}{MEDIA}", f"/t/{token_of(keys=NEW)}{MEDIA}"
    assert (door.opens(old), door.opens(new)) == (True, False)
    door.keys = Keys(2, {2: b"2" * 32, 1: b"1" * 32})
    door.now += LOOK_SECONDS
    assert (door.opens(old), door.opens(new)) == (True, True)
    door.keys = NEW
    door.now += LOOK_SECONDS
    assert (door.opens(old), door.opens(new)) == (False, True)


def test_keys_are_looked_at_once_in_a_while(door: Door) -> None:
    new = f"/t/{token_of(keys=NEW)}{MEDIA}"
    door.keys = NEW
    door.now += LOOK_SECONDS - 0.001
    assert not door.opens(new)
    door.now += 0.001
    assert door.opens(new)


def test_a_clock_that_is_set_back_does_not_stop_the_looking(door: Door) -> None:
    door.now += 600
    assert door.opens(f"/t/{token_of()}{MEDIA}")
    door.keys = NEW
    door.now -= 600
    assert door.opens(f"/t/{token_of(keys=NEW)}{MEDIA}")


def test_more_tokens_than_are_remembered(door: Door, monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(gates, "MOST_VERDICTS", 10)
    door = Door()
    paths = [f"/t/{token_of(session=number)}{MEDIA}" for number in range(100)]
    for _ in range(2):
        assert all(door.opens(path) for path in paths)
    assert len(door.gate._verdicts) == 10


def test_guessing_is_not_remembered(door: Door) -> None:
    good = token_of()
    assert door.opens(f"/t/{good}{MEDIA}")
    for number in range(100):
        assert not door.opens(f"/t/{token_of('other', number)}{MEDIA}")
        assert not door.opens(f"/t/{good}/v/{number}/master.m3u8")
    assert len(door.gate._verdicts) == 1


def test_a_refusal_shows_no_token(door: Door) -> None:
    token = token_of("other")
    with pytest.raises(Refused) as raised:
        door.gate.admit(asked(f"/t/{token}{MEDIA}"))
    assert token not in str(raised.value)
    assert token[:10] not in repr(raised.value)
