"""Starts the Locust processes a run needs, shows how it goes, and sees that all of them end.

Locust is never imported here: it replaces the standard library's sockets and clock for the process
that imports it.
"""

from __future__ import annotations

import importlib.util
import os
import resource
import selectors
import signal
import socket
import subprocess
import sys
import time
from collections.abc import Iterator, Mapping
from contextlib import ExitStack, contextmanager
from pathlib import Path
from typing import TextIO

from loadtest import settings
from loadtest.errors import LoadTestError
from loadtest.live import View
from loadtest.scenario import Scenario
from loadtest.settings import Settings
from loadtest.titles import load_titles

LOCUSTFILE = Path(__file__).parent / "locustfile.py"
LOG = "locust.log"
GRACE = 60.0
"""Seconds after the end of the scenario in which the processes must have ended."""
SPARE_FILES = 200


def run(wanted: Settings, processes: int, out: TextIO) -> int:
    """The exit status: 0 thresholds met, 1 not; ``LoadTestError`` where the run could not be."""
    settings.check(wanted)
    scenario = settings.scenario_of(wanted)
    settings.thresholds_of(wanted, scenario)
    settings.access_of(wanted)
    _check_installed()
    titles = load_titles(wanted.url, wanted.titles)
    raise_limits(-(-scenario.viewers // max(1, processes)))
    folder = Path(wanted.output)
    folder.mkdir(parents=True, exist_ok=True)
    print(
        f"{scenario.name}: {scenario.numbers}; {len(titles):,} titles at {wanted.url}",
        file=out,
        flush=True,
    )
    return _conduct(wanted, scenario, processes, folder, out)


def raise_limits(viewers: int) -> None:
    """As many files as viewers of one process need; what the system does not allow is said."""
    need = viewers + SPARE_FILES
    soft, hard = resource.getrlimit(resource.RLIMIT_NOFILE)
    if soft < need:
        reachable = need if hard == resource.RLIM_INFINITY else min(need, hard)
        resource.setrlimit(resource.RLIMIT_NOFILE, (max(soft, reachable), hard))
        if reachable < need:
            raise LoadTestError(
                f"{viewers:,} viewers in one process need {need:,} open files, and {hard:,} are "
                "allowed: raise `ulimit -Hn`, or share them with --processes"
            )


def _check_installed() -> None:
    for name in ("locust", "m3u8"):
        if importlib.util.find_spec(name) is None:
            raise LoadTestError("the load test needs pip install 'vod-origin[loadtest]'")


def _conduct(
    wanted: Settings, scenario: Scenario, processes: int, folder: Path, out: TextIO
) -> int:
    reading, writing = os.pipe()
    with ExitStack() as stack:
        stack.callback(os.close, reading)
        log = stack.enter_context((folder / LOG).open("w", encoding="utf-8"))
        told = stack.enter_context((folder / "summary.txt").open("w+", encoding="utf-8"))
        environment = dict(os.environ) | wanted.environment()
        environment |= {
            f"{settings.PREFIX}WORKERS": str(processes),
            f"{settings.PREFIX}PROGRESS_FD": str(writing),
        }
        try:
            main = stack.enter_context(_started(stack, processes, environment, writing, log, told))
        finally:
            os.close(writing)
        status = _watch(main, reading, View(out, scenario), scenario.seconds + GRACE)
        told.seek(0)
        text = told.read()
    if status not in (0, 1) or not (folder / "results.json").exists():
        raise LoadTestError(f"the run failed (status {status}): {_tail(folder / LOG)}")
    out.write(text)
    out.flush()
    return status


@contextmanager
def _started(
    stack: ExitStack,
    processes: int,
    environment: Mapping[str, str],
    writing: int,
    log: TextIO,
    told: TextIO,
) -> Iterator[subprocess.Popen[bytes]]:
    """The process that counts; workers, if there are any, end with it or are ended."""
    if processes == 1:
        arguments: tuple[str, ...] = ()
    else:
        port = str(_free_port())
        arguments = (
            *("--master", "--master-bind-host", "127.0.0.1", "--master-bind-port", port),
            *("--expect-workers", str(processes), "--expect-workers-max-wait", "60"),
        )
    main = _locust(arguments, environment, log, told, (writing,))
    stack.callback(_end, main)
    for _ in range(processes if processes > 1 else 0):
        worker = ("--worker", "--master-host", "127.0.0.1", "--master-port", arguments[4])
        stack.callback(_end, _locust(worker, environment, log, log, ()))
    yield main


def _locust(
    arguments: tuple[str, ...],
    environment: Mapping[str, str],
    log: TextIO,
    told: TextIO,
    passed: tuple[int, ...],
) -> subprocess.Popen[bytes]:
    command = [sys.executable, "-m", "locust", "-f", str(LOCUSTFILE), "--headless",
               "--only-summary", "--loglevel", "WARNING", *arguments]  # fmt: skip
    root = str(LOCUSTFILE.parents[1])
    path = os.pathsep.join(part for part in (root, environment.get("PYTHONPATH")) if part)
    return subprocess.Popen(
        command,
        env={**environment, "PYTHONPATH": path},
        stdin=subprocess.DEVNULL,
        stdout=told,
        stderr=log,
        pass_fds=passed,
    )


def _watch(main: subprocess.Popen[bytes], reading: int, view: View, limit: float) -> int:
    """Until it has ended: its status. An interrupt of ours is one of its own, which ends the run
    and keeps what was counted."""
    until = time.monotonic() + limit
    try:
        _follow(reading, view, until)
    except KeyboardInterrupt:
        main.send_signal(signal.SIGINT)
        until = time.monotonic() + GRACE
    finally:
        view.end()
    try:
        return main.wait(timeout=max(1.0, until - time.monotonic()))
    except subprocess.TimeoutExpired:
        raise LoadTestError("the load did not end when it should have") from None


def _follow(reading: int, view: View, until: float) -> None:
    """Lines of progress, until their other end is closed."""
    rest = b""
    with selectors.DefaultSelector() as selector:
        selector.register(reading, selectors.EVENT_READ)
        while (left := until - time.monotonic()) > 0:
            if not selector.select(left):
                return
            piece = os.read(reading, 1 << 16)
            if not piece:
                return
            *lines, rest = (rest + piece).split(b"\n")
            for line in lines[-1:]:
                view.show(line)


def _end(process: subprocess.Popen[bytes]) -> None:
    try:
        process.wait(timeout=10)
    except subprocess.TimeoutExpired:
        process.kill()
        process.wait()


def _free_port() -> int:
    with socket.socket() as probe:
        probe.bind(("127.0.0.1", 0))
        return int(probe.getsockname()[1])


def _tail(path: Path) -> str:
    lines = path.read_text(encoding="utf-8", errors="replace").strip().splitlines()
    return lines[-1] if lines else "it said nothing"
