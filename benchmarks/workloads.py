"""What is asked for, as values: add one here and it is run, reported and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from benchmarks.contests import Contest, beside_nginx, over_tls, telemetry, token, workers
from benchmarks.distant import s3_relay, s3_warm
from benchmarks.library import (
    EPISODE,
    HD_INTERLEAVED,
    HD_SINGLE,
    MIX_INTERLEAVED,
    MIX_SINGLE,
    SD_INTERLEAVED,
    SD_SINGLE,
    Ladder,
    Title,
)
from packager.ranges import ByteRange


class Asks(Enum):
    """For one media playlist again and again, or for media segments spread over the title and all
    its renditions."""

    PLAYLIST = "playlist"
    SEGMENTS = "segments"


class Client(Enum):
    """``DRAIN`` has the kernel throw bodies away, ``WRK`` is for small ones and for TLS."""

    DRAIN = "drain"
    WRK = "wrk"


@dataclass(frozen=True, slots=True)
class Workload:
    """``connections``: how many clients ask at a time, each for one thing; ``part``: what they
    want of it, all if None; ``apart``: no two of them want the same."""

    name: str
    meaning: str
    asks: Asks
    title: Title | Ladder
    client: Client = Client.DRAIN
    contest: Contest = beside_nginx
    part: ByteRange | None = None
    apart: bool = False

    @property
    def connections(self) -> int:
        return 64 if self.asks is Asks.PLAYLIST else 16


SEGMENTS, PLAYLIST = Asks.SEGMENTS, Asks.PLAYLIST
DRAIN, WRK = Client.DRAIN, Client.WRK
INSIDE = 64 * 1024
"""Where parts of bodies begin."""

WORKLOADS = (
    Workload("playlist", "media playlist from the cache", PLAYLIST, EPISODE, WRK),
    Workload("sd", "360p segments, one track a file", SEGMENTS, SD_SINGLE),
    Workload("hd", "1080p segments, one track a file", SEGMENTS, HD_SINGLE),
    Workload("mix", "360p to 1080p segments, one track", SEGMENTS, MIX_SINGLE),
    Workload("sd-interleaved", "360p segments, interleaved", SEGMENTS, SD_INTERLEAVED),
    Workload("hd-interleaved", "1080p segments, interleaved", SEGMENTS, HD_INTERLEAVED),
    Workload("mix-interleaved", "360p to 1080p segments, interleaved", SEGMENTS, MIX_INTERLEAVED),
    Workload(
        "ranges",
        "256 KB ranges of 1080p segments",
        SEGMENTS,
        HD_SINGLE,
        part=ByteRange(INSIDE, 256 * 1024),
    ),
    Workload(
        "small-ranges",
        "4 KB ranges of 360p segments",
        SEGMENTS,
        SD_SINGLE,
        WRK,
        part=ByteRange(INSIDE, 4 * 1024),
    ),
    Workload("tls-playlist", "media playlist, TLS", PLAYLIST, EPISODE, WRK, over_tls),
    Workload("tls-sd", "360p segments, TLS", SEGMENTS, SD_SINGLE, WRK, over_tls),
    Workload("tls-hd", "1080p segments, TLS", SEGMENTS, HD_SINGLE, WRK, over_tls),
    Workload("token-playlist", "media playlist, tokens", PLAYLIST, EPISODE, WRK, token),
    Workload("token-sd", "360p segments, tokens", SEGMENTS, SD_SINGLE, DRAIN, token),
    Workload(
        "telemetry-playlist", "media playlist, metrics and log", PLAYLIST, EPISODE, WRK, telemetry
    ),
    Workload(
        "telemetry-sd", "360p segments, metrics and log", SEGMENTS, SD_SINGLE, DRAIN, telemetry
    ),
    Workload("workers-playlist", "media playlist, two workers", PLAYLIST, EPISODE, WRK, workers),
    Workload("workers-sd", "360p segments, two workers", SEGMENTS, SD_SINGLE, DRAIN, workers),
    Workload(
        "s3-relay", "1080p segments from S3, cold", SEGMENTS, HD_SINGLE, DRAIN, s3_relay, apart=True
    ),
    Workload("s3-warm", "1080p segments from S3, kept", SEGMENTS, HD_SINGLE, DRAIN, s3_warm),
)
