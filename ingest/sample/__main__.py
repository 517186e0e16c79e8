"""``python -m ingest.sample FOLDER [--seconds N]``"""

from __future__ import annotations

import argparse
import sys
from pathlib import Path
from typing import TextIO

from ingest.sample.library import SECONDS, Progress, make_library

BAR = 40


def main(arguments: list[str] | None = None) -> int:
    parser = argparse.ArgumentParser(
        prog="python -m ingest.sample", description="Make a sample library of titles."
    )
    parser.add_argument("folder", type=Path, help="where to; must not exist yet")
    parser.add_argument(
        "--seconds",
        type=_seconds,
        default=SECONDS,
        help="length of the longest title (%(default)g)",
    )
    options = parser.parse_args(arguments)
    try:
        make_library(options.folder, _reporter(sys.stderr), seconds=options.seconds)
    except OSError as error:
        print(f"{parser.prog}: {error}", file=sys.stderr)
        return 1
    except KeyboardInterrupt:
        print("\ninterrupted; nothing was kept", file=sys.stderr)
        return 130
    return 0


def _seconds(word: str) -> float:
    seconds = float(word)
    if not 1 <= seconds <= 3600:
        raise argparse.ArgumentTypeError("between 1 and 3600")
    return seconds


def _reporter(stream: TextIO) -> Progress:
    """A bar on a terminal; elsewhere a line for each file."""

    def bar(share: float, finished: str | None) -> None:
        filled = "█" * round(BAR * share)
        end = "\n" if share > 0.9999 and finished else ""
        stream.write(f"\r  {filled:░<{BAR}} {share:4.0%}{end}")
        stream.flush()

    def lines(share: float, finished: str | None) -> None:
        if finished:
            print(f"  {share:4.0%}  {finished}", file=stream, flush=True)

    return bar if stream.isatty() else lines


if __name__ == "__main__":
    sys.exit(main())
