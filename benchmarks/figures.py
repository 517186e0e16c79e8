"""What is not a rate: times and sizes, less of which is better."""

from __future__ import annotations

from collections.abc import Sequence
from dataclasses import dataclass
from statistics import median

from benchmarks.verdict import MAX_SPREAD, spread


@dataclass(frozen=True, slots=True)
class Figure:
    """The median of ``runs``, a cell in the table of its ``part``; ``spread``: half of the runs
    lie within that share of it."""

    part: str
    row: str
    column: str
    unit: str
    value: float
    spread: float
    runs: int

    @property
    def trouble(self) -> str | None:
        if self.spread > MAX_SPREAD:
            return f"unsteady: half of the {self.runs} runs are {self.spread:.0%} apart"
        return None


def figure(part: str, row: str, column: str, unit: str, values: Sequence[float]) -> Figure:
    return Figure(part, row, column, unit, median(values), spread(values), len(values))
