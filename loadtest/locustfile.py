"""What Locust runs: ``locust -f loadtest/locustfile.py``, alone, as master or as worker.

A ``Watcher`` is one viewer; the shape lets them in. Each process counts for itself, and once a
second a worker sends the master what it counted. When the time is over the master has all workers
end their viewers and waits for the rest of their figures, so nothing is missing from the sum. Then
it writes the results, and its exit status says whether the thresholds were met: 0 or 1, and 2 for a
run that could not be.
"""

from __future__ import annotations

import gc
import json
import logging
import os
import random
import sys
import time
from collections.abc import Sequence
from itertools import count
from pathlib import Path
from typing import Any, ClassVar

from locust import LoadTestShape, User, events, task
from locust.env import Environment
from locust.runners import MasterRunner, WorkerRunner
from locust.stats import RequestStats, StatsEntry

from loadtest import report, results, settings
from loadtest.clock import SystemClock
from loadtest.errors import Failure, LoadTestError
from loadtest.figures import Figures
from loadtest.reports import Reports
from loadtest.server import Watch
from loadtest.thresholds import measure
from loadtest.titles import Library, load_titles
from loadtest.viewer import Ground, Viewer

log = logging.getLogger("loadtest")

TICKS = 10
"""Looks at the lag of timers in each second."""
FAREWELL = 30.0
"""Seconds that workers have for ending their viewers."""
LAST_REPORTS = 15.0
"""Seconds of these for telling the server of it."""
RARELY = (50_000, 20, 50)
"""Thresholds of the garbage collector: thousands of viewers are a million objects that live as long
as they, and looking through them takes time that then is missing everywhere."""
SETTLED = 0.5
"""Seconds in which the server counts what it was told."""


class Run:
    """What this process has to do with it. The master and a lone process have ``sums``; those with
    viewers have a ``ground``."""

    def __init__(self, environment: Environment) -> None:
        self.environment = environment
        read = settings.read(os.environ)
        self.settings = read if read.url else settings.at(read, environment.host or "")
        settings.check(self.settings)
        self.scenario = settings.scenario_of(self.settings)
        self.thresholds = settings.thresholds_of(self.settings, self.scenario)
        self.runner = environment.runner
        self.sums = Figures()
        self.numbers = count()
        self.began = 0.0
        self.ended = 0.0
        self.finished: set[str] = set()
        self.answers: dict[str, list[tuple[float, int]]] = {}
        self.carried: int | None = None
        self.watch: Watch | None = None
        self.ground: Ground | None = None
        if not isinstance(self.runner, MasterRunner):
            self.ground = self._ground()
        if not isinstance(self.runner, WorkerRunner):
            self.watch = self._watch()

    def _ground(self) -> Ground:
        titles = load_titles(self.settings.url, self.settings.titles)
        ground = Ground(
            self.scenario,
            Library(titles, self.scenario.titles, self.scenario.viewers),
            settings.access_of(self.settings),
            SystemClock(),
            random.Random(),
            self._on_request,
            self._on_figure,
        )
        events = self.scenario.cmcd_events
        if events == "on" or (events == "auto" and self.scenario.cmcd_mode != "off"):
            ground.reports = Reports(
                self.settings.url, ground.clock, ground.figures, insist=events == "on"
            )
        return ground

    def _watch(self) -> Watch | None:
        metrics, pid = settings.metrics_of(self.settings), int(self.settings.server_pid or 0)
        return Watch(metrics, pid, SystemClock()) if metrics or pid else None

    def number(self) -> int:
        """Of the next viewer here: no two processes have the same."""
        workers = int(self.settings.workers or 1)
        index = max(0, getattr(self.runner, "worker_index", 0))
        return next(self.numbers) * workers + index

    def _on_request(self, what: str, seconds: float, nbytes: int, failure: Failure | None) -> None:
        if failure is None:  # so many that an event of each costs a tenth of all
            self.answers.setdefault(what, []).append((seconds * 1000, nbytes))
            return
        self.environment.events.request.fire(
            request_type="GET",
            name=what,
            response_time=seconds * 1000,
            response_length=nbytes,
            exception=failure,
            context={},
        )

    def tell_locust(self) -> None:
        """Of all good answers since it was last told."""
        answers, self.answers = self.answers, {}
        for what, each in answers.items():
            counted = entry_of(what, each)
            self.environment.stats.entries[what, "GET"].extend(counted)
            self.environment.stats.total.extend(counted)

    def _on_figure(self, name: str, seconds: float) -> None:
        self.environment.events.request.fire(
            request_type="PLAYER",
            name=name,
            response_time=seconds * 1000,
            response_length=0,
            exception=None,
            context={},
        )

    # --- beside the viewers

    def beat(self) -> None:
        """For ever: the time, CPU and lag of this process, and its figures to the master."""
        ground = self.ground
        assert ground is not None
        me = f"{os.uname().nodename}/{os.getpid()}"
        cpu, due = time.process_time(), time.monotonic()
        while True:
            worst, started = 0.0, due
            for _ in range(TICKS):
                due += 1 / TICKS
                time.sleep(max(0.0, due - time.monotonic()))
                late = max(0.0, time.monotonic() - due)
                due = max(due, time.monotonic() - 1 / TICKS)
                worst = max(worst, late)
                ground.figures.observe("lag", late)
                ground.figures.at = int(time.time())
            used, cpu = time.process_time() - cpu, time.process_time()
            ground.figures.gauge(f"cpu:{me}", used / max(due - started, 1e-3))
            ground.figures.gauge(f"lag:{me}", worst)
            ground.figures.gauge(f"viewers:{me}", ground.present)
            self.tell_locust()
            if isinstance(self.runner, WorkerRunner):
                self.runner.send_message("figures", ground.figures.take())

    def conduct(self) -> None:
        """For ever, on the master or a lone process: look at the server, show how it goes."""
        if self.watch is not None:
            self.watch.look()
        while True:
            time.sleep(1)
            at = int(time.time())
            if self.watch is not None:
                sample = self.watch.look()
                figures = self.figures()
                figures.at = at
                for name, value in sample.items():
                    figures.gauge(name, value)
            self._show(at)

    def figures(self) -> Figures:
        """Of all processes, as far as they have come."""
        return self.sums if self.ground is None else self.ground.figures

    def _show(self, at: int) -> None:
        if not self.settings.progress_fd or not self.began:
            return
        figures = self.figures()
        line = {
            "elapsed": time.monotonic() - self.began,
            "recent": figures.window(at - 12, at - 1).as_json(),
            "seconds": 10,
            "gauges": _latest(figures, at),
            "starts": figures.counts["starts"],
            "failures": sum(figures.failures.values()),
            "failed_starts": figures.counts["failed_starts"],
            "startup": measure(figures, "startup.p99"),
        }
        data = (json.dumps(line) + "\n").encode()
        try:
            os.write(int(self.settings.progress_fd), data)
        except OSError:  # nobody looks any more
            self.settings = settings.unwatched(self.settings)

    def is_over(self) -> bool:
        if time.monotonic() - self.began >= self.scenario.seconds:
            return True
        ramp = self.scenario.ramp
        if ramp is None or time.monotonic() - self.began < ramp.window_seconds + 2:
            return False
        now = int(time.time()) - 2  # workers are up to two seconds behind
        window = self.figures().window(now - ramp.window_seconds, now)
        if all(threshold.verdict(window).met for threshold in ramp.while_):
            return False
        self.carried = round(measure(self.figures(), "viewers.max") or 0)
        return True

    def finish(self) -> None:
        """Have all viewers leave, and what they counted arrive here."""
        if self.ended or not self.began:
            return
        self.ended = time.monotonic()
        if isinstance(self.runner, MasterRunner):
            self.runner.send_message("finish")
            workers = set(self.runner.clients.keys())
            until = time.monotonic() + FAREWELL
            while not workers <= self.finished and time.monotonic() < until:
                time.sleep(0.05)
            self.missing = workers - self.finished
        elif self.runner is not None:
            self.runner.stop()
            self._finish_reports()
        self._learn()

    def _finish_reports(self) -> None:
        """The last that viewers said: when they left."""
        ground = self.ground
        assert ground is not None
        if ground.reports is not None:
            until = time.monotonic() + LAST_REPORTS
            while ground.reports.waiting and time.monotonic() < until:
                time.sleep(0.05)

    def _learn(self) -> None:
        """What the server was told of start-ups."""
        if self.watch is None:
            return
        time.sleep(SETTLED)
        self.watch.look()
        count, seconds = self.watch.told_startup()
        counts = self.figures().counts
        counts["told_starts"] += round(count)
        counts["told_startup_seconds"] += seconds  # type: ignore[assignment]  # floats, too

    def leave(self, **_: Any) -> None:
        """A worker is asked to finish."""
        assert self.ground is not None
        assert isinstance(self.runner, WorkerRunner)
        self.runner.stop()
        self._finish_reports()
        self.runner.send_message("finished", self.ground.figures.take())

    def take_in(self, msg: Any, **_: Any) -> None:
        self.sums.merge(Figures.from_json(msg.data))
        if msg.type == "finished":
            self.finished.add(msg.node_id)

    missing: frozenset[str] | set[str] = frozenset()

    def conclude(self) -> results.Results:
        figures = self.figures()
        notes = [f"{len(self.missing)} workers did not say what they counted last"] * bool(
            self.missing
        )
        if self.watch is not None and self.watch.missing:
            notes.append(f"of the server nothing is known: {self.watch.missing}")
        seconds = self.ended - self.began
        return results.conclude(
            self.settings.url,
            self.scenario,
            round(time.time() - (time.monotonic() - self.began)),
            seconds,
            figures,
            self.thresholds,
            notes,
            self.carried,
        )


def entry_of(what: str, answers: Sequence[tuple[float, int]]) -> StatsEntry:
    """Locust's figures of some good answers, which came just now: milliseconds and bytes."""
    entry = StatsEntry(RequestStats(use_response_times_cache=False), what, "GET")
    for milliseconds, nbytes in answers:
        entry.log(milliseconds, nbytes)  # type: ignore[arg-type]  # as its own event passes it
    return entry


def _latest(figures: Figures, at: int) -> dict[str, float]:
    found: dict[str, float] = {}
    for second in range(at - 4, at + 1):
        if second in figures.seconds:
            found |= figures.seconds[second].gauges
    return found


class Watcher(User):
    """One viewer, for as long as Locust lets it be."""

    part: ClassVar[Run]

    def on_start(self) -> None:
        assert self.part.ground is not None
        self.viewer = Viewer(self.part.ground, self.part.number())

    @task
    def live(self) -> None:
        try:
            self.viewer.live()
        finally:
            self.viewer.close()


class Joins(LoadTestShape):
    """Asks Locust each second for as many viewers as there ought to be by then: it lets them in all
    at once, and they spread themselves over the second."""

    part: ClassVar[Run]

    def tick(self) -> tuple[int, float] | None:
        run = self.part
        if not run.began:
            run.began = time.monotonic()
        if run.is_over():
            run.finish()
            return None
        scenario = run.scenario
        rate = scenario.viewers / max(scenario.join_seconds, 1)
        elapsed = time.monotonic() - run.began + 1
        return scenario.wanted(elapsed), max(10.0, rate * 4)


@events.init.add_listener
def begin(environment: Environment, **_: Any) -> None:
    try:
        run = Run(environment)
    except LoadTestError as error:
        print(f"loadtest: {error}", file=sys.stderr)
        sys.exit(2)
    Watcher.part = Joins.part = run
    runner = environment.runner
    assert runner is not None  # Locust makes it before it says that it began
    if isinstance(runner, MasterRunner):
        runner.register_message("figures", run.take_in)
        runner.register_message("finished", run.take_in)
    elif isinstance(runner, WorkerRunner):
        runner.register_message("finish", run.leave, concurrent=True)
    if run.ground is not None:
        gc.set_threshold(*RARELY)
        runner.greenlet.spawn(run.beat)
        if run.ground.reports is not None:
            runner.greenlet.spawn(run.ground.reports.work)
    if not isinstance(runner, WorkerRunner):
        runner.greenlet.spawn(run.conduct)


@events.quitting.add_listener
def end(environment: Environment, **_: Any) -> None:
    run = getattr(Watcher, "part", None)
    if run is None or isinstance(environment.runner, WorkerRunner):
        environment.process_exit_code = environment.process_exit_code or 0
        return
    run.finish()
    if not run.began:
        environment.process_exit_code = 2
        return
    concluded = run.conclude()
    if run.settings.output:
        folder = Path(run.settings.output)
        results.write(concluded, folder)
        report.write(concluded, folder)
    for line in report.lines(concluded):
        print(line)
    environment.process_exit_code = 0 if concluded.met else 1
