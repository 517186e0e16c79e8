"""A library is imported on the command line, and a server plays what the catalogue says."""

from __future__ import annotations

import json
import shutil
from collections.abc import Iterator
from pathlib import Path

import pytest

from catalog.postgres.database import Database
from embedded.postgres import start_postgres
from embedded.process import Server
from tests.cli.running import serving
from tests.cli.test_revoke import command
from tests.support.films import SECONDS
from tests.support.servers import server_folder


@pytest.fixture
def own_postgres() -> Iterator[Server]:
    """One that a test may stop."""
    with server_folder() as folder, start_postgres(folder / "postgres", "-F") as server:
        yield server


@pytest.fixture
def library(films: Path, tmp_path: Path) -> Path:
    folder = tmp_path / "films"
    shutil.copytree(films, folder)
    told = {"names": {"en": "City", "es": "Ciudad"}, "genres": ["drama"], "year": 2025}
    (folder / "city" / "title.json").write_text(json.dumps(told))
    series = {"kind": "series", "names": {"en": "Nights"}}
    episode = {"kind": "episode", "series": "nights", "season": 1, "episode": 1}
    (folder / "library.json").write_text(
        json.dumps({"titles": {"nights": series, "film": episode}})
    )
    return folder


def test_what_is_imported_plays_also_while_the_database_is_away(
    own_postgres: Server, library: Path
) -> None:
    database = {"VOD_DATABASE_URL": own_postgres.url}
    early = command("catalogue", "import", str(library), **database)
    assert (early.returncode, "vod-origin migrate" in early.stderr) == (2, True)
    assert command("migrate", **database).returncode == 0
    done = command("catalogue", "import", str(library), **database)
    assert (done.returncode, done.stdout) == (0, "")
    shutil.copy(library / "film.mp4", library / "later.mp4")
    with serving(library, **database) as server:
        status, master = server.get("/v/film/master.m3u8")
        assert status == 200
        assert server.get("/v/later/master.m3u8")[0] == 404  # until it is imported
        own_postgres.stop()
        for _ in range(20):
            assert server.get("/v/film/master.m3u8") == (200, master)
        assert server.get("/v/city/master.m3u8")[0] == 503


async def test_what_is_told_of_a_title_is_kept(postgres: Server, library: Path) -> None:
    """Of one in a folder too, whose file has the title's name."""
    (library / "same").mkdir()
    shutil.copy(library / "film.mp4", library / "same" / "same.mp4")
    told = {"names": {"en": "The same"}, "artwork": {"poster": "poster.jpg"}}
    (library / "same" / "title.json").write_text(json.dumps(told))
    database = {"VOD_DATABASE_URL": postgres.url}
    for command_line in (["migrate"], ["catalogue", "import", str(library)]):
        assert command(*command_line, **database).returncode == 0
    opened = await Database.open(postgres.url)
    city, same, film = [
        await opened.titles.get(asset_id, None) for asset_id in ("city", "same", "film")
    ]
    await opened.aclose()
    assert (city.names, city.genres, city.year) == (
        {"en": "City", "es": "Ciudad"},
        ("drama",),
        2025,
    )
    assert (same.names, same.artwork) == ({"en": "The same"}, {"poster": "same/poster.jpg"})
    assert (film.kind, film.series, film.episode) == ("episode", "nights", 1)


async def test_what_is_not_told_is_read_from_the_media(postgres: Server, library: Path) -> None:
    told = {"subtitles": ["fr"], "duration_seconds": 20}
    (library / "uneven" / "title.json").write_text(json.dumps(told))
    database = {"VOD_DATABASE_URL": postgres.url}
    assert command("migrate", **database).returncode == 0
    done = command("catalogue", "import", str(library), **database)
    assert done.returncode == 0
    complaint, count, _ = done.stderr.splitlines()
    assert complaint.startswith("broken: imported without its length and languages: box size")
    assert count == "titles whose media cannot be read: 1"
    opened = await Database.open(postgres.url)
    found = {
        title.id: (title.duration_seconds, title.languages, title.subtitles)
        for title in await opened.titles.many(["city", "uneven", "broken"], None)
    }
    await opened.aclose()
    assert found == {
        "city": (pytest.approx(SECONDS, abs=0.1), ("en", "es"), ("en", "es")),
        "uneven": (20, ("en",), ("fr",)),
        "broken": (None, (), ()),
    }


@pytest.mark.parametrize(
    ("told", "complaint"),
    [
        ("[", "title.json: not JSON"),
        ("[]", "title.json: not an object"),
        ('{"names": "City"}', "'names' is not known, or not of its form"),
        ('{"year": "2025"}', "'year' is not known"),
        ('{"year": true}', "'year' is not known"),
        ('{"duration_seconds": 0}', "'duration_seconds' is not known"),
        ('{"kind": "opera"}', "'kind' is not known"),
        ('{"stars": 5}', "'stars' is not known"),
    ],
)
def test_what_is_told_badly_is_said(
    postgres: Server, library: Path, told: str, complaint: str
) -> None:
    (library / "city" / "title.json").write_text(told)
    done = command("catalogue", "import", str(library), VOD_DATABASE_URL=postgres.url)
    assert done.returncode == 2
    assert complaint in done.stderr
