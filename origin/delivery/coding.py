"""Which content coding a request would rather have (RFC 9110 section 12.5.3): gzip or none."""

from __future__ import annotations

from functools import lru_cache


@lru_cache(maxsize=512)
def prefers_gzip(accept_encoding: bytes) -> bool:
    """Whether gzip is named, or meant by ``*``, with a weight no lower than identity's."""
    weights: dict[bytes, float] = {}
    for element in accept_encoding.lower().split(b","):
        coding, _, parameter = element.partition(b";")
        weights[coding.strip()] = _weight(parameter)
    gzip = weights.get(b"gzip", weights.get(b"x-gzip", weights.get(b"*", 0.0)))
    return gzip > 0 and gzip >= weights.get(b"identity", 0.0)


def _weight(parameter: bytes) -> float:
    name, _, value = parameter.strip().partition(b"=")
    if name.strip() != b"q":
        return 1.0
    try:
        return float(value)
    except ValueError:
        return 0.0
