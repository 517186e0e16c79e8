"""Sessions in Redis or Valkey, shared by all workers of all nodes.

store.py       all of a worker's, joined; what the rest of the server asks
playback.py    who plays what, and how many at once
logins.py      who is signed in
rates.py       how often somebody may do something
notices.py     what all workers are to know: revocations, purges
client.py      many questions in one round trip, none waited for
kept.py        copies that are believed for a while
*.lua          what has to happen at once, in Redis, by Redis' clock
"""

from __future__ import annotations

from origin.sessions.logins import Login
from origin.sessions.playback import Playback, bind
from origin.sessions.rates import Rate
from origin.sessions.store import Grace, Sessions

__all__ = ["Grace", "Login", "Playback", "Rate", "Sessions", "bind"]
