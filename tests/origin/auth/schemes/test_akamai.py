"""EdgeAuth tokens, made as Akamai's own generators do."""

from __future__ import annotations

import hmac
from hashlib import sha256
from pathlib import Path

import pytest

from origin.auth.schemes.akamai import AkamaiScheme, escaped, read
from tests.support.token_keys import SECRET, key_file
from tests.support.visits import MEDIA, NOW, opens, visit

END = NOW + 3600


def made(text: str, *, url: str = "", salt: str = "", key: bytes = SECRET) -> str:
    """With none of the code under test."""
    signed = text + (f"~url={url}" if url else "") + (f"~salt={salt}" if salt else "")
    return f"{text}~hmac={hmac.new(key, signed.encode(), sha256).hexdigest()}"


@pytest.fixture
def scheme(tmp_path: Path) -> AkamaiScheme:
    return read(key_file(tmp_path, f"first {SECRET.hex()}"))


def test_vector() -> None:
    """Worked out by hand: openssl dgst -sha256 -mac HMAC -macopt hexkey:…"""
    assert made("exp=1800003600~acl=/v/film/*", key=bytes.fromhex("aa" * 16)).endswith(
        "~hmac=1ecf3e05752bb611df223b54fb589aec1be4825b80d8ba58493c735003904413"
    )


def test_where_a_token_is_looked_for(scheme: AkamaiScheme) -> None:
    token = made(f"exp={END}~acl=/v/film/*")
    for name in ("hdnts", "hdnea", "__token__"):
        assert opens(scheme, visit(query=f"a=b&{name}={token}"))
        assert opens(scheme, visit(cookie=f"a=b; {name}={token}"))
    escaped_token = made(f"exp={END}~acl=%2fv%2ffilm%2f*")
    assert opens(scheme, visit(token=escaped_token))
    assert not opens(scheme, visit(query=f"token={token}"))


@pytest.mark.parametrize(
    ("text", "good"),
    [
        (f"exp={END}~acl=/*", True),
        (f"st={NOW}~exp={END}~acl=/v/film/*", True),
        (f"st={NOW + 30}~exp={END}~acl=/v/film/*", True),
        (f"st={NOW + 31}~exp={END}~acl=/v/film/*", False),
        (f"exp={NOW}~acl=/v/film/*", False),
        (f"exp={NOW + 86_400}~acl=/v/film/*", True),
        (f"exp={NOW + 86_401}~acl=/v/film/*", False),
        ("acl=/v/film/*", False),
        (f"exp=-{END}~acl=/v/film/*", False),
        (f"exp={END}.5~acl=/v/film/*", False),
        (f"exp=~acl=/v/film/*~data={END}", False),
        (f"exp={END}~acl=/v/other/*", False),
        (f"exp={END}~acl=/v/other/*!/v/film/*", True),
        (f"exp={END}~acl=%2fv%2fother%2f*!%2Fv%2Ffilm%2F*", True),
        (f"exp={END}~acl=/v/fil?/*.m4s", True),
        (f"exp={END}~acl=/v/film/", False),
        (f"exp={END}~acl=", False),
        (f"exp={END}~acl=v/film/*", False),
        (f"ip=192.0.2.7~exp={END}~acl=/*", True),
        (f"ip=192.0.2.8~exp={END}~acl=/*", False),
        (f"ip=here~exp={END}~acl=/*", False),
        (f"exp={END}~acl=/*~id=viewer~data=a=b!c", True),
        (f"exp={END}~acl=/*~acl=/*", False),
        (f"exp={END}~exp={END}~acl=/*", False),
        (f"exp={END}~acl=/*~other=1", False),
        (f"exp={END}~acl=/*~url=/*", False),
        (f"exp={END}~acl=/*~", False),
    ],
)
def test_fields(scheme: AkamaiScheme, text: str, good: bool) -> None:
    assert opens(scheme, visit(query=f"hdnts={made(text)}")) == good


def test_a_url_is_one_path(scheme: AkamaiScheme, tmp_path: Path) -> None:
    token = made(f"exp={END}", url=MEDIA)
    assert opens(scheme, visit(query=f"hdnts={token}"))
    assert not opens(scheme, visit("/v/film/master.m3u8", query=f"hdnts={token}"))
    assert not opens(scheme, visit(query=f"hdnts={made(f'exp={END}')}"))
    early = read(key_file(tmp_path, f"first {SECRET.hex()} escape=early"))
    path = "/v/caf%C3%A9/master.m3u8"
    assert escaped(path) == "%2fv%2fcaf%25C3%25A9%2fmaster.m3u8"
    token = made(f"exp={END}", url="%2fv%2fcaf%25C3%25A9%2fmaster.m3u8")
    assert opens(early, visit(path, query=f"hdnts={token}"))
    assert not opens(scheme, visit(path, query=f"hdnts={token}"))


def test_a_salt_is_part_of_the_key(scheme: AkamaiScheme, tmp_path: Path) -> None:
    salted = read(key_file(tmp_path, f"first {SECRET.hex()} salt=pepper"))
    plain, with_salt = (made(f"exp={END}~acl=/*", salt=salt) for salt in ("", "pepper"))
    for token, of, good in (
        (plain, scheme, True),
        (plain, salted, False),
        (with_salt, scheme, False),
        (with_salt, salted, True),
    ):
        assert opens(of, visit(query=f"hdnts={token}")) == good
    assert opens(salted, visit(query=f"hdnts={made(f'exp={END}', url=MEDIA, salt='pepper')}"))


def test_a_key_may_allow_a_longer_life(tmp_path: Path) -> None:
    keys = key_file(tmp_path, f"first {SECRET[::-1].hex()}", f"2 {SECRET.hex()} life=604800")
    token = made(f"exp={NOW + 604_800}~acl=/*")
    assert opens(read(keys), visit(query=f"hdnts={token}"))


def test_the_mac_is_in_small_letters(scheme: AkamaiScheme) -> None:
    text, _, mac = made(f"exp={END}~acl=/*").rpartition("=")
    assert opens(scheme, visit(query=f"hdnts={text}={mac}"))
    assert not opens(scheme, visit(query=f"hdnts={text}={mac.upper()}"))
    assert not opens(scheme, visit(query=f"hdnts={text}={mac[:-2]}"))
