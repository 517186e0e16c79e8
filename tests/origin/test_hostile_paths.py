"""No path of a request is ever a path of the file system."""

from __future__ import annotations

import asyncio
import json
import subprocess
import sys
from itertools import product
from pathlib import Path

from tests.origin.node import Node

ROOT = Path(__file__).parents[2]

SEGMENTS = [
    "..",
    "%2e%2e",
    "%2E.",
    "..%2f..%2f..%2fetc%2fpasswd",
    "%2fetc%2fpasswd",
    "..%5c..%5cetc%5cpasswd",
    "%252e%252e%252fetc%252fpasswd",
    "..;",
    "....",
    "%00",
    "city%00.mp4",
    "%0d%0aSet-Cookie:%20a=b",
    "%c0%ae%c0%ae",
    "%c0%af",
    "%e0%80%ae%e0%80%ae",
    "%f0%80%80%af",
    "%ed%a0%80",
    "%ff",
    "%",
    "%2",
    "%zz",
    "%u002e%u002e",
    "city%2fvideo-36.mp4",
    "film.mp4",
    "CITY",
    "city%20",
    ".",
    "~root",
    "-rf",
    "*",
    "$(id)",
    "'%20OR%201=1--",
    "x" * 5000,
]
SHAPES = [
    "/v/{}/master.m3u8",
    "/v/{}/manifest.mpd",
    "/v/{}/REVISION/video1/init.mp4",
    "/v/city/{}/video1/init.mp4",
    "/v/city/REVISION/{}/init.mp4",
    "/v/city/REVISION/video1/{}",
    "/v/city/{}/../../../../etc/passwd",
    "/{}/etc/passwd",
    "/assets/{}",
    "/v/{}",
]
MORE = [
    "/v//master.m3u8",
    "/v/city//master.m3u8",
    "//v/city/master.m3u8",
    "/v/./city/master.m3u8",
    "/v/x/../city/master.m3u8",
    "/V/city/master.m3u8",
    "/v/city/master.m3u8/",
    "/v/city/master.m3u8%00",
    "/v/city/master.m3u8%3f",
    "/v/city/REVISION/video1/-1.m4s",
    "/v/city/REVISION/video1/00.m4s",
    "/v/city/REVISION/video1/0x0.m4s",
    "/v/city/REVISION/video1/1e3.m4s",
    "/v/city/REVISION/video1/٣.m4s".encode().decode("latin-1"),
    "/v/city/REVISION/video1/9223372036854775808.m4s",
    "/v/city/REVISION/video0/init.mp4",
    "/v/city/REVISION/video1/init.mp4/../../../film/master.m3u8",
    "/v/" + "../" * 2000 + "etc/passwd",
    "/v/" + "a" * 65_536,
    "/" + "%2e%2e%2f" * 7000,
    "file:///etc/passwd",
    "etc/passwd",
    "",
]


def test_hostile_paths_are_refused_and_nothing_else_is_opened(films: Path) -> None:
    revision = asyncio.run(Node(films).origin.title("city")).presentation.revision
    targets = [shape.format(segment) for shape, segment in product(SHAPES, SEGMENTS)] + MORE
    targets = [target.replace("REVISION", revision) for target in targets]
    assert len(targets) > 300
    targets.append("/v/film/master.m3u8")  # so that something is opened
    done = subprocess.run(
        [sys.executable, "-m", "tests.origin.audited", str(films)],
        input="".join(f"{target}\n" for target in targets).encode(),
        stdout=subprocess.PIPE,
        cwd=ROOT,
        timeout=60,
        check=True,
    )
    found = json.loads(done.stdout)
    answers = dict(zip(targets, found["statuses"], strict=True))
    assert answers.pop("/v/film/master.m3u8") == 200
    assert {target: status for target, status in answers.items() if not 400 <= status < 500} == {}
    assert found["opened"] == [str(films / name) for name in ("film.en.srt", "film.mp4")]
