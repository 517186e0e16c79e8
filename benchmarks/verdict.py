"""From rounds to figures, and when two figures may not be compared.

A round is disturbed when other processes, or the host's other guests, had the cores for more than
a little of it; such rounds count for nothing. Of the others the medians are taken. A ratio is
refused where too few are left, or they scatter; where the client was the limit it is a bound.
"""

from __future__ import annotations

from collections.abc import Callable, Sequence
from dataclasses import dataclass
from statistics import median, quantiles

FEWEST_ROUNDS = 3
MAX_OTHERS = 0.1
"""Cores that may be busy with anything but the server and its client."""
MAX_STOLEN = 0.02
MAX_SPREAD = 0.15
CLIENT_LIMIT = 0.9
"""A client that uses more of its core than this is what is measured."""


@dataclass(frozen=True, slots=True)
class Round:
    """One load on one server. ``server``, ``client``, ``others``, ``stolen``: cores in use.

    Nobody knows the CPU of a server that somebody else runs: ``server`` is None, and ``others``,
    which it may be part of, 0. A storage that runs on the client's core counts as ``client``.
    ``squeezed``: the client had no core of its own.
    """

    requests_per_second: float
    bytes_per_second: float
    p50: float
    p99: float
    server: float | None
    client: float
    others: float
    stolen: float
    squeezed: bool = False

    @property
    def disturbed(self) -> bool:
        return self.others > MAX_OTHERS or self.stolen > MAX_STOLEN


@dataclass(frozen=True, slots=True)
class Summary:
    """Medians of ``clean`` rounds out of ``rounds``, or of all where none is clean; ``spread``:
    half of the rounds lie within that share of the median rate."""

    rounds: int
    clean: int
    spread: float
    requests_per_second: float
    gbits_per_second: float
    p50_ms: float
    p99_ms: float
    server: float | None
    client: float
    cpu_seconds_per_gb: float | None
    cpu_us_per_request: float | None
    squeezed: bool

    @property
    def client_bound(self) -> bool:
        return self.squeezed or self.client > CLIENT_LIMIT

    @property
    def trouble(self) -> str | None:
        """Why the figures are not to be relied on."""
        if self.clean < FEWEST_ROUNDS:
            return f"disturbed: {self.clean} of {self.rounds} rounds were clean"
        if self.spread > MAX_SPREAD:
            return f"unsteady: half of the rounds are {self.spread:.0%} apart"
        return None


@dataclass(frozen=True, slots=True)
class Ratio:
    """``bound``: '≥' or '≤' where a client held back one of the two, '' where none; no
    ``value`` where ``refused`` says why."""

    value: float | None
    bound: str = ""
    refused: str = ""

    def __str__(self) -> str:
        return "not comparable" if self.value is None else f"{self.bound}{self.value:.2f}x"


def spread(values: Sequence[float]) -> float:
    """Distance between the quartiles, as a share of the median."""
    if len(values) < 2:
        return 0.0
    low, _, high = quantiles(values, n=4, method="inclusive")
    middle = median(values)
    return (high - low) / middle if middle else 0.0


def counted(rounds: Sequence[Round]) -> Sequence[Round]:
    """The clean ones, or all where none is clean."""
    return [item for item in rounds if not item.disturbed] or rounds


def summarise(rounds: Sequence[Round]) -> Summary:
    used = counted(rounds)
    rates = [r.requests_per_second for r in used]
    return Summary(
        rounds=len(rounds),
        clean=sum(not r.disturbed for r in rounds),
        spread=spread(rates),
        requests_per_second=median(rates),
        gbits_per_second=median(r.bytes_per_second for r in used) * 8 / 1e9,
        p50_ms=median(r.p50 for r in used) * 1e3,
        p99_ms=median(r.p99 for r in used) * 1e3,
        server=_cpu(used, lambda r, cpu: cpu),
        client=median(r.client for r in used),
        cpu_seconds_per_gb=_cpu(used, lambda r, cpu: cpu / r.bytes_per_second * 1e9),
        cpu_us_per_request=_cpu(used, lambda r, cpu: cpu / r.requests_per_second * 1e6),
        squeezed=any(r.squeezed for r in used),
    )


def _cpu(rounds: Sequence[Round], figure: Callable[[Round, float], float]) -> float | None:
    values = [figure(r, r.server) for r in rounds if r.server is not None]
    return median(values) if values else None


def compare(ours: Summary, theirs: Summary) -> Ratio:
    """Requests per second of ours for each of theirs."""
    if refused := ours.trouble or theirs.trouble:
        return Ratio(None, refused=refused)
    if ours.client_bound and theirs.client_bound:
        return Ratio(None, refused="the client was the limit for both")
    bound = "≥" if ours.client_bound else "≤" if theirs.client_bound else ""
    return Ratio(ours.requests_per_second / theirs.requests_per_second, bound)
