"""Real servers, started, measured and ended as a run does."""

from __future__ import annotations

import os
import signal
import sys
from collections.abc import Iterator
from contextlib import ExitStack
from dataclasses import replace
from pathlib import Path

import pytest

from benchmarks.contests import Ground, peer
from benchmarks.load import has_wrk
from benchmarks.nginx import nginx, nginx_program
from benchmarks.origins import vod_origin
from benchmarks.parts import prepare
from benchmarks.rounds import Target, one_round
from benchmarks.servers import Server, ServerFailed
from benchmarks.targets import NoAnswer, WrongAnswer, find_paths, reading
from benchmarks.verdict import Round
from benchmarks.workloads import WORKLOADS, Asks, Client, Workload

pytestmark = [
    pytest.mark.skipif(sys.platform != "linux", reason="the benchmarks are for Linux"),
    pytest.mark.skipif(nginx_program() is None, reason="nginx is not installed"),
]

SEGMENTS = next(workload for workload in WORKLOADS if workload.name == "sd")


@pytest.mark.parametrize("workload", WORKLOADS, ids=lambda workload: workload.name)
def test_all_of_a_contest_answer_with_the_same_bytes_and_are_measured(
    workload: Workload, ground: Ground
) -> None:
    if workload.client is Client.WRK and not has_wrk():
        pytest.skip("wrk is not installed")
    with ExitStack() as stack:
        servers = [stack.enter_context(server) for server in workload.contest(ground)]
        target, different, missing = prepare(workload, servers, ground)
        rounds = [answered_round(target, server) for server in servers]
    assert (different, missing) == ({}, {})
    assert len(servers) == (3 if workload.name == "s3-relay" else 2)
    assert len(target.paths) == (1 if workload.asks is Asks.PLAYLIST else 64)
    assert all(done.requests_per_second > 0 for done in rounds)
    assert all(done.server is not None for done in rounds)
    for pid in [server.pid for server in servers] + [s.behind for s in servers if s.behind]:
        assert pid is not None
        with pytest.raises(ProcessLookupError):
            os.kill(pid, 0)


def answered_round(target: Target, server: Server) -> Round:
    """A short one; longer where all of it went into TLS handshakes, for others use the machine."""
    for seconds in (0.2, 3.0):
        done = one_round(target, server, seconds)
        if done.requests_per_second > 0:
            return done
    return one_round(target, server, 12.0)


@pytest.fixture
def servers(ground: Ground) -> Iterator[tuple[Server, Server]]:
    """Ours, and nginx as a peer that somebody else runs."""
    with vod_origin(ground.library, ground.scratch) as ours:  # noqa: SIM117
        with nginx(ground.static, ground.scratch) as static:
            with peer(f"http://{static.host}:{static.port}/") as theirs:
                yield ours, theirs


def test_media_is_had_by_token_only(servers: tuple[Server, Server]) -> None:
    ours, _ = servers
    open_door = replace(ours, tokens={})
    with reading(open_door) as reader, pytest.raises(NoAnswer, match="answers 403"):
        find_paths(SEGMENTS, reader)


def test_a_peer_is_measured_but_for_its_cpu(servers: tuple[Server, Server], ground: Ground) -> None:
    target, different, missing = prepare(SEGMENTS, servers, ground)
    done = one_round(target, servers[1], 0.2)
    assert (different, missing) == ({}, {})
    assert done.requests_per_second > 0
    assert done.server is None


def test_other_bytes_are_an_error_of_ours_and_told_of_a_peer(
    servers: tuple[Server, Server], ground: Ground, tmp_path: Path
) -> None:
    ours, theirs = servers
    target, _, _ = prepare(SEGMENTS, servers, ground)
    file = ground.static / target.paths[-1].lstrip("/")
    file.write_bytes(bytes(file.stat().st_size))
    elsewhere = replace(theirs, name="elsewhere", base="/nowhere")
    apart = replace(ground, static=tmp_path / "apart")
    _, different, missing = prepare(SEGMENTS, [ours, theirs, elsewhere], apart)
    assert "different bytes" in different[theirs.name]
    assert "answers 404" in missing["elsewhere"]
    with pytest.raises(WrongAnswer, match="different bytes"):
        prepare(SEGMENTS, [ours, replace(theirs, pid=os.getpid())], apart)


def test_a_server_that_does_not_start_says_why(tmp_path: Path) -> None:
    with pytest.raises(ServerFailed, match="not a folder"), vod_origin(tmp_path / "no", tmp_path):
        pass


def test_a_server_that_ends_says_why(ground: Ground) -> None:
    def end_and_ask() -> None:
        with vod_origin(ground.library, ground.scratch) as server, reading(server) as reader:
            assert server.pid is not None
            os.kill(server.pid, signal.SIGKILL)
            find_paths(SEGMENTS, reader)

    with pytest.raises(ServerFailed, match="ended"):
        end_and_ask()
