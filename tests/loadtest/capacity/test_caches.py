"""The approximation, held to cases that can be solved and to caches that really keep and forget."""

from __future__ import annotations

import math

import numpy as np
import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.capacity.caches import Objects, catalogue, characteristic_time, two_levels
from loadtest.capacity.inputs import load
from loadtest.capacity.simulation import LRU, points, run

SMALL = {
    "trace-titles": "30", "title-minutes": "10", "session-minutes": "8", "trace-viewers": "1000",
    "ladder": "1000:1,4000:2", "edges": "3", "requests": "300000",
}  # fmt: skip


def objects(rates: list[float], size: float = 1.0) -> Objects:
    columns = np.array(rates), np.full(len(rates), size), np.ones(len(rates))
    return Objects(*columns)


def test_what_is_asked_for_alike_is_found_as_often_as_it_fits() -> None:
    ratios = two_levels(objects([2.0] * 200), 1, 50, 100)
    assert ratios.edge == pytest.approx(0.25)


def test_what_fits_is_always_found() -> None:
    assert characteristic_time(objects([1, 2, 3]), 3) == math.inf
    assert two_levels(objects([1, 2, 3, 0]), 2, 3, 1).edge == 1
    ratios = two_levels(objects([1, 2, 3, 4]), 2, 2, 4)
    assert (ratios.edge < 1, ratios.shield, ratios.to_origin) == (True, 1, 0)


def test_a_shield_no_larger_than_the_only_edge_finds_hardly_anything() -> None:
    rates = [float(n) for n in range(1, 101)]
    assert two_levels(objects(rates), 1, 20, 20).shield < 0.1
    assert two_levels(objects(rates), 8, 20, 20).shield > 0.2


def test_how_often_all_is_asked_for_does_not_matter() -> None:
    rates = [1 / n for n in range(1, 300)]
    slow, fast = (two_levels(objects([r * by for r in rates]), 4, 30, 60) for by in (1, 1000))
    assert (slow.edge, slow.shield) == pytest.approx((fast.edge, fast.shield), abs=1e-6)


@pytest.mark.parametrize("zipf", ["0.6", "1.1"])
def test_the_simulation_agrees(zipf: str) -> None:
    inputs = load(None, SMALL | {"zipf": zipf, "edge-gb": "0.3,1,2.5", "shield-gb": "3"})
    told: list[str] = []
    found = list(points(inputs, told.append))
    assert len(found) == len(told) == 3
    for point in found:
        assert point.apart < 0.03, point
    edges = [point.counted.edge for point in found]
    assert edges == sorted(edges)
    assert edges[-1] - edges[0] > 0.2


def test_the_same_seed_gives_the_same() -> None:
    same, again, other = (
        run(load(None, SMALL | {"requests": "20000", "seed": seed}), 3, 1e9, 3e9)
        for seed in ("5", "5", "6")
    )
    assert same == again
    assert same != other


def test_the_catalogue_asks_as_often_as_viewers_watch() -> None:
    """So many viewers at once, each asking for a segment every six seconds."""
    asked = catalogue(load(None, SMALL))
    assert asked.rate @ asked.count == pytest.approx(1000 / 6, rel=1e-6)
    assert asked.count.sum() == 30 * 2 * 100


@given(
    st.lists(st.integers(0, 12), max_size=200),
    st.lists(st.integers(1, 5), min_size=1, max_size=3),
    st.integers(0, 30),
)
def test_lru_keeps_what_was_asked_for_last(wishes: list[int], sizes: list[int], room: int) -> None:
    """Against the definition: there is room for all that was asked for since."""
    cache = LRU(room, sizes)
    for place, wish in enumerate(wishes):
        before = wishes[:place]
        found = cache.ask(wish)
        if wish not in before:
            assert not found
            continue
        since = set(before[len(before) - before[::-1].index(wish) - 1 :])
        assert found == (sum(sizes[n % len(sizes)] for n in since) <= room)
