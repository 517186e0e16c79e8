"""``vod-origin revoke SESSION``"""

from __future__ import annotations

import argparse
import asyncio
import re
import sys
from base64 import urlsafe_b64decode
from contextlib import aclosing
from importlib.util import find_spec

from origin.auth.path_token import CHARACTERS
from origin.errors import StoreAway
from origin.settings import BadSetting, read_settings

EPILOG = """\
SESSION is the session id of a token in hex (32 digits), or a path token itself. Every worker that
has the same VOD_REDIS_URL refuses it within 5 seconds, whatever it asks for, and goes on doing so
for longer than any token lives.

  export VOD_REDIS_URL=redis://cache.example
  vod-origin revoke 00112233445566778899aabbccddeeff
  vod-origin revoke "$(vod-origin token film | tail -1)"
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "revoke",
        help="have the tokens of a session refused from now on",
        description="Have the tokens of a session refused from now on.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("session", metavar="SESSION", nargs="+", help="a session id, or a token")
    parser.set_defaults(run=revoke)


def revoke(options: argparse.Namespace) -> int:
    sessions = [session_id(text) for text in options.session]
    url = read_settings().redis_url
    if not url:
        raise BadSetting("no Redis: VOD_REDIS_URL says where sessions are kept")
    if find_spec("redis") is None:
        raise BadSetting("VOD_REDIS_URL: pip install 'vod-origin[accounts]' brings the client")
    try:
        asyncio.run(_revoke(url, sessions))
    except StoreAway as error:
        raise BadSetting(f"nothing is revoked: {error}") from error
    print(f"{len(sessions)} revoked", file=sys.stderr)
    return 0


async def _revoke(url: str, sessions: list[bytes]) -> None:
    from origin.sessions import Sessions

    store = await Sessions.open(url, patience=5.0)
    async with aclosing(store):
        for session in sessions:
            await store.revoke(session)


def session_id(text: str) -> bytes:
    """Of 32 hex digits or a path token; no message shows the token."""
    if re.fullmatch(r"[0-9A-Fa-f]{32}", text):
        return bytes.fromhex(text)
    if re.fullmatch(rf"[A-Za-z0-9_-]{{{CHARACTERS}}}", text):
        return urlsafe_b64decode(text + "=")[6:22]
    raise BadSetting("a session is 32 hex digits, or a path token")
