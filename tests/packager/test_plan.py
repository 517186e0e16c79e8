from __future__ import annotations

from hypothesis import given
from hypothesis import strategies as st

from packager.plan import Part, Splice, slice_splice
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


@PROPERTY
@given(plans, st.data())
def test_a_slice_of_the_plan_is_the_slice_of_the_body(plan: Splice, data: st.DataObject) -> None:
    start = data.draw(st.integers(0, plan.size))
    stop = data.draw(st.integers(start, plan.size))
    part = slice_splice(plan, start, stop)
    assert body(part, MEZZANINE) == body(plan, MEZZANINE)[start:stop]
    assert part.size == stop - start
    assert (part.source, part.media_type) == (plan.source, plan.media_type)
    assert all(len(piece) if isinstance(piece, bytes) else piece.length for piece in part.parts)


def test_every_slice_of_one_plan() -> None:
    plan = Splice("title.mp4", "video/mp4", (b"head", ByteRange(16, 9), b"", ByteRange(40, 3)))
    whole = body(plan, MEZZANINE)
    for start in range(plan.size + 1):
        for stop in range(start, plan.size + 1):
            assert body(slice_splice(plan, start, stop), MEZZANINE) == whole[start:stop]
