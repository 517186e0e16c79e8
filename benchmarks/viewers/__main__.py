"""``python -m benchmarks.viewers``: thousands of viewers in real time, ours and nginx side by side.

The whole of it, with at least 10,000 viewers for at least 5 minutes, writes its table and plot into
docs/performance.md; what is less only prints them.
"""

from __future__ import annotations

import argparse
import sys
import time
from pathlib import Path

from benchmarks.buckets import has_s3
from benchmarks.machine import describe, raise_file_limit
from benchmarks.nginx import nginx_program
from benchmarks.report import put_between_markers
from benchmarks.viewers.media import Grounds, make_media
from benchmarks.viewers.outcome import Outcome
from benchmarks.viewers.page import BEGIN, END, IMAGE, plot, table, write_json
from benchmarks.viewers.runs import COLD, FAILURES, RUNS, Load, Run, measure

ROOT = Path(__file__).parents[2]
PAGE = ROOT / "docs" / "performance.md"
VIEWERS, MINUTES = 10_000, 5.0
MOST_VIEWERS, MOST_MINUTES = 50_000, 60.0


def main() -> int:
    parser = _parser()
    options = parser.parse_args()
    if sys.platform != "linux":
        print("The viewers' bodies are drained as only Linux can.", file=sys.stderr)
        return 2
    if not 1 <= options.viewers <= MOST_VIEWERS or not 0.1 <= options.minutes <= MOST_MINUTES:
        parser.error(f"1 to {MOST_VIEWERS:,} viewers for 0.1 to {MOST_MINUTES:g} minutes")
    load = Load(options.viewers, options.minutes, options.processes)
    wanted = [run for run in RUNS if not options.scenarios or run.name in options.scenarios]
    outcomes, failures = _measure(wanted, load, options.output)
    machine = describe()
    write_json(outcomes, machine, options.output / "results.json")
    text = table(outcomes, machine, load)
    print(text)
    for failure in failures:
        print(f"viewers: {failure}", file=sys.stderr)
    if failures:
        return 1
    if len(wanted) == len(RUNS) and load.viewers >= VIEWERS and load.minutes >= MINUTES:
        put_between_markers(PAGE, f"![Start-up and CPU as bars]({IMAGE})\n\n{text}", BEGIN, END)
        (PAGE.parent / IMAGE).write_text(plot(outcomes), encoding="utf-8")
    return 0 if all(outcome.met for outcome in outcomes) else 1


def _parser() -> argparse.ArgumentParser:
    parser = argparse.ArgumentParser(prog="python -m benchmarks.viewers", description=__doc__)
    parser.add_argument(
        "--viewers", type=int, default=VIEWERS, metavar="N", help=f"at a time ({VIEWERS})"
    )
    parser.add_argument(
        "--minutes", type=float, default=MINUTES, metavar="M", help=f"once all came ({MINUTES:g})"
    )
    parser.add_argument(
        "--scenarios",
        nargs="+",
        choices=[run.name for run in RUNS],
        metavar="NAME",
        help=f"these alone: {', '.join(run.name for run in RUNS)}",
    )
    parser.add_argument("--processes", type=int, default=2, metavar="N", help="of the load (2)")
    parser.add_argument(
        "--output",
        type=Path,
        default=ROOT / "build" / "viewers",
        metavar="FOLDER",
        help="for media, logs, a report of each run, and results.json (build/viewers)",
    )
    return parser


def _measure(wanted: list[Run], load: Load, output: Path) -> tuple[list[Outcome], list[str]]:
    """What fails does not take with it what others have found."""
    begun = time.monotonic()

    def say(message: str) -> None:
        passed = int(time.monotonic() - begun)
        print(f"[{passed // 60}:{passed % 60:02}] {message}", file=sys.stderr, flush=True)

    grounds = Grounds(output / "media")
    make_media(grounds, say)
    raise_file_limit()
    if nginx_program() is None:
        say("nginx is not installed: nothing to compare with")
    outcomes: list[Outcome] = []
    failures: list[str] = []
    for run in wanted:
        if run is COLD and not has_s3():
            failures.append(f"{run.name}: aiobotocore is not installed")
            continue
        try:
            outcomes += measure(run, load, grounds, output, say)
        except FAILURES as error:
            failures.append(f"{run.name}: {error}")
    return outcomes, failures


if __name__ == "__main__":
    sys.exit(main())
