"""JSON Web Tokens: which open what, and the tricks that are known against them."""

from __future__ import annotations

import hmac
import json
from base64 import urlsafe_b64encode
from hashlib import sha256
from pathlib import Path
from typing import Any

import pytest

from origin.auth.schemes.jwt import JwtScheme, encode, read
from tests.support.token_keys import SECRET, key_file, key_word, public_pem, rsa_key
from tests.support.visits import NOW, SESSION, opens, visit

END = NOW + 3600
CLAIMS = {"exp": END, "vod": ["/v/film/"]}
HEADER = {"alg": "HS256", "kid": "edge", "typ": "JWT"}


@pytest.fixture
def scheme(tmp_path: Path) -> JwtScheme:
    return read(key_file(tmp_path, f"edge HS256 {SECRET.hex()}"))


def part(value: Any) -> str:
    content = value if isinstance(value, bytes) else json.dumps(value).encode()
    return urlsafe_b64encode(content).decode().rstrip("=")


def made(header: Any = HEADER, claims: Any = CLAIMS, key: bytes = SECRET) -> str:
    """As RFC 7515 has it, with none of the code under test."""
    signed = f"{part(header)}.{part(claims)}"
    return f"{signed}.{part(hmac.new(key, signed.encode(), sha256).digest())}"


def test_the_vector_of_rfc_7515(tmp_path: Path) -> None:
    """Appendix A.1: its signature is good, its header names no key, and its end was in 2011."""
    key = "AyM1SysPpbyDfgZld3umj1qzKObwVMkoqQ-EstJQLr_T-1qS0gZH75aKtMN3Yj0iPS4hcgUuTwjAzZr1Z9CAow"
    signed = (
        "eyJ0eXAiOiJKV1QiLA0KICJhbGciOiJIUzI1NiJ9.eyJpc3MiOiJqb2UiLA0KICJleHAiOjEzMDA4MTkzODAs"
        "DQogImh0dHA6Ly9leGFtcGxlLmNvbS9pc19yb290Ijp0cnVlfQ"
    )
    scheme = read(key_file(tmp_path, f"a HS256 {key}"))
    assert part(scheme.keys.issuing.signature(signed.encode())) == (
        "dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"
    )
    assert not opens(scheme, visit(token=f"{signed}.dBjftJeZ4CVP-mB92K27uhbUJU1p1r_wW1gFWFOEjXk"))


def test_where_a_token_is_looked_for(scheme: JwtScheme) -> None:
    token = made()
    for of in (
        visit(token=token),
        visit(authorization=f"Bearer {token}"),
        visit(authorization=f"bearer {token}"),
        visit(query=f"a=b&jwt={token}"),
        visit(cookie=f"a=b; jwt={token}"),
    ):
        assert opens(scheme, of)
    assert scheme.find(visit(authorization=f"Basic {token}", query=f"token={token}")) is None
    assert scheme.find(visit(authorization="Bearer opaque")) is None


@pytest.mark.parametrize(
    ("header", "good"),
    [
        ({"alg": "HS256", "kid": "edge"}, True),
        ({"alg": "none", "kid": "edge"}, False),
        ({"alg": "None", "kid": "edge"}, False),
        ({"alg": "", "kid": "edge"}, False),
        ({"kid": "edge"}, False),
        ({"alg": ["HS256"], "kid": "edge"}, False),
        ({"alg": "HS512", "kid": "edge"}, False),
        ({"alg": "RS256", "kid": "edge"}, False),
        ({"alg": "HS256"}, False),
        ({"alg": "HS256", "kid": 1}, False),
        ({"alg": "HS256", "kid": "other"}, False),
        ({"alg": "HS256", "kid": "../edge"}, False),
        ({**HEADER, "crit": ["exp"]}, False),
        ({**HEADER, "jwk": {"kty": "oct"}}, False),
        ({**HEADER, "jku": "https://example.org"}, False),
        ({**HEADER, "b64": False}, False),
        ([], False),
        (b"", False),
        (b"[" * 2000, False),
    ],
)
def test_headers(scheme: JwtScheme, header: Any, good: bool) -> None:
    assert opens(scheme, visit(token=made(header))) == good


def test_a_token_without_a_signature_is_refused(scheme: JwtScheme) -> None:
    signed = f"{part({'alg': 'none', 'kid': 'edge'})}.{part(CLAIMS)}"
    for token in (f"{signed}.", signed, f"{signed}..", f"{signed}.AA", made().rpartition(".")[0]):
        assert not opens(scheme, visit(token=token))
        assert not opens(scheme, visit(authorization=f"Bearer {token}"))


@pytest.mark.parametrize("algorithm", ["RS256", "PS256"])
def test_the_algorithm_is_the_keys_and_not_the_tokens(tmp_path: Path, algorithm: str) -> None:
    """A public key, which all may know, used as the secret of an HMAC."""
    (tmp_path / "public.pem").write_bytes(public_pem(rsa_key()))
    public = read(key_file(tmp_path, f"edge {algorithm} public.pem"))
    for key in (public_pem(rsa_key()), public_pem(rsa_key()).strip()):
        assert not opens(public, visit(token=made(key=key)))
        assert not opens(public, visit(token=made({"alg": algorithm, "kid": "edge"}, key=key)))
    word = key_word(tmp_path, algorithm)
    for other in ("RS256", "PS256"):
        signing = read(key_file(tmp_path, f"edge {other} {word}", name=other))
        token = encode(signing.keys.issuing, CLAIMS)
        assert opens(public, visit(token=token)) == (other == algorithm)


@pytest.mark.parametrize(
    ("claims", "good"),
    [
        ({"vod": ["/v/other/", "/v/film/"]}, True),
        ({"vod": ["/v/"]}, True),
        ({"vod": ["/v/other/"]}, False),
        ({"vod": ["/v/fil"]}, False),
        ({"vod": ["/"]}, False),
        ({"vod": [""]}, False),
        ({"vod": []}, False),
        ({"vod": "/v/film/"}, False),
        ({"vod": ["/v/film/", 7]}, False),
        ({"vod": None}, False),
        ({"exp": NOW + 86_400}, True),
        ({"exp": NOW + 86_401}, False),
        ({"exp": NOW}, False),
        ({"exp": NOW + 0.5}, True),
        ({"exp": str(END)}, False),
        ({"exp": None}, False),
        ({"exp": True}, False),
        ({"nbf": NOW + 30, "iat": NOW + 30}, True),
        ({"nbf": NOW + 31}, False),
        ({"iat": NOW + 31}, False),
        ({"nbf": None}, False),
        ({"iss": "anybody", "sub": "viewer"}, True),
        ({"aud": "vod"}, False),
        ({"aud": [None]}, False),
        ({"jti": SESSION.hex()}, True),
        ({"jti": "any"}, True),
        ({"jti": 7}, False),
        ({"cnf": {}}, False),
        ({"app": 1}, False),
    ],
)
def test_claims(scheme: JwtScheme, claims: dict[str, Any], good: bool) -> None:
    assert opens(scheme, visit(token=made(claims=CLAIMS | claims))) == good


@pytest.mark.parametrize("payload", [b"", b"[]", b"7", b"{", b'{"exp":NaN}', b"[" * 2000])
def test_what_a_good_signature_is_over_need_not_be_claims(
    scheme: JwtScheme, payload: bytes
) -> None:
    assert not opens(scheme, visit(token=made(claims=payload)))


def test_claims_that_are_a_must(scheme: JwtScheme) -> None:
    for name in CLAIMS:
        rest = {key: value for key, value in CLAIMS.items() if key != name}
        assert not opens(scheme, visit(token=made(claims=rest)))


def test_issuer_and_audience_of_a_key_are_a_must(tmp_path: Path) -> None:
    scheme = read(key_file(tmp_path, f"edge HS256 {SECRET.hex()} issuer=me audience=vod"))
    for claims, good in (
        ({"iss": "me", "aud": "vod"}, True),
        ({"iss": "me", "aud": ["other", "vod"]}, True),
        ({"iss": "me", "aud": "other"}, False),
        ({"iss": "you", "aud": "vod"}, False),
        ({"aud": "vod"}, False),
        ({"iss": "me"}, False),
    ):
        assert opens(scheme, visit(token=made(claims=CLAIMS | claims))) == good


def test_a_uuid_is_a_session(scheme: JwtScheme) -> None:
    token = made(claims=CLAIMS | {"jti": "00010203-0405-0607-0809-0A0B0C0D0E0F"})
    assert scheme.authenticate(token).session == SESSION
    assert scheme.authenticate(made()).session is None
