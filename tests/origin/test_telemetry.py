from __future__ import annotations

import io
import os
import subprocess
import sys
import threading
import time
from array import array
from collections.abc import Callable, Sequence
from pathlib import Path

import orjson
import pytest
from prometheus_client import CollectorRegistry, generate_latest

from origin.native import NATIVE, Places
from origin.telemetry.board import Board, Counter, Family, Gauge, Histogram
from origin.telemetry.http import METHODS, ROUTES, HttpMetrics, count_in_python, route_of
from origin.telemetry.log import AccessLog
from origin.telemetry.worker import FAMILIES
from packager.address import (
    IFramePlaylist,
    InitSegment,
    MediaPlaylist,
    MediaSegment,
    Mpd,
    MultivariantPlaylist,
    TextSegment,
    WholeText,
)

PATIENCE = 20.0
ROOT = Path(__file__).parents[2]
SERIES_LIMIT = 2000
REVISION = "0123456789abcdef"


def page(*families: Family, workers: int = 1) -> tuple[Board, CollectorRegistry]:
    board = Board(families, workers)
    registry = CollectorRegistry()
    registry.register(board)
    return board, registry


def test_workers_add_up() -> None:
    films = Counter("films_total", "Films.", ("kind",), (("long",), ("short",)))
    board, registry = page(films, workers=2)
    board.cell(0, films, ("long",)).inc()
    board.cell(1, films, ("long",)).inc(2)
    assert registry.get_sample_value("films_total", {"kind": "long"}) == 3
    assert registry.get_sample_value("films_total", {"kind": "short"}) is None


def test_a_gauge_is_each_worker_s() -> None:
    open_now = Gauge("open", "Open.")
    board, registry = page(open_now, workers=2)
    board.cell(1, open_now).set(7)
    assert registry.get_sample_value("open", {"worker": "0"}) == 0
    assert registry.get_sample_value("open", {"worker": "1"}) == 7


def test_a_histogram_counts_up_to_each_bound() -> None:
    seconds = Histogram("wait_seconds", "Wait.", (0.1, 1.0))
    board, registry = page(seconds, workers=2)
    for worker, value in ((0, 0.1), (1, 0.5), (0, 3.0)):
        board.distribution(worker, seconds).observe(value)
    buckets = {
        bound: registry.get_sample_value("wait_seconds_bucket", {"le": bound})
        for bound in ("0.1", "1.0", "+Inf")
    }
    assert buckets == {"0.1": 1, "1.0": 2, "+Inf": 3}
    assert registry.get_sample_value("wait_seconds_sum") == pytest.approx(3.6)


def test_a_forked_worker_writes_where_its_parent_reads() -> None:
    films = Counter("films_total", "Films.")
    board, registry = page(films, workers=2)
    child = os.fork()
    if child == 0:
        board.cell(1, films).inc(5)
        os._exit(0)
    os.waitpid(child, 0)
    assert registry.get_sample_value("films_total") == 5


BOUNDS = array("d", (0.1, 1.0))
Count = Callable[["memoryview[float]", Places, Sequence[float], int, float, bool], None]
COUNTS = [count_in_python, *([NATIVE.count] if NATIVE else [])]


@pytest.mark.parametrize("count", COUNTS, ids=["python", "compiled"][: len(COUNTS)])
def test_an_answer_is_counted_into_a_row(count: Count) -> None:
    row = memoryview(bytearray(8 * 8)).cast("d")
    places = (1, 2, 3, 4)
    for sent, seconds, aborted in (
        (7, 0.1, False),
        (1 << 40, 0.1001, False),
        (0, 1.0, True),
        (5, 60.0, False),
    ):
        count(row, places, BOUNDS, sent, seconds, aborted)
    assert row.tolist() == [0, 4, 1, (1 << 40) + 12, 1, 2, 1, pytest.approx(61.2001)]


@pytest.mark.parametrize("count", COUNTS, ids=["python", "compiled"][: len(COUNTS)])
def test_nothing_is_counted_beside_a_row(count: Count) -> None:
    row = memoryview(bytearray(8 * 8)).cast("d")
    with pytest.raises(IndexError):
        count(row, (8, 0, 0, 0), BOUNDS, 1, 0.5, False)
    with pytest.raises(IndexError):
        count(row, (0, 0, 0, 5), BOUNDS, 1, 0.5, False)


@pytest.mark.skipif(NATIVE is None, reason="the compiled hot path was not built")
def test_compiled_what_is_no_row_is_refused() -> None:
    assert NATIVE
    row, places = memoryview(bytearray(64)).cast("d"), (0, 0, 0, 0)
    for wrong in (
        (),
        (None, places, BOUNDS, 1, 0.5, False),
        (bytes(64), places, BOUNDS, 1, 0.5, False),
        (row, (0, 0), BOUNDS, 1, 0.5, False),
        (row, ("", 0, 0, 0), BOUNDS, 1, 0.5, False),
        (row, (-9, 0, 0, 0), BOUNDS, 1, 0.5, False),
        (row, (2**64, 0, 0, 0), BOUNDS, 1, 0.5, False),
        (row, places, None, 1, 0.5, False),
        (row, places, BOUNDS, "1", 0.5, False),
        (row, places, BOUNDS, 1, "0.5", False),
    ):
        with pytest.raises((TypeError, ValueError, IndexError, OverflowError, BufferError)):
            NATIVE.count(*wrong)


def test_two_metrics_of_one_name_are_refused() -> None:
    with pytest.raises(ValueError, match="films_total"):
        Board((Counter("films_total", "Films."), Gauge("films_total", "Films.")), 1)


@pytest.mark.parametrize(
    ("address", "route"),
    [
        (MultivariantPlaylist("a"), "multivariant"),
        (Mpd("a"), "mpd"),
        (MediaPlaylist("a", REVISION, "video1"), "media"),
        (IFramePlaylist("a", REVISION, "video1"), "iframes"),
        (InitSegment("a", REVISION, "video1"), "init"),
        (MediaSegment("a", REVISION, "video1", 0), "segment"),
        (TextSegment("a", REVISION, "text1", 0), "text"),
        (WholeText("a", REVISION, "text1"), "text"),
        ("/v/a/else", "other"),
    ],
)
def test_routes(address: object, route: str) -> None:
    assert route_of(str(address)) == route


def test_an_answer_is_counted() -> None:
    board, registry = page(*FAMILIES)
    metrics = HttpMetrics(board, 0)
    metrics.observe("GET", "/v/a/0/video1/0.m4s", 206, 1000, 0.003, False)
    metrics.observe("BREW", "/pot", 418, 10, 0.003, True)
    labels = {"route": "segment", "method": "GET", "code": "206", "slo": "1"}
    assert registry.get_sample_value("vod_http_requests_total", labels) == 1
    labels = {"route": "control", "method": "other", "code": "other", "slo": "1"}
    assert registry.get_sample_value("vod_http_requests_total", labels) == 1
    assert registry.get_sample_value("vod_http_aborted_total", {"route": "control"}) == 1
    sent = registry.get_sample_value("vod_http_response_bytes_total", {"route": "segment"})
    assert sent == 1000


def test_series_stay_few_whatever_is_asked() -> None:
    board, registry = page(*FAMILIES)
    metrics = HttpMetrics(board, 0)
    for status in range(100, 600):
        for method in (*METHODS, "BREW"):
            for route in ROUTES:
                metrics.observe(method, f"/v/{status}/{route}.m4s", status, 1, 0.1, False)
    lines = generate_latest(registry).decode().splitlines()
    assert len([line for line in lines if not line.startswith("#")]) < SERIES_LIMIT


def lines_of(every: int, *answers: tuple[str, int, bool]) -> list[dict[str, object]]:
    stream = io.BytesIO()
    log = AccessLog(stream.write, every, clock=lambda: 1_000_000_000.0)
    for path, status, aborted in answers:
        log.observe("GET", path, status, 5, 0.25, aborted)
    log.close(PATIENCE)
    return [orjson.loads(line) for line in stream.getvalue().splitlines()]


def test_a_log_that_nobody_reads_holds_nobody_up(caplog: pytest.LogCaptureFixture) -> None:
    written: list[bytes] = []
    read = threading.Event()

    def write(data: bytes) -> None:
        read.wait(PATIENCE)
        written.append(data)

    log = AccessLog(write, 1, clock=time.time)
    for _ in range(3000):
        log.observe("GET", "/v/a", 200, 5, 0.25, False)
        log.flush()
    read.set()
    log.close(PATIENCE)
    lines = b"".join(written).count(b"\n")
    assert 1000 < lines < 1100
    assert f"{3000 - lines} lines dropped" in caplog.text


def test_a_worker_whose_standard_error_nobody_reads_goes_on() -> None:
    """A pipe holds 64 KiB: then whoever writes waits until someone reads."""
    program = (
        "import logging; from origin.telemetry.log import configure; configure('info')\n"
        "for _ in range(20_000): logging.info('x' * 100)\n"
        "print('went on', flush=True)"
    )
    with subprocess.Popen(
        [sys.executable, "-c", program],
        stdout=subprocess.PIPE,
        stderr=subprocess.PIPE,
        text=True,
        cwd=ROOT,
    ) as process:
        assert process.stdout is not None
        assert process.stdout.readline() == "went on\n"
        _, errors = process.communicate(timeout=PATIENCE)
    assert "lines dropped" in errors


def test_good_answers_are_sampled_and_bad_ones_are_all_logged() -> None:
    good = [("/v/a/master.m3u8", 200, False)] * 20
    assert len(lines_of(10, *good)) == 2
    assert len(lines_of(100, *good, ("/v/b", 503, False), ("/v/c", 200, True))) == 2


def test_a_line_of_the_access_log() -> None:
    (line,) = lines_of(1, ("/v/a/master.m3u8", 200, False))
    assert line["@timestamp"] == "2001-09-09T01:46:40.000+00:00"
    assert line["event.duration"] == 250_000_000
    assert line["url.path"] == "/v/a/master.m3u8"


TOKEN = "AQFrSdIAABEiM0RVZneImaq7zN3u_whpOD9Mg7Ifdtv7Zv8ScuE"


@pytest.mark.parametrize(
    "path",
    [
        f"/t/{TOKEN}/v/a/master.m3u8",
        f"/t/{TOKEN}",
        f"/t/{TOKEN}x/v/a/master.m3u8",
        f"/t/{TOKEN[:-1]}/v/a/master.m3u8",
        f"/t/%{ord(TOKEN[0]):02X}{TOKEN[1:]}/v/a/master.m3u8",
        f"//t/{TOKEN}/v/a/master.m3u8",
        f"/t//{TOKEN}/v/a/master.m3u8",
        f"/T/{TOKEN}/v/a/master.m3u8",
        f"/%74/{TOKEN}/v/a/master.m3u8",
        f"/v/{TOKEN}/a/master.m3u8",
        f"/t/x/t/{TOKEN}/v/a/master.m3u8",
        f"http://host/t/{TOKEN}/v/a/master.m3u8",
        f"/{TOKEN}é",
    ],
)
def test_no_token_is_logged_wherever_it_stands(path: str) -> None:
    (line,) = lines_of(1, (path, 403, False))
    assert TOKEN[1:-1] not in str(line)
    assert ("/v/a/master.m3u8" in path) is ("/v/a/master.m3u8" in str(line))


def test_one_viewer_s_answers_can_be_told_from_another_s() -> None:
    paths = [f"/t/{token}/v/a/{name}" for name in "xy" for token in (TOKEN, TOKEN[::-1])]
    found = [str(line["url.path"]) for line in lines_of(1, *((path, 200, False) for path in paths))]
    digests = [path.split("/")[2] for path in found]
    assert digests[:2] == digests[2:]
    assert digests[0] != digests[1]
    assert [path.rpartition("/")[2] for path in found] == list("xxyy")


def test_a_path_without_a_token_is_logged_as_it_is() -> None:
    paths = [
        "/v/a/master.m3u8",
        "/v/t/master.m3u8",
        f"/v/{'Abbott-and-costello-' * 4}/master.m3u8",
        f"/v/{'b' * 51}/master.m3u8",
        "/api/library",
        "/t/",
        "*",
    ]
    lines = lines_of(1, *((path, 200, False) for path in paths))
    assert [line["url.path"] for line in lines] == paths


def test_media_is_counted_by_its_kind_under_a_token_as_well() -> None:
    board, registry = page(*FAMILIES)
    HttpMetrics(board, 0).observe("GET", f"/t/{TOKEN}/v/a/0/video1/0.m4s", 403, 9, 0.003, False)
    labels = {"route": "segment", "method": "GET", "code": "403", "slo": "0"}
    assert registry.get_sample_value("vod_http_requests_total", labels) == 1
    assert TOKEN not in generate_latest(registry).decode()
