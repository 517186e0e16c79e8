from __future__ import annotations

from itertools import pairwise

from hypothesis import given
from hypothesis import strategies as st

from packager.ranges import ByteRange, coalesce
from tests.support.tracks import PROPERTY

spans = st.lists(st.builds(ByteRange, st.integers(0, 30), st.integers(0, 10)), max_size=12)


def positions(ranges: tuple[ByteRange, ...] | list[ByteRange]) -> list[int]:
    return [at for span in ranges for at in range(span.start, span.stop)]


def test_neighbours_join() -> None:
    assert coalesce([ByteRange(0, 4), ByteRange(4, 2), ByteRange(10, 1)]) == (
        ByteRange(0, 6),
        ByteRange(10, 1),
    )


def test_order_and_overlap_are_left_alone() -> None:
    back = [ByteRange(10, 2), ByteRange(4, 2), ByteRange(5, 3)]
    assert coalesce(back) == tuple(back)


def test_nothing_is_nothing() -> None:
    assert coalesce([]) == ()
    assert coalesce([ByteRange(5, 0)]) == ()


@PROPERTY
@given(spans)
def test_the_same_bytes_in_the_same_order(ranges: list[ByteRange]) -> None:
    joined = coalesce(ranges)
    assert positions(joined) == positions(ranges)
    assert all(span.length for span in joined)
    assert all(a.stop != b.start for a, b in pairwise(joined))
