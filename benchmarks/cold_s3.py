"""What a viewer waits for whose title, or whose segment, is still in S3 alone.

That S3 keeps the first byte of every answer waiting, as real ones do, and says what it was asked
and when: so its requests are counted, and those that had to wait for each other are told from those
side by side.
"""

from __future__ import annotations

import os
import re
import shutil
import tempfile
import time
from collections import Counter
from collections.abc import Iterator, Mapping, Sequence
from contextlib import closing, contextmanager
from dataclasses import dataclass
from http.client import HTTPConnection
from pathlib import Path
from urllib.parse import urljoin, urlsplit

from benchmarks.buckets import Asked, Bucket, has_s3, slow_bucket
from benchmarks.cold import NO_SIDECAR, WITH_SIDECAR
from benchmarks.connections import affordable
from benchmarks.contests import Ground
from benchmarks.distant import origin_of
from benchmarks.drain import Load, ask_once
from benchmarks.effort import Effort
from benchmarks.figures import Figure, figure
from benchmarks.library import FILM_LADDER, HD_SINGLE, Say
from benchmarks.load import CDN_FIELDS
from benchmarks.machine import cores, on_cores
from benchmarks.origins import write_sidecars
from benchmarks.servers import Server
from benchmarks.targets import NoAnswer, Reader, find_paths, media_playlists, reading
from benchmarks.workloads import Asks, Workload
from origin.storage.s3.sigv4 import Credentials, sign

COLD_START = f"a title of 2 hours in S3, {len(FILM_LADDER.rungs)} renditions, not yet seen"
ALL_OF_IT, ROUND_TRIPS = "and first segment", "one after the other, of these"
KINDS, REQUESTS = ("LIST", "HEAD", "GET"), "requests"
STEPS = ("multivariant playlist", "and media playlist", "and header", ALL_OF_IT)
HEADER = re.compile(r'^#EXT-X-MAP:URI="([^"]+)"', re.MULTILINE)
SEGMENT = re.compile(r"^([^#\s].*)$", re.MULTILINE)

COLD_SEGMENT = "a 1080p segment in S3, not yet asked for"
S3, OURS, LATER = "S3 itself", "vod-origin", "vod-origin, later than S3"
FIRST_BYTE, WHOLE = "first byte", "last byte"
GETS = "of S3, at most"
AT_ONCE = "a segment in S3 that many want at once"
VIEWERS = 1_000

WARM_UP = 2
NO_READ_AHEAD = {"VOD_READ_AHEAD": "0"}
"""Or there were other requests beside the one that is watched."""
PATIENCE = 60.0
SOMEWHERE = 1 << 20
MOST_BYTES = 16 << 20
CDN = dict(line.split(": ", 1) for line in CDN_FIELDS)


def start_seconds(effort: Effort) -> float:
    return 6 + 2 * (1.5 + (WARM_UP + 3 * effort.starts) * 0.25)


def segment_seconds(effort: Effort) -> float:
    return 2 + 20 * effort.starts * 0.08


def crowd_seconds(effort: Effort) -> float:
    return 3 + 3 * effort.starts * effort.scale


# A title's first answers.


def first_answers(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    if not has_s3():
        return
    count = WARM_UP + 3 * effort.starts
    with tempfile.TemporaryDirectory(prefix="titles-", dir=ground.scratch) as made:
        ladder = ground.library / FILM_LADDER.id
        titles = [f"title-{number:03}" for number in range(count)]
        for title in titles:
            shutil.copytree(ladder, Path(made) / title, copy_function=os.link)
        for how in (NO_SIDECAR, WITH_SIDECAR):
            say(f"{count} titles of {len(FILM_LADDER.rungs)} renditions, {how}")
            if how == WITH_SIDECAR:
                _write_sidecars(Path(made), titles, ground.scratch)
            yield from _time_titles(Path(made), titles, how, ground.scratch)


def _write_sidecars(folder: Path, titles: Sequence[str], scratch: Path) -> None:
    """By the product, into the bucket, for the first title; the others are made of the same
    files, so they take copies."""
    first, *others = titles
    with slow_bucket(folder, scratch, delay_ms=0, keep=True) as bucket:
        write_sidecars(f"{bucket.url}/{first}", bucket.environment)
    for title in others:
        shutil.copytree(folder / first / ".vodx", folder / title / ".vodx", copy_function=os.link)


def _time_titles(folder: Path, titles: Sequence[str], how: str, scratch: Path) -> Iterator[Figure]:
    with (
        slow_bucket(folder, scratch) as bucket,
        origin_of(bucket, "cold", scratch, NO_READ_AHEAD) as server,
        reading(server) as reader,
        on_cores({cores()[1]}),
    ):
        times = [_first_answers(title, reader) for title in titles][WARM_UP:]
        asked = bucket.asked()
    for step, milliseconds in zip(STEPS, zip(*times, strict=True), strict=True):
        yield figure(COLD_START, step, how, "ms", milliseconds)
    theirs = [[one for one in asked if one.key.startswith(t)] for t in titles[WARM_UP:]]
    kinds = [Counter(one.kind for one in mine) for mine in theirs]
    for kind in KINDS:
        yield figure(COLD_START, f"{kind} of S3", how, REQUESTS, [c[kind] for c in kinds])
    trips = [round_trips(mine) for mine in theirs]
    yield figure(COLD_START, ROUND_TRIPS, how, REQUESTS, trips)


def _first_answers(title: str, reader: Reader) -> list[float]:
    """Milliseconds to the end of each step, of the rendition that has most to load."""
    start = time.perf_counter()
    ends = []
    playlist = media_playlists(title, reader)[-1]
    ends.append(time.perf_counter())
    text = reader.get(playlist).decode()
    ends.append(time.perf_counter())
    for pattern in (HEADER, SEGMENT):
        found = pattern.search(text)
        assert found is not None
        reader.get(urljoin(playlist, found[1]))
        ends.append(time.perf_counter())
    return [(end - start) * 1e3 for end in ends]


def round_trips(asked: Sequence[Asked]) -> int:
    """How many of the requests began when the one before had ended, at most."""
    count, end = 0, 0.0
    for one in sorted(asked, key=lambda one: one.ended):
        if one.began >= end:
            count, end = count + 1, one.ended
    return count


# A segment.


@dataclass(frozen=True, slots=True)
class Timed:
    """When an answer was asked for, when its head had come, which no server sends long before its
    body, and when its last byte; ``length``: of the body."""

    asked: float
    first: float
    last: float
    length: int


def segments(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    if not has_s3():
        return
    with _watched(ground) as (bucket, server, paths):
        chosen = paths[: 20 * effort.starts]
        say(f"{len(chosen)} segments, one after the other")
        with _calling(server.host, server.port) as ours, _calling(*_place(bucket)) as direct:
            pairs = [
                (got := _timed(ours, path, CDN), _timed(direct, *_range_of(bucket, got.length)))
                for path in chosen
            ]
        asked = bucket.asked()
    for row, times in ((OURS, [pair[0] for pair in pairs]), (S3, [pair[1] for pair in pairs])):
        yield _figure(row, FIRST_BYTE, [(t.first - t.asked) * 1e3 for t in times])
        yield _figure(row, WHOLE, [(t.last - t.asked) * 1e3 for t in times])
    later = [(o.first - o.asked - (s3.first - s3.asked)) * 1e3 for o, s3 in pairs]
    yield _figure(LATER, FIRST_BYTE, later)
    gets = [sum(o.asked <= one.began <= o.last for one in asked) for o, _ in pairs]
    yield figure(COLD_SEGMENT, OURS, GETS, REQUESTS, [max(gets)])


def crowd(ground: Ground, effort: Effort, say: Say) -> Iterator[Figure]:
    if not has_s3():
        return
    milliseconds, gets = [], []
    with _watched(ground) as (bucket, server, paths):
        size = affordable(round(VIEWERS * effort.scale), server)
        for path in paths[: effort.starts]:
            before = len(bucket.asked())
            load = Load(server.host, server.port, [path], CDN_FIELDS, size, PATIENCE)
            milliseconds.append(ask_once(load).seconds * 1e3)
            gets.append(len(bucket.asked()) - before)
            say(f"{size:,} served in {milliseconds[-1]:,.0f} ms")
    row = f"{size:,} viewers"
    yield figure(AT_ONCE, row, "all served", "ms", milliseconds)
    yield figure(AT_ONCE, row, GETS, REQUESTS, [max(gets)])


@contextmanager
def _watched(ground: Ground) -> Iterator[tuple[Bucket, Server, Sequence[str]]]:
    """A bucket, the origin before it, and paths of segments that nobody has asked for. What is
    done meanwhile is done on the client's core."""
    workload = Workload("", "", Asks.SEGMENTS, HD_SINGLE)
    with (
        slow_bucket(ground.library, ground.scratch) as bucket,
        origin_of(bucket, "cold", ground.scratch, NO_READ_AHEAD) as server,
        reading(server) as reader,
        on_cores({cores()[1]}),
    ):
        yield bucket, server, find_paths(workload, reader)


@contextmanager
def _calling(host: str, port: int) -> Iterator[HTTPConnection]:
    connection = HTTPConnection(host, port, timeout=PATIENCE)
    connection.connect()
    with closing(connection):
        yield connection


def _timed(connection: HTTPConnection, path: str, fields: Mapping[str, str]) -> Timed:
    room = bytearray(MOST_BYTES)
    asked = time.monotonic()
    connection.request("GET", path, headers=dict(fields))
    response = connection.getresponse()
    first = time.monotonic()
    length = 0
    while count := response.readinto(memoryview(room)[length:]):
        length += count
    if response.status not in (200, 206):
        raise NoAnswer(f"{connection.host} answers {response.status} to {path}")
    return Timed(asked, first, time.monotonic(), length)


def _range_of(bucket: Bucket, length: int) -> tuple[str, dict[str, str]]:
    """A request for as many bytes, without us."""
    path = f"/{bucket.name}/{HD_SINGLE.file}"
    fields = {"host": ":".join(map(str, _place(bucket)))}
    keys = Credentials(bucket.access_key, bucket.secret_key)
    signed = sign(keys, bucket.region, path, "", fields, time.time())
    return path, {**signed, "range": f"bytes={SOMEWHERE}-{SOMEWHERE + length - 1}"}


def _place(bucket: Bucket) -> tuple[str, int]:
    parts = urlsplit(bucket.endpoint)
    assert parts.hostname is not None
    assert parts.port is not None
    return parts.hostname, parts.port


def _figure(row: str, column: str, milliseconds: Sequence[float]) -> Figure:
    return figure(COLD_SEGMENT, row, column, "ms", milliseconds)
