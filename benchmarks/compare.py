"""``python -m benchmarks.compare OLD NEW``: what got worse between two ``results.json``, by more
than the noise. The exit status is 1 if anything did, 2 if the two cannot be compared.

A change counts when it is larger than ``FLOOR`` and larger than the spreads of both together.
nginx and peers fail nothing; where they changed, so may the machine have, and that is said.
"""

from __future__ import annotations

import argparse
import json
import sys
from collections.abc import Iterator, Mapping, Sequence
from dataclasses import dataclass
from enum import Enum
from math import hypot
from pathlib import Path
from statistics import median
from typing import Any

from benchmarks.cold_s3 import S3
from benchmarks.relays import PROXY, STOCK
from benchmarks.report import FORMAT, number
from benchmarks.verdict import spread

FLOOR = 0.10
TAIL_FLOOR = 0.25
"""Of the 99th percentile, which few answers decide."""
MACHINE = ("processor", "cores")
"""What must be the same for figures to be comparable; a kernel or a Python may be the change."""
YARDSTICKS = ("nginx", PROXY, STOCK)


class NotComparable(Exception):
    """These two results; the message says why."""


class Verdict(Enum):
    WORSE = "WORSE"
    BETTER = "better"
    SAME = "same"
    UNSURE = "not comparable"
    YARDSTICK = "yardstick"
    GONE = "gone"
    NEW = "new"


@dataclass(frozen=True, slots=True)
class Measure:
    """One figure of one run. ``spread``: half of what it is the median of lies within that share of
    it; ``floor``: the least change that counts; ``trouble``: it is not to be relied on."""

    name: str
    value: float
    unit: str
    spread: float
    floor: float = FLOOR
    more_is_better: bool = False
    yardstick: bool = False
    trouble: bool = False


@dataclass(frozen=True, slots=True)
class Change:
    name: str
    old: Measure | None
    new: Measure | None

    @property
    def share(self) -> float | None:
        """By how much the new value is more, or less."""
        if self.old is None or self.new is None or not self.old.value:
            return None
        return self.new.value / self.old.value - 1

    @property
    def counts(self) -> bool:
        """Whether it is more than the noise."""
        if self.share is None or self.old is None or self.new is None:
            return False
        noise = hypot(self.old.spread, self.new.spread)
        return abs(self.share) > max(self.old.floor, noise)

    @property
    def verdict(self) -> Verdict:
        if self.old is None:
            return Verdict.NEW
        if self.new is None:
            return Verdict.GONE
        if self.new.yardstick:
            return Verdict.YARDSTICK
        if self.old.trouble or self.new.trouble or self.share is None:
            return Verdict.UNSURE
        if not self.counts:
            return Verdict.SAME
        return Verdict.BETTER if (self.share > 0) == self.new.more_is_better else Verdict.WORSE


def main(arguments: Sequence[str] | None = None) -> int:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.compare", description=__doc__)
    parser.add_argument("old", type=Path, metavar="OLD", help="results.json of before")
    parser.add_argument("new", type=Path, metavar="NEW", help="results.json of now")
    parser.add_argument("--force", action="store_true", help="though the machines differ")
    options = parser.parse_args(arguments)
    try:
        old, new = read(options.old), read(options.new)
        if not options.force:
            require_same_machine(old, new)
    except NotComparable as error:
        print(f"compare: {error}", file=sys.stderr)
        return 2
    found = changes(old, new)
    print("\n".join(lines(found)))
    return 1 if any(change.verdict is Verdict.WORSE for change in found) else 0


def read(path: Path) -> dict[str, Any]:
    try:
        document = json.loads(path.read_text(encoding="utf-8"))
    except (OSError, ValueError) as error:
        raise NotComparable(f"{path}: {error}") from None
    if not isinstance(document, dict) or document.get("format") != FORMAT:
        raise NotComparable(f"{path} does not hold results of format {FORMAT}")
    return document


def require_same_machine(old: Mapping[str, Any], new: Mapping[str, Any]) -> None:
    for name in MACHINE:
        before, now = old["machine"].get(name), new["machine"].get(name)
        if before != now:
            raise NotComparable(
                f"the machine has another {name}: {before}, now {now} (--force compares anyway)"
            )


def changes(old: Mapping[str, Any], new: Mapping[str, Any]) -> list[Change]:
    """In the order of the new run; what is gone comes last."""
    before = {measure.name: measure for measure in measures(old)}
    now = {measure.name: measure for measure in measures(new)}
    return [Change(name, before.get(name), now.get(name)) for name in now | before]


def measures(document: Mapping[str, Any]) -> Iterator[Measure]:
    for macro in document["macro"]:
        for server, found in macro["servers"].items():
            yield from _of_rounds(f"{macro['name']}, {server}", server, found)
    for item in document["figures"]:
        yield Measure(
            name=f"{item['part']}: {item['row']}, {item['column']}",
            value=item["value"],
            unit=item["unit"],
            spread=item["spread"],
            yardstick=item["column"] in YARDSTICKS or item["row"] == S3,
        )


def _of_rounds(name: str, server: str, found: Mapping[str, Any]) -> Iterator[Measure]:
    """Rate, tail and CPU of one server in one workload."""
    clean = [r for r in found["rounds"] if not r["disturbed"]] or found["rounds"]
    is_peer = found["summary"]["server"] is None
    yardstick, trouble = is_peer or server in YARDSTICKS, found["trouble"] is not None

    def measure(what: str, unit: str, values: Sequence[float], **more: Any) -> Measure:
        said = {"yardstick": yardstick, "trouble": trouble} | more
        return Measure(name + what, median(values), unit, spread(values), **said)

    rates = [r["requests_per_second"] for r in clean]
    tails = [r["p99"] * 1e3 for r in clean]
    theirs = trouble or found["client_bound"]  # both say how fast the client was
    yield measure("", "req/s", rates, more_is_better=True, trouble=theirs)
    yield measure(", p99", "ms", tails, floor=TAIL_FLOOR, trouble=theirs)
    if not is_peer:
        costs = [r["server"] / r["requests_per_second"] * 1e6 for r in clean]
        yield measure(", CPU", "µs/req", costs)


def lines(found: Sequence[Change]) -> Iterator[str]:
    width = max((len(change.name) for change in found), default=0)
    yield f"{'':{width}} {'old':>12} {'new':>12} {'':7} {'change':>7}  verdict"
    for change in found:
        unit = (change.new or change.old or _NONE).unit
        share = "" if change.share is None else f"{change.share:+.0%}"
        yield (
            f"{change.name:{width}} {_value(change.old):>12} {_value(change.new):>12} {unit:7} "
            f"{share:>7}  {change.verdict.value}"
        )
    for change in found:
        if change.verdict is Verdict.YARDSTICK and change.counts:
            yield f"{change.name} is not ours, and changed: so may the machine have."


_NONE = Measure("", 0, "", 0)


def _value(measure: Measure | None) -> str:
    return "" if measure is None else number(measure.value)


if __name__ == "__main__":
    sys.exit(main())
