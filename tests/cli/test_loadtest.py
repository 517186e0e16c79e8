"""``vod-origin loadtest`` as a process, against a real worker. Loads are small and short."""

from __future__ import annotations

import json
import re
import subprocess
import sys
from collections.abc import Iterator
from pathlib import Path
from urllib.request import urlopen

import pytest

from loadtest.results import Results, read
from tests.cli.running import ROOT, Running, serving
from tests.loadtest.relay import slowed

pytestmark = pytest.mark.timeout(180)


@pytest.fixture(scope="module")
def server(films: Path) -> Iterator[Running]:
    with serving(films) as running:
        yield running


def loadtest(*arguments: str | Path) -> tuple[int, str, str]:
    """Exit status, and what was said on both outputs."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", "loadtest", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=150,
    )
    return done.returncode, done.stdout, done.stderr


PLAYS = ("--assert", "starts.count>=4", "--assert", "failures.count==0")


def test_the_smoke_scenario_plays_a_library(server: Running, tmp_path: Path) -> None:
    status, said, errors = loadtest(
        server.address, "--scenario", "smoke", "--hold", "4", "--output", tmp_path, *PLAYS,
        "--assert", "failed_starts.count==0", "--server-pid", str(server.process.pid),
    )  # fmt: skip
    assert (status, errors) == (0, ""), said
    results = read(tmp_path)
    figures = results.figures
    assert figures.counts["starts"] >= 4
    assert figures.histogram("startup").count == figures.counts["starts"]
    assert figures.counts["verified"] > figures.counts["starts"]
    assert figures.counts["play_seconds"] > 4
    assert results.headlines["viewers.max"] == 10
    names = {name for second in figures.seconds.values() for name in second.gauges}
    assert {"server:cpu", "server:memory", "server:requests"} <= names
    page = (tmp_path / "report.html").read_text(encoding="utf-8")
    assert not re.search(r'(?:src|href)="|url\(|@import', page)
    assert page.count("<svg") >= 8
    assert "start-up, p99" in said


def test_it_fails_where_the_server_is_slow(server: Running, tmp_path: Path) -> None:
    """A multivariant playlist, media playlists, inits and segments: each of them 0.7 s late."""
    with slowed(server.port, 0.7) as url:
        status, said, errors = loadtest(
            url, "--viewers", "4", "--join", "1", "--hold", "7", "--format", "hls",
            "--output", tmp_path, "--metrics", "off",
            "--assert", "startup.p99<2s", "--assert", "failures.count==0",
        )  # fmt: skip
    assert (status, errors) == (1, ""), said
    met = {verdict.text: verdict.met for verdict in read(tmp_path).verdicts}
    assert met == {"startup.p99<2s": False, "failures.count==0": True}
    assert "FAILED startup.p99<2s" in said


def test_a_master_and_two_workers_count_as_one(server: Running, tmp_path: Path) -> None:
    status, said, errors = loadtest(
        server.address, "--viewers", "12", "--join", "2", "--hold", "5", "--processes", "2",
        "--output", tmp_path, *PLAYS,
    )  # fmt: skip
    assert (status, errors) == (0, ""), said
    results = read(tmp_path)
    assert results.notes == ()
    processes = loads(results)
    assert len(processes) == 2
    assert results.headlines["viewers.max"] == 12
    figures = results.figures
    assert figures.counts["starts"] == figures.histogram("startup").count
    assert figures.counts["sessions"] == sum(
        figures.counts[name] for name in ("starts", "failed_starts", "unfinished_starts")
    )


def loads(results: Results) -> set[str]:
    names = {name for second in results.figures.seconds.values() for name in second.gauges}
    return {name for name in names if name.startswith("cpu:")}


@pytest.mark.parametrize("processes", ["1", "2"])
def test_the_server_learns_of_start_up_what_viewers_measured(
    films: Path, tmp_path: Path, processes: str
) -> None:
    """Through a relay that keeps each answer back for 0.1 s, so that starts take some time."""
    with serving(films) as server, slowed(server.port, 0.1) as url:
        status, said, errors = loadtest(
            url, "--viewers", "30", "--join", "3", "--hold", "6", "--processes", processes,
            "--metrics", f"{server.address}metrics", "--output", tmp_path,
            "--assert", "told_startup.gap<50ms", "--assert", "failures.count==0",
        )  # fmt: skip
        told = json.loads(urlopen(f"{server.address}api/qoe", timeout=10).read())
    assert (status, errors) == (0, ""), said
    results = read(tmp_path)
    measured = results.figures.histogram("startup")
    starts = results.figures.counts["starts"]
    assert starts >= 30
    assert told["startup"]["player"]["count"] == starts
    assert told["startup"]["estimated"]["count"] == 0
    # A report is in whole milliseconds: none is further off than half of one.
    total = told["startup"]["player"]["mean"] * starts
    assert total == pytest.approx(measured.total / 1e6, abs=0.0005 * starts + 1e-6)
    assert total > 0.4 * starts
    assert results.headlines["told_startup.count"] == starts
    assert told["sessions"]["started"] == starts
    # Everyone said that they left, and how long they had played by then.
    assert told["sessions"]["active"] == 0
    played = results.figures.counts["play_seconds"]
    assert told["rebuffer"]["play_seconds"] == pytest.approx(played, rel=0.1)


def test_a_ramp_ends_where_it_is_no_longer_good(server: Running, tmp_path: Path) -> None:
    scenario = tmp_path / "steep.toml"
    scenario.write_text(
        'description = "until a start takes any time at all"\n'
        "viewers = 40\njoin_seconds = 100\nhold_seconds = 1\n"
        '[ramp]\nwindow_seconds = 2\nwhile = ["startup.p99<1us"]\n',
        encoding="utf-8",
    )
    status, said, errors = loadtest(
        server.address, "--scenario", scenario, "--output", tmp_path / "out"
    )
    assert (status, errors) == (0, ""), said
    results = read(tmp_path / "out")
    assert results.carried is not None
    assert results.carried < 40
    assert results.seconds < 60
    assert "no longer good at" in said


def test_one_manifest_is_enough_of_a_library(server: Running, tmp_path: Path) -> None:
    status, said, errors = loadtest(
        f"{server.address}v/film/manifest.mpd", "--viewers", "4", "--join", "1", "--hold", "3",
        "--output", tmp_path, *PLAYS,
    )  # fmt: skip
    assert (status, errors) == (0, ""), said


def test_viewers_with_tokens_are_let_in(films: Path, tmp_path: Path) -> None:
    keys = tmp_path / "keys"
    keys.write_text("7 00112233445566778899aabbccddeeff\n", encoding="ascii")
    with serving(films, "--require-token", VOD_TOKEN_KEY_FILE=str(keys)) as server:
        tokens = tuple(
            loadtest(
                server.address, "--viewers", "4", "--join", "1", "--hold", "3",
                "--output", tmp_path / "out", *PLAYS, *more,
            )
            for more in ((), ("--token-key-file", str(keys)))
        )  # fmt: skip
    assert [status for status, _, _ in tokens] == [1, 0], tokens
    assert "manifest: status" in tokens[0][1]
    secret = "00112233445566778899aabbccddeeff"
    written = "".join(
        path.read_text(encoding="utf-8") for path in (tmp_path / "out").iterdir() if path.is_file()
    )
    assert secret not in written + tokens[1][1]


@pytest.mark.parametrize(
    ("arguments", "words"),
    [
        (["http://127.0.0.1:9", "--scenario", "nothing"], "no scenario 'nothing'"),
        (["http://127.0.0.1:9", "--assert", "startup.p99<2"], "startup.p99 is in s"),
        (["http://127.0.0.1:9"], "refused"),
        (["http://127.0.0.1:9", "--viewers", "0"], "viewers 0"),
        (["ftp://127.0.0.1/"], "no http or https URL"),
        (["compare", "one"], "two folders"),
        (["compare", "one", "two"], "one"),
    ],
)
def test_what_cannot_be_is_said_in_one_line(
    arguments: list[str], words: str, tmp_path: Path
) -> None:
    status, said, errors = loadtest(*arguments, "--output", tmp_path)
    assert (status, said) == (2, "")
    assert errors.startswith("vod-origin: ")
    assert len(errors.splitlines()) == 1
    assert words in errors


def test_two_runs_are_compared(server: Running, tmp_path: Path) -> None:
    with slowed(server.port, 0.3) as url:
        for name, where in (("fast", server.address), ("slow", url)):
            loadtest(
                where, "--viewers", "4", "--join", "1", "--hold", "3", "--format", "hls",
                "--metrics", "off", "--output", tmp_path / name,
            )  # fmt: skip
    status, said, errors = loadtest("compare", tmp_path / "fast", tmp_path / "slow")
    assert (status, errors) == (0, "")
    (line,) = [line for line in said.splitlines() if line.startswith("time to manifest, median")]
    assert line.endswith("worse")
