from __future__ import annotations

import pytest

from benchmarks.drain import Load, LoadError
from benchmarks.load import CDN_FIELDS, has_wrk, read_wrk, run_wrk
from tests.benchmarks.answering import ok, serving

REPORT = """\
Running 2s test @ http://127.0.0.1:8080/v/a/media.m3u8
  1 threads and 64 connections
  Thread Stats   Avg      Stdev     Max   +/- Stdev
    Latency   712.41us  410.00us   9.98ms   93.11%
    Req/Sec    91.20k     2.10k   94.00k    75.00%
  Latency Distribution
     50%  640.00us
     75%  801.00us
     90%    0.99ms
     99%    {p99}
  183211 requests in 2.01s, 1.60GB read
{trouble}Requests/sec:  91149.75
Transfer/sec:    815.00MB
"""


def test_what_wrk_reports() -> None:
    tally = read_wrk(REPORT.format(trouble="", p99="1.80ms"), 9000)
    assert (tally.requests, tally.nbytes) == (183_211, 183_211 * 9000)
    assert (tally.seconds, tally.p50, tally.p99) == pytest.approx((2.01, 0.00064, 0.0018))


@pytest.mark.parametrize(("text", "seconds"), [("640.00us", 0.00064), ("1.03s ", 1.03)])
def test_units_of_time(text: str, seconds: float) -> None:
    assert read_wrk(REPORT.format(trouble="", p99=text), 9000).p99 == pytest.approx(seconds)


@pytest.mark.parametrize(
    "trouble",
    [
        "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
        "  Non-2xx or 3xx responses: 12\n",
    ],
)
def test_trouble_is_not_passed_over(trouble: str) -> None:
    with pytest.raises(LoadError, match=trouble.strip()):
        read_wrk(REPORT.format(trouble=trouble, p99="1.80ms"), 9000)


def test_another_report_is_refused() -> None:
    with pytest.raises(LoadError, match="not understood"):
        read_wrk("Requests/sec: 1", 9000)


def test_with_host_a_request_has_fifteen_fields() -> None:
    names = [line.partition(": ")[0].lower() for line in CDN_FIELDS]
    assert len({*names, "host"}) == 15


@pytest.mark.skipif(not has_wrk(), reason="wrk is not installed")
@pytest.mark.parametrize("paths", [("/a",), ("/a", "/b/%C3%A9", '/c"')])
def test_wrk_asks_for_every_path_with_the_fields(paths: tuple[str, ...]) -> None:
    with serving(lambda path: [ok(bytes(10))]) as (port, heads):
        load = Load("127.0.0.1", port, paths, ("X-From: test",), connections=2, seconds=0.5)
        tally = run_wrk(load, "http", body=10)
    assert tally.requests > 0
    assert tally.nbytes == 10 * tally.requests
    assert {head.split(b" ")[1].decode() for head in heads} == set(paths)
    assert all(b"\r\nX-From: test\r\n" in head for head in heads)
