"""Which media path a request is for, if it may have it.

A token is verified once for each title; its verdict is kept under the path up to ``/v/{asset}/``
and holds until the token expires or the keys change. The oldest verdict makes room, and costs its
viewer one more verification. Refusals are not kept, so guessing pushes nobody's verdict out.
"""

from __future__ import annotations

import time
from collections import OrderedDict
from collections.abc import Callable

from origin.auth.keys import Keys
from origin.auth.path_token import CHARACTERS, PREFIX, closed, verify
from origin.errors import Refused

MOST_VERDICTS = 65_536
"""About 20 MB; a viewer of a title takes one."""
LOOK_SECONDS = 1.0

_TOKEN_AT = len(PREFIX)
_MEDIA_AT = _TOKEN_AT + CHARACTERS
_ASSET_AT = _MEDIA_AT + len("/v/")


class Gate:
    """``required``: whether media needs a token at all, or is also had at its plain path.

    ``keys`` gives the keys of now, the same object for as long as they are the same; it is asked
    once in ``LOOK_SECONDS``. ``clock``: seconds since 1970.
    """

    def __init__(
        self,
        keys: Callable[[], Keys],
        *,
        required: bool,
        clock: Callable[[], float] = time.time,
    ) -> None:
        self._current_keys = keys
        self._required = required
        self._clock = clock
        self._keys = keys()
        self._looked = clock()
        self._verdicts: OrderedDict[str, int] = OrderedDict()

    def admit(self, path: str) -> str:
        """The media path in ``path``, which begins with ``/t/`` or ``/v/``; or ``Refused``."""
        now = self._clock()
        if not self._looked <= now < self._looked + LOOK_SECONDS:  # clocks are set back, too
            self._look(now)
        scope_end = path.find("/", _ASSET_AT) + 1
        expiry = self._verdicts.get(path[:scope_end])
        if expiry is None:
            return self._decide(path, scope_end, now)
        if now >= expiry:
            raise closed()
        return path[_MEDIA_AT:]

    def _decide(self, path: str, scope_end: int, now: float) -> str:
        if not path.startswith(PREFIX):
            if self._required:
                raise Refused("Media needs a token here.")
            return path
        expiry = verify(self._keys, path[_TOKEN_AT:_MEDIA_AT], path[_MEDIA_AT:scope_end], now)
        if len(self._verdicts) >= MOST_VERDICTS:
            self._verdicts.popitem(last=False)
        self._verdicts[path[:scope_end]] = expiry
        return path[_MEDIA_AT:]

    def _look(self, now: float) -> None:
        self._looked = now
        keys = self._current_keys()
        if keys is not self._keys:
            self._keys = keys
            self._verdicts.clear()
