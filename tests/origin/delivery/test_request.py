from __future__ import annotations

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from origin.delivery.limits import Limits, Waiting
from origin.delivery.request import Refusal, Request, RequestReader, read_head_in_python
from origin.native import NATIVE
from tests.support.tracks import PROPERTY

HOST = b"Host: a\r\n"
GET = b"GET /v/x HTTP/1.1\r\n" + HOST
POST = b"POST /x HTTP/1.1\r\n" + HOST


def read(data: bytes, limits: Limits | None = None, step: int = 0) -> list[Request | Refusal]:
    limits = limits or Limits()
    queue: list[Request | Refusal] = []
    reader = RequestReader(limits, ("/v/",), queue)
    step = step or limits.head_bytes
    for start in range(0, len(data), step):
        reader.feed(data[start : start + step])
    reader.close()
    return queue


def lines(count: int) -> bytes:
    return b"".join(b"x-%d: y\r\n" % number for number in range(count))


REFUSED = [
    # Framing that two parsers could read in two ways.
    (GET + HOST + b"\r\n", 400),
    (GET + b"Host: b\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: a, b\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: a b\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: u@a\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: a/b\r\n\r\n", 400),
    (POST + b"Content-Length: 3\r\nTransfer-Encoding: chunked\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nContent-Length: 3\r\n\r\n", 400),
    (POST + b"Content-Length: 3\r\nContent-Length: 4\r\n\r\nabc", 400),
    (POST + b"Content-Length: 3\r\nContent-Length: 3\r\n\r\nabc", 400),
    (POST + b"Content-Length: 3, 3\r\n\r\nabc", 400),
    (POST + b"Content-Length: +3\r\n\r\nabc", 400),
    (POST + b"Content-Length: -3\r\n\r\nabc", 400),
    (POST + b"Content-Length: 0x3\r\n\r\nabc", 400),
    (POST + b"Content-Length: 3 3\r\n\r\nabc", 400),
    (POST + b"Content-Length: \r\n\r\nabc", 400),
    (POST + b"Content-Length: 99999999999999999999999\r\n\r\nabc", 400),
    (POST + b"Transfer-Encoding: gzip\r\n\r\n", 501),
    (POST + b"Transfer-Encoding: xchunked\r\n\r\n", 501),
    (POST + b"Transfer-Encoding: chunked, identity\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: gzip, chunked\r\n\r\n0\r\n\r\n", 501),
    (b"POST /x HTTP/1.0\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding : chunked\r\n\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nzz\r\nabc\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n-3\r\nabc\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n3\nabc\n0\n\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabcd\r\n0\r\n\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\nfffffffffffffffff\r\n", 400),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n3\r\nabc\r\n0\r\nContent-Length: 5\r\n\r\n", 400),
    (GET + b"X: a\r\n b\r\n\r\n", 400),
    (GET + b"X: a\r\n\tb\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\n Host: a\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\nHost: a\n\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: a\nX: b\r\n\r\n", 400),
    (b"GET /v/x HTTP/1.1\r\nHost: a\rX: b\r\n\r\n", 400),
    (GET + b"\n", 400),
    (GET + b"X : b\r\n\r\n", 400),
    (GET + b": b\r\n\r\n", 400),
    (GET + b"X\xff: b\r\n\r\n", 400),
    (GET + b"X(: b\r\n\r\n", 400),
    (GET + b"X: a\x00b\r\n\r\n", 400),
    (GET + b"X: a\x01b\r\n\r\n", 400),
    (GET + b"no colon\r\n\r\n", 400),
    # The request line.
    (b"GET /v/\xe9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/\x01 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/\x00 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/\x7f HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/\tx HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/x y HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/x?a=\xe9 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/x#y HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET v/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET * HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET ftp://a/v/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET http:///v/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"CONNECT a:80 HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"get /v/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"NONSENSE /v/x HTTP/1.1\r\n" + HOST + b"\r\n", 400),
    (b"TRACE /x HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"PROPFIND /x HTTP/1.1\r\n" + HOST + b"\r\n", 501),
    (b"DESCRIBE /x RTSP/1.0\r\n" + HOST + b"\r\n", 501),
    (b"GET /v/x\r\n\r\n", 505),
    (b"GET /v/x HTTP/0.9\r\n\r\n", 505),
    (b"GET /v/x HTTP/2.0\r\n" + HOST + b"\r\n", 505),
    (b"GET /v/x HTTP/1.2\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/x http/1.1\r\n" + HOST + b"\r\n", 400),
    (b"GET /v/x HTTP/1.11\r\n" + HOST + b"\r\n", 400),
    (b"PRI * HTTP/2.0\r\n\r\nSM\r\n\r\n", 400),
    (b"\x16\x03\x01\x02\x00\x01\x00\x01\xfc\x03\x03", 400),
    # Bodies where there is none.
    (GET + b"Content-Length: 3\r\n\r\nabc", 400),
    (GET + b"Transfer-Encoding: chunked\r\n\r\n0\r\n\r\n", 400),
    (GET + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n", 400),
    (b"POST /v/x HTTP/1.1\r\n" + HOST + b"Content-Length: 3\r\n\r\nabc", 405),
    (POST + b"Connection: upgrade\r\nUpgrade: h2c\r\nContent-Length: 3\r\n\r\nabc", 400),
    # Sizes.
    (b"GET /v/" + b"x" * 8192 + b" HTTP/1.1\r\n" + HOST + b"\r\n", 414),
    (b"GET /v/" + b"x" * 100_000, 414),
    (GET + b"X: " + b"y" * 16_400 + b"\r\n\r\n", 431),
    (GET + b"X: " + b"y" * 100_000, 431),
    (GET + b"x" * 100_000, 431),
    (GET + lines(100) + b"\r\n", 431),
    (POST + b"Content-Length: 65537\r\n\r\n", 413),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n10001\r\n" + b"x" * 65537, 413),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n1;" + b"x" * 600_000, 413),
    (POST + b"Transfer-Encoding: chunked\r\n\r\n0\r\nX: " + b"x" * 600_000, 413),
]


@pytest.mark.parametrize(("data", "status"), REFUSED, ids=lambda v: repr(v)[:60])
@pytest.mark.parametrize("step", [0, 1, 7, 4096])
def test_refused(data: bytes, status: int, step: int) -> None:
    if step in (1, 7) and len(data) > 20_000:
        step = 1000
    [refusal] = read(data, step=step)
    assert isinstance(refusal, Refusal)
    assert refusal.problem.status == status


@pytest.mark.parametrize(("data", "status"), REFUSED, ids=lambda v: repr(v)[:60])
def test_what_came_before_stands_and_what_comes_after_is_not_read(data: bytes, status: int) -> None:
    good = GET + b"\r\n"
    before, refusal = read(good + data + good * 3)
    assert isinstance(before, Request)
    assert isinstance(refusal, Refusal)
    assert refusal.problem.status == status


ACCEPTED = [
    (GET + b"\r\n", "/v/x"),
    (b"\r\n\r\n" + GET + b"\r\n", "/v/x"),
    (b"GET /v/x?a=b&c HTTP/1.1\r\n" + HOST + b"\r\n", "/v/x"),
    (b"GET /v/%C3%A9/..//x HTTP/1.1\r\n" + HOST + b"\r\n", "/v/%C3%A9/..//x"),
    (b"GET http://other:80/v/x?y HTTP/1.1\r\n" + HOST + b"\r\n", "/v/x"),
    (b"GET HTTPS://a/v/x HTTP/1.1\r\n" + HOST + b"\r\n", "/v/x"),
    (b"GET http://a HTTP/1.1\r\n" + HOST + b"\r\n", "/"),
    (b"GET http://a?q HTTP/1.1\r\n" + HOST + b"\r\n", "/"),
    (b"OPTIONS * HTTP/1.1\r\n" + HOST + b"\r\n", "*"),
    (b"PROPFIND /v/x HTTP/1.1\r\n" + HOST + b"\r\n", "/v/x"),
    (b"GET /v/x HTTP/1.0\r\n\r\n", "/v/x"),
    (b"GET /v/x HTTP/1.1\r\nHost:\r\n\r\n", "/v/x"),
    (b"GET /v/x HTTP/1.1\r\nhOsT:[::1]:80 \t\r\n\r\n", "/v/x"),
    (GET + b"X: \xe9\r\nY:\r\n\r\n", "/v/x"),
    (GET + lines(99) + b"\r\n", "/v/x"),
    (GET + b"X: " + b"y" * 16_000 + b"\r\n\r\n", "/v/x"),
    (b"GET /v/" + b"x" * 8_000 + b" HTTP/1.1\r\n" + HOST + b"\r\n", "/v/" + "x" * 8000),
    (GET + b"Content-Length: 0\r\n\r\n", "/v/x"),
    (GET + b"Connection: upgrade\r\nUpgrade: h2c\r\n\r\n", "/v/x"),
    (GET + b"Expect: 100-continue\r\n\r\n", "/v/x"),
]


@pytest.mark.parametrize(("data", "path"), ACCEPTED, ids=lambda v: repr(v)[:60])
@pytest.mark.parametrize("step", [0, 1, 7])
def test_accepted(data: bytes, path: str, step: int) -> None:
    first, second = (
        read(data + GET + b"Connection: close\r\n\r\n", step=step)
        if (b"HTTP/1.0" not in data)
        else (*read(data, step=step), *read(GET + b"\r\n"))
    )
    assert isinstance(first, Request)
    assert isinstance(second, Request)
    assert first.path == path
    assert second.path == "/v/x"


def test_the_request() -> None:
    [request] = read(
        b"PUT /a/b?c=d HTTP/1.1\r\nHost: a\r\nX-One: 1\r\nx-two: 2 \r\nX-ONE:  3\r\n"
        b"Cookie: a=b\r\nCookie: c=d\r\nContent-Length: 5\r\n\r\nhello"
    )
    assert isinstance(request, Request)
    assert request.method == "PUT"
    assert request.path == "/a/b"
    assert request.target == b"/a/b?c=d"
    assert not request.media
    assert request.keep_alive
    assert bytes(request.body or b"") == b"hello"
    assert request.headers == {
        b"host": b"a",
        b"x-one": b"1, 3",
        b"x-two": b"2",
        b"cookie": b"a=b; c=d",
        b"content-length": b"5",
    }


def test_absolute_form_is_put_in_origin_form() -> None:
    [request] = read(b"GET http://other?q=1 HTTP/1.1\r\nHost: a\r\n\r\n")
    assert isinstance(request, Request)
    assert request.target == b"/?q=1"


@pytest.mark.parametrize(
    ("head", "keep_alive"),
    [
        (GET, True),
        (GET + b"Connection: keep-alive\r\n", True),
        (GET + b"Connection: close\r\n", False),
        (GET + b"Connection: x, Close\r\n", False),
        (b"GET /v/x HTTP/1.0\r\n", False),
        (b"GET /v/x HTTP/1.0\r\nConnection: keep-alive\r\n", True),
    ],
)
def test_keep_alive(head: bytes, keep_alive: bool) -> None:
    found = read(head + b"\r\n" + GET + b"\r\n")
    assert isinstance(found[0], Request)
    assert found[0].keep_alive is keep_alive
    assert len(found) == 1 + keep_alive, "nothing is read after a close"


@pytest.mark.parametrize(
    "body",
    [b"3\r\nabc\r\n2\r\nde\r\n0\r\n\r\n", b"3;x=y\r\nabc\r\n2\r\nde\r\n0\r\nX: trailer\r\n\r\n"],
)
@pytest.mark.parametrize("step", [0, 1])
def test_a_chunked_body(body: bytes, step: int) -> None:
    request, after = read(
        POST + b"Transfer-Encoding: chunked\r\n\r\n" + body + GET + b"\r\n", step=step
    )
    assert isinstance(request, Request)
    assert bytes(request.body or b"") == b"abcde"
    assert b"x" not in request.headers
    assert isinstance(after, Request)


def test_a_tight_pack_of_small_requests_is_no_long_head() -> None:
    limits = Limits(head_bytes=256)
    data = (GET + b"\r\n") * 50
    for step in (1, 100, 255, 256):
        assert len(read(data, limits, step)) == 50


@pytest.mark.parametrize("step", [0, 1, 50])
def test_the_bound_on_a_head_is_exact_to_a_line(step: int) -> None:
    limits = Limits(head_bytes=1000)
    small = GET + b"X: " + b"y" * 900 + b"\r\n\r\n"
    large = GET + b"X: " + b"y" * 1000 + b"\r\n\r\n"
    assert isinstance(read(small * 2, limits, step)[1], Request)
    assert isinstance(read(small + large, limits, step)[1], Refusal)


def test_where_it_stands() -> None:
    queue: list[Request | Refusal] = []
    reader = RequestReader(Limits(), ("/v/",), queue)
    stages = []
    head = POST[1:] + b"Content-Length: 3\r\nExpect: 100-continue\r\n\r\n"
    for data in (b"\r\n", b"P", head, b"ab", b"c"):
        reader.feed(data)
        stages.append((reader.waiting, reader.continue_due))
    assert stages == [
        (Waiting.IDLE, False),
        (Waiting.HEAD, False),
        (Waiting.BODY, True),
        (Waiting.BODY, True),
        (Waiting.IDLE, False),
    ]
    assert len(queue) == 1


@PROPERTY
@given(st.binary(max_size=400), st.integers(1, 50))
def test_noise(data: bytes, step: int) -> None:
    for start in (b"", GET, POST + b"Transfer-Encoding: chunked\r\n\r\n"):
        read(start + data, step=step)


@PROPERTY
@given(st.data())
def test_the_pieces_make_no_difference(data: st.DataObject) -> None:
    stream = data.draw(
        st.lists(st.sampled_from([d for d, _ in (*REFUSED, *ACCEPTED) if len(d) < 200]), max_size=4)
    )
    joined = b"".join(stream)
    pieces = read(joined, step=data.draw(st.integers(1, 40)))
    assert [_gist(item) for item in pieces] == [_gist(item) for item in read(joined)]


MEDIA = ("/v/", "/t/")


def plain(data: bytes, limits: Limits | None = None) -> Request | None:
    """As read by Python and, where it is built, by what was compiled: there is no difference."""
    limits = limits or Limits()
    bounds = limits.head_bytes, limits.target_bytes, limits.header_lines
    head = read_head_in_python(data, MEDIA, *bounds)
    if NATIVE:
        assert NATIVE.read_head(data, MEDIA, *bounds) == head
    request = RequestReader(limits, MEDIA, []).plain(data)
    assert head == (
        request and (request.method, request.path, request.target, request.headers, request.tells)
    )
    return request


def test_what_players_and_cdns_send_is_plain() -> None:
    request = plain(GET + b'If-None-Match: "A"\r\nUser-Agent: x \xff\r\nrange: bytes=0-\t\r\n\r\n')
    assert request is not None
    assert request == Request(
        method="GET",
        path="/v/x",
        target=b"/v/x",
        version="1.1",
        headers={b"host": b"a", b"if-none-match": b'"A"', b"range": b"bytes=0-"},
        media=True,
        keep_alive=True,
    )
    asked = plain(b"HEAD /v/x?CMCD=bl%3D1&a HTTP/1.1\r\n" + HOST + b"\r\n")
    assert asked is not None
    assert asked.query == "CMCD=bl%3D1&a"


@pytest.mark.parametrize(
    ("target", "line", "tells"),
    [
        (b"/v/x", b"X: CMCD=sid", False),
        (b"/v/x?CMCD=a", b"X: y", True),
        (b"/v/x?cmcd=a", b"cmcdx: y", False),
        (b"/v/x", b"cMcD-Session: a", True),
        (b"/v/x", b"x-cmcd-session: a", False),
    ],
)
def test_a_plain_request_tells_whether_it_may_report(
    target: bytes, line: bytes, tells: bool
) -> None:
    request = plain(b"GET " + target + b" HTTP/1.1\r\n" + HOST + line + b"\r\n\r\n")
    assert request is not None
    assert request.tells is tells


def test_any_header_can_be_had_of_a_plain_request() -> None:
    request = plain(GET + b"Cookie: a=1\r\nX-A:  b \t\r\nCOOKIE: c=2\r\nx-a: d\r\nY:\r\n\r\n")
    assert request is not None
    names = (b"cookie", b"x-a", b"y", b"a", b"host")
    assert [request.field(name) for name in names] == [b"a=1; c=2", b"b, d", b"", None, b"a"]


@pytest.mark.parametrize(
    "data",
    [
        GET + b"\r\n" + GET + b"\r\n",
        GET + b"X: y\r\n",
        GET + b"Connection: close\r\n\r\n",
        GET + b"Range: bytes=0-\r\nRange: bytes=1-\r\n\r\n",
        GET + b"Content-Length: 0\r\n\r\n",
        GET + b"Expect: 100-continue\r\n\r\n",
        GET + b"Upgrade: h2c\r\n\r\n",
        POST + b"\r\n",
        b"GET /livez HTTP/1.1\r\n" + HOST + b"\r\n",
        b"GET /v/x HTTP/1.0\r\n" + HOST + b"\r\n",
        GET + lines(Limits().header_lines) + b"\r\n",
        GET + b"X: " + bytes(Limits().head_bytes).replace(b"\0", b"y") + b"\r\n\r\n",
        b"GET /v/" + b"x" * Limits().target_bytes + b" HTTP/1.1\r\n" + HOST + b"\r\n",
    ],
)
def test_what_is_not_plain_is_left_to_llhttp(data: bytes) -> None:
    assert plain(data) is None


DEPENDED_ON = {
    *(b"host", b"range", b"accept-encoding", b"if-match", b"if-none-match", b"if-range"),
    *(b"if-modified-since", b"if-unmodified-since", b"connection", b"content-length"),
}

TARGETS = [b"/v/x", b"/v/x?a", b"/v/x?CMCD=b", b"/v/%41!'()*", b"/w", b"*"]
LINES = st.one_of(
    st.sampled_from(
        [
            *(b"Host: a", b"hOST:\ta:80 ", b"Host: a b", b"Range: bytes=1-", b"range:x", b"RANGE:"),
            *(b'If-Range: "e" ', b"if-x: y", b"Accept-Encoding: gzip", b"Connection: keep-alive"),
            *(b"TE: trailers", b"Trailer: x", b"Content-Length: 0", b"Transfer-Encoding: chunked"),
            *(b"CMCD-Session: a", b"cmcd-object:", b"cmcd-: b", b"cmcd: a", b"X: CMCD=a"),
            *(b"X-Host: b", b"Hosts: b", b"X:", b"X: \x80", b"Cookie: a=b", b"Keep-Alive: 5"),
        ]
    ),
    st.binary(max_size=12),
)


@settings(PROPERTY, max_examples=600)
@given(st.data())
def test_plain_reads_nothing_but_what_llhttp_reads_too(data: st.DataObject) -> None:
    drawn = data.draw(st.lists(LINES, max_size=6))
    target = data.draw(
        st.sampled_from([b"/v/x", b"/v/x?a", b"/v/x?CMCD=b", b"/v/%41!'()*", b"/w", b"*"])
    )
    method = data.draw(st.sampled_from([b"GET", b"HEAD", b"OPTIONS"]))
    head = b"\r\n".join((method + b" " + target + b" HTTP/1.1", b"Host: a", *drawn, b"", b""))
    at, gone = data.draw(st.integers(0, len(head))), data.draw(st.integers(0, 2))
    noise = data.draw(st.binary(max_size=2))
    for tried in (head, head[:at] + noise + head[at + gone :]):
        _agrees(tried)


@pytest.mark.parametrize("data", [data for data, _ in (*REFUSED, *ACCEPTED)])
def test_plain_agrees_on_all_that_is_tested_here(data: bytes) -> None:
    _agrees(data)


BYTES = st.sampled_from(b"aZ09 \t\r\n:-_/?[].,;%~\x00\x7f\x80\xff").map(lambda byte: bytes([byte]))
SCRAPS = st.lists(BYTES, max_size=12).map(b"".join)
NAMES = st.sampled_from(
    b"Host host Range IF-match if-none-match If-Range if-modified-since if-unmodified-since"
    b" accept-encoding connection keep-alive proxy-connection upgrade content-length te trailer"
    b" transfer-encoding expect if- if-a if-1 if-- ifx i te2 hosts x-host cmcd- CMCD-Session cmcd"
    b" cmcd-a x-cmcd-a".split()
)
HOSTS = st.sampled_from(
    b"a A.b:80 : :8 a: [::1] [::1]:80 [v1.a]: [] [g] [::1 ::1] a[b] a,b a@b a/b %41 ~!$&'()*"
    b" +;= a:b 1.2.3.4 [::1]8 a:8:8".split()
)


@settings(PROPERTY, max_examples=1500)
@given(st.data())
def test_compiled_or_not_a_head_is_read_the_same(data: st.DataObject) -> None:
    """Whatever it is made of, and however close to a limit: ``plain`` compares."""
    line = st.builds(
        lambda name, colon, value: name + colon + value,
        NAMES | SCRAPS,
        st.sampled_from([b":", b": ", b":\t ", b" :", b""]),
        SCRAPS | HOSTS | st.sampled_from([b"a \t", b"\x0ba", b"a\x0c", b"bytes=0-"]),
    )
    head = b"\r\n".join(
        [
            data.draw(st.sampled_from([b"GET ", b"HEAD ", b"GET", b"get ", b"POST ", b"GET  "]))
            + data.draw(st.sampled_from([b"/v/", b"/t/", b"/w/", b"/v", b"", b"/"]))
            + data.draw(SCRAPS)
            + data.draw(
                st.sampled_from([b" HTTP/1.1", b" HTTP/1.0", b"  HTTP/1.1", b" HTTP/1.1 "])
            ),
            *([b"Host: " + data.draw(HOSTS)] if data.draw(st.booleans()) else []),
            *data.draw(st.lists(line, max_size=5)),
            *data.draw(st.sampled_from([[b"", b""], [b""], [], [b"", b"", b""]])),
        ]
    )
    limits = data.draw(
        st.just(Limits())
        | st.builds(
            Limits,
            head_bytes=st.integers(len(head) - 2, len(head) + 2),
            target_bytes=st.integers(1, 20),
            header_lines=st.integers(0, 6),
        )
    )
    plain(head, limits)
    plain(head[: data.draw(st.integers(0, len(head)))])


def _agrees(data: bytes) -> None:
    short = plain(data)
    if short is not None:
        (full,) = read(data)
        assert isinstance(full, Request)
        for name in (*full.headers, b"not-sent"):
            assert short.field(name) == full.field(name)
        full.headers = {name: full.headers[name] for name in full.headers.keys() & DEPENDED_ON}
        assert full == short


def _gist(item: Request | Refusal) -> Request | int:
    return item.problem.status if isinstance(item, Refusal) else item
