"""``vod-origin serve`` from start to end."""

from __future__ import annotations

import os
import signal
import socket
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.cli.running import PATIENCE, ROOT, serving
from tests.support.movies import Recording, Row, plain_movie

needs_children = pytest.mark.skipif(
    not Path(f"/proc/self/task/{os.getpid()}/children").exists(),
    reason="needs /proc/PID/task/PID/children",
)
each_number_of_workers = pytest.mark.parametrize("workers", ["1", "2"])


@pytest.fixture(scope="module")
def large(tmp_path_factory: pytest.TempPathFactory) -> Path:
    """A library of one title whose segments are more than any socket buffers."""
    folder = tmp_path_factory.mktemp("large")
    rows = [Row(size=200_000, duration=512, sync=number % 50 == 0) for number in range(100)]
    movie = plain_movie(Recording("video", 12_800, rows), chunk=100)
    (folder / "film.mp4").write_bytes(movie)
    return folder


def first_segment(asset_id: str, answer: tuple[int, bytes]) -> str:
    """The path of the title's first segment, from the answer with its multivariant playlist."""
    status, playlist = answer
    assert status == 200
    (uri,) = [line for line in playlist.decode().splitlines() if line.endswith("media.m3u8")]
    return f"/v/{asset_id}/{uri.replace('media.m3u8', '0.m4s')}"


@each_number_of_workers
def test_it_serves_at_the_address_it_prints_until_it_is_told_to_stop(
    films: Path, workers: str
) -> None:
    with serving(films, "--workers", workers) as server:
        assert server.address == f"http://127.0.0.1:{server.port}/"
        for _ in range(8):
            assert server.get("/livez") == (200, b"ok\n")
            status, playlist = server.get("/v/city/master.m3u8")
            assert status == 200
            assert playlist.startswith(b"#EXTM3U")
        titles = orjson.loads(server.get("/api/library")[1])["titles"]
        assert len(titles) == 5
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert "Traceback" not in errors


def test_an_interrupt_from_the_keyboard_stops_it_too(films: Path) -> None:
    with serving(films) as server:
        assert server.get("/livez")[0] == 200
        server.stop(signal.SIGINT)
        status, errors = server.ended()
    assert (status, errors) == (0, "")


@each_number_of_workers
def test_a_download_in_flight_is_completed(large: Path, workers: str) -> None:
    with serving(large, "--workers", workers) as server:
        path = first_segment("film", server.get("/v/film/master.m3u8"))
        _, expected = server.get(path)
        connection = server.connect()
        connection.request("GET", path)
        reply = connection.getresponse()
        got = reply.read(1000)
        server.stop()
        while piece := reply.read(1 << 20):
            got += piece
        connection.close()
        assert got == expected
        assert len(got) == int(reply.headers["Content-Length"]) > 8_000_000
        assert server.ended()[0] == 0


def test_a_download_that_stands_still_is_waited_for_no_longer_than_is_set(large: Path) -> None:
    with serving(large, VOD_DRAIN_SECONDS="1") as server:
        path = first_segment("film", server.get("/v/film/master.m3u8"))
        connection = server.connect()
        connection.request("GET", path)
        reply = connection.getresponse()
        server.stop()
        assert server.ended()[0] == 0
        reply.close()
        connection.close()


@each_number_of_workers
def test_what_is_left_out_is_logged(films: Path, workers: str) -> None:
    with serving(films, "--workers", workers) as server:
        assert server.get("/v/uneven/master.m3u8")[0] == 200
        server.stop()
        _, errors = server.ended()
    assert '"log.level":"warning"' in errors
    assert "uneven: left out uneven/video-odd.mp4: video track 1" in errors


def test_more_files_than_the_soft_limit_of_descriptors(tmp_path: Path) -> None:
    rows = [Row(sync=number % 25 == 0) for number in range(100)]
    movie = plain_movie(Recording("video", 12_800, rows), chunk=100)
    for number in range(100):
        (tmp_path / f"{number}.mp4").write_bytes(movie)
    with serving(tmp_path, descriptors=64) as server:
        for number in range(100):
            segment = first_segment(str(number), server.get(f"/v/{number}/master.m3u8"))
            assert server.get(segment)[0] == 200


@needs_children
def test_one_worker_is_one_process(films: Path) -> None:
    with serving(films) as server:
        assert server.get("/livez")[0] == 200
        assert server.workers() == []


@needs_children
def test_no_number_of_workers_is_one_for_each_core(films: Path) -> None:
    with serving(films, "--workers", "0") as server:
        assert server.get("/livez")[0] == 200
        cores = os.cpu_count() or 1
        assert len(server.workers()) == (cores if cores > 1 else 0)


@needs_children
def test_the_death_of_a_worker_is_no_end(films: Path) -> None:
    with serving(films, "--workers", "2") as server:
        assert server.get("/livez")[0] == 200
        first, second = server.workers()
        os.kill(first, signal.SIGKILL)
        server.until(lambda: first not in server.workers())
        for _ in range(20):
            assert server.get("/v/city/master.m3u8")[0] == 200
        assert second in server.workers()
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert f"worker 0 ({first}) ended by signal 9" in errors


@needs_children
def test_workers_end_with_their_parent(films: Path) -> None:
    with serving(films, "--workers", "2") as server:
        assert server.get("/livez")[0] == 200
        workers = server.workers()
        server.stop(signal.SIGKILL)
        server.ended()  # it reads until the last of them has closed standard error
    assert not any(Path(f"/proc/{pid}/exe").exists() for pid in workers)


def test_a_port_that_is_taken(films: Path) -> None:
    with socket.create_server(("127.0.0.1", 0)) as taken:
        port = taken.getsockname()[1]
        done = refused("serve", str(films), "--port", str(port))
    assert done == f"vod-origin: cannot listen on 127.0.0.1 port {port}: Address already in use\n"


def test_a_host_that_is_none(films: Path) -> None:
    said = refused("serve", str(films), "--host", "no.such.host.invalid")
    assert said.startswith("vod-origin: cannot listen on no.such.host.invalid port 8080: ")
    assert "Unknown error" not in said


def refused(*arguments: str) -> str:
    """The one line that is said by a command that ends with status 2."""
    done = subprocess.run(
        [sys.executable, "-m", "cli.main", *arguments],
        cwd=ROOT,
        capture_output=True,
        text=True,
        timeout=PATIENCE,
        check=False,
    )
    assert (done.returncode, done.stdout) == (2, "")
    assert done.stderr.count("\n") == 1
    return done.stderr
