"""How much is measured, and how long it takes."""

from __future__ import annotations

from dataclasses import dataclass


@dataclass(frozen=True, slots=True)
class Effort:
    """Rounds of ``seconds`` until each server has ``clean`` undisturbed ones, but no more than
    ``most``; ``micro``: seconds for each of the small benchmarks; ``starts``: how often servers are
    started anew for what can be measured once in their life; ``scale``: the
    share of the idle and stalled connections, and of the largest library, that is tried."""

    clean: int
    most: int
    seconds: float
    micro: float
    starts: int
    scale: float


FULL = Effort(clean=6, most=7, seconds=1.0, micro=1.0, starts=3, scale=1.0)
QUICK = Effort(clean=3, most=3, seconds=0.5, micro=0.1, starts=1, scale=0.1)
