"""``vod-origin loadtest URL``"""

from __future__ import annotations

import argparse
import sys
from dataclasses import dataclass
from pathlib import Path

from loadtest import runner
from loadtest.compare import compare
from loadtest.errors import LoadTestError
from loadtest.results import read
from loadtest.settings import Settings

EPILOG = """\
Viewers behave like players, and say how long they waited. URL is a server with a library like ours,
or the manifest of one title, so that any HLS or DASH server will do. It needs
pip install 'vod-origin[loadtest]'.

  vod-origin loadtest http://127.0.0.1:8080 --scenario smoke --output first
  vod-origin loadtest http://127.0.0.1:8080 --scenario premiere --output out \\
      --assert 'startup.p99<2s' --assert 'failures.count==0'
  vod-origin loadtest https://example.com/film/master.m3u8 --scenario steady --viewers 200
  vod-origin loadtest compare first out

Scenarios: smoke, steady, premiere, ramp, soak, cold, or a file of your own (x.toml). In the
output's folder are report.html, results.json and the log. Exit status: 0 if all thresholds are met,
1 if one is not, 2 if the run could not be. docs/loadtest.md says more.
"""

OUTPUT = "loadtest-results"


@dataclass(frozen=True, slots=True)
class _Option:
    name: str
    metavar: str
    help: str


OPTIONS = (
    _Option("viewers", "N", "instead of the scenario's"),
    _Option("join", "SECONDS", "over which they come, instead of the scenario's"),
    _Option("hold", "SECONDS", "for which they stay, instead of the scenario's"),
    _Option("format", "FORMAT", "hls, dash or mixed, instead of the scenario's"),
    _Option("titles", "FILE", "manifests, one a line: paths or URLs"),
    _Option("token-key-file", "FILE", "make each viewer a path token with its first key"),
    _Option("token-command", "COMMAND", "or ask this, {} being the title, for a path token"),
    _Option("accounts", "FILE", "sign in, with EMAIL PASSWORD on each line in turn"),
    _Option("metrics", "URL", "of the server, or off (URL/metrics)"),
    _Option("server-pid", "PID", "measure that process and its children on this machine"),
)


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "loadtest",
        help="let thousands of viewers play from a server, and say how it went",
        description="Load an HLS or DASH server with viewers that behave like players.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument("target", metavar="URL", nargs="+", help="or: compare A B")
    parser.add_argument("--scenario", metavar="NAME", default="smoke", help="(smoke)")
    parser.add_argument("--output", metavar="DIR", default=OUTPUT, help=f"({OUTPUT})")
    parser.add_argument(
        "--assert", metavar="EXPR", dest="asserts", action="append", default=[],
        help="a threshold, instead of the scenario's; may be repeated",
    )  # fmt: skip
    parser.add_argument(
        "--processes", metavar="N", type=int, default=1, help="of the load, on this machine (1)"
    )
    for option in OPTIONS:
        parser.add_argument(f"--{option.name}", metavar=option.metavar, help=option.help)
    parser.set_defaults(run=loadtest)


def loadtest(options: argparse.Namespace) -> int:
    if options.target[0] == "compare":
        return _compare(options.target[1:])
    if len(options.target) != 1:
        raise LoadTestError("one URL is wanted, or: compare A B")
    if not 1 <= options.processes <= 64:
        raise LoadTestError(f"processes {options.processes} is outside 1..64")
    names = [option.name.replace("-", "_") for option in OPTIONS]
    wanted = Settings(
        url=options.target[0],
        scenario=options.scenario,
        output=options.output,
        asserts="\n".join(options.asserts),
        **{name: getattr(options, name) or "" for name in names},
    )
    return runner.run(wanted, options.processes, sys.stdout)


def _compare(paths: list[str]) -> int:
    if len(paths) != 2:
        raise LoadTestError("compare wants two folders with results")
    before, after = (read(Path(path)) for path in paths)
    for line in compare(before, after):
        print(line)
    return 0
