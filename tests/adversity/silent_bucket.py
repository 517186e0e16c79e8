"""A bucket that takes connections and answers none, for as long as you like.

Viewers of a warm title ask for what the origin has of it again and again; others ask for titles it
has never seen, and for a warm title's segments that nobody has fetched yet. ``make test`` is silent
for two seconds; ``python -m tests.adversity.silent_bucket 60`` for a minute.
"""

from __future__ import annotations

import argparse
import re
import signal
import sys
import tempfile
import time
from collections import Counter
from concurrent.futures import ThreadPoolExecutor
from dataclasses import dataclass, field
from pathlib import Path

from tests.cli.running import Running, bucket, serving
from tests.support.films import make_films

COLD_VIEWERS = 3
PAUSE = 0.05


@dataclass
class Seen:
    """Answers by status while S3 was silent: of what is ``warm``, what is ``cold``, and after it
    spoke again; ``slowest``: seconds of a cold one."""

    warm: Counter[str] = field(default_factory=Counter)
    cold: Counter[str] = field(default_factory=Counter)
    after: Counter[str] = field(default_factory=Counter)
    slowest: float = 0.0


def silence(films: Path, cache: Path, seconds: float) -> Seen:
    with (
        bucket(films) as (process, location, environment),
        serving(location, VOD_CACHE_FOLDER=str(cache), VOD_READ_AHEAD="0", **environment) as server,
    ):
        warm, unfetched = _warm_up(server)
        process.send_signal(signal.SIGSTOP)
        seen = Seen()
        end = time.monotonic() + seconds
        try:
            with ThreadPoolExecutor() as others:
                cold = ["/v/city/master.m3u8", "/v/none/master.m3u8", unfetched]
                asking = [others.submit(_ask_cold, server, path, end) for path in cold]
                while time.monotonic() < end:
                    for path, body in warm.items():
                        status, received = server.get(path)
                        right = status == 200 and received == body
                        seen.warm["whole" if right else f"WRONG {status}"] += 1
                    time.sleep(PAUSE)
                for ends, slowest in (future.result() for future in asking):
                    seen.cold += ends
                    seen.slowest = max(seen.slowest, slowest)
        finally:
            process.send_signal(signal.SIGCONT)
        server.until(lambda: server.get("/v/city/master.m3u8")[0] == 200)
        for path in ("/v/city/master.m3u8", unfetched):
            seen.after[str(server.get(path)[0])] += 1
    return seen


def _warm_up(server: Running) -> tuple[dict[str, bytes], str]:
    """What the origin has of a title now, and a segment of it that it has not."""
    _, master = server.get("/v/film/master.m3u8")
    found = re.search(rb"^(\w+/video1)/media\.m3u8$", master, re.MULTILINE)
    assert found is not None
    folder = f"/v/film/{found[1].decode()}"
    _, playlist = server.get(f"{folder}/media.m3u8")
    names = re.findall(r"^\w+\.m4s$", playlist.decode(), re.MULTILINE)
    kept = ["/v/film/master.m3u8", f"{folder}/media.m3u8", f"{folder}/init.mp4"]
    kept += [f"{folder}/{name}" for name in names[:-1]]
    return {path: server.get(path)[1] for path in kept}, f"{folder}/{names[-1]}"


def _ask_cold(server: Running, path: str, end: float) -> tuple[Counter[str], float]:
    ends: Counter[str] = Counter()
    slowest = 0.0
    while (began := time.monotonic()) < end:
        ends[str(server.get(path)[0])] += 1
        slowest = max(slowest, time.monotonic() - began)
        time.sleep(PAUSE)
    return ends, slowest


def main() -> int:
    parser = argparse.ArgumentParser(description=__doc__)
    parser.add_argument("seconds", type=float, help="how long the bucket is silent")
    chosen = parser.parse_args()
    with tempfile.TemporaryDirectory() as folder:
        make_films(Path(folder) / "films")
        seen = silence(Path(folder) / "films", Path(folder) / "cache", chosen.seconds)
    print(f"warm: {dict(seen.warm)}")
    print(f"cold: {dict(seen.cold)}, the slowest after {seen.slowest:.2f} s")
    print(f"after it: {dict(seen.after)}")
    return 0 if seen.warm.keys() == {"whole"} and seen.cold.keys() == {"503"} else 1


if __name__ == "__main__":
    sys.exit(main())
