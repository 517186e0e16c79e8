"""Every kind of token at a real server: what it opens, what it does not, and what becomes of it."""

from __future__ import annotations

import json
import os
import string
import subprocess
import sys
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass, field
from datetime import UTC, datetime, timedelta
from ipaddress import ip_network
from pathlib import Path
from typing import Any

import pytest
from botocore.signers import CloudFrontSigner
from cryptography.hazmat.primitives.asymmetric import padding
from cryptography.hazmat.primitives.hashes import SHA1

from origin.auth.schemes import SCHEMES
from origin.auth.schemes.cat import encode
from origin.auth.schemes.cat import read as read_cat
from packager.address import IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist, parse
from tests.cli.running import PATIENCE, ROOT, Running, serving
from tests.packager.manifests.reading import urls
from tests.support.token_keys import SECRET, ec_key, private_pem, rsa_key

NAMES = list(SCHEMES)
OTHER_SECRET = bytes(range(100, 132))
SESSIONS = (b"viewer one's id.", b"viewer two's id.")
SCOPE = "/v/city/"
MASTER = f"{SCOPE}master.m3u8"
DOCUMENTS = (MultivariantPlaylist, Mpd, MediaPlaylist, IFramePlaylist)

EXP, CATNIP, CATGEO, CATIF, CATR = 4, 311, 316, 322, 323
BY_COOKIE, BY_HEADER = 1, 2


@dataclass(frozen=True)
class Key:
    """``old`` and ``new``: lines of a key file. ``carriers``: header fields and queries that a
    token is carried in beside the path, with ``{}`` for it."""

    old: str
    new: str
    fields: tuple[tuple[str, str], ...] = ()
    query: str = ""


def cookie(name: str) -> tuple[str, str]:
    return "Cookie", f"{name}={{}}"


KEYS = {
    "path": Key(f"1 {SECRET.hex()}", f"2 {OTHER_SECRET.hex()}"),
    "cat": Key(
        f"old HS256 {SECRET.hex()}",
        "new ES256 ec.pem",
        (
            ("CTA-Common-Access-Token", "{}"),
            cookie("CTA-Common-Access-Token"),
        ),
        "cat={}",
    ),
    "cloudfront": Key(
        "KOLD RSA-SHA1 rsa.pem url=https://media.example",
        "KNEW ECDSA-SHA256 ec.pem url=https://media.example",
        (("Cookie", ""),),
        "{}",
    ),
    "akamai": Key(
        f"old {SECRET.hex()} salt=pepper",
        f"new {OTHER_SECRET.hex()} escape=early",
        (cookie("hdnts"), cookie("__token__")),
        "hdnea={}",
    ),
    "jwt": Key(
        "old RS256 rsa.pem issuer=https://auth.example audience=vod",
        f"new HS256 {OTHER_SECRET.hex()}",
        (("Authorization", "Bearer {}"), cookie("jwt")),
        "jwt={}",
    ),
}


@dataclass(frozen=True)
class Answer:
    status: int
    fields: list[tuple[str, str]]
    body: bytes

    def values(self, name: str) -> list[str]:
        return [value for key, value in self.fields if key.lower() == name.lower()]

    @property
    def lasting(self) -> tuple[int, list[tuple[str, str]], bytes]:
        """All of it but when it was sent and, of the two manifests, how long that took."""
        dynamic: tuple[str, ...] = ("Date", "CMSD-Dynamic", "Server-Timing")
        if "immutable" in self.values("Cache-Control")[0]:
            dynamic = ("Date",)
        return self.status, [line for line in self.fields if line[0] not in dynamic], self.body


@dataclass(frozen=True)
class House:
    """A server with every kind of token switched on, and the files of its keys."""

    server: Running
    folder: Path
    environment: dict[str, str] = field(repr=False)

    def ask(self, path: str, method: str = "GET", fields: dict[str, str] | None = None) -> Answer:
        with closing(self.server.connect()) as connection:
            connection.request(method, path, headers=fields or {})
            reply = connection.getresponse()
            return Answer(reply.status, reply.getheaders(), reply.read())

    def issue(self, name: str, *, scope: str = SCOPE, life: int = 600, viewer: int = 0) -> str:
        """For two viewers always two tokens: where they name no session, the ends differ."""
        scheme = SCHEMES[name](str(self.folder / name))
        return scheme.issue(scope, int(time.time()) + life + viewer, SESSIONS[viewer])

    def cat(self, claims: dict[Any, Any]) -> str:
        return encode(read_cat(str(self.folder / "cat")).keys.issuing, claims)

    def everything(
        self, prefix: str = "", query: str = "", fields: dict[str, str] | None = None
    ) -> dict[str, Answer]:
        """What a player comes to from the title's manifests, each by its path without ``prefix``;
        of the segments the first few."""
        found: dict[str, Answer] = {}
        ahead = [f"{prefix}{MASTER}", f"{prefix}{SCOPE}manifest.mpd"]
        while ahead:
            path = ahead.pop()
            assert path.startswith(prefix)
            media = path.removeprefix(prefix)
            if media in found:
                continue
            answer = found[media] = self.ask(path + query, "GET", fields)
            assert answer.status == 200, (media, answer.body)
            address = parse(media)
            if isinstance(address, DOCUMENTS):
                ahead += urls(address, answer.body.decode(), prefix)[:12]
        assert {media.rpartition(".")[2] for media in found} >= {"m3u8", "mpd", "mp4", "m4s"}
        return found


def write_keys(folder: Path, *which: str) -> None:
    """The files as they are with the lines ``old`` and ``new`` in that order."""
    for name, key in KEYS.items():
        beside = folder / f"{name}.next"
        beside.write_text("".join(f"{getattr(key, line)}\n" for line in which), encoding="ascii")
        beside.replace(folder / name)


def make_house(folder: Path) -> dict[str, str]:
    (folder / "rsa.pem").write_bytes(private_pem(rsa_key()))
    (folder / "ec.pem").write_bytes(private_pem(ec_key()))
    write_keys(folder, "old")
    variables = {name: "token" if name == "path" else name for name in NAMES}
    return {
        f"VOD_{variable.upper()}_KEY_FILE": str(folder / name)
        for name, variable in variables.items()
    }


@pytest.fixture(scope="module")
def house(films: Path, tmp_path_factory: pytest.TempPathFactory) -> Iterator[House]:
    folder = tmp_path_factory.mktemp("keys")
    environment = make_house(folder)
    with serving(films, "--require-token", **environment) as server:
        yield House(server, folder, environment)


def assert_refused(answer: Answer, why: str) -> None:
    assert (answer.status, answer.values("Cache-Control")) == (403, ["no-store"]), why
    assert answer.values("Content-Type") == ["application/problem+json"], why
    assert answer.values("ETag") == [], why
    problem = json.loads(answer.body)
    assert (problem["code"], problem["detail"]) == (
        "forbidden",
        "The token does not open this path.",
    ), why


def cloudfront_cookies(token: str) -> str:
    return "; ".join(f"CloudFront-{part}" for part in token.split("&"))


def carried(name: str, token: str) -> Iterator[tuple[str, dict[str, str]]]:
    """Each way to carry a token beside the path: a query and header fields."""
    key = KEYS[name]
    for header, form in key.fields:
        value = form.format(token) if form else cloudfront_cookies(token)
        yield "", {header: value}
    if key.query:
        yield f"?{key.query.format(token)}", {}


def tampered(token: str) -> Iterator[str]:
    """With another letter or digit here or there."""
    places = [place for place, character in enumerate(token) if character.isalnum()]
    for place in places[:: max(1, len(places) // 24)]:
        kind = string.digits if token[place].isdigit() else string.ascii_letters
        other = kind[(kind.index(token[place]) + 1) % len(kind)]
        yield token[:place] + other + token[place + 1 :]


@pytest.mark.parametrize("name", NAMES)
def test_a_path_that_the_command_prints_plays(house: House, name: str) -> None:
    command = [sys.executable, "-m", "cli.main", "token", "city", "--scheme", name]
    said = subprocess.run(
        command,
        cwd=ROOT,
        env=os.environ | house.environment,
        capture_output=True,
        text=True,
        check=True,
        timeout=PATIENCE,
    ).stdout.splitlines()
    token = said[-1]
    assert said[1] == f"HLS   /t/{token}{MASTER}"
    found = house.everything(f"/t/{token}")
    assert not any(token.encode() in answer.body for answer in found.values())


@pytest.mark.parametrize("name", NAMES)
def test_viewers_get_the_same_bytes(house: House, name: str) -> None:
    mine, yours = (house.issue(name, viewer=viewer) for viewer in (0, 1))
    assert mine != yours
    found, others = (house.everything(f"/t/{token}") for token in (mine, yours))
    assert found.keys() == others.keys()
    for media, answer in found.items():
        assert answer.lasting == others[media].lasting, media
        assert "public" in answer.values("Cache-Control")[0], media
        tag = answer.values("ETag")[0]
        for token in (mine, yours):
            again = house.ask(f"/t/{token}{media}", "GET", {"If-None-Match": tag})
            assert (again.status, again.values("ETag"), again.body) == (304, [tag], b""), media


@pytest.mark.parametrize("name", [name for name in NAMES if KEYS[name].query])
def test_a_token_beside_the_path_opens_the_same(house: House, name: str) -> None:
    token = house.issue(name)
    expected = house.everything(f"/t/{token}")
    for query, fields in carried(name, token):
        found = house.everything(query=query, fields=fields)
        assert found.keys() == expected.keys()
        for media, answer in found.items():
            assert answer.lasting == expected[media].lasting, (media, query, fields)


@pytest.mark.parametrize("name", NAMES)
def test_what_it_does_not_open_is_refused(house: House, name: str) -> None:
    good = house.issue(name)
    bad = {
        "expired": house.issue(name, life=-1),
        "of another title": house.issue(name, scope="/v/film/"),
        "of a longer name": house.issue(name, scope="/v/city2/"),
        "lives too long": house.issue(name, life=2 * 86_400),
        **{f"tampered {number}": token for number, token in enumerate(tampered(good))},
    }
    segment = next(media for media in house.everything(f"/t/{good}") if media.endswith(".m4s"))
    for media in (MASTER, segment):
        for why, token in bad.items():
            assert token != good
            assert_refused(house.ask(f"/t/{token}{media}"), why)
        for query, fields in carried(name, bad["expired"]):
            assert_refused(house.ask(media + query, "GET", fields), "expired, beside the path")
        for query, fields in carried(name, bad["tampered 12"]):
            assert_refused(house.ask(media + query, "GET", fields), "tampered, beside the path")
        refused = house.ask(f"/t/{bad['expired']}{media}", "HEAD")
        assert (refused.status, refused.body) == (403, b"")
        assert house.ask(f"/t/{good}{media}").status == 200
    assert_refused(house.ask(f"/t/{good}/v/film/master.m3u8"), "for another title")


def test_without_any_token_nothing_is_had(house: House) -> None:
    for media in house.everything(f"/t/{house.issue('path')}"):
        answer = house.ask(media)
        assert (answer.status, answer.values("Cache-Control")) == (403, ["no-store"])
        assert json.loads(answer.body)["detail"] == "Media needs a token here."


def test_a_good_token_is_enough_beside_a_bad_one(house: House) -> None:
    bad = {"Authorization": f"Bearer {house.issue('jwt', life=-1)}"}
    assert house.ask(f"/t/{house.issue('cat')}{MASTER}", "GET", bad).status == 200
    assert_refused(house.ask(f"{MASTER}?cat={house.issue('cat', life=-1)}", "GET", bad), "both bad")


def test_urls_that_amazon_signs(films: Path, tmp_path: Path) -> None:
    """Canned: for the very URL that the server is reached at; no ``url=`` says another."""
    (tmp_path / "rsa.pem").write_bytes(private_pem(rsa_key()))
    (tmp_path / "cloudfront").write_text("KOLD RSA-SHA1 rsa.pem\n", encoding="ascii")
    signer = CloudFrontSigner("KOLD", lambda text: rsa_key().sign(text, padding.PKCS1v15(), SHA1()))
    now = datetime.now(UTC)

    def signed(url: str, seconds: int) -> str:
        made: str = signer.generate_presigned_url(
            url, date_less_than=now + timedelta(seconds=seconds)
        )
        return made.partition(":")[2].partition(f"{server.port}")[2]

    keys = {"VOD_CLOUDFRONT_KEY_FILE": str(tmp_path / "cloudfront")}
    with serving(films, "--require-token", **keys) as server:
        house = House(server, tmp_path, keys)
        root = server.address.rstrip("/")
        assert house.ask(signed(f"{root}{MASTER}", 600)).status == 200
        assert house.ask(signed(f"{root}{MASTER}?a=b", 600)).status == 200
        assert_refused(house.ask(signed(f"{root}{MASTER}", -1)), "expired")
        for other in (f"{root}/v/film/master.m3u8", "http://127.0.0.1:1" + MASTER):
            query = signer.generate_presigned_url(
                other, date_less_than=now + timedelta(seconds=600)
            ).partition("?")[2]
            assert_refused(house.ask(f"{MASTER}?{query}"), other)


@pytest.mark.parametrize(
    ("kind", "where"), [(BY_HEADER, "CTA-Common-Access-Token"), (BY_COOKIE, "Set-Cookie")]
)
def test_a_common_access_token_is_renewed(house: House, kind: int, where: str) -> None:
    """In an answer that no cache may give to another viewer; its bytes are those of all."""
    soon = int(time.time()) + 30
    renewing = house.cat({EXP: soon, CATR: {0: kind, 1: 600, 2: 60}})
    found = house.everything(f"/t/{house.issue('path')}")
    for media, expected in found.items():
        tag = expected.values("ETag")[0]
        for status, fields in (
            (200, {}),
            (206, {"Range": "bytes=1-9"}),
            (304, {"If-None-Match": tag}),
        ):
            answer = house.ask(f"/t/{renewing}{media}", "GET", fields)
            assert answer.status == status, media
            assert answer.values("Cache-Control") == ["private, no-store"], media
            body = {200: expected.body, 206: expected.body[1:10], 304: b""}[status]
            assert answer.body == body
            (sent,) = answer.values(where)
            new = sent.partition(";")[0].removeprefix("CTA-Common-Access-Token=")
            assert new != renewing
            calm = house.ask(f"/t/{new}{media}")
            assert calm.status == 200
            assert calm.lasting == expected.lasting, "renewed before it is time"


def test_a_token_that_leads_elsewhere(house: House) -> None:
    past = int(time.time()) - 1
    for status in (302, 303, 307):
        there = f"https://example.com/sign-in?code={status}"
        token = house.cat({EXP: past, CATIF: {EXP: [status, {"Location": there}]}})
        answer = house.ask(f"/t/{token}{MASTER}")
        assert (answer.status, answer.values("Location")) == (status, [there])
        assert answer.values("Cache-Control") == ["no-store"]
        assert "private" not in answer.body.decode()


def test_what_the_cdn_says_of_a_viewer_needs_its_secret(
    house: House, films: Path, tmp_path: Path
) -> None:
    """Where none is asked for, anybody could say it."""
    secret = tmp_path / "secret"
    secret.write_text("current-secret-0123\n", encoding="ascii")
    claims: dict[str, dict[Any, Any]] = {
        "CloudFront-Viewer-Country": {CATGEO: ["ES"]},
        "CloudFront-Viewer-Address": {CATNIP: [ip_network("198.51.100.0/24")]},
        "CloudFront-Viewer-ASN": {CATNIP: [64496]},
    }
    said = {
        "CloudFront-Viewer-Country": ("ES", "FR"),
        "CloudFront-Viewer-Address": ("198.51.100.7:41234", "203.0.113.7:41234"),
        "CloudFront-Viewer-ASN": ("64496", "64497"),
    }
    end = int(time.time()) + 600
    tokens = {name: house.cat({EXP: end, **claim}) for name, claim in claims.items()}
    for name, token in tokens.items():
        path, fields = f"/t/{token}{MASTER}", {name: said[name][0]}
        assert_refused(house.ask(path, "GET", fields), name)
    environment = house.environment | {"VOD_ORIGIN_VERIFY_FILE": str(secret)}
    with serving(films, "--require-token", **environment) as server:
        behind = House(server, house.folder, environment)
        shown = {"X-Origin-Verify": "current-secret-0123"}
        for name, token in tokens.items():
            path, (good, bad) = f"/t/{token}{MASTER}", said[name]
            assert behind.ask(path, "GET", shown | {name: good}).status == 200, name
            assert_refused(behind.ask(path, "GET", shown | {name: bad}), name)
            assert_refused(behind.ask(path, "GET", shown), name)
            assert behind.ask(path, "GET", {name: good}).status == 403, name


def test_keys_of_every_kind_are_changed_while_it_serves(films: Path, tmp_path: Path) -> None:
    environment = make_house(tmp_path)
    with serving(films, "--require-token", **environment) as server:
        house = House(server, tmp_path, environment)

        def opened(tokens: dict[str, str]) -> set[str]:
            return {
                name
                for name, token in tokens.items()
                if house.ask(f"/t/{token}{MASTER}").status == 200
            }

        old = {name: house.issue(name) for name in NAMES}
        assert opened(old) == set(NAMES)
        write_keys(tmp_path, "new", "old")
        new = {name: house.issue(name) for name in NAMES}
        server.until(lambda: opened(new) == set(NAMES))
        assert opened(old) == set(NAMES)
        write_keys(tmp_path, "new")
        server.until(lambda: opened(old) == set())
        assert opened(new) == set(NAMES)
        (tmp_path / "jwt").write_text("no key at all\n", encoding="ascii")
        assert opened(new) == set(NAMES)  # a file that cannot be read changes nothing
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert not [token for token in (*old.values(), *new.values()) if token in errors]


@pytest.mark.parametrize("name", NAMES)
def test_no_token_is_in_a_log(films: Path, tmp_path: Path, name: str) -> None:
    environment = make_house(tmp_path) | {"VOD_LOG_EVERY": "1", "VOD_LOG_LEVEL": "debug"}
    with serving(films, "--require-token", **environment) as server:
        house = House(server, tmp_path, environment)
        tokens = house.issue(name), house.issue(name, life=-1)
        for token, status in zip(tokens, (200, 403), strict=True):
            assert house.ask(f"/t/{token}{MASTER}").status == status
            for query, fields in carried(name, token):
                assert house.ask(MASTER + query, "GET", fields).status == status
        metrics = house.ask("/metrics").body.decode()
        server.stop()
        out, errors = server.process.communicate(timeout=PATIENCE)
    assert out.count("/master.m3u8") == 2 * (1 + len(list(carried(name, ""))))
    for part in (part for token in tokens for part in token.split("&")):
        assert part not in out + errors + metrics or part.startswith("Key-Pair-Id")
