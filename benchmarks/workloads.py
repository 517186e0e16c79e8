"""What is asked for, as values: add one here and it is run, reported and drawn."""

from __future__ import annotations

from dataclasses import dataclass
from enum import Enum

from benchmarks.library import (
    EPISODE,
    HD_INTERLEAVED,
    HD_SINGLE,
    SD_INTERLEAVED,
    SD_SINGLE,
    Title,
)


class Asks(Enum):
    """For one media playlist again and again, or for media segments spread over the title."""

    PLAYLIST = "playlist"
    SEGMENTS = "segments"


@dataclass(frozen=True, slots=True)
class Workload:
    """``connections``: how many clients ask at a time, each for one thing."""

    name: str
    meaning: str
    asks: Asks
    title: Title
    connections: int


WORKLOADS = (
    Workload("playlist", "media playlist from the cache", Asks.PLAYLIST, EPISODE, 64),
    Workload("sd", "360p segments, one track a file", Asks.SEGMENTS, SD_SINGLE, 16),
    Workload("hd", "1080p segments, one track a file", Asks.SEGMENTS, HD_SINGLE, 16),
    Workload("sd-interleaved", "360p segments, interleaved", Asks.SEGMENTS, SD_INTERLEAVED, 16),
    Workload("hd-interleaved", "1080p segments, interleaved", Asks.SEGMENTS, HD_INTERLEAVED, 16),
)
