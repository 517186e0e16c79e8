"""One scenario of the load test at one server, and what it says of it."""

from __future__ import annotations

import signal
import subprocess
import sys
import tempfile
from collections.abc import Iterator
from contextlib import ExitStack, contextmanager
from dataclasses import dataclass
from pathlib import Path

from benchmarks.buckets import slow_bucket
from benchmarks.contests import SPARE
from benchmarks.distant import origin_of
from benchmarks.library import Say
from benchmarks.nginx import nginx, nginx_program
from benchmarks.origins import COMMAND, Variant, vod_origin
from benchmarks.servers import Server, ServerFailed
from benchmarks.viewers.media import Grounds, lay_out, make_catalogue
from benchmarks.viewers.outcome import Outcome, read_outcome
from loadtest.errors import LoadTestError

OURS, NGINX = "vod-origin", "nginx"
COLD_SHARE = 20
"""One of so many viewers where each has another title: then every start is an index and every
segment a GET, and the S3 is on this machine, too."""
COLD_TITLES = 4
"""For each of them: who leaves takes another one."""
GRACE = 180.0
"""Seconds for processes to start and to end."""
INTERRUPTED = 60.0
FAILURES = (ServerFailed, LoadTestError, OSError, subprocess.SubprocessError)


@dataclass(frozen=True, slots=True)
class Run:
    """``scenario``: of the load test; ``join`` and ``hold``: seconds, at most."""

    name: str
    meaning: str
    scenario: str
    join: float
    hold: float


STEADY = Run("steady", "in real time, the ladder", "steady", 240, 24 * 3600)
SMALL = Run("small", "in real time, small segments", "steady", 240, 24 * 3600)
PREMIERE = Run("premiere", "all come within a minute", "premiere", 60, 60)
COLD = Run("cold", "each another title, from S3", "cold", 60, 60)
RUNS = (STEADY, SMALL, PREMIERE, COLD)


@dataclass(frozen=True, slots=True)
class Load:
    """What is asked of every run. ``processes``: of the load."""

    viewers: int
    minutes: float
    processes: int

    def seconds(self, run: Run) -> tuple[float, float]:
        """For joining, and for staying."""
        return min(run.join, self.minutes * 60), min(run.hold, self.minutes * 60)

    def viewers_of(self, run: Run) -> int:
        return max(1, self.viewers // COLD_SHARE) if run is COLD else self.viewers


def measure(run: Run, load: Load, grounds: Grounds, scratch: Path, say: Say) -> Iterator[Outcome]:
    """Ours, then nginx if it is there and can have what is asked for."""
    if run is COLD:
        yield _cold(load, grounds, scratch, say)
        return
    library = grounds.small if run is SMALL else grounds.ladder
    static = grounds.static(library)
    with vod_origin(library, scratch, _variant(load)) as server:
        if nginx_program() is not None:
            lay_out(server, static, say)
    # Each with a server just started, so that memory is that of the run.
    with vod_origin(library, scratch, _variant(load)) as server:
        yield _load(run, load, server, scratch, say)
    if nginx_program() is not None:
        with nginx(static, scratch) as server:
            yield _load(run, load, server, scratch, say, "--metrics", "off")


def _variant(load: Load) -> Variant:
    return Variant(OURS, token=False, connections=load.viewers + SPARE)


def _cold(load: Load, grounds: Grounds, scratch: Path, say: Say) -> Outcome:
    viewers = load.viewers_of(COLD)
    with ExitStack() as stack:
        folder = Path(stack.enter_context(tempfile.TemporaryDirectory(dir=grounds.root)))
        titles = make_catalogue(grounds, folder, COLD_TITLES * viewers)
        listed = scratch / "titles.txt"
        listed.write_text("\n".join(titles) + "\n", encoding="utf-8")
        say(f"putting {len(titles):,} titles into a bucket")
        bucket = stack.enter_context(slow_bucket(folder, scratch))
        server = stack.enter_context(origin_of(bucket, OURS, scratch, {}))
        return _load(COLD, load, server, scratch, say, "--titles", str(listed))


def _load(run: Run, load: Load, server: Server, scratch: Path, say: Say, *more: str) -> Outcome:
    join, hold = load.seconds(run)
    viewers = load.viewers_of(run)
    say(f"{run.name}, {server.name}: {viewers:,} viewers, {join + hold:.0f} s")
    output = scratch / f"{run.name}-{server.name}"
    command = [
        *(sys.executable, *COMMAND, "loadtest", f"{server.scheme}://{server.host}:{server.port}"),
        *("--scenario", run.scenario, "--viewers", str(viewers)),
        *("--join", f"{join:g}", "--hold", f"{hold:g}", "--processes", str(load.processes)),
        *("--server-pid", str(server.pid), "--output", str(output), *more),
    ]
    output.mkdir(parents=True, exist_ok=True)
    (output / "results.json").unlink(missing_ok=True)
    with (output / "said.txt").open("wb") as said, _ending(command, said.fileno()) as process:
        status = process.wait(join + hold + GRACE)
    if status not in (0, 1):
        text = (output / "said.txt").read_text(errors="replace").strip()
        raise LoadTestError(f"{run.name}, {server.name}: {text[-500:]}")
    return read_outcome(run.name, run.meaning, server, output, join)


@contextmanager
def _ending(command: list[str], said: int) -> Iterator[subprocess.Popen[bytes]]:
    """An interrupt lets it end the processes that it has started itself."""
    process = subprocess.Popen(command, stdout=said, stderr=subprocess.STDOUT)
    try:
        yield process
    finally:
        if process.poll() is None:
            process.send_signal(signal.SIGINT)
            try:
                process.wait(INTERRUPTED)
            except subprocess.TimeoutExpired:
                process.kill()
                process.wait()
