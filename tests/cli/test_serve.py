"""``vod-origin serve`` from start to end."""

from __future__ import annotations

import os
import signal
import socket
import ssl
import subprocess
import sys
from pathlib import Path

import orjson
import pytest

from tests.cli.running import PATIENCE, ROOT, Running, bucket, serving
from tests.support.certificates import der, issue, trusting, write_pair
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


def stop_in_a_download(server: Running) -> None:
    """Which is completed all the same."""
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


@each_number_of_workers
def test_a_download_in_flight_is_completed(large: Path, workers: str) -> None:
    with serving(large, "--workers", workers) as server:
        stop_in_a_download(server)
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
def test_a_stopping_server_says_so_for_as_long_as_is_set(films: Path, workers: str) -> None:
    with serving(films, "--workers", workers, VOD_DRAIN_DELAY_SECONDS="60") as server:
        assert server.get("/readyz") == (200, b"ok\n")
        server.stop()
        server.until(lambda: all(server.get("/readyz")[0] == 503 for _ in range(8)))
        for _ in range(8):
            assert server.get("/livez") == (200, b"ok\n")
            connection = server.connect()
            connection.request("GET", "/v/city/master.m3u8")
            reply = connection.getresponse()
            assert (reply.status, reply.headers["Connection"]) == (200, "close")
            connection.close()
        server.stop()  # a second one does not wait
        assert server.ended()[0] > 128


@each_number_of_workers
def test_a_stopping_server_ends_by_itself(films: Path, workers: str) -> None:
    with serving(films, "--workers", workers, VOD_DRAIN_DELAY_SECONDS="1") as server:
        assert server.get("/livez")[0] == 200
        server.stop()
        assert server.ended()[0] == 0


def test_a_full_server_refuses_media_and_is_alive(films: Path) -> None:
    """Of 64 open files, 24 connections."""
    with serving(films, descriptors="-n 64") as server:
        playlist = "/v/city/master.m3u8"
        assert server.get(playlist)[0] == 200
        held = [server.connect() for _ in range(24)]
        for connection in held:
            connection.request("GET", playlist)
            assert connection.getresponse().read()
        assert server.get(playlist)[0] == 503
        assert server.get("/livez")[0] == 200
        assert server.get("/readyz")[0] == 200
        assert b'vod_shed_total{reason="connections"} 1.0' in server.get("/metrics")[1]
        held.pop().close()
        server.until(lambda: server.get(playlist)[0] == 200)
        for connection in held:
            connection.close()


def test_the_number_of_connections_is_a_setting(films: Path) -> None:
    with serving(films, VOD_MAX_CONNECTIONS="1") as server:
        connection = server.connect()
        connection.request("GET", "/livez")
        assert connection.getresponse().read() == b"ok\n"
        assert server.get("/v/city/master.m3u8")[0] == 503
        connection.close()
        server.until(lambda: server.get("/v/city/master.m3u8")[0] == 200)


@needs_children
def test_more_connections_than_files(films: Path) -> None:
    with serving(films, descriptors="-n 64", VOD_MAX_CONNECTIONS="1000") as server:
        first, *others = held = [server.connect() for _ in range(101)]
        for connection in held:
            connection.connect()
        server.until(lambda: len(list(Path(f"/proc/{server.process.pid}/fd").iterdir())) == 64)
        for _ in range(3):  # by then it has tried for another
            first.request("GET", "/livez")
            assert first.getresponse().read() == b"ok\n"
        for connection in others:
            connection.close()
        assert server.get("/livez")[0] == 200
        first.close()
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert "VOD_MAX_CONNECTIONS=1000: the limit of 64 open files" in errors
    assert errors.count("cannot accept connections: Too many open files") == 1


# TLS.


def shown(server: Running) -> bytes | None:
    """The certificate of a new connection, whoever may have signed it."""
    with (
        socket.create_connection((server.host, server.port), PATIENCE) as plain,
        trusting().wrap_socket(plain, server_hostname="localhost") as secured,
    ):
        return secured.getpeercert(binary_form=True)


def secured(folder: Path) -> tuple[str, ...]:
    pair = write_pair(folder)
    return "--tls-certificate", str(pair.certificate), "--tls-key", str(pair.key)


@each_number_of_workers
def test_https(large: Path, tmp_path: Path, workers: str) -> None:
    with serving(large, "--workers", workers, *secured(tmp_path)) as server:
        assert server.address == f"https://127.0.0.1:{server.port}/"
        stop_in_a_download(server)
        assert server.ended() == (0, "")


def test_workers_resume_each_other_s_sessions(films: Path, tmp_path: Path) -> None:
    client = trusting()
    client.maximum_version = ssl.TLSVersion.TLSv1_2  # its tickets come with the handshake
    session: ssl.SSLSession | None = None
    with serving(films, "--workers", "2", *secured(tmp_path)) as server:
        for number in range(12):
            with (
                socket.create_connection((server.host, server.port), PATIENCE) as plain,
                client.wrap_socket(plain, server_hostname="localhost", session=session) as tls,
            ):
                assert tls.session_reused is (number > 0)
                session = tls.session


def test_a_renewed_certificate_is_used_without_a_restart(films: Path, tmp_path: Path) -> None:
    with serving(films, "--workers", "2", *secured(tmp_path)) as server:
        assert shown(server) == der()
        held = server.connect()
        held.request("GET", "/livez")
        assert held.getresponse().read() == b"ok\n"
        renewed = issue()
        write_pair(tmp_path, renewed)
        server.until(lambda: all(shown(server) == der(renewed) for _ in range(8)))
        held.request("GET", "/livez")
        assert held.getresponse().read() == b"ok\n"
        held.close()
        server.stop()
        status, errors = server.ended()
    assert status == 0
    assert errors.count("the certificate is renewed") == 2


@pytest.mark.parametrize(
    ("given", "complaint"),
    [
        (("certificate.pem", "nothing.pem"), "TLS: {}/nothing.pem: No such file or directory"),
        (("key.pem", "key.pem"), "TLS: {}/key.pem holds no certificate in PEM"),
        (("certificate.pem", ""), "tls_certificate and tls_key are set together, or neither is"),
    ],
)
def test_a_certificate_that_is_none(
    films: Path, tmp_path: Path, given: tuple[str, str], complaint: str
) -> None:
    write_pair(tmp_path)
    certificate, key = (str(tmp_path / name) if name else "" for name in given)
    options = ("--tls-certificate", certificate, "--tls-key", key)
    said = refused("serve", str(films), "--port", "0", *options)
    assert said == f"vod-origin: {complaint.format(tmp_path)}\n"


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
    with serving(tmp_path, descriptors="-Sn 64") as server:
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


def test_a_bucket_is_served_as_a_folder_is(films: Path, tmp_path: Path) -> None:
    with (
        bucket(films) as (process, location, environment),
        serving(
            location, "--workers", "2", VOD_CACHE_FOLDER=str(tmp_path), **environment
        ) as server,
        serving(films) as near,
    ):
        assert server.get("/readyz")[0] == 200
        path = first_segment("film", server.get("/v/film/master.m3u8"))
        expected = near.get(first_segment("film", near.get("/v/film/master.m3u8")))
        assert server.get(path) == server.get(path) == expected
        titles = orjson.loads(server.get("/api/library")[1])["titles"]
        assert {title["id"] for title in titles} >= {"city", "film"}
        counted = b'vod_cache_segments_total{result="miss"} '
        server.until(lambda: counted in server.get("/metrics")[1])
        process.terminate()
        process.wait()
        assert server.get(path) == expected, "which is kept"
        assert server.get("/livez")[0] == 200
        server.until(lambda: server.get("/readyz")[0] == 503)
