"""Columns come back, in few bytes where they are of a common kind."""

from __future__ import annotations

from collections.abc import Sequence
from typing import Any

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st
from numpy.typing import NDArray

from packager.columns import BLOCK
from packager.errors import BadSidecar
from packager.sidecar.columns import pack_column, read_column
from packager.sidecar.fields import Fields
from tests.support.tracks import PROPERTY

ANY = 1 << 62
HEAD = 13


def unpacked(data: bytes, count: int, least: int = -ANY, most: int = ANY) -> NDArray[np.int64]:
    fields = Fields(memoryview(data))
    column = read_column(fields, count, least, most)
    fields.end()
    return column.rows(0, count)


def check(values: Sequence[int] | NDArray[Any]) -> bytes:
    column = np.asarray(values, np.int64)
    data = pack_column(column)
    assert np.array_equal(unpacked(data, len(column)), column)
    return data


SMALL = st.integers(-300, 300)
NUMBERS = st.one_of(SMALL, st.integers(0, 1 << 17), st.integers(-(1 << 33), 1 << 33))


@PROPERTY
@given(st.lists(NUMBERS, min_size=1, max_size=300))
def test_any_numbers_come_back(values: list[int]) -> None:
    check(values)


@PROPERTY
@given(
    st.integers(-(1 << 40), 1 << 40),
    st.sampled_from([1, 2, 3, 5, 16, 17, 256, 257, 65_536, 1 << 24, 1 << 32, 1 << 50]),
    st.integers(1, 400),
    st.lists(st.tuples(st.integers(0, 399), st.integers(-(1 << 50), 1 << 50)), max_size=3),
)
def test_each_width_with_rows_that_pass_it(
    base: int, span: int, count: int, odd: list[tuple[int, int]]
) -> None:
    values = base + np.arange(count, dtype=np.int64) * 7919 % span
    for row, value in odd:
        values[row % count] = value
    check(values)


@pytest.mark.parametrize("count", [1, BLOCK - 1, BLOCK, BLOCK + 1, 2 * BLOCK + 5])
@pytest.mark.parametrize("kinds", [1, 2, 4, 16, 200, 60_000])
def test_more_rows_than_a_block(count: int, kinds: int) -> None:
    values = np.arange(count) * 7919 % kinds
    values[count // 2] = 1 << 40
    check(values)


@pytest.mark.parametrize(
    ("values", "bytes_a_row"),
    [
        ([512] * 1000, 0),
        ([512] * 999 + [300], 0.02),
        ([1024, 1025] * 500, 0.15),
        ([0, 3000, 6000] * 400, 0.3),
        ([0, 3000, 6000, 9000, 15_000] * 200, 0.6),
        (range(30_000, 31_000), 2),
        (range(1_000_000, 1_050_000, 50), 2),
        (range(0, 16_000_000, 16_000), 3),
        (range(90_000_000, 90_000_200), 1),
        ([*range(1000), 1 << 40], 2.02),
    ],
    ids=str,
)
def test_few_bytes(values: Sequence[int], bytes_a_row: float) -> None:
    assert len(check(values)) <= HEAD + bytes_a_row * len(values) + 8 * 16


def test_what_is_constant_takes_no_memory() -> None:
    column = read_column(Fields(memoryview(pack_column(np.full(100_000, 512)))), 100_000, 0, 512)
    assert (column.constant, column.nbytes) == (512, 0)


def test_numbers_out_of_bounds_are_refused() -> None:
    for values in ([5, -1], [5, 300], [5] * 100 + [1 << 40], [1, 2, 3, -4] * 100):
        with pytest.raises(BadSidecar, match=r"a number outside 0\.\.255"):
            unpacked(pack_column(np.array(values)), len(values), 0, 255)


def test_a_base_out_of_bounds_is_refused_even_if_its_rows_are_not() -> None:
    """It would not fit the array it is added to."""
    data = bytearray(pack_column(np.arange(-5, 5) * 1 << 50))
    data[1:9] = (1 << 40).to_bytes(8, "little")
    with pytest.raises(BadSidecar, match="a number outside"):
        unpacked(bytes(data), 10, -100, 100)


@pytest.mark.parametrize("rows", [(3, 3), (5, 3), (3, 100), (3, 1 << 31)])
def test_patches_in_disorder_are_refused(rows: tuple[int, int]) -> None:
    values = np.zeros(100, np.int64)
    values[[3, 5]] = 1 << 40
    data = bytearray(pack_column(values))
    assert data[9:13] == (2).to_bytes(4, "little")
    for place, row in zip((13, 25), rows, strict=True):
        data[place : place + 4] = row.to_bytes(4, "little")
    with pytest.raises(BadSidecar, match="patches in disorder"):
        unpacked(bytes(data), 100)


@pytest.mark.parametrize("form", [5, 6, 7, 9, 0x10, 0x13, 0x20, 0xFF])
def test_forms_that_are_not_known_are_refused(form: int) -> None:
    data = bytes([form]) + pack_column(np.arange(10))[1:] + bytes(3000)
    with pytest.raises(BadSidecar, match=f"a column of form {form}"):
        read_column(Fields(memoryview(data)), 10, -ANY, ANY)


def test_every_cut_is_noticed() -> None:
    for values in ([7] * 9, [1, 2] * 9, range(900), [*range(50), 1 << 40]):
        data = pack_column(np.array(values))
        for length in range(len(data)):
            with pytest.raises(BadSidecar, match="cut short"):
                unpacked(data[:length], len(values))
