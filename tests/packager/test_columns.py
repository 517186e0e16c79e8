"""Columns answer for their rows as arrays do, whatever they are held in."""

from __future__ import annotations

from itertools import pairwise

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from packager.columns import BLOCK, GRAIN, Column, Numbers, Sums, growing_blocks
from packager.sidecar.columns import pack_codes, pack_column, read_codes, read_column
from packager.sidecar.fields import Fields
from tests.support.tracks import PROPERTY

KINDS = [[5], [0, 3], [7, 1, 900], [3, 70_000], [*range(40)], [*range(0, 70_000, 7)]]


def packed(values: Numbers) -> Column:
    return read_column(Fields(memoryview(pack_column(values))), len(values), -(1 << 60), 1 << 60)


@st.composite
def numbers(draw: st.DrawFn) -> Numbers:
    """Of few kinds or many, with a few that are far from the others."""
    kinds = draw(st.sampled_from(KINDS))
    count = draw(st.integers(1, 3 * GRAIN))
    values = np.resize(np.array(kinds, np.int64), count)[:: draw(st.sampled_from([1, -1]))].copy()
    for row in draw(st.lists(st.integers(0, count - 1), max_size=3)):
        values[row] += 1 << 40
    return values


@PROPERTY
@given(numbers(), st.data())
def test_any_rows(values: Numbers, data: st.DataObject) -> None:
    rows = st.integers(0, len(values) - 1)
    first, last = sorted((data.draw(rows), data.draw(rows)))
    some = np.array(data.draw(st.lists(rows, min_size=1, max_size=20)))
    for column in (packed(values), Column.of(values)):
        assert len(column) == len(values)
        assert column.rows(first, last + 1).tolist() == values[first : last + 1].tolist()
        assert column.take(some).tolist() == values[some].tolist()


@PROPERTY
@given(numbers(), st.data())
def test_sums_and_limits(values: Numbers, data: st.DataObject) -> None:
    edges = np.array(sorted(data.draw(st.lists(st.integers(0, len(values)), min_size=2))))
    sums = [int(values[a:b].sum()) for a, b in pairwise(edges)]
    for column in (packed(values), Column.of(values)):
        assert column.sums(edges).tolist() == sums
        assert column.total == values.sum()
        assert column.limits == (values.min(), values.max())
        assert column.bounds[0] <= values.min() <= values.max() <= column.bounds[1]


@PROPERTY
@given(numbers(), st.integers(-(1 << 40), 1 << 40), st.data())
def test_where_rows_begin_that_follow_each_other(
    values: Numbers, start: int, data: st.DataObject
) -> None:
    expected = start + np.cumsum(values) - values
    rows = st.integers(0, len(values) - 1)
    first, last = sorted((data.draw(rows), data.draw(rows)))
    some = np.array(sorted(data.draw(st.lists(rows, min_size=1, max_size=20))))
    for column in (packed(values), Column.of(values)):
        sums = Sums(start, column)
        assert sums.rows(first, last + 1).tolist() == expected[first : last + 1].tolist()
        assert sums.take(some).tolist() == expected[some].tolist()
        assert sums.end == start + values.sum()


@PROPERTY
@given(st.sampled_from([1, 2, 4, 8]), st.lists(st.integers(0, 255), min_size=1), st.data())
def test_how_many_rows_have_a_code(bits: int, rows: list[int], data: st.DataObject) -> None:
    codes = np.array(rows) & ((1 << bits) - 1)
    packed = Fields(memoryview(pack_codes(codes, bits)))
    column = read_codes(packed, len(rows), bits, np.arange(1 << bits))
    for code in (0, int(codes[-1]), data.draw(st.integers(0, (1 << bits) - 1))):
        assert column.how_many(code) == np.count_nonzero(codes == code)


@pytest.mark.parametrize("count", [0, 1, GRAIN, GRAIN + 1, 3 * GRAIN, 5 * BLOCK + 7])
def test_growing_blocks_are_all_of_the_rows(count: int) -> None:
    stretches = [*growing_blocks(count)]
    rows = [row for first, stop in stretches for row in range(first, stop)]
    assert rows == [*range(count)]
    assert all(0 < stop - first <= BLOCK for first, stop in stretches)


@pytest.mark.parametrize("kinds", [2, 3, 200, 60_000])
def test_more_rows_than_a_block(kinds: int) -> None:
    values = np.arange(2 * BLOCK + 5) * 7919 % kinds
    edges = np.array([0, 1, 1, BLOCK, 2 * BLOCK + 3, len(values)])
    for column in (packed(values), Column.of(values)):
        assert column.sums(edges).tolist() == [int(values[a:b].sum()) for a, b in pairwise(edges)]
        assert column.limits == (0, kinds - 1)
        assert column.total == values.sum()


def test_a_column_of_equal_rows_takes_no_memory() -> None:
    for values in (np.full(900, 7), np.broadcast_to(np.int64(7), 900)):
        assert (Column.of(values).constant, Column.of(values).nbytes) == (7, 0)
