"""The two clients: ``drain`` for bodies of megabytes, wrk (C) for answers so small that a client
in Python would be the limit, and for TLS, whose bodies the kernel cannot throw away."""

from __future__ import annotations

import json
import re
import shutil
import subprocess
import sys
import tempfile
from dataclasses import asdict
from math import ceil
from pathlib import Path

from benchmarks.drain import Load, LoadError, Tally

TIMEOUT = 30.0
"""A client that takes so much longer than its load has stopped."""

CDN_FIELDS = (
    "User-Agent: Amazon CloudFront",
    "Via: 2.0 4f1d7c0a9b3e5d26c8a0f4b7e1923d58.cloudfront.net (CloudFront)",
    "X-Amz-Cf-Id: x8Wm3Qz0uYkV7rT2nLb5cJf9hGd1sAe4pRo6iXw_tEyKvNqZlUgMBw==",
    "X-Forwarded-For: 203.0.113.57",
    "CloudFront-Forwarded-Proto: https",
    "CloudFront-Viewer-Http-Version: 2.0",
    "CloudFront-Viewer-Country: DE",
    "CloudFront-Viewer-ASN: 64496",
    "CloudFront-Is-Desktop-Viewer: true",
    "CloudFront-Is-Mobile-Viewer: false",
    "CloudFront-Is-SmartTV-Viewer: false",
    "CloudFront-Is-Tablet-Viewer: false",
    "Accept: */*",
    "Origin: https://play.example",
)
"""What CloudFront sends an origin; with Host, fifteen."""

_IN_TURN = """\
local requests, turn = {}, 0
function init()
    for number, path in ipairs(paths) do requests[number] = wrk.format("GET", path) end
end
function request()
    turn = turn % #requests + 1
    return requests[turn]
end
"""

_UNITS = {"us": 1e-6, "ms": 1e-3, "s": 1.0, "m": 60.0}


def has_wrk() -> bool:
    return shutil.which("wrk") is not None


def run_drain(load: Load) -> Tally:
    command = [sys.executable, "-m", "benchmarks.drain"]
    return Tally(**json.loads(_run(command, load, json.dumps(asdict(load)))))


def run_wrk(load: Load, scheme: str, body: float) -> Tally:
    """``body``: bytes of an answer, on average."""
    headers = [word for line in load.fields for word in ("-H", line)]
    url = f"{scheme}://{load.host}:{load.port}{load.paths[0]}"
    with tempfile.TemporaryDirectory(prefix="wrk-") as scratch:
        script = Path(scratch) / "paths.lua"
        script.write_text(_script(load), encoding="utf-8")
        command = ["wrk", "-t1", f"-c{load.connections}", f"-d{ceil(load.seconds)}s", "--latency"]
        output = _run([*command, *headers, "-s", str(script), url], load, "")
    return read_wrk(output, body)


def _script(load: Load) -> str:
    """Lua that has wrk ask for one path after the other, and for nothing where there is but one:
    then it sends what it has without a call."""
    if len(load.paths) == 1:
        return ""
    paths = ",\n".join(json.dumps(path) for path in load.paths)
    return f"local paths = {{{paths}}}\n{_IN_TURN}"


def read_wrk(output: str, body: float) -> Tally:
    for trouble in ("Socket errors", "Non-2xx or 3xx responses"):
        if trouble in output:
            raise LoadError(f"wrk reports: {output[output.index(trouble) :].splitlines()[0]}")
    done = re.search(r"(\d+) requests in ([\d.]+)(us|ms|s|m),", output)
    ranks = dict(re.findall(r"^ +(\d+)% +([\d.]+(?:us|ms|s|m)) *$", output, re.MULTILINE))
    if done is None or not {"50", "99"} <= ranks.keys():
        raise LoadError(f"wrk's report is not understood:\n{output}")
    requests = int(done[1])
    return Tally(
        requests=requests,
        nbytes=round(requests * body),
        seconds=_seconds(done[2] + done[3]),
        p50=_seconds(ranks["50"]),
        p99=_seconds(ranks["99"]),
    )


def _seconds(text: str) -> float:
    number = text.rstrip("ums")
    return float(number) * _UNITS[text[len(number) :]]


def _run(command: list[str], load: Load, data: str) -> str:
    done = subprocess.run(
        command,
        input=data,
        capture_output=True,
        text=True,
        timeout=load.seconds + TIMEOUT,
        check=False,
    )
    if done.returncode:
        raise LoadError(f"{command[0]} failed: {done.stderr.strip() or done.stdout.strip()}")
    return done.stdout
