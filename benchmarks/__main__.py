"""``python -m benchmarks``: measure, and write what was measured.

A full run writes the tables and the plot of docs/performance.md; a quick one is for those who
change the code, and only prints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator
from pathlib import Path

from benchmarks.buckets import has_s3
from benchmarks.certificates import has_openssl
from benchmarks.contests import BadPeer, Ground, peer
from benchmarks.effort import FULL, QUICK
from benchmarks.findings import Findings
from benchmarks.library import make_library
from benchmarks.load import has_wrk
from benchmarks.machine import cores, describe, raise_file_limit
from benchmarks.nginx import nginx_program
from benchmarks.parts import NAMES, Run, plan, run_parts
from benchmarks.plot import plot
from benchmarks.progress import Progress
from benchmarks.report import Results, put_between_markers, tables, write_json

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"


def main() -> int:
    options = _parser().parse_args()
    if sys.platform != "linux":
        print("The benchmarks read /proc and drain sockets as only Linux can.", file=sys.stderr)
        return 2
    try:
        results = measure(options)
    except BadPeer as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 2
    write_json(results, options.output / "results.json")
    print(tables(results))
    for failure in results.findings.failures:
        print(f"benchmarks: {failure}", file=sys.stderr)
    if results.findings.failures:
        return 1
    if not options.quick and not options.only and options.peer is None:
        put_between_markers(PAGE, tables(results))
        PLOT.parent.mkdir(parents=True, exist_ok=True)
        PLOT.write_text(plot(results.findings), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument(
        "--quick",
        action="store_true",
        help="about a minute, less certain, and TLS, tokens, telemetry and workers only if named",
    )
    parser.add_argument(
        "--only",
        action="append",
        default=[],
        choices=NAMES,
        metavar="NAME",
        help=f"this part alone; may be repeated: {', '.join(NAMES)}",
    )
    parser.add_argument(
        "--peer",
        metavar="URL",
        help="one more server, by http, with the same bodies at the same paths below this",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "build" / "bench",
        metavar="FOLDER",
        help="for the library, logs and results.json (build/bench)",
    )
    return parser


def measure(options: argparse.Namespace) -> Results:
    if options.peer is not None:
        with peer(options.peer):  # a URL that cannot be used is an error before anything is made
            pass
    media = options.output / "media"
    ground = Ground(media / "library", media / "static", options.output, options.peer)
    ground.static.mkdir(parents=True, exist_ok=True)
    make_library(ground.library, lambda message: print(message, file=sys.stderr, flush=True))
    raise_file_limit()
    effort = QUICK if options.quick else FULL
    names = plan(effort, options.only, quick=options.quick)
    progress = Progress(names)
    found = Findings(notes=list(notes())) + run_parts(Run(ground, effort, progress), names)
    progress.end()
    return Results(describe(), effort, found, progress.seconds)


def notes() -> Iterator[str]:
    if nginx_program() is None:
        yield "nginx is not installed: nothing to compare with."
    if not has_wrk():
        yield "wrk is not installed: small answers were asked for by a slower client."
    if not has_wrk() or not has_openssl():
        yield "TLS takes wrk and openssl."
    if not has_s3():
        yield "aiobotocore is not installed: nothing was read from S3."
    elif nginx_program() is None:
        yield "what comes from S3 was not measured beside others: nginx would be the S3."
    if len(set(cores())) == 1:
        yield "One core for server and client together: they take each other's time."


if __name__ == "__main__":
    sys.exit(main())
