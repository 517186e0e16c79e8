"""What several groups of routes ask of the database: as it is, or was before that went away."""

from __future__ import annotations

from collections.abc import Hashable, Iterator, Mapping, Sequence

from catalog.postgres.records import Audience, Profile, Progress, Title
from origin.control.api.parts import Parts
from origin.sessions import Login

RECENT_SECONDS = 60.0


async def profile_of(parts: Parts, login: Login, profile: str) -> Profile:
    """``NoSuchRow`` where it is not the account's."""
    asking = parts.database.people.profile(login.account, profile)
    return await parts.memory.ask(("profile", login.account, profile), asking)


async def title_of(parts: Parts, title: str, audience: Audience) -> Title:
    """``NoSuchRow`` where the audience may not find it."""
    asking = parts.database.titles.get(title, audience)
    return await parts.memory.ask(_title_key(title, audience), asking)


async def recent_title(parts: Parts, title: str, audience: Audience) -> Title:
    """As it was within the last minute; ``NoSuchRow`` as above."""
    return await parts.memory.recent(
        _title_key(title, audience),
        RECENT_SECONDS,
        lambda: parts.database.titles.get(title, audience),
    )


async def entitled(parts: Parts, plan: str, title: str) -> bool:
    asking = parts.database.people.entitled(plan, title)
    return await parts.memory.ask(("entitled", plan, title), asking)


async def standing(parts: Parts, profile: str, titles: Sequence[str]) -> dict[str, Progress]:
    """Where the profile stands in those of the titles that it began."""
    key = ("progress", profile, *titles)
    written = await parts.memory.ask(key, parts.database.viewing.progress(profile, titles))
    return written | {one.title: one for one in _waiting(parts, profile, titles, written)}


def _waiting(
    parts: Parts, profile: str, titles: Sequence[str], written: Mapping[str, Progress]
) -> Iterator[Progress]:
    """What this worker has not written yet, unless another has written later ones."""
    for title in titles:
        waits, known = parts.progress.waiting(profile, title), written.get(title)
        if waits is not None and (known is None or known.updated <= waits.updated):
            yield waits


def _title_key(title: str, audience: Audience) -> Hashable:
    return "title", title, audience.country, audience.maturities
