"""``vod-origin token ASSET``"""

from __future__ import annotations

import argparse
import os
import secrets
import time
from datetime import UTC, datetime

from origin.auth.keys import MAKE_A_KEY
from origin.auth.path_token import MOST_SECONDS, PREFIX, SESSION_BYTES
from origin.auth.schemes import SCHEMES
from origin.settings import BadSetting, variable
from packager.address import Mpd, MultivariantPlaylist, is_asset_id

EPILOG = f"""\
Made with the first key of a file that has one on each line, ID KEY: a number from 0 to 255, and at
least 16 bytes in hex or base64url. The server reads the same file:

  {MAKE_A_KEY}
  export VOD_TOKEN_KEY_FILE=token-keys
  vod-origin serve films --require-token &
  vod-origin token film                       the paths to play, and below them the token itself
  vod-origin token film --ttl 600 | tail -1   just that, for ten minutes
  vod-origin token 'Amélie (2001)'            the id as the library has it, not percent-encoded

Other kinds of token have files of their own, VOD_CAT_KEY_FILE and so on:

  vod-origin token film --scheme cat          a Common Access Token
  vod-origin token film --scheme cloudfront   the last line is the query of a signed URL

The token opens all of one title. Where a player is given one of these paths, the rest follows by
itself, for manifests hold relative URLs only. docs/tokens.md says how your own code makes tokens.
"""

DEFAULT_SECONDS = 4 * 60 * 60


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "token",
        help="make a token that opens a title's media",
        description="Make a token that opens a title's media until it expires.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("asset", metavar="ASSET", help="the title's id")
    parser.add_argument(
        "--ttl",
        metavar="SECONDS",
        type=int,
        default=DEFAULT_SECONDS,
        help=f"how long it is to live, up to {MOST_SECONDS} ({DEFAULT_SECONDS}, four hours)",
    )
    parser.add_argument(
        "--scheme",
        choices=SCHEMES,
        default="path",
        help=f"which kind of token: {', '.join(SCHEMES)} (path)",
    )
    parser.add_argument(
        "--key-file", metavar="FILE", help="the keys (VOD_TOKEN_KEY_FILE, VOD_CAT_KEY_FILE, …)"
    )
    parser.set_defaults(run=token)


def token(options: argparse.Namespace) -> int:
    if not is_asset_id(options.asset):
        raise BadSetting(f"{options.asset!r} is no title's id")
    if not 1 <= options.ttl <= MOST_SECONDS:
        raise BadSetting(f"ttl {options.ttl} is outside 1..{MOST_SECONDS} (s)")
    scheme = SCHEMES[options.scheme](_key_file(options.scheme, options.key_file))
    hls, dash = str(MultivariantPlaylist(options.asset)), str(Mpd(options.asset))
    scope = hls[: hls.rindex("/") + 1]
    expiry = int(time.time()) + options.ttl
    made = scheme.issue(scope, expiry, secrets.token_bytes(SESSION_BYTES))
    print(f"opens {scope} until {datetime.fromtimestamp(expiry, UTC):%Y-%m-%d %H:%M:%S} UTC")
    print(f"HLS   {PREFIX}{made}{hls}")
    print(f"DASH  {PREFIX}{made}{dash}")
    print(made)
    return 0


def _key_file(scheme: str, option: str | None) -> str:
    name = variable("token_key_file" if scheme == "path" else f"{scheme}_key_file")
    path = option or os.environ.get(name)
    if not path:
        how = f"this makes one: {MAKE_A_KEY}" if scheme == "path" else "see docs/tokens.md"
        raise BadSetting(f"no file of keys: name one with --key-file or in {name}; {how}")
    return path
