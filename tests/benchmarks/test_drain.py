"""The draining client against a server whose every write is a choice of the test."""

from __future__ import annotations

from dataclasses import replace

import pytest

from benchmarks import drain
from benchmarks.drain import Load, LoadError, ask_once, drive
from benchmarks.load import run_drain
from tests.benchmarks.answering import ok, serving


def load(port: int, *paths: str, connections: int = 3) -> Load:
    return Load("127.0.0.1", port, paths or ("/a",), ("X-From: test",), connections, 0.2)


def test_bodies_are_counted_and_every_path_is_asked_for() -> None:
    bodies = {"/a": bytes(300_000), "/b": b"b", "/c": b""}
    with serving(lambda path: [ok(bodies[path])]) as (port, heads):
        tally = drive(load(port, *bodies))
    assert {head.split(b" ")[1] for head in heads} == {b"/a", b"/b", b"/c"}
    assert all(head.endswith(b"\r\nX-From: test\r\n\r\n") for head in heads)
    assert 3 <= tally.requests <= len(heads)
    # Of the last answers on each connection only a part may have come.
    assert abs(tally.nbytes - tally.requests * 100_000) < 6 * 300_000
    assert 0 < tally.p50 <= tally.p99 <= tally.seconds


def test_a_head_may_come_in_pieces() -> None:
    whole = ok(bytes(50_000))
    pieces = [whole[:7], whole[7:40], whole[40:1000], whole[1000:]]
    with serving(lambda path: pieces) as (port, _):
        tally = drive(load(port, connections=1))
    assert tally.nbytes >= tally.requests * 50_000 > 0


def test_parts_are_counted_where_parts_are_asked_for() -> None:
    part = b"HTTP/1.1 206 Partial Content\r\nContent-Length: 5\r\n\r\n12345"
    with serving(lambda path: [part]) as (port, _):
        tally = drive(replace(load(port), status=206))
        with pytest.raises(LoadError, match="206"):
            drive(load(port))
    assert tally.nbytes >= tally.requests * 5 > 0


def test_a_whole_body_where_a_part_is_asked_for_ends_it() -> None:
    with serving(lambda path: [ok(b"whole")]) as (port, _), pytest.raises(LoadError, match="200"):
        drive(replace(load(port), status=206))


@pytest.mark.parametrize(
    ("pieces", "complaint"),
    [
        ([b"HTTP/1.1 404 Not Found\r\nContent-Length: 0\r\n\r\n"], "404"),
        ([b"HTTP/1.1 200 OK\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n"], "known length"),
        ([b"HTTP/1.1 200 OK\r\nContent-Length: 9\r\n\r\nshort", b""], "4 bytes before the end"),
        ([b"HTTP/1.1 200 OK\r\nConte", b""], "no end of a head"),
        ([b"x" * 20_000], "no end of a head"),
    ],
)
def test_an_answer_that_is_not_one_ends_it(pieces: list[bytes], complaint: str) -> None:
    with serving(lambda path: pieces) as (port, _), pytest.raises(LoadError, match=complaint):
        drive(load(port))


def test_a_first_answer_is_waited_for_when_time_is_up() -> None:
    with serving(lambda path: [ok(b"late")]) as (port, _):
        tally = drive(replace(load(port, connections=1), seconds=0.0))
    assert tally.requests == 1


def test_a_server_that_never_answers_is_an_error(monkeypatch: pytest.MonkeyPatch) -> None:
    monkeypatch.setattr(drain, "PATIENCE", 0.1)
    with serving(lambda path: [b"H"]) as (port, _), pytest.raises(LoadError, match="not one"):
        drive(load(port))


def test_it_runs_as_a_process_of_its_own() -> None:
    with serving(lambda path: [ok(bytes(1000))]) as (port, _):
        tally = run_drain(load(port))
    assert tally.requests > 0


def test_the_process_says_why_it_failed() -> None:
    answer = [b"HTTP/1.1 500 Oh\r\nContent-Length: 0\r\n\r\n"]
    with serving(lambda path: answer) as (port, _), pytest.raises(LoadError, match="500 Oh"):
        run_drain(load(port))


def test_apart_no_two_connections_ask_for_the_same() -> None:
    asks = replace(load(1, "/a", "/b", "/c", "/d", "/e"), apart=True)
    assert [asks.of(number) for number in range(3)] == [("/a", "/d"), ("/b", "/e"), ("/c",)]
    with serving(lambda path: [ok(path.encode())]) as (port, heads):
        tally = ask_once(replace(asks, port=port))
    assert len(heads) == tally.requests == 3
    asked = {head.split(b" ")[1].decode() for head in heads}
    assert [len(asked & set(asks.of(number))) for number in range(3)] == [1, 1, 1]


def test_all_ask_once_and_are_waited_for() -> None:
    with serving(lambda path: [ok(bytes(300_000))]) as (port, heads):
        tally = ask_once(load(port, connections=20))
    assert len(heads) == tally.requests == 20
    assert tally.nbytes == 20 * 300_000
    assert 0 < tally.p50 <= tally.p99 <= tally.seconds


def test_who_gets_no_answer_is_told() -> None:
    half = ok(bytes(300_000))[:100_000]
    with serving(lambda path: [half]) as (port, _), pytest.raises(LoadError, match="3 are without"):
        ask_once(load(port))
