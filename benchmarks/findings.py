"""What was found out, as the parts of a run hand it back."""

from __future__ import annotations

from collections.abc import Mapping, Sequence
from dataclasses import dataclass, field

from benchmarks.figures import Figure
from benchmarks.rounds import Target
from benchmarks.verdict import Ratio, Round, Summary, compare, summarise


@dataclass(frozen=True, slots=True)
class Outcome:
    """A workload's rounds by server; the first server is ours, the others are compared to it,
    but for those in ``different``: their answers are not the same bytes."""

    target: Target
    rounds: Mapping[str, Sequence[Round]]
    different: Mapping[str, str] = field(default_factory=dict)

    @property
    def summaries(self) -> dict[str, Summary]:
        return {server: summarise(rounds) for server, rounds in self.rounds.items()}

    @property
    def ratios(self) -> dict[str, Ratio]:
        (_, ours), *others = self.summaries.items()
        return {server: self._ratio(ours, server, theirs) for server, theirs in others}

    def _ratio(self, ours: Summary, server: str, theirs: Summary) -> Ratio:
        if server in self.different:
            return Ratio(None, refused=self.different[server])
        return compare(ours, theirs)


@dataclass(frozen=True, slots=True)
class Findings:
    """``programs``: what served, with versions; ``notes``: what a reader must know besides;
    ``failures``: parts that ended in an error, each with what it was."""

    outcomes: Sequence[Outcome] = ()
    figures: Sequence[Figure] = ()
    notes: Sequence[str] = ()
    programs: Sequence[str] = ()
    failures: Sequence[str] = ()

    def __add__(self, more: Findings) -> Findings:
        return Findings(
            (*self.outcomes, *more.outcomes),
            (*self.figures, *more.figures),
            tuple(dict.fromkeys((*self.notes, *more.notes))),
            tuple(dict.fromkeys((*self.programs, *more.programs))),
            (*self.failures, *more.failures),
        )
