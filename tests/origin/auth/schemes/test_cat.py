"""Common Access Tokens: what each claim lets in, and what is refused with a good signature."""

from __future__ import annotations

import hmac
from base64 import urlsafe_b64encode
from dataclasses import replace
from hashlib import new, sha256
from ipaddress import ip_address, ip_network
from pathlib import Path
from typing import Any

import cbor2
import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.auth.schemes.cat import CatScheme, cose, encode, read
from origin.auth.schemes.cat.renewal import Renewal
from origin.auth.visit import Fields, Visit
from origin.errors import Elsewhere, Refused
from origin.settings import BadSetting
from tests.support.token_keys import SECRET, key_file, key_word, public_pem, rsa_key
from tests.support.tracks import PROPERTY
from tests.support.visits import NOW, SESSION, opens, visit

ISS, SUB, AUD, EXP, NBF, IAT, CTI = range(1, 8)
REPLAY, V, NIP, U, M, ALPN, H, GEO, IF, R = 308, 310, 311, 312, 313, 314, 315, 316, 322, 323
PATH, PREFIX, EXACT = 3, 1, 0
END = NOW + 3600


@pytest.fixture
def scheme(tmp_path: Path) -> CatScheme:
    return read(key_file(tmp_path, f"edge HS256 {SECRET.hex()}"))


def made_by_hand(
    claims: Any,
    *,
    tag: int | None = 17,
    outer: int | None = 61,
    protected: Any = None,
    unprotected: Any = None,
    key: bytes = SECRET,
    context: str = "MAC0",
) -> str:
    """As RFC 9052 has it, with none of the code under test."""
    header = b"" if protected == b"" else cbor2.dumps({1: 5} if protected is None else protected)
    payload = claims if isinstance(claims, bytes) else cbor2.dumps(claims)
    mac = hmac.new(key, cbor2.dumps([context, header, b"", payload]), sha256).digest()
    message: Any = [header, {4: b"edge"} if unprotected is None else unprotected, payload, mac]
    if tag is not None:
        message = cbor2.CBORTag(tag, message)
    if outer is not None:
        message = cbor2.CBORTag(outer, message)
    return urlsafe_b64encode(cbor2.dumps(message)).decode().rstrip("=")


def lets_in(scheme: CatScheme, claims: dict[Any, Any], of: Visit, now: float = NOW) -> bool:
    token = encode(scheme.keys.issuing, {EXP: END, **claims})
    return opens(scheme, replace(of, token=token), now)


def test_the_bytes_are_those_of_cose(scheme: CatScheme) -> None:
    claims: dict[object, Any] = {EXP: END, CTI: SESSION}
    assert made_by_hand(claims) == encode(scheme.keys.issuing, claims)


@pytest.mark.parametrize(
    "form", [{}, {"outer": None}, {"protected": {1: 5, 4: b"edge"}, "unprotected": {}}]
)
def test_the_forms_that_a_token_may_have(scheme: CatScheme, form: dict[str, Any]) -> None:
    assert opens(scheme, visit(token=made_by_hand({EXP: END}, **form)))


@pytest.mark.parametrize(
    "form",
    [
        {"tag": None},
        {"tag": None, "outer": None},
        {"tag": 18},
        {"tag": 16},
        {"tag": 61},
        {"outer": 17},
        {"outer": 62},
        {"protected": b""},
        {"protected": {}, "unprotected": {1: 5, 4: b"edge"}},
        {"unprotected": {1: 5, 4: b"edge"}},
        {"unprotected": {}},
        {"unprotected": {4: "edge"}},
        {"unprotected": {4: b"other"}},
        {"unprotected": {4: b""}},
        {"protected": {1: 5, 4: b"edge"}},
        {"unprotected": {4: b"edge", 5: b"iv"}},
        {"protected": {1: 4}},
        {"protected": {1: 6}},
        {"protected": {1: -7}},
        {"protected": {1: 0}},
        {"protected": {1: "HS256"}},
        {"protected": {1: b""}},
        {"protected": {1: 5, 2: [4]}},
        {"protected": {1: 5, 2: [99], 99: 1}},
        {"protected": {1: 5, 16: "application/cwt"}},
        {"protected": [1, 5]},
        {"context": "MAC"},
        {"context": "Signature1"},
        {"key": SECRET[:-1]},
        {"key": b""},
    ],
)
def test_a_message_of_another_shape_is_refused(scheme: CatScheme, form: dict[str, Any]) -> None:
    token = made_by_hand({EXP: END}, **form)
    assert not opens(scheme, visit(token=token))
    assert not opens(scheme, visit(cta_common_access_token=token))


@pytest.mark.parametrize("algorithm", ["ES256", "PS256"])
def test_the_algorithm_is_the_keys_and_not_the_tokens(tmp_path: Path, algorithm: str) -> None:
    """The oldest trick: a public key, which all may know, used as the secret of an HMAC."""
    signing = read(key_file(tmp_path, f"edge {algorithm} {key_word(tmp_path, algorithm)}"))
    token = encode(signing.keys.issuing, {EXP: END})
    assert opens(signing, visit(token=token))
    (tmp_path / "public.pem").write_bytes(public_pem(rsa_key()))
    public = read(key_file(tmp_path, "edge PS256 public.pem", name="public"))
    for key in ((tmp_path / "public.pem").read_bytes(), public_pem(rsa_key()).strip()):
        for protected in ({1: 5}, {1: -37}):
            for tag in (17, 18):
                forged = made_by_hand({EXP: END}, key=key, protected=protected, tag=tag)
                assert not opens(public, visit(token=forged))
    secret = read(key_file(tmp_path, f"edge HS256 {SECRET.hex()}", name="secret"))
    assert not opens(secret, visit(token=token))
    assert opens(public, visit(token=token)) == (algorithm == "PS256")
    with pytest.raises(BadSetting, match="public one"):
        public.issue("/v/film/", END, SESSION)


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({SUB: "viewer-7", CTI: b"1", V: 1, REPLAY: 0, IAT: NOW, NBF: NOW}, True),
        ({ISS: "anybody"}, True),
        ({SUB: 7}, False),
        ({ISS: 7}, False),
        ({AUD: "vod"}, False),
        ({AUD: []}, False),
        ({CTI: "text"}, False),
        ({CTI: b""}, False),
        ({V: 2}, False),
        ({V: "1"}, False),
        ({V: True}, False),
        ({REPLAY: 1}, False),
        ({REPLAY: 2}, False),
        ({M: ["GET"]}, True),
        ({M: ["HEAD", "POST"]}, False),
        ({M: ["get"]}, False),
        ({M: []}, False),
        ({M: "GET"}, False),
        ({ALPN: ["h2", "http/1.1"]}, True),
        ({ALPN: [b"http/1.1"]}, True),
        ({ALPN: ["h2"]}, False),
        ({GEO: ["ES", "us"]}, True),
        ({GEO: ["US"]}, False),
        ({GEO: ["ES-MD"]}, False),
        ({NIP: [64496]}, True),
        ({NIP: [64497]}, False),
        ({NIP: [ip_address("192.0.2.7")]}, True),
        ({NIP: [ip_address("192.0.2.8")]}, False),
        ({NIP: [64497, ip_network("192.0.2.0/24")]}, True),
        ({NIP: [ip_network("192.0.3.0/24"), ip_network("2001:db8::/32")]}, False),
        ({NIP: []}, False),
        ({NIP: ["192.0.2.7"]}, False),
        ({NIP: [cbor2.CBORTag(52, [b"\xc0\x00\x02\x07", 24])]}, False),
        ({H: {"X-Device": {EXACT: "tv"}}}, True),
        ({H: {"x-device": {PREFIX: "t"}, "user-agent": {PREFIX: "Player/"}}}, True),
        ({H: {"x-device": {EXACT: "t"}}}, False),
        ({H: {"x-other": {PREFIX: ""}}}, False),
        ({H: {"x-device": {2: "v"}}}, False),
        ({H: {"x-device": {}}}, False),
        ({H: {}}, False),
        ({H: {"x-device": "tv"}}, False),
        ({8: {3: b"key"}}, False),
        ({282: "ezs42"}, False),
        ({309: [1]}, False),
        ({317: [1]}, False),
        ({318: [1]}, False),
        ({319: b"1"}, False),
        ({320: ["exp"]}, False),
        ({321: {}}, False),
        ({324: 1}, False),
        ({399: 1}, False),
        ({9: b""}, False),
        ({-70_000: 1}, False),
        ({"app": 1}, False),
        ({True: "x"}, False),
    ],
)
def test_claims(scheme: CatScheme, claims: dict[Any, Any], good: bool) -> None:
    of = visit(country="ES", asn=64_496, x_device="tv", user_agent="Player/1")
    assert lets_in(scheme, claims, of) == good


def test_what_is_not_known_of_a_viewer_is_not_assumed(scheme: CatScheme) -> None:
    for claims in ({GEO: ["ES"]}, {NIP: [64_496]}, {H: {"x-device": {PREFIX: ""}}}):
        assert not lets_in(scheme, claims, visit())
    assert not lets_in(scheme, {NIP: [ip_network("0.0.0.0/0")]}, visit(address=""))
    assert not lets_in(scheme, {NIP: [ip_network("0.0.0.0/0")]}, visit(address="unix:"))
    assert lets_in(scheme, {NIP: [ip_network("192.0.2.0/24")]}, visit(address="::ffff:192.0.2.9"))
    assert lets_in(scheme, {NIP: [ip_network("2001:db8::/32")]}, visit(address="2001:db8::1"))


URI = visit("/v/film/0123/video1/0.m4s.bak", query="b=2&cat=x&a=1", host="Media.Example:8443")


@pytest.mark.parametrize(
    ("part", "ways", "good"),
    [
        (0, {0: "https"}, True),
        (0, {0: "http"}, False),
        (1, {0: "media.example"}, True),
        (1, {2: ".example"}, True),
        (1, {0: "example"}, False),
        (2, {0: "8443"}, True),
        (2, {0: "443"}, False),
        (3, {0: "/v/film/0123/video1/0.m4s.bak"}, True),
        (3, {1: "/v/film/"}, True),
        (3, {1: "/v/film/", 2: ".m4s"}, False),
        (3, {1: "/v/film/", 2: ".bak", 3: "video1"}, True),
        (3, {3: "audio1"}, False),
        (3, {4: ["/v/.*", ""]}, False),
        (3, {4: "/v/.*"}, False),
        (3, {9: "/v/film/"}, False),
        (3, {"prefix": "/v/film/"}, False),
        (3, {}, False),
        (3, {1: b"/v/film/"}, False),
        (3, {-1: sha256(b"/v/film/0123/video1/0.m4s.bak").digest()}, True),
        (3, {-1: sha256(b"/v/film/0123/video1/0.m4s.bak").hexdigest()}, True),
        (3, {-1: sha256(b"/v/other").digest()}, False),
        (3, {-2: new("sha512_256", b"/v/film/0123/video1/0.m4s.bak").digest()}, True),
        (4, {0: "b=2&a=1"}, True),
        (4, {0: "?a=1&b=2"}, True),
        (4, {0: "a=1"}, False),
        (5, {0: "/v/film/0123/video1"}, True),
        (5, {0: "/v/film/0123/video1/"}, False),
        (6, {0: "0.m4s.bak"}, True),
        (7, {0: "0"}, True),
        (8, {0: ".m4s.bak"}, True),
        (9, {0: ""}, False),
        ("path", {1: "/v/"}, False),
    ],
)
def test_parts_of_the_uri(scheme: CatScheme, part: Any, ways: Any, good: bool) -> None:
    assert lets_in(scheme, {U: {part: ways}}, URI) == good
    assert not lets_in(scheme, {U: {part: ways, 1: {0: "elsewhere"}}}, URI)


def test_a_port_that_is_not_written_is_the_schemes(scheme: CatScheme) -> None:
    for port in ("443", ""):
        assert lets_in(scheme, {U: {2: {0: port}}}, visit())
        assert lets_in(scheme, {U: {2: {0: port}}}, visit(host="media.example:443"))
        assert lets_in(scheme, {U: {1: {0: "[2001:db8::1]"}}}, visit(host="[2001:db8::1]"))
    assert not lets_in(scheme, {U: {2: {0: "443"}}}, visit(secure=False))


@pytest.mark.parametrize(
    ("claims", "now", "good"),
    [
        ({}, END - 0.001, True),
        ({}, END, False),
        ({EXP: END + 0.5}, END, True),
        ({EXP: NOW + 86_400}, NOW, True),
        ({EXP: NOW + 86_401}, NOW, False),
        ({EXP: None}, NOW, False),
        ({EXP: str(END)}, NOW, False),
        ({EXP: float("nan")}, NOW, False),
        ({EXP: float("inf")}, NOW, False),
        ({EXP: -1}, NOW, False),
        ({EXP: True}, NOW, False),
        ({EXP: 1 << 70}, NOW, False),
        ({NBF: NOW + 30}, NOW, True),
        ({NBF: NOW + 31}, NOW, False),
        ({NBF: "now"}, NOW, False),
        ({IAT: NOW + 30}, NOW, True),
        ({IAT: NOW + 31}, NOW, False),
        ({IAT: float("nan")}, NOW, False),
    ],
)
def test_times(scheme: CatScheme, claims: dict[Any, Any], now: float, good: bool) -> None:
    assert lets_in(scheme, claims, visit(), now) == good


def test_a_token_that_never_expires_is_refused(scheme: CatScheme) -> None:
    assert not opens(scheme, visit(token=made_by_hand({CTI: b"1"})))


def test_a_key_may_allow_a_longer_life(tmp_path: Path) -> None:
    scheme = read(key_file(tmp_path, f"edge HS256 {SECRET.hex()} life=172800"))
    assert lets_in(scheme, {EXP: NOW + 172_800}, visit())
    assert not lets_in(scheme, {EXP: NOW + 172_801}, visit())


def test_issuer_and_audience_of_a_key_are_a_must(tmp_path: Path) -> None:
    scheme = read(key_file(tmp_path, f"edge HS256 {SECRET.hex()} issuer=me audience=vod"))
    for claims, good in (
        ({ISS: "me", AUD: "vod"}, True),
        ({ISS: "me", AUD: ["other", "vod"]}, True),
        ({ISS: "me", AUD: ["other"]}, False),
        ({ISS: "you", AUD: "vod"}, False),
        ({AUD: "vod"}, False),
        ({ISS: "me"}, False),
    ):
        assert lets_in(scheme, claims, visit()) == good


@pytest.mark.parametrize(
    "payload",
    [
        b"",
        b"\xa0",
        b"\xff",
        cbor2.dumps([EXP, END]),
        cbor2.dumps(END),
        b"\xbf\x04\x1a\x6b\x49\xe0\x10\xff",  # of indefinite length
        b"\xa2\x04\x1a\x6b\x49\xe0\x10\x04\x1a\x6b\x49\xe0\x11",  # exp twice
        b"\xbb\xff\xff\xff\xff\xff\xff\xff\xff",
        b"\xa1\x04" + b"\x81" * 1000 + b"\x00",
        cbor2.dumps({EXP: END, **{-number: 1 for number in range(1, 70)}}),
        cbor2.dumps({EXP: END, U: {3: {1: {1: {1: {1: {1: "/"}}}}}}}),
    ],
)
def test_what_a_good_signature_is_over_need_not_be_claims(
    scheme: CatScheme, payload: bytes
) -> None:
    assert not opens(scheme, visit(token=made_by_hand(payload)))


def test_a_token_of_more_than_4096_characters_is_refused(scheme: CatScheme) -> None:
    key = scheme.keys.issuing
    assert opens(scheme, visit(token=encode(key, {EXP: END, SUB: "x" * 2900})))
    assert not opens(scheme, visit(token=encode(key, {EXP: END, SUB: "x" * 3100})))


@PROPERTY
@given(st.binary(max_size=80))
def test_any_bytes_are_a_message_or_malformed(content: bytes) -> None:
    for start in (b"", b"\xd1", b"\xd8\x3d\xd1\x84", b"\xd2\x84\x43\xa1\x01\x26\xa1\x04"):
        with pytest.raises(cose.Malformed):
            cose.parse(start + content)


def test_what_is_issued_is_for_reading(scheme: CatScheme) -> None:
    token = scheme.issue("/v/film/", END, SESSION)
    for method in ("GET", "HEAD", "POST", "OPTIONS", "get"):
        assert opens(scheme, visit(token=token, method=method)) == (method in ("GET", "HEAD"))


def test_where_a_token_is_looked_for(scheme: CatScheme) -> None:
    token = scheme.issue("/v/film/", END, SESSION)
    for of in (
        visit(token=token),
        visit(cta_common_access_token=f" {token}"),
        visit(cookie=f"a=b; CTA-Common-Access-Token={token}; c=d"),
        visit(query=f"a=b&cat={token}"),
    ):
        assert scheme.find(of) == token
    assert scheme.find(visit(token="x" * 51, cookie="cat=1", query="category=1")) is None


def fields(scheme: CatScheme, claims: dict[Any, Any], now: float, where: str = "field") -> Fields:
    token = encode(scheme.keys.issuing, {EXP: END, CTI: SESSION, **claims})
    of = {
        "field": visit(cta_common_access_token=token),
        "cookie": visit(cookie=f"CTA-Common-Access-Token={token}"),
        "path": visit(token=token),
    }[where]
    return scheme.authenticate(scheme.find(of) or "").admit(of, now)


def test_a_token_is_renewed_at_the_end_of_its_life(scheme: CatScheme) -> None:
    renewal = {R: {0: 2, 1: 600, 2: 120}}
    assert fields(scheme, renewal, END - 121) == ()
    ((name, value),) = fields(scheme, renewal, END - 120)
    assert name == b"CTA-Common-Access-Token"
    grant = scheme.authenticate(value.decode())
    assert grant.expiry == END - 120 + 600
    assert grant.session == SESSION  # so what is revoked is not renewed
    assert grant.renewal == Renewal(
        2,
        600,
        120,
        "CTA-Common-Access-Token",
        "CTA-Common-Access-Token",
        ("Path=/", "HttpOnly", "SameSite=Lax"),
        (),
    )
    with pytest.raises(Refused):
        fields(scheme, renewal, END)


def test_ways_to_renew(scheme: CatScheme) -> None:
    now = END - 30
    ((name, value),) = fields(scheme, {R: {0: 1, 1: 600}}, now)
    assert name == b"Set-Cookie"
    assert value.startswith(b"CTA-Common-Access-Token=2D3R")
    assert value.endswith(b"; Path=/; HttpOnly; SameSite=Lax")
    ((name, value),) = fields(
        scheme, {R: {0: 1, 1: 600, 3: "token", 5: ["Path=/v/", "Secure", "Max-Age=600"]}}, now
    )
    assert value.startswith(b"token=2D3R")
    assert value.endswith(b"; Path=/v/; Secure; Max-Age=600")
    ((name, value),) = fields(scheme, {R: {0: 2, 1: 600, 4: "X-Token", 6: "a=b"}}, now)
    assert name == b"X-Token"
    assert value.endswith(b"; a=b")
    automatic = {R: {0: 0, 1: 600}}
    assert fields(scheme, automatic, now, where="cookie")[0][0] == b"Set-Cookie"
    assert fields(scheme, automatic, now, where="field")[0][0] == b"CTA-Common-Access-Token"
    assert fields(scheme, automatic, now, where="path") == ()
    assert fields(scheme, {R: {0: 3, 1: 600}}, now) == ()


def test_no_renewal_lives_for_longer_than_its_key_allows(scheme: CatScheme) -> None:
    ((_, value),) = fields(scheme, {R: {0: 2, 1: 1 << 30}}, END - 1)
    assert scheme.authenticate(value.decode()).expiry == END - 1 + 86_400


def test_a_public_key_renews_nothing(tmp_path: Path) -> None:
    signing = read(key_file(tmp_path, f"edge PS256 {key_word(tmp_path, 'PS256')}"))
    token = encode(signing.keys.issuing, {EXP: END, R: {0: 2, 1: 600}})
    (tmp_path / "public.pem").write_bytes(public_pem(rsa_key()))
    public = read(key_file(tmp_path, "edge PS256 public.pem"))
    of = visit(cta_common_access_token=token)
    assert signing.authenticate(token).admit(of, END - 1) != ()
    assert public.authenticate(token).admit(of, END - 1) == ()


@pytest.mark.parametrize(
    "renewal",
    [
        {},
        {0: 2},
        {1: 600},
        {0: 4, 1: 600},
        {0: -1, 1: 600},
        {0: 2, 1: -600},
        {0: 2, 1: 6.5},
        {0: 2, 1: 600, 9: 1},
        {0: 2, 1: 600, 4: "Content-Length"},
        {0: 2, 1: 600, 4: "X-A\r\nX-B"},
        {0: 2, 1: 600, 6: "a\r\nX-B: c"},
        {0: 1, 1: 600, 3: "a=b; c"},
        {0: 1, 1: 600, 5: ["Path=/; Domain=example"]},
        {0: 1, 1: 600, 5: ["Path=/\n"]},
        {0: 1, 1: 600, 5: [7]},
        "600",
    ],
)
def test_a_renewal_that_is_none_is_refused(scheme: CatScheme, renewal: Any) -> None:
    assert not lets_in(scheme, {R: renewal}, visit())


def leads(scheme: CatScheme, claims: dict[Any, Any], now: float = END) -> tuple[int, str] | None:
    token = encode(scheme.keys.issuing, {EXP: END, **claims})
    with pytest.raises((Elsewhere, Refused)) as raised:
        scheme.authenticate(token).admit(visit(token=token), now)
    error = raised.value
    return (error.status, error.location) if isinstance(error, Elsewhere) else None


def test_a_claim_that_is_not_met_may_lead_elsewhere(scheme: CatScheme) -> None:
    home = "https://example.org/renew?a=b"
    assert leads(scheme, {IF: {EXP: [307, {"Location": home}]}}) == (307, home)
    assert leads(scheme, {IF: {EXP: [302, {"location": "/sign-in"}, "edge"]}}) == (302, "/sign-in")
    assert leads(scheme, {M: ["HEAD"], IF: {M: [303, {"Location": home}]}}, NOW) == (303, home)
    assert leads(scheme, {M: ["HEAD"], IF: {EXP: [303, {"Location": home}]}}) is None
    assert leads(scheme, {IF: {M: [307, {"Location": home}]}}) is None
    assert leads(scheme, {IF: {EXP: [410, {}]}}) is None
    assert leads(scheme, {IF: {EXP: [200, {"Location": home}]}}) is None
    assert leads(scheme, {IF: {EXP: [307, {"Location": [home, {1: "x"}]}, "edge"]}}) is None
    assert leads(scheme, {IF: {EXP: [307, {"X-Other": home}]}}) is None
    assert lets_in(scheme, {IF: {EXP: [307, {"Location": home}]}}, visit())


@pytest.mark.parametrize(
    "action",
    [
        7,
        [307],
        ["307", {"Location": "/"}],
        [307, "Location"],
        [307, {"Location": "javascript:x"}],
        [307, {"Location": "//elsewhere"}],
        [307, {"Location": "/a\r\nX-B: c"}],
        [307, {"Location": "/a b"}],
        [307, {"Location": "/\\elsewhere"}],
        [307, {"Location": "/é"}],
    ],
)
def test_a_way_that_leads_nowhere_is_refused(scheme: CatScheme, action: Any) -> None:
    assert not lets_in(scheme, {IF: {EXP: action}}, visit())
