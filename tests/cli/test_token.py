"""Tokens from end to end: made by the command, asked for by a player, refused to everybody else."""

from __future__ import annotations

import http.client
import json
import re
import time
from base64 import urlsafe_b64decode, urlsafe_b64encode
from collections.abc import Callable
from contextlib import closing
from pathlib import Path
from urllib.parse import quote

import pytest

from cli.main import main
from origin.auth.keys import Keys
from origin.auth.path_token import issue
from origin.auth.schemes import SCHEMES
from packager.address import IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist, parse
from tests.cli.running import PATIENCE, Running, serving
from tests.packager.manifests.reading import urls
from tests.support.films import ODD_NAME
from tests.support.token_keys import SECRET, key_word
from tests.support.token_keys import key_file as write_key_file
from tests.support.visits import opens, visit

KEYS = Keys(1, {1: b"first key of the films' library"})
LATER = Keys(2, {2: b"second key of the films' library"})
DAY = 86_400

Output = pytest.CaptureFixture[str]
Make = Callable[..., str]


def lines(*several: Keys) -> str:
    return "".join(f"{keys.issuing} {keys.by_id[keys.issuing].hex()}\n" for keys in several)


@pytest.fixture
def key_file(tmp_path: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """A file with the first key, named in the environment."""
    path = tmp_path / "token-keys"
    path.write_text(lines(KEYS), encoding="ascii")
    monkeypatch.setenv("VOD_TOKEN_KEY_FILE", str(path))
    return path


@pytest.fixture
def make(capsys: Output, key_file: Path) -> Make:
    """The last line of ``vod-origin token``."""

    def run(*arguments: str) -> str:
        assert main(["token", *arguments]) == 0
        return capsys.readouterr().out.splitlines()[-1]

    return run


def scope(asset: str) -> str:
    return f"/v/{quote(asset, safe='')}/"


def everything(server: Running, prefix: str, asset: str) -> dict[str, bytes]:
    """What a player can come to from the title's two manifests, by its path without ``prefix``."""
    found: dict[str, bytes] = {}
    ahead = [prefix + str(MultivariantPlaylist(asset)), prefix + str(Mpd(asset))]
    with closing(server.connect()) as connection:
        while ahead:
            path = ahead.pop()
            assert path.startswith(prefix)
            media = path.removeprefix(prefix)
            if media in found:
                continue
            connection.request("GET", path)
            reply = connection.getresponse()
            found[media] = reply.read()
            assert reply.status == 200, path
            address = parse(media)
            if isinstance(address, MultivariantPlaylist | Mpd | MediaPlaylist | IFramePlaylist):
                ahead += urls(address, found[media].decode(), prefix)
    return found


def refusal(connection: http.client.HTTPConnection, path: str, method: str = "GET") -> int:
    """The status; if it is a refusal, then one that says no more than it may."""
    connection.request(method, path)
    reply = connection.getresponse()
    body = reply.read()
    if reply.status == 403:
        assert reply.headers["Cache-Control"] == "no-store"
        assert reply.headers["Content-Type"] == "application/problem+json"
        if method == "GET":
            problem = json.loads(body)
            assert problem["code"] == "forbidden"
            assert problem["detail"] in (
                "The token does not open this path.",
                "Media needs a token here.",
            )
    return reply.status


def test_the_last_line_is_the_token(capsys: Output, key_file: Path) -> None:
    assert main(["token", ODD_NAME, "--ttl", "600"]) == 0
    opens, hls, dash, token = capsys.readouterr().out.splitlines()
    assert re.fullmatch(r"A[\w-]{50}", token)
    assert opens.startswith(f"opens {scope(ODD_NAME)} until 20")
    assert hls == f"HLS   /t/{token}{scope(ODD_NAME)}master.m3u8"
    assert dash == f"DASH  /t/{token}{scope(ODD_NAME)}manifest.mpd"


def test_each_token_is_another_and_lives_as_long_as_is_said(make: Make) -> None:
    before = int(time.time())
    tokens = [make("film", "--ttl", ttl) for ttl in ("1", "86400", "600", "600")] + [make("film")]
    after = int(time.time())
    assert len(set(tokens)) == 5
    for token, life in zip(tokens, (1, DAY, 600, 600, 4 * 3600), strict=True):
        content = urlsafe_b64decode(token + "=")
        assert before + life <= int.from_bytes(content[2:6], "big") <= after + life


def test_an_option_names_another_file_of_keys(make: Make, tmp_path: Path) -> None:
    other = tmp_path / "other"
    other.write_text(lines(LATER, KEYS), encoding="ascii")
    assert urlsafe_b64decode(make("film") + "=")[1] == 1
    assert urlsafe_b64decode(make("film", "--key-file", str(other)) + "=")[1] == 2


@pytest.mark.parametrize(
    ("arguments", "complaint"),
    [
        (["film/master.m3u8"], "'film/master.m3u8' is no title's id"),
        (["/v/film/"], "'/v/film/' is no title's id"),
        ([""], "'' is no title's id"),
        (["film", "--ttl", "0"], "ttl 0 is outside 1..86400 (s)"),
        (["film", "--ttl", "86401"], "ttl 86401 is outside 1..86400 (s)"),
        (["film", "--key-file", "no/such"], "token keys: no/such: No such file or directory"),
    ],
)
def test_what_no_token_can_be_made_of(
    arguments: list[str], complaint: str, capsys: Output, key_file: Path
) -> None:
    assert main(["token", *arguments]) == 2
    assert capsys.readouterr() == ("", f"vod-origin: {complaint}\n")


@pytest.mark.parametrize("name", SCHEMES)
def test_tokens_of_each_scheme(
    name: str, capsys: Output, tmp_path: Path, monkeypatch: pytest.MonkeyPatch
) -> None:
    key = {
        "path": f"1 {SECRET.hex()}",
        "akamai": f"1 {SECRET.hex()}",
        "cloudfront": f"1 RSA-SHA1 {key_word(tmp_path, 'RSA-SHA1')} url=https://media.example",
    }.get(name, f"1 HS256 {SECRET.hex()}")
    path = write_key_file(tmp_path, key)
    monkeypatch.setenv(f"VOD_{'TOKEN' if name == 'path' else name.upper()}_KEY_FILE", path)
    assert main(["token", ODD_NAME, "--scheme", name, "--ttl", "600"]) == 0
    opened, hls, dash, token = capsys.readouterr().out.splitlines()
    assert opened.startswith(f"opens {scope(ODD_NAME)} until 20")
    assert hls == f"HLS   /t/{token}{scope(ODD_NAME)}master.m3u8"
    assert dash == f"DASH  /t/{token}{scope(ODD_NAME)}manifest.mpd"
    scheme, now = SCHEMES[name](path), time.time()
    assert opens(scheme, visit(f"{scope(ODD_NAME)}master.m3u8", token=token), now)
    assert not opens(scheme, visit("/v/other/master.m3u8", token=token), now)
    assert not opens(scheme, visit(f"{scope(ODD_NAME)}master.m3u8", token=token), now + 601)


def test_a_scheme_without_keys_says_which_it_needs(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOD_CAT_KEY_FILE", raising=False)
    assert main(["token", "film", "--scheme", "cat"]) == 2
    assert capsys.readouterr().err == (
        "vod-origin: no file of keys: name one with --key-file or in VOD_CAT_KEY_FILE; "
        "see docs/tokens.md\n"
    )


def test_without_keys_it_says_how_to_make_one(
    capsys: Output, monkeypatch: pytest.MonkeyPatch
) -> None:
    monkeypatch.delenv("VOD_TOKEN_KEY_FILE", raising=False)
    for command in (["token", "film"], ["serve", "--require-token"]):
        assert main(command) == 2
        said = capsys.readouterr()
        assert said.out == ""
        assert "VOD_TOKEN_KEY_FILE" in said.err
        assert "secrets.token_urlsafe(32)" in said.err
        assert said.err.count("\n") == 1


@pytest.mark.parametrize("asset", ["city", ODD_NAME])
def test_a_player_that_has_a_path_comes_to_everything(films: Path, make: Make, asset: str) -> None:
    mine, yours = make(asset), make(asset)
    with serving(films, "--require-token") as server:
        found = everything(server, f"/t/{mine}", asset)
        assert {media.rpartition(".")[2] for media in found} >= {"m3u8", "mpd", "mp4", "m4s"}
        assert everything(server, f"/t/{yours}", asset) == found
        with closing(server.connect()) as connection:
            assert {refusal(connection, media) for media in found} == {403}
        assert mine.encode() not in b"".join(found.values())
    with serving(films) as server:
        assert everything(server, "", asset) == found


def test_everybody_else_is_refused(films: Path, make: Make) -> None:
    now, token = int(time.time()), make("film")
    content = int.from_bytes(urlsafe_b64decode(token + "="), "big")
    flipped = [
        urlsafe_b64encode((content ^ (1 << bit)).to_bytes(38, "big")).decode().rstrip("=")
        for bit in range(304)
    ]
    made = {
        "expired": issue(KEYS, scope("film"), now - 1, bytes(16)),
        "expires at once": issue(KEYS, scope("film"), now, bytes(16)),
        "lives too long": issue(KEYS, scope("film"), now + DAY + 3600, bytes(16)),
        "another title's": make("city"),
        "of an unknown key": issue(LATER, scope("film"), now + 600, bytes(16)),
        "of another key": issue(Keys(1, {1: bytes(32)}), scope("film"), now + 600, bytes(16)),
        "of another spelling": issue(KEYS, "/v/%66ilm/", now + 600, bytes(16)),
        "padded": token + "=",
        "shorter": token[:-1],
        "none": "",
    }
    with serving(films, "--require-token") as server, closing(server.connect()) as connection:
        path = f"/t/{token}/v/film/master.m3u8"
        assert refusal(connection, path) == 200
        assert refusal(connection, path + "?_HLS_skip=YES") == 200
        assert refusal(connection, path, "HEAD") == 200
        for other in flipped:
            assert refusal(connection, f"/t/{other}/v/film/master.m3u8") == 403
        for why, other in made.items():
            assert refusal(connection, f"/t/{other}/v/film/master.m3u8") == 403, why
        for media in (
            "/v/city/master.m3u8",
            "/v/%66ilm/master.m3u8",
            "/v//film/master.m3u8",
            "/v/film",
            "/api/library",
            "",
        ):
            assert refusal(connection, f"/t/{token}{media}") == 403
        assert refusal(connection, "/v/film/master.m3u8") == 403
        assert refusal(connection, path.replace("/t/", "//t/", 1)) == 404
        assert refusal(connection, f"/t/{token}/v/film/no-such") == 404
        assert refusal(connection, f"/t/{token}/v/film/../city/master.m3u8") == 404
        assert refusal(connection, "/t/wrong/v/film/master.m3u8", "HEAD") == 403
        assert refusal(connection, path) == 200


def test_tokens_are_in_no_log_and_in_no_metric(films: Path, make: Make, key_file: Path) -> None:
    token, other = make("film"), make("city")
    paths = [
        f"/t/{token}/v/film/master.m3u8",
        f"/t/{token}/v/city/master.m3u8",
        f"/t/{token}/v/film/no-such",
        f"/t/{token}/v/broken/master.m3u8",
        f"/t/{other}/v/city/master.m3u8?t={token}",
        f"//t/{token}/v/film/master.m3u8",
        f"/t//{token}/v/film/master.m3u8",
        f"/{token}",
        f"/api/library/{token}",
    ]
    with serving(films, "--require-token", VOD_LOG_EVERY="1", VOD_LOG_LEVEL="debug") as server:
        for path in paths:
            assert server.get(path)[0] in (200, 403, 404)
        connection = server.connect()
        connection.putrequest("GET", f"http://films/t/{token}/v/film/master.m3u8", skip_host=True)
        connection.endheaders()  # a request without a host is refused before its path is looked at
        reply = connection.getresponse()
        assert (reply.status, token.encode() in reply.read()) == (400, False)
        metrics = server.get("/metrics")[1]
        server.stop()
        out, errors = server.process.communicate(timeout=PATIENCE)
    logged = [json.loads(line) for line in out.splitlines() if line.startswith("{")]
    assert len(logged) == len(paths) + 2
    assert [line["url.path"] for line in logged[:2]] == [
        f"/t/{logged[0]['url.path'].split('/')[2]}/v/{name}/master.m3u8"
        for name in ("film", "city")
    ]
    assert b'vod_http_requests_total{code="403",method="GET",route="multivariant"' in metrics
    for secret in (token, other, KEYS.by_id[1].hex()):
        assert secret not in out + errors + metrics.decode()


def test_keys_are_changed_while_it_serves(films: Path, make: Make, key_file: Path) -> None:
    old = f"/t/{make('film')}/v/film/master.m3u8"
    with serving(films, "--require-token") as server:
        assert server.get(old)[0] == 200
        replace(key_file, lines(LATER, KEYS))
        new = f"/t/{make('film')}/v/film/master.m3u8"
        server.until(lambda: server.get(new)[0] == 200)
        assert server.get(old)[0] == 200
        replace(key_file, lines(LATER))
        server.until(lambda: server.get(old)[0] == 403)
        assert server.get(new)[0] == 200


def replace(path: Path, content: str) -> None:
    beside = path.with_suffix(".new")
    beside.write_text(content, encoding="ascii")
    beside.replace(path)


def test_where_tokens_are_not_required_both_kinds_of_path_play(films: Path, make: Make) -> None:
    token = make("film")
    with serving(films) as server:
        assert server.get("/v/film/master.m3u8")[0] == 200
        assert server.get(f"/t/{token}/v/film/master.m3u8")[0] == 200
        assert server.get(f"/t/{token}/v/city/master.m3u8")[0] == 403


def test_without_keys_a_token_s_path_is_none(films: Path, make: Make) -> None:
    token = make("film")
    with serving(films, VOD_TOKEN_KEY_FILE="") as server:
        status, body = server.get(f"/t/{token}/v/film/master.m3u8")
        assert (status, token.encode() in body) == (404, False)
        assert server.get("/v/film/master.m3u8")[0] == 200


def test_a_browser_may_ask_whether_it_may_ask(films: Path, key_file: Path) -> None:
    with (
        serving(films, "--require-token") as server,
        closing(server.connect()) as connection,
    ):
        connection.request("OPTIONS", "/t/any/v/film/master.m3u8")
        reply = connection.getresponse()
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (204, "*")
        reply.read()
        connection.request("GET", "/t/any/v/film/master.m3u8")
        reply = connection.getresponse()
        assert (reply.status, reply.headers["Access-Control-Allow-Origin"]) == (403, "*")
