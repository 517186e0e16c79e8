"""What was seen: counts, histograms, failures, and the same for each second of the run.

Every process has its own ``Figures``. ``take`` hands over what was counted since it was last
called, as JSON; the master adds those up, and the sum is exact.
"""

from __future__ import annotations

from collections import Counter
from collections.abc import Mapping
from typing import Any

from loadtest.histogram import Histogram

SECONDS = ("startup", "manifest", "segment", "stall", "seek", "lag")
"""Histograms in microseconds: play to the first segment of each track; play to the multivariant
playlist or MPD; one segment; one stall of a playing viewer; a seek until it plays on; how much
later than due the load's own timers ran."""
RATES = ("throughput",)
"""In kbit/s: of each segment."""
EXAMPLES = 5

PER_SECOND = ("startup", "segment")


class Second:
    """``gauges``: what was so at that time, by name and process."""

    __slots__ = ("counts", "gauges", "histograms")

    def __init__(self) -> None:
        self.counts: Counter[str] = Counter()
        self.gauges: dict[str, float] = {}
        self.histograms: dict[str, Histogram] = {}

    def merge(self, other: Second) -> None:
        self.counts.update(other.counts)
        self.gauges.update(other.gauges)
        _merge(self.histograms, other.histograms)

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "gauges": self.gauges,
            "histograms": {name: item.as_json() for name, item in self.histograms.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Second:
        made = cls()
        made.counts = Counter(data["counts"])
        made.gauges = dict(data["gauges"])
        made.histograms = _histograms(data["histograms"])
        return made


class Figures:
    """``at``: the second of the run that is being counted, in seconds since 1970; whoever owns the
    figures moves it on."""

    def __init__(self) -> None:
        self.at = 0
        self._clear()

    def _clear(self) -> None:
        self.counts: Counter[str] = Counter()
        self.histograms: dict[str, Histogram] = {}
        self.failures: Counter[str] = Counter()
        self.examples: dict[str, list[str]] = {}
        self.seconds: dict[int, Second] = {}

    def count(self, name: str, amount: float = 1) -> None:
        self.counts[name] += amount  # type: ignore[assignment]  # a Counter counts floats, too
        self.second().counts[name] += amount  # type: ignore[assignment]

    def answered(self, nbytes: int) -> None:
        """A request, as two calls of ``count`` would say it."""
        for counts in (self.counts, self.second().counts):
            counts["requests"] += 1
            counts["bytes"] += nbytes

    def observe(self, name: str, seconds: float) -> None:
        self.observe_number(name, round(seconds * 1e6))

    def observe_number(self, name: str, value: int) -> None:
        _histogram(self.histograms, name).add(value)
        if name in PER_SECOND:
            _histogram(self.second().histograms, name).add(value)

    def fail(self, what: str, kind: str, text: str) -> None:
        """``what`` was asked for: manifest, init, segment, api."""
        name = f"{what}: {kind}"
        self.failures[name] += 1
        self.second().counts["failures"] += 1
        examples = self.examples.setdefault(name, [])
        if len(examples) < EXAMPLES and text not in examples:
            examples.append(text)

    def gauge(self, name: str, value: float) -> None:
        self.second().gauges[name] = value

    def second(self) -> Second:
        found = self.seconds.get(self.at)
        if found is None:
            found = self.seconds[self.at] = Second()
        return found

    def take(self) -> dict[str, Any]:
        taken = self.as_json()
        self._clear()
        return taken

    def as_json(self) -> dict[str, Any]:
        return {
            "counts": dict(self.counts),
            "histograms": {name: item.as_json() for name, item in self.histograms.items()},
            "failures": dict(self.failures),
            "examples": self.examples,
            "seconds": {str(at): second.as_json() for at, second in self.seconds.items()},
        }

    @classmethod
    def from_json(cls, data: Mapping[str, Any]) -> Figures:
        made = cls()
        made.counts = Counter(data["counts"])
        made.histograms = _histograms(data["histograms"])
        made.failures = Counter(data["failures"])
        made.examples = {name: list(texts) for name, texts in data["examples"].items()}
        made.seconds = {int(at): Second.from_json(item) for at, item in data["seconds"].items()}
        return made

    def merge(self, other: Figures) -> None:
        self.counts.update(other.counts)
        self.failures.update(other.failures)
        _merge(self.histograms, other.histograms)
        for name, texts in other.examples.items():
            mine = self.examples.setdefault(name, [])
            mine += [text for text in texts if text not in mine][: EXAMPLES - len(mine)]
        for at, second in other.seconds.items():
            self.seconds.setdefault(at, Second()).merge(second)

    def histogram(self, name: str) -> Histogram:
        return self.histograms.get(name) or Histogram()

    def window(self, since: int, until: int) -> Figures:
        """What the seconds ``since <= at < until`` say, as far as seconds say it."""
        made = Figures()
        for at, second in self.seconds.items():
            if since <= at < until:
                made.counts.update(second.counts)
                _merge(made.histograms, second.histograms)
        made.failures["any"] = made.counts["failures"]
        return made


def _histogram(among: dict[str, Histogram], name: str) -> Histogram:
    found = among.get(name)
    if found is None:
        found = among[name] = Histogram()
    return found


def _histograms(data: Mapping[str, Any]) -> dict[str, Histogram]:
    return {name: Histogram.from_json(item) for name, item in data.items()}


def _merge(into: dict[str, Histogram], other: Mapping[str, Histogram]) -> None:
    for name, histogram in other.items():
        into.setdefault(name, Histogram()).merge(histogram)
