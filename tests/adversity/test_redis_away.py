"""A Redis that is away, in short."""

from __future__ import annotations

import pytest

from tests.adversity.redis_away import watch
from tests.origin.sessions.working import RECOVERY_SECONDS
from tests.support.servers import server_folder

AWAY_SECONDS = 2.0


@pytest.mark.parametrize("freezes", [False, True], ids=["killed", "frozen"])
async def test_viewers_are_told_and_all_is_well_soon_after(freezes: bool) -> None:
    with server_folder() as folder:
        seen = await watch(folder, AWAY_SECONDS, freezes)
    assert seen.others == []
    assert seen.let_through == 0
    assert seen.answers
    assert seen.waits
    assert seen.recovery < RECOVERY_SECONDS
