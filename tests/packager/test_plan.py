from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from packager.plan import Part, Splice
from packager.ranges import ByteRange
from tests.support.indexing import body
from tests.support.tracks import PROPERTY

MEZZANINE = bytes(range(256))

parts: st.SearchStrategy[Part] = st.one_of(
    st.binary(max_size=12), st.builds(ByteRange, st.integers(0, 200), st.integers(0, 40))
)
plans = st.builds(
    Splice, st.just("title.mp4"), st.just("video/mp4"), st.lists(parts, max_size=8).map(tuple)
)


@PROPERTY
@given(plans)
def test_the_size_is_that_of_the_body(plan: Splice) -> None:
    assert plan.size == len(body(plan, MEZZANINE))
