from __future__ import annotations

import pytest

from benchmarks.drain import LoadError
from benchmarks.load import CDN_FIELDS, read_wrk

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
     99%    1.80ms
  183211 requests in 2.01s, 1.60GB read
{trouble}Requests/sec:  91149.75
Transfer/sec:    815.00MB
"""


def test_what_wrk_reports() -> None:
    tally = read_wrk(REPORT.format(trouble=""), 9000)
    assert (tally.requests, tally.nbytes) == (183_211, 183_211 * 9000)
    assert (tally.seconds, tally.p50, tally.p99) == pytest.approx((2.01, 0.00064, 0.0018))


@pytest.mark.parametrize(
    "trouble",
    [
        "  Socket errors: connect 0, read 3, write 0, timeout 0\n",
        "  Non-2xx or 3xx responses: 12\n",
    ],
)
def test_trouble_is_not_passed_over(trouble: str) -> None:
    with pytest.raises(LoadError, match=trouble.strip()):
        read_wrk(REPORT.format(trouble=trouble), 9000)


def test_another_report_is_refused() -> None:
    with pytest.raises(LoadError, match="not understood"):
        read_wrk("Requests/sec: 1", 9000)


def test_with_host_a_request_has_fifteen_fields() -> None:
    names = [line.partition(": ")[0].lower() for line in CDN_FIELDS]
    assert len({*names, "host"}) == 15
