"""A PostgreSQL that is away, in short."""

from __future__ import annotations

import shutil
from pathlib import Path

import pytest

from catalog.postgres.database import CONNECTIONS
from tests.adversity.postgres_away import Way, watch
from tests.support.servers import server_folder

AWAY_SECONDS = 2.0
RECOVERY_SECONDS = 2.0


@pytest.mark.parametrize("way", ["killed", "frozen", "locked"])
async def test_what_was_seen_plays_on_and_the_rest_is_back_soon(
    films: Path, tmp_path: Path, way: Way
) -> None:
    library = tmp_path / "films"
    shutil.copytree(films, library)
    with server_folder() as folder:
        seen = await watch(folder, library, AWAY_SECONDS, way)
    assert seen.others == []
    assert seen.played
    assert seen.refused
    assert seen.held == (CONNECTIONS if way == "locked" else 0)
    assert seen.recovery < RECOVERY_SECONDS
