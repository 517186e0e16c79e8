from __future__ import annotations

from collections.abc import AsyncIterator

import pytest

from embedded.process import Server
from origin.sessions import Sessions
from tests.origin.sessions.working import Workers


@pytest.fixture
async def workers() -> AsyncIterator[Workers]:
    async with Workers() as opened:
        yield opened


@pytest.fixture
async def sessions(workers: Workers, valkey: Server) -> Sessions:
    return await workers.open(valkey.url)
