"""Two runs side by side: what is better, what is worse."""

from __future__ import annotations

from collections.abc import Iterator

from loadtest.report import WORDS
from loadtest.results import HEADLINES, Results, show

SAME = 0.03
"""A change of less is not spoken of: two runs of the same differ by as much."""
MORE_IS_BETTER = frozenset(
    {"viewers.max", "starts.count", "throughput.p50", "requests.count", "requests.rate",
     "traffic.rate"}
)  # fmt: skip
NEITHER = frozenset({"viewers.max", "starts.count", "switches.count", "requests.count"})
"""What follows from the scenario, not from the server."""


def compare(before: Results, after: Results) -> Iterator[str]:
    """Lines: each figure of both, and what became of it."""
    yield f"A  {before.scenario} at {before.url}, {before.seconds:.0f} s"
    yield f"B  {after.scenario} at {after.url}, {after.seconds:.0f} s"
    if before.scenario != after.scenario:
        yield "these are two scenarios: figures that differ may say nothing of the servers"
    yield ""
    yield f"{'':<32} {'A':>14} {'B':>14}"
    for name in HEADLINES:
        a, b = before.headlines.get(name), after.headlines.get(name)
        if a is None and b is None:
            continue
        both = f"{show(name, a):>14} {show(name, b):>14}"
        yield f"{WORDS[name]:<32} {both}  {change(name, a, b)}".rstrip()
    yield from _changed_verdicts(before, after)
    for letter, results in (("A", before), ("B", after)):
        for limit in results.limits:
            yield f"{letter}: the load was the limit: {limit}"


def change(name: str, a: float | None, b: float | None) -> str:
    """'+12 % worse' and the like, '' for no change worth a word."""
    if a is None or b is None or a == b:
        return ""
    if a == 0:
        share, text = 1.0, "from nothing"
    else:
        share = (b - a) / a
        text = f"{share:+.0%}" if share < 10 else f"{b / a:.0f} times"
    if abs(share) < SAME:
        return ""
    if name in NEITHER:
        return text
    better = (share > 0) == (name in MORE_IS_BETTER)
    return f"{text} {'better' if better else 'worse'}"


def _changed_verdicts(before: Results, after: Results) -> Iterator[str]:
    met = {verdict.text: verdict.met for verdict in before.verdicts}
    for verdict in after.verdicts:
        if met.get(verdict.text, verdict.met) != verdict.met:
            yield f"{verdict.text}: {'met now' if verdict.met else 'NO LONGER MET'}"
