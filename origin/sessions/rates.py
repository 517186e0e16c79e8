"""How often somebody may do something, whichever worker they ask: GCRA, in one script.

A bucket is named after who asks for what (an address, an e-mail); Redis is told a digest of that.
"""

from __future__ import annotations

import hashlib
import math
from dataclasses import dataclass

from origin.errors import TooMany
from origin.sessions.client import Client, number, run


@dataclass(frozen=True, slots=True)
class Rate:
    """``times`` at once, and as many in each ``seconds``, evenly."""

    times: int
    seconds: float


async def allow(client: Client, bucket: str, limit: Rate) -> None:
    """``TooMany`` where it may not be now."""
    apart = max(1, round(limit.seconds * 1e6 / limit.times))
    name = hashlib.sha256(bucket.encode("utf-8", "surrogatepass")).hexdigest()[:32]
    owed = apart * (limit.times - 1)
    [wait] = await client.ask("rate", run("rate", (f"vod:rate:{name}",), apart, owed))
    if microseconds := number(wait):
        raise TooMany(math.ceil(microseconds / 1e6))
