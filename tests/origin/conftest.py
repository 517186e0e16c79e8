from __future__ import annotations

import pytest

from packager.movie import Reader, index_movie


@pytest.fixture
def indexed(monkeypatch: pytest.MonkeyPatch) -> list[str]:
    """The files that are read to be indexed, as it happens."""
    done: list[str] = []

    def counted(source: str, version: str, size: int) -> Reader:
        done.append(source)
        return index_movie(source, version, size)

    monkeypatch.setattr("origin.titles.index_movie", counted)
    return done
