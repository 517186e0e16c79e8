"""``vod-origin serve PATH``"""

from __future__ import annotations

import argparse

from origin.app import run
from origin.settings import read_settings

EPILOG = """\
PATH is a folder. Each MP4 in it is a title, whose id is the file's name without the ending; each
folder in it is a title made of the renditions it holds (video-720p.mp4, audio-es.mp4, …) and of
.vtt and .srt subtitles beside them (subtitles.en.vtt).

  vod-origin serve films                                 on this machine, port 8080
  vod-origin serve films --host 0.0.0.0 --workers 0      for others, on all cores
  vod-origin serve films --require-token                 for those with a token (docs/tokens.md)

What there is at the address it prints:

  /                          a page that lists the titles and plays them
  /v/{id}/master.m3u8        HLS
  /v/{id}/manifest.mpd       DASH

Each option can be set in the environment instead: VOD_LIBRARY, VOD_HOST, VOD_PORT, VOD_WORKERS,
VOD_TLS_CERTIFICATE, VOD_TLS_KEY, VOD_REQUIRE_TOKEN; docs/settings.md lists the rest,
VOD_TOKEN_KEY_FILE among them.
"""


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "serve",
        help="serve a folder of MP4 files as HLS and DASH",
        description="Serve a folder of MP4 files as HLS and DASH.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("library", metavar="PATH", nargs="?", help="the library")
    parser.add_argument("--host", help="address to listen on (127.0.0.1)")
    parser.add_argument("--port", type=int, help="port; 0 takes a free one (8080)")
    parser.add_argument("--workers", type=int, help="processes; 0: one for each core (1)")
    parser.add_argument("--tls-certificate", metavar="FILE", help="serve HTTPS with this PEM file")
    parser.add_argument("--tls-key", metavar="FILE", help="and this one, its key")
    parser.add_argument(
        "--require-token",
        action="store_const",
        const=1,
        help="no media without a token, made with a key of VOD_TOKEN_KEY_FILE",
    )
    parser.set_defaults(run=serve)


def serve(options: argparse.Namespace) -> int:
    settings = read_settings(
        library=options.library,
        host=options.host,
        port=options.port,
        workers=options.workers,
        tls_certificate=options.tls_certificate,
        tls_key=options.tls_key,
        require_token=options.require_token,
    )
    return run(settings)
