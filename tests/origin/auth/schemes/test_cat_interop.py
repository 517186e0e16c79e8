"""Our Common Access Tokens as @eyevinn/cat sees them, and its as we do.

It renews, and matches header fields, countries and methods, only in its HTTP server, so of these it
is only asked to make tokens.
"""

from __future__ import annotations

import json
import subprocess
import sys
import time
from pathlib import Path
from typing import Any

import pytest

from origin.auth.schemes.cat import CatScheme, encode, read
from tests.support.token_keys import SECRET, key_file
from tests.support.visits import SESSION, opens, visit

FOLDER = Path(__file__).parents[1] / "interop"
NODE = Path(sys.executable).parent / "node"
NOW = int(time.time())  # it looks at the clock by itself
URL = "https://media.example/v/film/master.m3u8"
ISS, SUB, AUD, EXP, NBF, IAT, CTI, V, NIP, U, M, R = 1, 2, 3, 4, 5, 6, 7, 310, 311, 312, 313, 323


def eyevinn(*jobs: dict[str, Any]) -> list[dict[str, Any]]:
    named = [{"key": SECRET.hex(), "kid": "edge", **job} for job in jobs]
    ran = subprocess.run(
        [NODE, FOLDER / "cat.mjs"],
        input=json.dumps(named),
        capture_output=True,
        text=True,
        timeout=60,
        check=False,
    )
    assert ran.returncode == 0, ran.stderr
    answers: list[dict[str, Any]] = json.loads(ran.stdout)
    return answers


@pytest.fixture
def scheme(tmp_path: Path) -> CatScheme:
    return read(
        key_file(tmp_path, f"edge HS256 {SECRET.hex()} issuer=https://auth.example audience=vod")
    )


BASE: dict[object, Any] = {ISS: "https://auth.example", AUD: "vod", EXP: NOW + 3600}


def test_it_takes_what_we_issue(scheme: CatScheme) -> None:
    key = scheme.keys.issuing
    issued = scheme.issue("/v/film/", NOW + 3600, SESSION)
    full = encode(
        key,
        {
            **BASE,
            SUB: "viewer",
            AUD: ["vod", "other"],
            NBF: NOW - 5,
            IAT: NOW - 5,
            CTI: SESSION,
            V: 1,
            U: {0: {0: "https"}, 1: {2: ".example"}, 3: {1: "/v/film/"}, 8: {0: ".m3u8"}},
            M: ["GET"],
            R: {0: 2, 1: 600, 2: 60},
        },
    )
    job = {"issuer": "https://auth.example", "audience": ["vod"], "url": URL}
    answers = eyevinn(
        {"token": issued, **job},
        {"token": full, **job},
        {"token": issued, **job, "url": URL.replace("film", "other")},
        {"token": issued, **job, "issuer": "https://other.example"},
        {"token": issued, **job, "key": SECRET[::-1].hex()},
        {"token": encode(key, {**BASE, EXP: NOW - 5}), **job},
        {"token": encode(key, {**BASE, NBF: NOW + 900}), **job},
    )
    assert answers[0]["claims"]["catu"] == {"path": {"prefix-match": "/v/film/"}}
    assert answers[0]["claims"]["cti"] == SESSION.hex()
    assert answers[0]["claims"]["catm"] == ["GET", "HEAD"]
    assert answers[1]["claims"]["catr"] == {"type": "header", "expadd": 600, "deadline": 60}
    assert all("error" in answer for answer in answers[2:])


CLAIMS = {
    "iss": "https://auth.example",
    "sub": "viewer",
    "aud": ["vod"],
    "exp": NOW + 3600,
    "nbf": NOW - 5,
    "iat": NOW - 5,
    "cti": SESSION.hex(),
}
TOKENS: list[tuple[dict[str, Any], bool]] = [
    ({}, True),
    ({"catu": {"path": {"prefix-match": "/v/film/"}, "scheme": {"exact-match": "https"}}}, True),
    ({"catu": {"path": {"prefix-match": "/v/other/"}}}, False),
    ({"catu": {"path": {"regex-match": ["^/v/", ""]}}}, False),
    ({"catu": {"parent-path": {"exact-match": "/v/film"}}}, True),
    ({"catu": {"filename": {"exact-match": "master.m3u8"}}}, True),
    ({"catu": {"stem": {"suffix-match": "ter"}, "extension": {"exact-match": ".m3u8"}}}, True),
    ({"catu": {"host": {"contains-match": "media"}}}, True),
    ({"catm": ["GET", "HEAD"]}, True),
    ({"catm": ["POST"]}, False),
    ({"catnip": ["192.0.2.7"]}, True),
    ({"catnip": ["192.0.2.0/24", "2001:db8::/32"]}, True),
    ({"catnip": ["198.51.100.0/24"]}, False),
    ({"catnip": [64496]}, True),
    ({"catnip": [64497]}, False),
    ({"catgeoiso3166": ["ES"]}, True),
    ({"catgeoiso3166": ["FR"]}, False),
    ({"catalpn": ["http/1.1"]}, True),
    ({"cath": {"x-device": {"exact-match": "tv"}}}, True),
    ({"cath": {"x-device": {"exact-match": "phone"}}}, False),
    ({"catreplay": 0}, True),
    ({"catreplay": 1}, False),
    ({"catpor": [1]}, False),
    ({"exp": NOW - 5}, False),
    ({"nbf": NOW + 900}, False),
    ({"aud": ["other"]}, False),
    ({"iss": "https://other.example"}, False),
    ({"catr": {"type": "automatic", "expadd": 600, "deadline": 60}}, True),
]


def test_we_take_what_it_issues(scheme: CatScheme) -> None:
    made = eyevinn(*({"claims": CLAIMS | claims} for claims, _ in TOKENS))
    assert len(made) == len(TOKENS)
    for (claims, good), answer in zip(TOKENS, made, strict=True):
        of = visit(
            "/v/film/master.m3u8", token=answer["token"], country="ES", asn=64_496, x_device="tv"
        )
        assert opens(scheme, of, NOW) == good, claims
    credential = made[0]["token"]
    grant = scheme.authenticate(credential)
    assert grant.session == SESSION
    assert grant.expiry == NOW + 3600


def test_we_renew_its_token_and_it_takes_that(scheme: CatScheme) -> None:
    renewal = {"type": "header", "expadd": 600, "deadline": 3600}
    (made,) = eyevinn({"claims": CLAIMS | {"catr": renewal}})
    of = visit(cta_common_access_token=made["token"])
    ((name, value),) = scheme.authenticate(made["token"]).admit(of, NOW + 1)
    assert name == b"CTA-Common-Access-Token"
    (answer,) = eyevinn(
        {
            "token": value.decode(),
            "issuer": "https://auth.example",
            "audience": ["vod"],
            "url": URL,
        }
    )
    assert answer["claims"]["exp"] == NOW + 601
    assert answer["claims"]["cti"] == SESSION.hex()


def test_what_others_sign_is_refused(scheme: CatScheme) -> None:
    made = eyevinn(
        {"claims": CLAIMS, "kid": "other"},
        {"claims": CLAIMS, "key": SECRET[::-1].hex()},
        {"claims": CLAIMS},
    )
    assert [opens(scheme, visit(token=one["token"]), NOW) for one in made] == [False, False, True]
