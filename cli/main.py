"""``vod-origin``: one parser, one module a command.

A command module has ``add(commands)``, which describes it to argparse and names the function to
run. Errors a user can mend end the command with one line and status 2.
"""

from __future__ import annotations

import argparse
import io
import os
import sys
from importlib.metadata import version

from cli import (
    capacity,
    catalogue,
    check,
    demo,
    index,
    inspect,
    loadtest,
    migrate,
    restore,
    revoke,
    serve,
    token,
)
from loadtest.errors import LoadTestError
from origin.errors import StorageError
from origin.native import NATIVE
from origin.settings import BadSetting
from packager.errors import PackagerError

COMMANDS = (
    *(serve, demo, inspect, check, index, restore, token, revoke),
    *(migrate, catalogue, loadtest, capacity),
)


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="vod-origin",
        description="An origin server for video on demand: MP4 files become HLS and DASH.",
        epilog="Start with:  vod-origin serve FOLDER   and open the address it prints.",
    )
    parser.add_argument("--version", action="version", version=_version())
    commands = parser.add_subparsers(title="commands", metavar="COMMAND", required=True)
    for command in COMMANDS:
        command.add(commands)
    options = parser.parse_args(arguments)
    if isinstance(sys.stdout, io.TextIOWrapper):
        sys.stdout.reconfigure(errors="backslashreplace")  # file names need not be text
    try:
        status: int = options.run(options)
        sys.stdout.flush()
    except BrokenPipeError:  # the reader of our output has seen enough
        os.dup2(os.open(os.devnull, os.O_WRONLY), sys.stdout.fileno())  # for what is left of it
        return 0
    except KeyboardInterrupt:
        return 130
    except (PackagerError, StorageError, BadSetting, LoadTestError, OSError) as error:
        print(f"vod-origin: {error}", file=sys.stderr)
        return 2
    return status


def _version() -> str:
    return f"vod-origin {version('vod-origin')} ({'hot path compiled' if NATIVE else 'all Python'})"


if __name__ == "__main__":
    sys.exit(main())
