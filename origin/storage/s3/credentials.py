"""Whose requests these are: found as every AWS tool finds them, renewed while they are used.

botocore looks in the environment, in profiles, for a web identity (IRSA), a container's (Pod
Identity, ECS) and a machine's role, and renews what expires 15 minutes ahead. It is asked again
each ``FRESH`` seconds, in the background, while requests go on with what there is. Credentials that
S3 refuses are looked for anew: a profile's file may have been rewritten.
"""

from __future__ import annotations

import asyncio
import logging
import math
import time
from collections.abc import Awaitable, Callable
from importlib import import_module
from typing import Any

from origin.errors import StorageError
from origin.storage.s3.sigv4 import Credentials

log = logging.getLogger(__name__)

Load = Callable[[bool], Awaitable[Credentials]]
"""Gives what to use now; with True it looks for it from the beginning. ``StorageError``: nothing is
found."""

FRESH = 60.0
USABLE = 300.0
"""Seconds for which what was found is used without another look: botocore gives out nothing that
ends within ten minutes, if it can help it."""
SEARCH_SECONDS = 5.0
"""Between two looks for others, if what is found is refused."""


class CredentialSource:
    def __init__(self, load: Load, clock: Callable[[], float] = time.monotonic) -> None:
        self._load = load
        self._clock = clock
        self._current: Credentials | None = None
        self._looked = 0.0
        self._anew = False
        self._searched = -math.inf
        self._loading: asyncio.Task[Credentials] | None = None

    async def get(self) -> Credentials:
        age = self._clock() - self._looked
        if self._current is None or age > USABLE or self._anew:
            loading = self._look()
            await asyncio.wait((loading,))  # unlike awaiting it, leaves it alone when cancelled
            return loading.result()
        if age > FRESH:
            self._look()
        return self._current

    def refused(self, credentials: Credentials) -> bool:
        """Whether it is worth asking once more, with others."""
        if credentials == self._current and not self._anew:
            self._anew = self._clock() - self._searched >= SEARCH_SECONDS
            return self._anew
        return True

    async def aclose(self) -> None:
        if self._loading is not None:
            self._loading.cancel()
            await asyncio.wait((self._loading,))

    def _look(self) -> asyncio.Task[Credentials]:
        if self._loading is None:
            self._loading = asyncio.ensure_future(self._renew(self._anew))
            self._loading.add_done_callback(_tell)
        return self._loading

    async def _renew(self, anew: bool) -> Credentials:
        try:
            if anew:
                self._searched = self._clock()
            self._current = await self._load(anew)
            self._anew = False
            return self._current
        finally:
            self._looked = self._clock()
            self._loading = None


def _tell(loading: asyncio.Task[Credentials]) -> None:
    """Of a failure, even if nobody waits for it."""
    if not loading.cancelled() and (error := loading.exception()) is not None:
        log.warning("no credentials for S3: %s", error.__cause__ or error)


def from_aws() -> CredentialSource:
    """botocore's own chain."""
    found: Any = None

    async def load(anew: bool) -> Credentials:
        nonlocal found
        try:
            if found is None or anew:
                session = await asyncio.to_thread(import_module, "aiobotocore.session")
                found = await session.AioSession().get_credentials()
            frozen = await found.get_frozen_credentials() if found else None
        except Exception as error:  # of botocore, of aiohttp, of files: whatever the chain meets
            raise StorageError("the credentials for S3 cannot be had") from error
        if frozen is None:
            raise StorageError("S3 wants credentials, and there are none")
        return Credentials(frozen.access_key, frozen.secret_key, frozen.token)

    return CredentialSource(load)
