"""What the API is made of: one worker's, handed to each of its groups of routes."""

from __future__ import annotations

from collections.abc import Callable
from dataclasses import dataclass

from catalog.postgres.database import Database
from origin.auth.keys import Keys
from origin.control.api.callers import Callers
from origin.control.api.memory import Memory
from origin.control.api.passwords import Passwords
from origin.control.api.progress import ProgressWriter
from origin.service import Origin
from origin.sessions import Sessions
from origin.storage import Storage


@dataclass(frozen=True, slots=True)
class Parts:
    """``keys``: of the tokens in manifest URLs, as they are now; None where media is open."""

    database: Database
    sessions: Sessions
    origin: Origin
    storage: Storage
    keys: Callable[[], Keys] | None
    callers: Callers
    passwords: Passwords
    progress: ProgressWriter
    memory: Memory
