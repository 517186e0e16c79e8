"""``vod-origin capacity``"""

from __future__ import annotations

import argparse
import sys
from collections.abc import Mapping
from pathlib import Path

import orjson

from loadtest.capacity import pages, simulation
from loadtest.capacity.inputs import Inputs, load, rows, shown
from loadtest.capacity.model import estimate

EPILOG = """\
From measured figures to pods, S3 requests, egress and what a month costs, for each of --viewers.
Every figure is an option and has a default: measured ones are from docs/performance.md, prices are
AWS list prices. What is yours goes into options, or into a file of TOML:

  vod-origin capacity                                      10 k, 1 M and 100 M viewers a day
  vod-origin capacity --viewers 250000 --edge-hit 0.97 --shield-hit 0.8
  vod-origin capacity --config ours.toml --output what-it-takes
  vod-origin capacity --viewers 50000 --peak-share 1 --json | jq '.estimates[0].pods'
  vod-origin capacity simulate --trace-titles 500 --output hits

ours.toml may hold any of it, under the names of the headings above and with _ for -:

  [media]
  ladder = [[600, 1], [1800, 2], [6000, 7]]
  [measured]
  cold_s_gb = 2.4

"simulate" runs viewers through LRU edges and a shield, which takes minutes, and says which hit
ratios came of it and which Che's approximation gives. docs/capacity.md has the formulas.
"""

HEADINGS = {
    "audience": "audience",
    "media": "media",
    "hits": "hits: where requests are answered",
    "measured": "measured: what the server needs",
    "pod": "pod",
    "stores": "stores: S3, Redis, PostgreSQL",
    "prices": "prices, in US dollars",
    "simulation": "simulation: with simulate only",
}
METAVARS = {"number": "N", "numbers": "N,N", "pairs": "N:N,N:N"}


def add(commands: argparse._SubParsersAction[argparse.ArgumentParser]) -> None:
    parser = commands.add_parser(
        "capacity",
        help="from an audience to pods, S3 requests and cost",
        usage="%(prog)s [simulate] [--config FILE] [--json] [--output DIR] [--QUANTITY N ...]",
        description="What an audience takes: pods, S3 requests, egress and cost a month.",
        epilog=EPILOG,
        formatter_class=argparse.RawDescriptionHelpFormatter,
    )
    parser.add_argument(
        "what", metavar="simulate", nargs="?", choices=("simulate",),
        help="hit ratios of LRU caches instead",
    )  # fmt: skip
    parser.add_argument("--config", metavar="FILE", help="TOML; options win over it")
    parser.add_argument("--json", action="store_true", help="everything as JSON instead of a table")
    parser.add_argument(
        "--output", metavar="DIR", help="write a page, its plots and JSON there, too"
    )
    groups = {name: parser.add_argument_group(title) for name, title in HEADINGS.items()}
    for row in rows(Inputs()):
        told = row.quantity
        words = f"{told.unit}: {told.meaning} ({shown(row.value)}; {told.source})"
        groups[row.table].add_argument(
            f"--{row.option}",
            metavar=METAVARS[told.shape],
            dest=f"set {row.option}",
            help=words.replace("%", "%%"),
        )
    parser.set_defaults(run=capacity)


def capacity(options: argparse.Namespace) -> int:
    given = {
        name.removeprefix("set "): value
        for name, value in vars(options).items()
        if name.startswith("set ") and value is not None
    }
    inputs = load(options.config, given)
    if options.what == "simulate":
        return _simulate(inputs, options)
    made = [estimate(inputs, viewers) for viewers in inputs.audience.viewers]
    if options.output:
        files = {
            "capacity.html": pages.page(inputs, made),
            "capacity.json": _json(pages.data(inputs, made)),
            **pages.plots(inputs, made),
        }
        _write(Path(options.output), files)
    if options.json:
        print(_json(pages.data(inputs, made)))
    else:
        for line in pages.text(inputs, made):
            print(line)
    return 0


def _simulate(inputs: Inputs, options: argparse.Namespace) -> int:
    points = list(simulation.points(inputs, lambda line: print(line, file=sys.stderr)))
    if options.output:
        files = {
            "hits.html": pages.simulated_page(inputs, points),
            "hits.json": _json(pages.simulated_data(inputs, points)),
            "hits.svg": pages.simulated_plot(points),
        }
        _write(Path(options.output), files)
    if options.json:
        print(_json(pages.simulated_data(inputs, points)))
    else:
        for line in pages.simulated_text(points):
            print(line)
    return 0


def _json(data: object) -> str:
    return orjson.dumps(data, option=orjson.OPT_INDENT_2).decode()


def _write(folder: Path, files: Mapping[str, str]) -> None:
    folder.mkdir(parents=True, exist_ok=True)
    for name, content in files.items():
        (folder / name).write_text(content, encoding="utf-8")
