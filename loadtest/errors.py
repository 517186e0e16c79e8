"""What can be wrong with what was asked for, and what can be wrong with an answer."""

from __future__ import annotations


class LoadTestError(Exception):
    """The run cannot begin, or what came of it cannot be read: said in one line, to be mended."""


class BadScenario(LoadTestError):
    """A scenario, named with the place in it."""


class BadThreshold(LoadTestError):
    """An expression of ``--assert``."""


class BadResults(LoadTestError):
    """A file of results that is none, or is of another version."""


class Failure(Exception):
    """A request that did not give what a player needs. ``kind`` is one of a fixed few words, and is
    what failures are counted by; the text says more."""

    KINDS = (
        "connect",
        "timeout",
        "closed",
        "head",
        "status",
        "length",
        "truncated",
        "etag",
        "digest",
        "boxes",
        "manifest",
        "unsupported",
    )

    def __init__(self, kind: str, text: str) -> None:
        assert kind in self.KINDS
        super().__init__(text)
        self.kind = kind
