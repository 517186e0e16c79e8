"""Behind a cache that keeps tokens out of its key: a real Varnish."""

from __future__ import annotations

import gzip
import http.client
import json
import re
import time
from collections.abc import Iterator
from contextlib import closing
from dataclasses import dataclass
from hashlib import sha256
from pathlib import Path
from random import Random

import pytest

from origin.auth.keys import Keys
from origin.auth.path_token import issue
from packager.address import IFramePlaylist, MediaPlaylist, Mpd, MultivariantPlaylist, parse
from tests.adversity.varnish import program, varnish
from tests.cli.running import PATIENCE, Running, serving
from tests.packager.manifests.reading import urls

pytestmark = pytest.mark.skipif(
    program() is None, reason="no varnishd: the Debian package varnish has it (make install)"
)

KEYS = Keys(1, {1: b"first key of the films' library"})
MIXES = 200
DOCUMENTS = (MultivariantPlaylist, Mpd, MediaPlaylist, IFramePlaylist)

Fields = dict[str, str]


@dataclass(frozen=True)
class Answer:
    status: int
    fields: http.client.HTTPMessage
    body: bytes

    @property
    def cached(self) -> bool:
        """Varnish names the request that fetched it, too, and only then."""
        return len(self.fields["X-Varnish"].split()) == 2


@dataclass(frozen=True)
class Edge:
    origin: Running
    port: int

    def ask(self, path: str, fields: Fields | None = None, method: str = "GET") -> Answer:
        connection = http.client.HTTPConnection("127.0.0.1", self.port, timeout=PATIENCE)
        return _asked(connection, path, fields or {}, method)

    def direct(self, path: str, fields: Fields | None = None, method: str = "GET") -> Answer:
        return _asked(self.origin.connect(), path, fields or {}, method)

    def served(self) -> float:
        """Answers of media that the origin has given so far."""
        metrics = self.origin.get("/metrics")[1].decode()
        counts = re.findall(
            r'^vod_http_requests_total\{.*route="(?!control|other)[^"]*".*\} (\S+)$', metrics, re.M
        )
        return sum(map(float, counts))


def _asked(
    connection: http.client.HTTPConnection, path: str, fields: Fields, method: str
) -> Answer:
    with closing(connection):
        connection.request(method, path, headers=fields)
        reply = connection.getresponse()
        return Answer(reply.status, reply.headers, reply.read())


@pytest.fixture
def edge(films: Path, tmp_path: Path) -> Iterator[Edge]:
    keys = tmp_path / "token-keys"
    keys.write_text(f"1 {KEYS.by_id[1].hex()}\n", encoding="ascii")
    with (
        serving(films, "--require-token", VOD_TOKEN_KEY_FILE=str(keys)) as origin,
        varnish(origin.port) as port,
    ):
        yield Edge(origin, port)


def token(viewer: int, life: int = 600) -> str:
    return issue(KEYS, "/v/city/", int(time.time()) + life, viewer.to_bytes(16, "big"))


def watch(edge: Edge, prefix: str) -> dict[str, Answer]:
    """All that the title's manifests lead to, by its path without the prefix."""
    found: dict[str, Answer] = {}
    ahead = [f"{prefix}/v/city/master.m3u8", f"{prefix}/v/city/manifest.mpd"]
    while ahead:
        path = ahead.pop()
        media = path.removeprefix(prefix)
        if media in found:
            continue
        answer = found[media] = edge.ask(path)
        assert answer.status == 200, media
        address = parse(media)
        if isinstance(address, DOCUMENTS):
            ahead += urls(address, answer.body.decode(), prefix)
    return found


def test_the_second_viewer_is_served_from_the_cache(edge: Edge) -> None:
    first = watch(edge, f"/t/{token(1)}")
    assert not any(answer.cached for answer in first.values())
    before = edge.served()
    assert before >= len(first)
    second = watch(edge, f"/t/{token(2)}")
    assert edge.served() == before
    assert second.keys() == first.keys()
    for media, answer in second.items():
        assert answer.cached, media
        assert int(answer.fields["Age"]) >= 0
        assert answer.body == first[media].body, media
        for name in ("ETag", "Cache-Control", "Content-Type", "CMSD-Static", "Vary"):
            assert answer.fields.get_all(name) == first[media].fields.get_all(name), media
    third = edge.direct(f"/t/{token(3)}/v/city/master.m3u8")
    assert third.body == first["/v/city/master.m3u8"].body
    assert edge.served() == before + 1  # so what counts does count


def test_a_refusal_is_kept_for_nobody(edge: Edge) -> None:
    media = "/v/city/master.m3u8"
    for path in (media, f"/t/{token(1, -1)}{media}", f"/t/wrong{media}"):
        for _ in range(2):
            answer = edge.ask(path)
            assert (answer.status, answer.cached) == (403, False)
            assert json.loads(answer.body)["code"] == "forbidden"
    good = edge.ask(f"/t/{token(1)}{media}")
    assert (good.status, good.body[:7]) == (200, b"#EXTM3U")


def segment_of(edge: Edge) -> tuple[str, Answer]:
    """A segment's media path, and the whole of it from the origin itself."""
    prefix = f"/t/{token(9)}"
    media = next(path for path in watch(edge, prefix) if path.endswith(".m4s"))
    return media, edge.direct(prefix + media)


def test_ranges_and_conditions_are_right_behind_it(edge: Edge) -> None:
    media, whole = segment_of(edge)
    body, tag = whole.body, whole.fields["ETag"]
    size = len(body)
    path = f"/t/{token(2)}{media}"
    for asked, first, last in (
        ("0-0", 0, 0),
        ("1-99", 1, 99),
        (f"{size - 1}-", size - 1, size - 1),
        (f"10-{size + 5}", 10, size - 1),
        ("-7", size - 7, size - 1),
        (f"-{size + 7}", 0, size - 1),
    ):
        answer = edge.ask(path, {"Range": f"bytes={asked}"})
        assert (answer.status, answer.body) == (206, body[first : last + 1]), asked
        assert answer.fields["Content-Range"] == f"bytes {first}-{last}/{size}"
        assert (answer.cached, answer.fields["ETag"]) == (True, tag)
    assert edge.ask(path, {"Range": f"bytes={size}-"}).status == 416
    for matching in (tag, f"W/{tag}"):  # of a list Varnish 7.1 itself knows the first only
        answer = edge.ask(path, {"If-None-Match": matching})
        assert (answer.status, answer.body, answer.cached) == (304, b"", True), matching
        assert answer.fields["ETag"] == tag
        assert answer.fields["Cache-Control"] == whole.fields["Cache-Control"]
    assert edge.ask(path, {"If-None-Match": '"other"'}).body == body
    assert edge.ask(path, {"Range": "bytes=0-9", "If-Range": '"other"'}).body == body
    assert edge.ask(path, {"Range": "bytes=0-9", "If-Range": tag}).body == body[:10]
    head = edge.ask(path, method="HEAD")
    assert (head.status, head.fields["Content-Length"], head.body) == (200, str(size), b"")


QUERIES = (
    *("", "?", "?a=b", "?token=x", "?Range=bytes=0-1", "?_HLS_skip=YES", "?_method=DELETE", "?%00"),
    *("?CMCD=bs%2Csid%3D%226e2fb550%22", "?callback=x", "?lang=es", "?/v/film/master.m3u8"),
)
FIELDS: tuple[tuple[str, str], ...] = (
    ("Host", "evil.example"),
    ("X-Forwarded-Host", "evil.example"),
    ("X-Forwarded-Proto", "http"),
    ("X-Forwarded-For", "203.0.113.9"),
    ("X-Forwarded-Prefix", "/evil"),
    ("Forwarded", "for=203.0.113.9;host=evil.example;proto=http"),
    ("X-Original-URL", "/v/film/master.m3u8"),
    ("X-Rewrite-URL", "/v/film/master.m3u8"),
    ("X-HTTP-Method-Override", "DELETE"),
    ("X-HTTP-Method", "HEAD"),
    ("X-Method-Override", "HEAD"),
    ("Accept", "application/json"),
    ("Accept-Language", "es"),
    ("Accept-Charset", "utf-16"),
    ("Accept-Encoding", "gzip"),
    ("Accept-Encoding", "br;q=1, identity;q=0.5"),
    ("User-Agent", "AppleCoreMedia/1.0"),
    ("Referer", "https://evil.example/"),
    ("Origin", "https://evil.example"),
    ("Cookie", "lang=es; CloudFront-Policy=x"),
    ("Authorization", "Bearer x"),
    ("CloudFront-Viewer-Country", "ES"),
    ("Cache-Control", "no-cache"),
    ("Pragma", "no-cache"),
    ("If-None-Match", '"other"'),
    ("If-Modified-Since", "Thu, 01 Jan 2032 00:00:00 GMT"),
    ("Content-Type", "text/html"),
    ("CMCD-Session", 'sid="6e2fb550"'),
)


def decoded(answer: Answer) -> bytes:
    coding = answer.fields["Content-Encoding"]
    assert coding in (None, "gzip")
    return gzip.decompress(answer.body) if coding else answer.body


def test_nothing_else_of_a_request_changes_a_byte(edge: Edge) -> None:
    """Neither of one's own answer nor, where it is kept, of the next viewer's."""
    random = Random(9110)
    segment, whole = segment_of(edge)
    playlist = f"{segment.rpartition('/')[0]}/media.m3u8"
    expected = {segment: sha256(whole.body).digest()}
    for media in ("/v/city/master.m3u8", "/v/city/manifest.mpd", playlist):
        expected[media] = sha256(edge.direct(f"/t/{token(1)}{media}").body).digest()
    for number in range(MIXES):
        media = random.choice(list(expected))
        fields = dict(random.sample(FIELDS, random.randint(0, 6)))
        path = f"/t/{token(number)}{media}{random.choice(QUERIES)}"
        answers = {
            "direct": edge.direct(path, fields | {"Range": "lines=1-2"}),
            "fills": edge.ask(path, fields | {"X-Fill": "yes"}),
            "kept": edge.ask(path, fields),
            "next viewer": edge.ask(f"/t/{token(MIXES)}{media}"),
        }
        assert not answers["fills"].cached
        assert answers["kept"].cached
        assert answers["next viewer"].cached
        for how, answer in answers.items():
            assert answer.status == 200, (how, path, fields)
            assert sha256(decoded(answer)).digest() == expected[media], (how, path, fields)
