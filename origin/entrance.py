"""What a request for media goes through.

    gate -> session, where one is asked for -> origin, and what the player says of itself is noted

All that is at hand is answered at once; a session has to be awaited, and so has what is not built.
"""

from __future__ import annotations

from collections.abc import Awaitable

from origin.auth.gate import Admission, Gate
from origin.auth.session import SessionCheck
from origin.cmcd.inbox import Inbox
from origin.delivery.request import Request
from origin.delivery.resource import Resource
from origin.delivery.site import Handler
from origin.service import Origin


def entrance(
    origin: Origin, inbox: Inbox, gate: Gate | None = None, check: SessionCheck | None = None
) -> Handler:
    """``gate``: None where media is open to all; ``check``: None where there are no sessions."""
    if gate is None:
        return _open(origin, inbox)
    admit, resolve, note = gate.admit, origin.resolve, inbox.note

    def answer(request: Request) -> Resource | Awaitable[Resource]:
        admission = admit(request)
        note(request)
        path, lines, session = admission
        if lines or (check is not None and session is not None and check.asks_for(path)):
            return _for_one(origin, admission, check)
        return resolve(path)

    return answer


def _open(origin: Origin, inbox: Inbox) -> Handler:
    def answer(request: Request) -> Resource | Awaitable[Resource]:
        inbox.note(request)
        return origin.resolve(request.path)

    return answer


async def _for_one(origin: Origin, admission: Admission, check: SessionCheck | None) -> Resource:
    path, lines, session = admission
    if check is not None and session is not None and check.asks_for(path):
        await check.require(session)
    found = origin.resolve(path)
    resource = found if isinstance(found, Resource) else await found
    return resource.for_one(lines) if lines else resource
