"""Held to sums that were done by hand, with round figures in every place."""

from __future__ import annotations

from dataclasses import replace

import pytest
from hypothesis import given
from hypothesis import strategies as st

from loadtest.capacity.inputs import BadInput, Inputs, load
from loadtest.capacity.model import MONTH, estimate, in_steps

ROUND = {
    "hours": "2.4", "peak-share": "0.5", "session-minutes": "60", "ladder": "1000:1,3000:1",
    "audio-kbit": "0", "overhead": "0", "segment-seconds": "5", "documents": "36",
    "document-kb": "0", "titles": "10", "title-minutes": "100", "edge-hit": "0.9",
    "shield-hit": "0.5", "kept": "0", "read-ahead": "0", "request-us": "100", "document-us": "10",
    "cold-s-gb": "1", "tls-s-gb": "1", "kept-s-gb": "0.5", "title-ms": "10", "title-mb": "1",
    "title-cache-mb": "1000", "heartbeat-seconds": "10", "session-us": "500", "api-us": "500",
    "redis-us": "1000", "use": "0.5", "cores": "2", "memory-gb": "16",
}  # fmt: skip


def test_rates_follow_the_way_of_a_request() -> None:
    """100,000 of 200,000 viewers at 2 Mbit/s: 20,000 segments/s and 1,000 documents/s; one in
    twenty comes to the origin, where all ten titles are in memory."""
    made = estimate(load(None, ROUND), 200_000)
    peak = made.peak
    assert peak.watching == 100_000
    assert peak.viewer_requests == pytest.approx(21_000)
    assert peak.viewer_bytes == pytest.approx(25e9)
    assert peak.shield_requests == pytest.approx(2_100)
    assert peak.origin_requests == pytest.approx(1_050)
    assert peak.origin_documents == pytest.approx(50)
    assert peak.origin_bytes == pytest.approx(1.25e9)
    assert peak.s3_bytes == pytest.approx(1.25e9)
    assert peak.s3_gets == pytest.approx(1_000)
    assert peak.title_loads == 0
    assert peak.api_calls == pytest.approx(10_000 + 100_000 * 2 / 3600)
    assert made.mean.viewer_bytes == pytest.approx(5e9)


def test_pods_follow_the_scarcest_resource() -> None:
    """2.5 s of CPU for the bytes, 0.1 for segments, 10.06 for API calls, each second."""
    inputs = load(None, ROUND)
    pods = estimate(inputs, 200_000).pods
    assert pods.cores_used == pytest.approx(2.5 + 0.1 + 0.0005 + 10.0556, rel=1e-4)
    assert (pods.limit, pods.count) == ("CPU", 13)
    slow = replace(inputs, pod=replace(inputs.pod, gbit=0.5))
    assert estimate(slow, 200_000).pods.limit == "network"
    assert estimate(slow, 200_000).pods.count == 25
    assert estimate(inputs, 100).pods.limit == "one a zone"
    assert estimate(inputs, 100).pods.count == 3
    few = replace(inputs, pod=replace(inputs.pod, worker_connections=100))
    assert estimate(few, 200_000).pods.limit == "connections"
    fat = replace(inputs, measured=replace(inputs.measured, connection_kb=1e6))
    assert estimate(fat, 200_000).pods.limit == "memory"


def test_what_is_kept_is_not_fetched() -> None:
    inputs = load(None, ROUND | {"kept": "1"})
    made = estimate(inputs, 200_000)
    assert made.peak.s3_bytes == made.peak.s3_gets == 0
    assert made.pods.cores_used == pytest.approx(0.625 + 0.1 + 0.0005 + 10.0556, rel=1e-4)


def test_read_ahead_is_counted_as_of_no_use() -> None:
    made = estimate(load(None, ROUND | {"read-ahead": "1"}), 200_000)
    assert made.peak.s3_gets == pytest.approx(2_000)
    assert made.peak.s3_bytes == pytest.approx(2.5e9)


def test_titles_that_do_not_fit_into_memory_are_read_again() -> None:
    inputs = load(None, ROUND | {"titles": "100", "title-mb": "1.048576", "title-cache-mb": "25"})
    made = estimate(inputs, 200_000)
    assert made.peak.title_loads == pytest.approx(1_050 * 0.75)
    assert made.peak.s3_gets == pytest.approx(1_000 + 1_050 * 0.75 * 7)


def test_few_viewers_ask_for_few_titles() -> None:
    """A hundred watch, one request in twenty comes to the origin: five titles, one kept."""
    some = {"titles": "1000", "title-mb": "1.048576", "title-cache-mb": "1"}
    made = estimate(load(None, ROUND | some), 200)
    assert made.peak.titles_at_origin == pytest.approx(5)
    assert made.peak.title_loads == pytest.approx(made.peak.origin_requests * 0.8)


def test_stores_are_sized_by_the_peak() -> None:
    made = estimate(load(None, ROUND), 200_000)
    assert made.stores.redis_nodes == 21  # 10.06 s of CPU each second, half of a core each
    assert made.stores.storage_bytes == pytest.approx(10 * 6_000 * 4e6 / 8)
    assert made.stores.s3_lists == 0
    assert made.stores.postgres_queries > 0
    assert made.stores.looks == pytest.approx(10 * 13 * 2 / 30)  # each title, by each worker
    listed = estimate(load(None, ROUND | {"postgres": "0"}), 200_000)
    assert listed.stores.s3_lists == pytest.approx(2 * made.stores.looks)
    none = estimate(load(None, ROUND | {"postgres": "0", "heartbeat-seconds": "0"}), 200_000)
    assert none.stores.postgres_nodes == none.stores.redis_nodes == 0
    assert none.costs["PostgreSQL"] == none.costs["Redis"] == 0
    assert none.costs["S3 LIST"] > 0


def test_the_bill() -> None:
    prices = {
        "price-cdn-gb": "1000:0.1,2000:0.05", "price-cdn-10k": "1", "price-shield-10k": "10",
        "price-egress-gb": "0.5", "price-balancer-hour": "1", "price-lcu-hour": "0.01",
        "price-pod-hour": "1", "price-cluster-hour": "2", "price-s3-get-1k": "1",
        "price-s3-gb": "1:1", "price-redis-hour": "1", "heartbeat-seconds": "0",
    }  # fmt: skip
    made = estimate(load(None, ROUND | prices), 200_000)
    costs = made.costs
    nbytes = 5e9 * MONTH  # 13,140 TB
    assert costs["CDN bytes"] == pytest.approx(1e6 * 0.1 + (nbytes / 1e9 - 1e6) * 0.05)
    assert costs["CDN requests"] == pytest.approx(4_200 * MONTH / 1e4)
    assert costs["shield requests"] == pytest.approx(420 * MONTH / 1e4 * 10)
    assert costs["origin egress"] == pytest.approx(nbytes / 20 / 1e9 * 0.5)
    assert costs["load balancer"] == pytest.approx(730 + nbytes / 20 / 1e9 * 0.01)
    assert costs["pods"] == 730 * made.pods.count
    assert costs["cluster"] == 1460
    assert costs["S3 GET"] == pytest.approx(200 * MONTH / 1e3)
    assert costs["S3 storage"] == pytest.approx(30)
    assert made.total == pytest.approx(sum(costs.values()))
    cdn = costs["CDN bytes"] + costs["CDN requests"] + costs["shield requests"]
    assert made.origin_total == pytest.approx(made.total - cdn)


@pytest.mark.parametrize(
    ("terabytes", "paid"),
    [(0, 0), (5, 500), (10, 1000), (20, 1500), (40, 2500), (50, 2600), (1000, 12_100)],
)
def test_steps_of_a_price(terabytes: float, paid: float) -> None:
    steps = ((10, 0.1), (40, 0.05), (50, 0.01))
    assert in_steps(steps, terabytes * 1e12) == pytest.approx(paid)


ratio = st.floats(0, 1)


@given(ratio, ratio, ratio, st.floats(1, 1e9))
def test_better_caches_never_take_more(edge: float, more: float, shield: float, n: float) -> None:
    low, high = sorted((edge, more))
    worse, better = (
        estimate(load(None, {"edge-hit": str(hit), "shield-hit": str(shield)}), n)
        for hit in (low, high)
    )
    assert better.pods.count <= worse.pods.count
    assert better.peak.s3_gets <= worse.peak.s3_gets
    assert better.origin_total <= worse.origin_total * (1 + 1e-9)


def test_caches_that_do_not_fit_into_a_pod_are_refused() -> None:
    with pytest.raises(BadInput, match="memory_gb 4"):
        estimate(load(None, {"memory-gb": "4"}), 10)
    estimate(Inputs(), 10)
