"""From an audience to what has to be there for it, by arithmetic that can be followed by hand.

Rates follow the way of a request: viewers, edges, shield, pods, S3. Pods and stores are sized by
the peak and kept all month; what is paid by use follows the mean. Where two figures could be taken,
the worse is. GB are 10^9 bytes.
"""

from __future__ import annotations

import math
from dataclasses import dataclass

from loadtest.capacity.inputs import BadInput, Hits, Inputs, Media, Pairs

MONTH_HOURS = 730
MONTH = MONTH_HOURS * 3600
KB, MB, MIB, GIB, GB, TB = 1e3, 1e6, 2**20, 2**30, 1e9, 1e12
LCU_CONNECTIONS = 3000


@dataclass(frozen=True, slots=True)
class Flow:
    """At one moment, each second: requests for media and documents (manifests, playlists, inits) at
    each place they come to, bytes that leave it, and what it asks of the stores."""

    watching: float
    viewer_requests: float
    viewer_bytes: float
    shield_requests: float
    origin_requests: float
    origin_documents: float
    origin_bytes: float
    api_calls: float
    titles_at_origin: float
    title_loads: float
    s3_gets: float
    s3_bytes: float


@dataclass(frozen=True, slots=True)
class Pods:
    """What each resource alone would need; ``limit`` names the one that decides."""

    by_need: dict[str, float]
    limit: str
    count: int
    cores_used: float
    connections: float


@dataclass(frozen=True, slots=True)
class Stores:
    """Each second, at the peak; ``*_nodes`` are primaries."""

    looks: float
    s3_lists: float
    postgres_queries: float
    postgres_nodes: int
    redis_calls: float
    redis_nodes: int
    storage_bytes: float


@dataclass(frozen=True, slots=True)
class Estimate:
    """``costs``: dollars a month, by the name of what is paid for."""

    viewers: float
    peak: Flow
    mean: Flow
    pods: Pods
    stores: Stores
    costs: dict[str, float]

    @property
    def total(self) -> float:
        return sum(self.costs.values())

    @property
    def origin_total(self) -> float:
        """Without what the CDN bills."""
        return sum(cost for name, cost in self.costs.items() if name not in CDN)


CDN = ("CDN bytes", "CDN requests", "shield requests")


def estimate(inputs: Inputs, viewers: float) -> Estimate:
    audience = inputs.audience
    peak = _flow(inputs, viewers * audience.peak_share)
    mean = _flow(inputs, viewers * audience.hours / 24)
    pods = _pods(inputs, peak)
    at_peak, at_mean = (_stores(inputs, flow, pods) for flow in (peak, mean))
    costs = _costs(inputs, mean, pods, at_peak, at_mean)
    return Estimate(viewers, peak, mean, pods, at_peak, costs)


def kbit(media: Media) -> float:
    """What a viewer takes in the mean, in kbit/s of media."""
    shares = sum(share for _, share in media.ladder)
    return sum(rate * share for rate, share in media.ladder) / shares + media.audio_kbit


def to_origin(hits: Hits) -> float:
    return (1 - hits.edge_hit) * (1 - hits.shield_hit)


def _flow(inputs: Inputs, watching: float) -> Flow:
    media, hits, stores = inputs.media, inputs.hits, inputs.stores
    session = inputs.audience.session_minutes * 60
    segments = watching * (2 if media.audio_kbit else 1) / media.segment_seconds
    documents = watching * media.documents / session
    payload = watching * kbit(media) * 125 * (1 + media.overhead)
    sent = payload + documents * media.document_kb * KB
    passed = to_origin(hits)
    titles = min(media.titles, max(1.0, watching * passed))
    in_memory = min(1.0, inputs.pod.title_cache_mb * MIB / (inputs.measured.title_mb * MB) / titles)
    requests = (segments + documents) * passed
    loads = requests * (1 - in_memory)
    fetched = passed * (1 - hits.kept) * (1 + hits.read_ahead)
    return Flow(
        watching=watching,
        viewer_requests=segments + documents,
        viewer_bytes=sent,
        shield_requests=(segments + documents) * (1 - hits.edge_hit),
        origin_requests=requests,
        origin_documents=documents * passed,
        origin_bytes=sent * passed,
        api_calls=watching * _calls(stores.heartbeat_seconds, session),
        titles_at_origin=titles,
        title_loads=loads,
        s3_gets=segments * fetched + loads * stores.objects,
        s3_bytes=payload * fetched,
    )


def _calls(heartbeat: float, session: float) -> float:
    """Of a viewer each second: heartbeats, and beginning and ending."""
    return 1 / heartbeat + 2 / session if heartbeat else 0.0


def _pods(inputs: Inputs, flow: Flow) -> Pods:
    pod, measured = inputs.pod, inputs.measured
    cores = _cores(inputs, flow)
    connections = (flow.origin_requests + flow.api_calls) * pod.connection_seconds
    caches = measured.worker_mb * MB + (pod.title_cache_mb + pod.resource_cache_mb) * MIB
    free = pod.memory_gb * GIB * pod.network_use - pod.cores * caches - pod.cache_mb * MIB
    if free <= 0:
        raise BadInput(
            f"memory_gb {pod.memory_gb:g}: the workers and their caches take more than "
            f"{pod.network_use:.0%} of it"
        )
    network = max(flow.origin_bytes, flow.s3_bytes) * 8 / 1e9
    needs = {
        "CPU": cores / (pod.cores * pod.use),
        "network": network / (pod.gbit * pod.network_use),
        "connections": connections / (pod.cores * pod.worker_connections * pod.use),
        "memory": connections * measured.connection_kb * KB / free,
        "one a zone": pod.least_pods,
    }
    limit = max(needs, key=lambda name: needs[name])
    return Pods(needs, limit, math.ceil(needs[limit]), cores, connections)


def _cores(inputs: Inputs, flow: Flow) -> float:
    measured = inputs.measured
    micro = (flow.origin_requests - flow.origin_documents) * measured.request_us
    micro += flow.origin_documents * measured.document_us
    micro += flow.api_calls * (measured.session_us + measured.api_us)
    gigabytes = flow.origin_bytes * inputs.hits.kept * measured.kept_s_gb
    gigabytes += flow.s3_bytes * (measured.cold_s_gb + measured.tls_s_gb)
    return micro / 1e6 + gigabytes / GB + flow.title_loads * measured.title_ms / 1e3


def _stores(inputs: Inputs, flow: Flow, pods: Pods) -> Stores:
    stores, media, measured = inputs.stores, inputs.media, inputs.measured
    workers = pods.count * inputs.pod.cores
    again = min(flow.origin_requests, flow.titles_at_origin * workers / stores.fresh_seconds)
    looks = min(flow.origin_requests, flow.title_loads + again)
    queries = looks if stores.postgres else 0.0
    ladder = sum(rate for rate, _ in media.ladder) + media.audio_kbit
    return Stores(
        looks=looks,
        s3_lists=0.0 if stores.postgres else looks * stores.lists,
        postgres_queries=queries,
        postgres_nodes=_nodes(
            queries * measured.postgres_us, stores.postgres_cores * inputs.pod.use, stores.postgres
        ),
        redis_calls=flow.api_calls,
        redis_nodes=_nodes(
            flow.api_calls * measured.redis_us, inputs.pod.use, stores.heartbeat_seconds
        ),
        storage_bytes=media.titles * media.title_minutes * 60 * ladder * 125,
    )


def _nodes(micro: float, cores: float, wanted: float) -> int:
    return max(1, math.ceil(micro / 1e6 / cores)) if wanted else 0


def _costs(
    inputs: Inputs, flow: Flow, pods: Pods, at_peak: Stores, at_mean: Stores
) -> dict[str, float]:
    prices = inputs.prices
    shielded = flow.shield_requests if inputs.hits.shield_hit else 0.0
    gigabytes = flow.origin_bytes * MONTH / GB
    connections = (flow.origin_requests + flow.api_calls) * inputs.pod.connection_seconds
    lcu = max(gigabytes, connections / LCU_CONNECTIONS * MONTH_HOURS)
    return {
        "CDN bytes": in_steps(prices.cdn_gb, flow.viewer_bytes * MONTH),
        "CDN requests": (flow.viewer_requests + flow.api_calls) * MONTH / 1e4 * prices.cdn_10k,
        "shield requests": shielded * MONTH / 1e4 * prices.shield_10k,
        "origin egress": gigabytes * prices.egress_gb,
        "load balancer": MONTH_HOURS * prices.balancer_hour + lcu * prices.lcu_hour,
        "pods": pods.count * MONTH_HOURS * prices.pod_hour,
        "cluster": MONTH_HOURS * prices.cluster_hour,
        "S3 GET": flow.s3_gets * MONTH / 1e3 * prices.s3_get_1k,
        "S3 LIST": at_mean.s3_lists * MONTH / 1e3 * prices.s3_list_1k,
        "S3 storage": in_steps(prices.s3_gb, at_peak.storage_bytes),
        "Redis": 2 * at_peak.redis_nodes * MONTH_HOURS * prices.redis_hour,
        "PostgreSQL": at_peak.postgres_nodes * MONTH_HOURS * prices.postgres_hour,
    }


def in_steps(steps: Pairs, nbytes: float) -> float:
    """Dollars; each step's price is for what lies between the step before and it."""
    paid, below = 0.0, 0.0
    for limit, price in steps[:-1]:
        within = min(nbytes, limit * TB) - below
        if within <= 0:
            return paid
        paid += within / GB * price
        below += within
    return paid + max(0.0, nbytes - below) / GB * steps[-1][1]
