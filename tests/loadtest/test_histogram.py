from __future__ import annotations

import random
from math import ceil

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.histogram import Histogram, upper

values = st.lists(st.integers(0, 10**12), min_size=1, max_size=200)


def filled(numbers: list[int]) -> Histogram:
    made = Histogram()
    for number in numbers:
        made.add(number)
    return made


@given(values, st.sampled_from([0.001, 0.5, 0.9, 0.99, 0.999, 1.0]))
def test_a_percentile_is_never_too_low_and_hardly_too_high(
    numbers: list[int], share: float
) -> None:
    exact = sorted(numbers)[max(1, ceil(share * len(numbers))) - 1]
    found = filled(numbers).percentile(share)
    assert found is not None
    assert exact <= found <= exact * (1 + 1 / 128)


@given(values)
def test_what_is_said_to_be_exact_is(numbers: list[int]) -> None:
    made = filled(numbers)
    assert (made.count, made.total) == (len(numbers), sum(numbers))
    assert (made.least, made.greatest) == (min(numbers), max(numbers))
    assert made.mean() == pytest.approx(sum(numbers) / len(numbers))
    assert made.percentile(1.0) == max(numbers)


@given(values, values)
def test_two_make_the_one_of_all_values(first: list[int], second: list[int]) -> None:
    merged = filled(first)
    merged.merge(filled(second))
    assert merged.as_json() == filled(first + second).as_json()
    assert Histogram.from_json(merged.as_json()).as_json() == merged.as_json()


def test_nothing_merged_changes_nothing() -> None:
    made = filled([5])
    made.merge(Histogram())
    assert made.as_json() == filled([5]).as_json()
    empty = Histogram()
    empty.merge(made)
    assert empty.least == 5


def test_a_histogram_of_nothing_has_no_percentile() -> None:
    assert Histogram().percentile(0.99) is None
    assert Histogram().mean() is None


def test_buckets_lie_side_by_side() -> None:
    for number in [*range(2000), *(random.Random(1).randrange(10**9) for _ in range(500))]:
        (index,) = filled([number]).buckets
        assert upper(index) >= number
        assert index == 0 or upper(index - 1) < number


def test_counts_that_do_not_add_up_are_refused() -> None:
    data = filled([1, 2]).as_json() | {"count": 3}
    with pytest.raises(ValueError, match="3 values"):
        Histogram.from_json(data)
