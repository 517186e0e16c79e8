from __future__ import annotations

import sys

import pytest

from benchmarks import cold_s3
from benchmarks.buckets import DELAY_MS, Asked, has_s3
from benchmarks.cold import NO_SIDECAR, WITH_SIDECAR
from benchmarks.contests import Ground
from benchmarks.effort import Effort
from benchmarks.figures import Figure

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux"),
    pytest.mark.skipif(not has_s3(), reason="aiobotocore is not installed"),
]

ONCE = Effort(clean=1, most=1, seconds=0.1, micro=0.1, starts=1, scale=0.01)


def values(figures: list[Figure], column: str) -> dict[tuple[str, str], float]:
    return {(item.row, item.unit): item.value for item in figures if item.column == column}


def test_first_answers_and_what_they_asked_of_s3(ground: Ground) -> None:
    figures = list(cold_s3.first_answers(ground, ONCE, lambda message: None))
    for how in (NO_SIDECAR, WITH_SIDECAR):
        found = values(figures, how)
        times = [found[step, "ms"] for step in cold_s3.STEPS]
        assert times == sorted(times)
        assert times[0] > 2 * DELAY_MS
    found = values(figures, WITH_SIDECAR)
    asked = {kind: found[f"{kind} of S3", "requests"] for kind in cold_s3.KINDS}
    assert asked == {"LIST": 2, "HEAD": 0, "GET": 7}
    assert found[cold_s3.ROUND_TRIPS, "requests"] == 3
    without = values(figures, NO_SIDECAR)
    assert without["GET of S3", "requests"] > 7
    assert without[cold_s3.ROUND_TRIPS, "requests"] > 3


def test_a_segment_and_a_crowd_that_wants_one(ground: Ground) -> None:
    figures = list(cold_s3.segments(ground, ONCE, lambda message: None))
    first, last = (values(figures, name) for name in (cold_s3.FIRST_BYTE, cold_s3.WHOLE))
    assert DELAY_MS <= first[cold_s3.S3, "ms"] <= last[cold_s3.S3, "ms"]
    # Those of this library are so small that one comes with the next.
    assert 0 < first[cold_s3.OURS, "ms"] <= last[cold_s3.OURS, "ms"]
    assert values(figures, cold_s3.GETS) == {(cold_s3.OURS, "requests"): 1}
    together = list(cold_s3.crowd(ground, ONCE, lambda message: None))
    assert {item.row for item in together} == {"10 viewers"}
    assert values(together, cold_s3.GETS) == {("10 viewers", "requests"): 1}


def test_requests_side_by_side_are_one_round_trip() -> None:
    def asked(*times: tuple[float, float]) -> list[Asked]:
        return [Asked("GET", "a", began, ended) for began, ended in times]

    assert cold_s3.round_trips([]) == 0
    assert cold_s3.round_trips(asked((1, 2), (1.1, 2.1), (1.9, 5))) == 1
    assert cold_s3.round_trips(asked((1, 2), (2.1, 3), (2.2, 3.1), (3.2, 4))) == 3
    # One that is long does not hide what follows each other beside it.
    assert cold_s3.round_trips(asked((1, 9), (1, 2), (3, 4))) == 2
