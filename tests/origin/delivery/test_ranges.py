from __future__ import annotations

from itertools import pairwise

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.delivery.ranges import MAX_FIELD, requested
from tests.support.tracks import PROPERTY

SIZE = 100
WHOLE = None  # the field is ignored
NONE: list[tuple[int, int]] = []  # 416

CASES = {
    # One range (RFC 9110 section 14.1.2).
    "bytes=0-9": [(0, 10)],
    "bytes=0-0": [(0, 1)],
    "bytes=99-99": [(99, 100)],
    "bytes=10-": [(10, 100)],
    "bytes=0-": [(0, 100)],
    "bytes=-1": [(99, 100)],
    "bytes=-100": [(0, 100)],
    "bytes=-5000": [(0, 100)],
    "bytes=90-5000": [(90, 100)],
    "bytes=0-18446744073709551616": [(0, 100)],
    "BYTES=0-9": [(0, 10)],
    "bytes=00-09": [(0, 10)],
    "bytes= 0-9": [(0, 10)],
    "bytes=0-9 ": [(0, 10)],
    "bytes=0-9,": [(0, 10)],
    "bytes=,,0-9": [(0, 10)],
    # Unsatisfiable.
    "bytes=100-": NONE,
    "bytes=100-100": NONE,
    "bytes=5000-6000": NONE,
    "bytes=-0": NONE,
    "bytes=-00": NONE,
    "bytes=18446744073709551616-": NONE,
    "bytes=100-,200-": NONE,
    "bytes=-0,100-": NONE,
    # Not a range, so no request for one.
    "": WHOLE,
    "bytes": WHOLE,
    "bytes=": WHOLE,
    "bytes=,": WHOLE,
    "bytes=-": WHOLE,
    "bytes=9-0": WHOLE,
    "bytes=a-b": WHOLE,
    "bytes=0-b": WHOLE,
    "bytes=0": WHOLE,
    "bytes=0-9-": WHOLE,
    "bytes=--9": WHOLE,
    "bytes=+0-9": WHOLE,
    "bytes=0 -9": WHOLE,
    "bytes=0- 9": WHOLE,
    "bytes=0x0-9": WHOLE,
    "bytes =0-9": WHOLE,
    "bytes:0-9": WHOLE,
    "bytes=0-9;x": WHOLE,
    "bytes=0-9,x": WHOLE,
    "bytes=0-9, bytes=20-29": WHOLE,  # two Range fields, joined
    "bytes=\u0661-9": WHOLE,
    "items=0-9": WHOLE,
    "seconds=1-2": WHOLE,
    "0-9": WHOLE,
    f"bytes=0-9{' ' * MAX_FIELD}": WHOLE,
    # Several.
    "bytes=0-9,20-29": [(0, 10), (20, 30)],
    "bytes=0-9 ,\t20-29": [(0, 10), (20, 30)],
    "bytes=0-9,10-19": [(0, 10), (10, 20)],
    "bytes=0-0,-1": [(0, 1), (99, 100)],
    "bytes=0-1,3-4,6-7,9-10,12-13": [(0, 2), (3, 5), (6, 8), (9, 11), (12, 14)],
    "bytes=0-9,500-": [(0, 10)],
    "bytes=500-,0-9": [(0, 10)],
    "bytes=0-9,-0": [(0, 10)],
    # More than we care to answer.
    "bytes=0-1,3-4,6-7,9-10,12-13,15-16": WHOLE,
    "bytes=0-9,5-19": WHOLE,
    "bytes=0-9,0-9": WHOLE,
    "bytes=0-,0-": WHOLE,
    "bytes=20-29,0-9": WHOLE,
    "bytes=-1,0-0": WHOLE,
    "bytes=0-,-1": WHOLE,
}


@pytest.mark.parametrize(("field", "expected"), CASES.items(), ids=[f"<{c[:40]}>" for c in CASES])
def test_what_is_requested(field: str, expected: list[tuple[int, int]] | None) -> None:
    found = requested(field.encode(), SIZE, multipart=True)
    assert (None if found is None else list(found)) == expected


def test_a_manifest_refuses_several() -> None:
    assert requested(b"bytes=0-9,20-29", SIZE, multipart=False) is None
    assert requested(b"bytes=100-,200-", SIZE, multipart=False) is None
    assert requested(b"bytes=0-9", SIZE, multipart=False) == ((0, 10),)


@pytest.mark.parametrize(("field", "expected"), [("0-", ()), ("-0", ()), ("0-0", ()), ("-5", None)])
def test_of_an_empty_body(field: str, expected: tuple[()] | None) -> None:
    assert requested(f"bytes={field}".encode(), 0, multipart=True) == expected


Spec = tuple[int | None, int | None]
specs = st.lists(
    st.tuples(st.none() | st.integers(0, 30), st.none() | st.integers(0, 30)).filter(any),
    min_size=1,
    max_size=6,
)


@PROPERTY
@given(specs, st.integers(0, 20))
def test_against_sets_of_positions(asked: list[Spec], size: int) -> None:
    """The same rules, told with sets of byte positions."""
    field = ",".join("-".join("" if n is None else str(n) for n in spec) for spec in asked)
    found = requested(f"bytes={field}".encode(), size, multipart=True)
    sets = [_positions(spec, size) for spec in asked]
    wanted = [s for s in sets if s]
    ordered = all(max(a) < min(b) for a, b in pairwise(wanted))
    unnamed = size == 0 and any(first is None and last for first, last in asked)
    if len(asked) > 5 or None in sets or not ordered or unnamed:
        assert found is None
    else:
        assert found is not None
        assert [set(range(*interval)) for interval in found] == wanted


def _positions(spec: Spec, size: int) -> set[int] | None:
    first, last = spec
    if first is None:
        assert last is not None
        return {n for n in range(size) if n >= size - last}
    if last is not None and last < first:
        return None
    return {n for n in range(size) if n >= first and (last is None or n <= last)}


@PROPERTY
@given(st.text("bytes=0123456789-, \t", max_size=40), st.integers(0, 50))
def test_whatever_comes(field: str, size: int) -> None:
    for interval in requested(field.encode(), size, multipart=True) or ():
        assert 0 <= interval.start < interval.stop <= size
