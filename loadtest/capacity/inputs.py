"""Everything that can be set, each with its unit, meaning and where its value comes from.

A quantity is a field of the table of TOML it stands in. From that follow the option, its help, the
check of its range, and the rows of the pages: there is no second list.
"""

from __future__ import annotations

import tomllib
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass, field, fields, replace
from pathlib import Path
from typing import Any

from loadtest.errors import LoadTestError

PAGE = "docs/performance.md"
PRICED = "AWS list price in us-east-1, noted on 2026-11-24"
MAX_FILE = 1 << 20
MAX_ITEMS = 64


class BadInput(LoadTestError):
    """A quantity that is none, or cannot be, with its name."""


Pairs = tuple[tuple[float, float], ...]
Numbers = tuple[float, ...]


@dataclass(frozen=True, slots=True)
class Quantity:
    """``shape``: ``number``, ``numbers`` (10,20) or ``pairs`` (10:1,20:3). ``low``, ``high``: of
    each number in it."""

    unit: str
    meaning: str
    source: str
    low: float
    high: float
    shape: str


def _of(
    default: float | Numbers | Pairs,
    unit: str,
    meaning: str,
    source: str = "assumed",
    low: float = 0,
    high: float = 1e12,
) -> Any:
    shape = "number"
    if isinstance(default, tuple):
        shape = "pairs" if isinstance(default[0], tuple) else "numbers"
    told = Quantity(unit, meaning, source, low, high, shape)
    return field(default=default, metadata={"quantity": told})


def _price(default: float | Pairs, unit: str, meaning: str) -> Any:
    return _of(default, unit, meaning, PRICED, 0, 1e6)


@dataclass(frozen=True, slots=True)
class Audience:
    viewers: tuple[float, ...] = _of(
        (10_000, 1_000_000, 100_000_000), "viewers", "who watch on a day; one column each", low=1
    )
    hours: float = _of(2, "h", "that each watches on a day", low=0.01, high=24)
    peak_share: float = _of(0.2, "0 to 1", "of them who watch at once in the busiest hour", high=1)
    session_minutes: float = _of(30, "min", "from play to leaving, in the mean", low=0.1)


@dataclass(frozen=True, slots=True)
class Media:
    ladder: tuple[tuple[float, float], ...] = _of(
        ((800, 15), (1400, 20), (2800, 30), (5000, 35)),
        "kbit/s:share",
        "rungs, and how much of the time is watched on each",
        low=0.001,
    )
    audio_kbit: float = _of(128, "kbit/s", "of sound in segments of its own; 0: there are none")
    overhead: float = _of(0.02, "share", "more bytes than media: segment heads, HTTP", high=1)
    segment_seconds: float = _of(6, "s", "of one segment", "the packager's aim", 0.1, 60)
    documents: float = _of(12, "a session", "manifests, playlists and inits a player asks for")
    document_kb: float = _of(9, "KB", "of one of these", f"{PAGE}, media playlist of 10 min")
    titles: float = _of(10_000, "titles", "in the library", low=1, high=1e9)
    title_minutes: float = _of(45, "min", "of one title", low=0.1, high=6000)


@dataclass(frozen=True, slots=True)
class Hits:
    edge_hit: float = _of(0.9, "0 to 1", "of viewers' requests that the CDN's edge answers", high=1)
    shield_hit: float = _of(
        0.6, "0 to 1", "of the edges' misses that a shield answers; 0: there is none", high=1
    )
    kept: float = _of(0, "0 to 1", "of what reaches the origin that it has on its own disk", high=1)
    read_ahead: float = _of(1, "segments", "VOD_READ_AHEAD: each counted as of no use", high=100)


@dataclass(frozen=True, slots=True)
class Measured:
    """CPU is that of one core, as the page measures it over loopback."""

    request_us: float = _of(47, "µs", "CPU of a segment, besides its bytes", f"{PAGE}, 4 KB ranges")
    document_us: float = _of(27.8, "µs", "CPU of a manifest from memory", f"{PAGE}, media playlist")
    kept_s_gb: float = _of(
        0.22, "CPU s/GB", "to send what is on disk", f"{PAGE}, 360p segments, one track"
    )
    cold_s_gb: float = _of(1.19, "CPU s/GB", "to fetch from S3 and send", f"{PAGE}, from S3, cold")
    tls_s_gb: float = _of(
        0.98, "CPU s/GB", "more, as S3 is read by TLS", f"{PAGE}, 360p segments, TLS, all of it"
    )
    title_ms: float = _of(
        20.2,
        "ms",
        "CPU to read a title that is not in memory",
        f"{PAGE}, first manifest, interleaved, no sidecar",
    )
    title_mb: float = _of(
        60, "MB", "memory of a title's indexes", "docs/settings.md, 2 h in six renditions", 0.001
    )
    connection_kb: float = _of(5.91, "KB", "memory of a connection", f"{PAGE}, a stalled one")
    worker_mb: float = _of(121, "MB", "memory of a worker", f"{PAGE}, library of 100,000 titles")
    session_us: float = _of(
        530, "µs", "CPU of a heartbeat in the worker", "docs/sessions.md, alone, Valkey's part too"
    )
    redis_us: float = _of(
        115, "µs", "CPU of a heartbeat in Redis", "docs/sessions.md, of 100, the worker's part too"
    )
    api_us: float = _of(500, "µs", "CPU of an API call besides Redis", "assumed, not measured yet")
    postgres_us: float = _of(200, "µs", "CPU of a query in PostgreSQL", "assumed, not measured yet")


@dataclass(frozen=True, slots=True)
class Pod:
    cores: float = _of(4, "cores", "of a pod, one worker each", "c5n.xlarge: vCPU", 0.1, 1024)
    memory_gb: float = _of(10.5, "GiB", "of a pod", "c5n.xlarge", 0.1)
    gbit: float = _of(5, "Gbit/s", "network of a pod, lasting", "c5n.xlarge, baseline", 0.001)
    use: float = _of(0.5, "share", "of CPU and connections to plan with", low=0.01, high=1)
    network_use: float = _of(0.8, "share", "of network and memory to plan with", low=0.01, high=1)
    least_pods: float = _of(3, "pods", "at least: one in each zone", low=1, high=1e6)
    worker_connections: float = _of(
        50_000, "a worker", "connections at most", "docs/operations.md", 1
    )
    connection_seconds: float = _of(6, "s", "a request keeps its connection, keep-alive included")
    cache_mb: float = _of(4096, "MiB", "VOD_CACHE_MB, in memory", "docs/settings.md")
    title_cache_mb: float = _of(256, "MiB a worker", "VOD_TITLE_CACHE_MB", "docs/settings.md", 1)
    resource_cache_mb: float = _of(64, "MiB a worker", "VOD_RESOURCE_CACHE_MB", "docs/settings.md")


@dataclass(frozen=True, slots=True)
class Stores:
    objects: float = _of(7, "GETs", "of S3 to read a title, sidecars there", f"{PAGE}, S3, GET")
    lists: float = _of(2, "LISTs", "of S3 to look at a title", f"{PAGE}, S3, LIST")
    fresh_seconds: float = _of(30, "s", "a title is taken as it is", "docs/s3.md", 0.1)
    postgres: float = _of(
        1, "0 or 1", "1: the catalogue is in PostgreSQL, and S3 is never listed", high=1
    )
    heartbeat_seconds: float = _of(30, "s", "between heartbeats; 0: no sessions, no Redis")
    postgres_cores: float = _of(2, "cores", "of PostgreSQL's machine", "db.t4g.medium: vCPU", 0.1)


@dataclass(frozen=True, slots=True)
class Prices:
    """In US dollars. The last step of a price in steps holds for all beyond it."""

    cdn_gb: tuple[tuple[float, float], ...] = _price(
        (
            (10, 0.085),
            (50, 0.08),
            (150, 0.06),
            (500, 0.04),
            (1024, 0.03),
            (5120, 0.025),
            (1e6, 0.02),
        ),
        "up to TB:$/GB",
        "CloudFront, bytes to viewers in North America and Europe",
    )
    cdn_10k: float = _price(0.01, "$/10,000", "CloudFront, HTTPS requests, United States")
    shield_10k: float = _price(0.0075, "$/10,000", "CloudFront Origin Shield, United States")
    egress_gb: float = _price(0, "$/GB", "origin to CDN: free to CloudFront; to others often 0.09")
    balancer_hour: float = _price(0.0225, "$/h", "Application Load Balancer")
    lcu_hour: float = _price(0.008, "$/h", "its capacity unit: 1 GB an hour, or 3,000 connections")
    pod_hour: float = _price(0.216, "$/h", "EC2 c5n.xlarge, on demand, Linux")
    cluster_hour: float = _price(0.1, "$/h", "EKS, one cluster in standard support")
    s3_get_1k: float = _price(0.0004, "$/1,000", "S3 Standard, GET; bytes to EC2 are free")
    s3_list_1k: float = _price(0.005, "$/1,000", "S3 Standard, LIST")
    s3_gb: tuple[tuple[float, float], ...] = _price(
        ((50, 0.023), (500, 0.022), (1e6, 0.021)),
        "up to TB:$/GB",
        "S3 Standard, a month of storage",
    )
    redis_hour: float = _price(0.149, "$/h", "ElastiCache cache.m6g.large; two for each primary")
    postgres_hour: float = _price(0.13, "$/h", "RDS for PostgreSQL db.t4g.medium, Multi-AZ")


@dataclass(frozen=True, slots=True)
class Simulation:
    """Only ``capacity simulate`` asks for these."""

    zipf: float = _of(0.9, "exponent", "of popularity: rank to the power of minus this", high=5)
    trace_titles: float = _of(200, "titles", "in the trace", low=1, high=10_000)
    trace_viewers: float = _of(10_000, "viewers", "at once in the trace", low=1, high=1e6)
    edges: float = _of(4, "edges", "in front of one shield", low=1, high=1000)
    edge_gb: tuple[float, ...] = _of(
        (10, 20, 40, 80, 120, 160), "GB", "of each edge; one run each", low=0.01
    )
    shield_gb: float = _of(250, "GB", "of the shield", low=0.01)
    requests: float = _of(8_000_000, "requests", "of each run; half warm up", low=1000, high=1e8)
    seed: float = _of(1, "number", "of the dice: the same gives the same", high=2**32 - 1)


Group = Audience | Media | Hits | Measured | Pod | Stores | Prices | Simulation


@dataclass(frozen=True, slots=True)
class Inputs:
    audience: Audience = Audience()
    media: Media = Media()
    hits: Hits = Hits()
    measured: Measured = Measured()
    pod: Pod = Pod()
    stores: Stores = Stores()
    prices: Prices = Prices()
    simulation: Simulation = Simulation()


@dataclass(frozen=True, slots=True)
class Row:
    """A quantity as it is: ``key`` is its name in ``table``, ``option`` that of the command."""

    table: str
    key: str
    option: str
    quantity: Quantity
    value: float | Numbers | Pairs


def rows(inputs: Inputs) -> Iterator[Row]:
    for table in fields(Inputs):
        group: Group = getattr(inputs, table.name)
        prefix = "price_" if table.name == "prices" else ""
        for item in fields(group):
            name = f"{prefix}{item.name}".replace("_", "-")
            value = getattr(group, item.name)
            yield Row(table.name, item.name, name, item.metadata["quantity"], value)


def shown(value: float | Numbers | Pairs) -> str:
    """As an option takes it."""
    if not isinstance(value, tuple):
        return f"{value:.15g}"
    return ",".join(
        ":".join(f"{part:.15g}" for part in (item if isinstance(item, tuple) else (item,)))
        for item in value
    )


def load(path: str | None, options: Mapping[str, str]) -> Inputs:
    """The defaults, a file of TOML over them, and options, by their names, over both."""
    inputs = Inputs()
    if path is not None:
        inputs = _over(inputs, _read(Path(path)), path)
    known = {row.option: row for row in rows(inputs)}
    tables: dict[str, dict[str, Any]] = {}
    for option, text in options.items():
        row = known[option]
        tables.setdefault(row.table, {})[row.key] = text
    return _checked(_over(inputs, tables, "options"))


def _read(path: Path) -> dict[str, Any]:
    try:
        with path.open("rb") as file:
            data = file.read(MAX_FILE + 1)
        if len(data) > MAX_FILE:
            raise BadInput(f"{path}: more than {MAX_FILE} bytes")
        return tomllib.loads(data.decode())
    except (OSError, UnicodeError, tomllib.TOMLDecodeError) as error:
        raise BadInput(f"{path}: {error}") from None


def _over(inputs: Inputs, tables: Mapping[str, Any], where: str) -> Inputs:
    known = {(row.table, row.key): row.quantity for row in rows(inputs)}
    groups: dict[str, Any] = {}
    for table, values in tables.items():
        if not isinstance(values, dict) or not hasattr(inputs, table):
            raise BadInput(f"{where}: no table [{table}]")
        for key in values:
            if (table, key) not in known:
                raise BadInput(f"{where}: [{table}] has no {key!r}")
        read = {k: _value(known[table, k], v, f"{where}: {k}") for k, v in values.items()}
        groups[table] = replace(getattr(inputs, table), **read)
    return replace(inputs, **groups)


def _value(quantity: Quantity, raw: Any, where: str) -> float | Numbers | Pairs:
    if quantity.shape == "number":
        return _number(quantity, raw, where)
    items: Any = raw.split(",") if isinstance(raw, str) else raw
    if isinstance(items, int | float):
        items = [items]
    if not isinstance(items, Sequence) or not 1 <= len(items) <= MAX_ITEMS:
        raise BadInput(f"{where} must be 1 to {MAX_ITEMS} of {quantity.unit}")
    if quantity.shape == "numbers":
        return tuple(_number(quantity, item, where) for item in items)
    return tuple(_pair(quantity, item, where) for item in items)


def _pair(quantity: Quantity, raw: Any, where: str) -> tuple[float, float]:
    parts = raw.split(":") if isinstance(raw, str) else raw
    if not isinstance(parts, Sequence) or len(parts) != 2:
        raise BadInput(f"{where}: {raw!r} is no {quantity.unit}")
    return _number(quantity, parts[0], where), _number(quantity, parts[1], where)


def _number(quantity: Quantity, raw: Any, where: str) -> float:
    try:
        if isinstance(raw, bool) or not isinstance(raw, int | float | str):
            raise ValueError
        value = float(raw)
    except (ValueError, OverflowError):
        raise BadInput(f"{where}: {raw!r} is no number ({quantity.unit})") from None
    if not quantity.low <= value <= quantity.high:
        raise BadInput(f"{where} {value:g} is outside {quantity.low:g}..{quantity.high:g}")
    return value


def _checked(inputs: Inputs) -> Inputs:
    audience = inputs.audience
    mean = audience.hours / 24
    if audience.peak_share < mean:
        raise BadInput(
            f"peak_share {audience.peak_share:g} is below the mean: "
            f"{audience.hours:g} h a day are {mean:.3g} at any time"
        )
    for name, steps in (("cdn_gb", inputs.prices.cdn_gb), ("s3_gb", inputs.prices.s3_gb)):
        limits = [limit for limit, _ in steps]
        if limits != sorted(set(limits)):
            raise BadInput(f"{name}: the steps do not rise")
    return inputs
