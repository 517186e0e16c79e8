from __future__ import annotations

from collections.abc import Callable
from functools import cache
from pathlib import Path

import pytest

from tests.oracles.inputs import RECIPES, cook
from tests.support.shared_media import read_shared

Film = Callable[[str], Path]


@pytest.fixture(scope="session")
def film(tmp_path_factory: pytest.TempPathFactory) -> Film:
    """The file of that name: of a recipe, made the first time it is asked for, or a shared one."""
    folder = tmp_path_factory.mktemp("films")

    @cache
    def made(name: str) -> Path:
        path = folder / f"{name}.film.mp4"
        path.write_bytes(cook(name, folder) if name in RECIPES else read_shared(name))
        return path

    return made
