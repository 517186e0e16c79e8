"""``python -m benchmarks``: measure, and write what was measured.

A full run writes the table and the plot of docs/performance.md; a quick one is for those who
change the code, and only prints.
"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Iterator, Sequence
from contextlib import ExitStack
from pathlib import Path

from benchmarks.drain import LoadError
from benchmarks.library import make_library
from benchmarks.load import has_wrk
from benchmarks.machine import cores, describe
from benchmarks.micro import Timing, measure, micros
from benchmarks.report import Outcome, Results, plot, put_between_markers, table, write_json
from benchmarks.rounds import FULL, QUICK, Effort, Target, alternate
from benchmarks.servers import Server, ServerFailed, nginx, nginx_program, vod_origin
from benchmarks.targets import WrongAnswer, check_same, copy, find_paths, reading
from benchmarks.workloads import WORKLOADS, Workload

ROOT = Path(__file__).parents[1]
PAGE = ROOT / "docs" / "performance.md"
PLOT = ROOT / "docs" / "images" / "performance.svg"


def main() -> int:
    options = _parser().parse_args()
    if sys.platform != "linux":
        print("The benchmarks read /proc and drain sockets as only Linux can.", file=sys.stderr)
        return 2
    try:
        results = run(options.output, QUICK if options.quick else FULL, options.only)
    except (LoadError, ServerFailed, WrongAnswer) as error:
        print(f"benchmarks: {error}", file=sys.stderr)
        return 1
    write_json(results, options.output / "results.json")
    print(table(results))
    if not options.quick and not options.only:
        put_between_markers(PAGE, table(results))
        PLOT.parent.mkdir(parents=True, exist_ok=True)
        PLOT.write_text(plot(results.outcomes), encoding="utf-8")
    return 0


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks", description=__doc__)
    parser.add_argument("--quick", action="store_true", help="under a minute, less certain")
    parser.add_argument(
        "--only",
        action="append",
        choices=["micro", *(workload.name for workload in WORKLOADS)],
        help="this part alone; may be repeated",
    )
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "build" / "bench",
        metavar="FOLDER",
        help="for the library, logs and results.json (build/bench)",
    )
    return parser


def run(folder: Path, effort: Effort, only: Sequence[str] | None) -> Results:
    library = folder / "media" / "library"
    make_library(library, say)
    chosen = [w for w in WORKLOADS if not only or w.name in only]
    timings = time_micros(library, effort) if not only or "micro" in only else []
    machine, outcomes = run_macros(folder, library, chosen, effort) if chosen else ({}, [])
    return Results({**describe(), **machine}, effort, timings, outcomes, list(notes()))


def notes() -> Iterator[str]:
    if nginx_program() is None:
        yield "nginx is not installed: nothing to compare with."
    if not has_wrk():
        yield "wrk is not installed: playlists were asked for by a slower client."
    if len(set(cores())) == 1:
        yield "One core for server and client together: they take each other's time."


def time_micros(library: Path, effort: Effort) -> list[Timing]:
    timings = []
    for micro in micros(library):
        timing = measure(micro, effort.micro)
        say(f"{timing.meaning}: {timing.milliseconds:.3g} ms")
        timings.append(timing)
    return timings


def run_macros(
    folder: Path, library: Path, workloads: Sequence[Workload], effort: Effort
) -> tuple[dict[str, str], list[Outcome]]:
    """Versions of the servers by name, and an outcome a workload."""
    static = folder / "media" / "static"
    static.mkdir(parents=True, exist_ok=True)
    with ExitStack() as stack:
        servers = [stack.enter_context(vod_origin(library, folder))]
        if nginx_program() is not None:
            servers.append(stack.enter_context(nginx(static, folder)))
        targets = [prepare(workload, servers, static) for workload in workloads]
        outcomes = [Outcome(t, alternate(t, servers, effort, say)) for t in targets]
    return {server.name: server.version for server in servers}, outcomes


def prepare(workload: Workload, servers: Sequence[Server], static: Path) -> Target:
    """Lay the files out, see that all servers answer with the same bytes, and warm them up."""
    say(f"{workload.name}: laying out and comparing bodies")
    with ExitStack() as stack:
        ours, *others = [stack.enter_context(reading(server)) for server in servers]
        paths = find_paths(workload, ours)
        copy(paths, ours, static)
        sizes = [check_same(paths, ours, reader) for reader in others or [ours]]
    return Target(workload, paths, sizes[0])


def say(message: str) -> None:
    print(message, file=sys.stderr, flush=True)


if __name__ == "__main__":
    sys.exit(main())
