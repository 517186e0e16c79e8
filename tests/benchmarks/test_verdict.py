from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks.drain import percentile
from benchmarks.verdict import MAX_OTHERS, MAX_STOLEN, Round, compare, spread, summarise

QUIET = Round(
    requests_per_second=1000.0,
    bytes_per_second=1e9,
    p50=0.002,
    p99=0.01,
    server=0.5,
    client=0.25,
    others=0.0,
    stolen=0.0,
)
BUSY = replace(QUIET, others=MAX_OTHERS * 2, requests_per_second=10.0)
STOLEN = replace(QUIET, stolen=MAX_STOLEN * 2, requests_per_second=10.0)


def rounds(*rates: float, base: Round = QUIET) -> list[Round]:
    return [replace(base, requests_per_second=rate) for rate in rates]


@pytest.mark.parametrize(
    ("values", "share", "expected"),
    [
        ([7.0], 0.99, 7.0),
        ([1.0, 2.0], 0.5, 1.0),
        ([1.0, 2.0, 3.0], 0.5, 2.0),
        ([float(n) for n in range(1, 101)], 0.99, 99.0),
        ([1.0, 2.0, 3.0], 0.0, 1.0),
        ([1.0, 2.0, 3.0], 1.0, 3.0),
    ],
)
def test_percentile_is_of_the_nearest_rank(
    values: list[float], share: float, expected: float
) -> None:
    assert percentile(values, share) == expected


def test_no_percentile_of_nothing() -> None:
    with pytest.raises(ValueError, match="no values"):
        percentile([], 0.5)


def test_spread_is_between_the_quartiles() -> None:
    assert spread([5.0]) == 0
    assert spread([90.0, 95.0, 100.0, 105.0, 110.0]) == pytest.approx(0.1)


def test_medians_and_units() -> None:
    summary = summarise(rounds(900, 1000, 1400))
    assert summary.requests_per_second == 1000
    assert summary.gbits_per_second == pytest.approx(8)
    assert (summary.p50_ms, summary.p99_ms) == pytest.approx((2, 10))
    assert summary.cpu_seconds_per_gb == pytest.approx(0.5)
    assert summary.cpu_us_per_request == pytest.approx(500)


def test_disturbed_rounds_count_for_nothing() -> None:
    summary = summarise([BUSY, *rounds(990, 1000, 1010), STOLEN, BUSY])
    assert (summary.rounds, summary.clean) == (6, 3)
    assert summary.requests_per_second == 1000
    assert summary.trouble is None


def test_where_all_are_disturbed_there_are_figures_but_no_ratio() -> None:
    disturbed, quiet = summarise([BUSY] * 5), summarise([QUIET] * 5)
    assert disturbed.requests_per_second == 10
    for ratio in (compare(disturbed, quiet), compare(quiet, disturbed)):
        assert ratio.value is None
        assert "disturbed: 0 of 5" in ratio.refused


def test_no_ratio_of_rounds_that_scatter() -> None:
    ratio = compare(summarise(rounds(500, 700, 1000, 1300, 1500)), summarise([QUIET] * 5))
    assert ratio.value is None
    assert "unsteady" in ratio.refused


def test_a_ratio() -> None:
    ratio = compare(summarise(rounds(1490, 1500, 1510)), summarise([QUIET] * 3))
    assert ratio.value == pytest.approx(1.5)
    assert str(ratio) == "1.50x"


def test_a_client_at_its_limit_bounds_the_ratio() -> None:
    free, bound = summarise([QUIET] * 3), summarise([replace(QUIET, client=0.97)] * 3)
    assert str(compare(bound, free)) == "≥1.00x"
    assert str(compare(free, bound)) == "≤1.00x"
    assert compare(bound, bound).value is None


def test_a_server_of_somebody_else_has_no_cpu() -> None:
    summary = summarise(rounds(1000, 1001, 1002, base=replace(QUIET, server=None)))
    assert (summary.server, summary.cpu_seconds_per_gb, summary.cpu_us_per_request) == (None,) * 3
    assert summary.trouble is None


def test_a_client_without_a_core_of_its_own_is_a_bound() -> None:
    squeezed = summarise(rounds(1500, 1500, 1500, base=replace(QUIET, squeezed=True)))
    alone = summarise(rounds(1000, 1000, 1000))
    assert str(compare(squeezed, alone)) == "≥1.50x"
    assert "the client" in compare(squeezed, squeezed).refused
