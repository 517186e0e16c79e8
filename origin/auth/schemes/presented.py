"""Where a visit carries a credential: everything is taken as it stands there, nothing decoded."""

from __future__ import annotations

from collections.abc import Iterator

from origin.auth.visit import Visit


def text_field(visit: Visit, name: bytes) -> str | None:
    value = visit.field(name)
    return None if value is None else value.decode("latin-1").strip(" \t")


def cookies(visit: Visit) -> dict[str, str]:
    """The first of each name."""
    found: dict[str, str] = {}
    for part in (text_field(visit, b"cookie") or "").split(";"):
        name, mark, value = part.strip(" \t").partition("=")
        if mark:
            found.setdefault(name, value)
    return found


def parameters(query: str) -> Iterator[tuple[str, str]]:
    for part in query.split("&"):
        name, _, value = part.partition("=")
        yield name, value


def parameter(query: str, wanted: str) -> str | None:
    """The first of that name."""
    return next((value for name, value in parameters(query) if name == wanted), None)


def without(query: str, names: frozenset[str]) -> str:
    return "&".join(part for part in query.split("&") if part.partition("=")[0] not in names)
