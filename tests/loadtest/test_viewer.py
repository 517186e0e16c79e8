"""One viewer against a server whose every answer and its time is written down."""

from __future__ import annotations

import gzip
from dataclasses import replace
from urllib.parse import unquote

import pytest

from loadtest.thresholds import measure
from tests.loadtest.grounds import ground, watch
from tests.loadtest.scripted import (
    MULTIVARIANT,
    Answer,
    Time,
    playlist,
    scripted,
    segment,
    title,
)

MOVED = 1e-6
"""Times are kept in whole microseconds."""


def test_start_up_and_time_to_manifest_are_what_the_server_took() -> None:
    clock = Time()
    with scripted(title([1.0, 0.0], manifest=1.0, media=0.5, init=0.25), clock) as server:
        played = ground(server, clock)
        watch(played)
    assert measure(played.figures, "startup.max") == pytest.approx(2.75, abs=MOVED)
    assert measure(played.figures, "manifest.max") == pytest.approx(1.0, abs=MOVED)
    assert played.figures.counts["starts"] == 1
    assert server.paths() == [
        "/film/master.m3u8",
        "/film/low/media.m3u8",
        "/film/low/init.mp4",
        "/film/low/0.m4s",
        "/film/low/1.m4s",
    ]


def test_a_stall_lasts_from_the_last_buffered_picture_to_the_next_segment() -> None:
    clock = Time()
    # Plays from 1 s; the second is there at 2 s, so it would play to 9 s; the third comes at 12 s.
    with scripted(title([1.0, 1.0, 10.0, 0.0, 0.0]), clock) as server:
        played = ground(server, clock)
        watch(played)
    figures = played.figures
    assert measure(figures, "stall.max") == pytest.approx(3.0, abs=MOVED)
    assert figures.counts["stalls"] == 1
    assert figures.counts["play_seconds"] == pytest.approx(20.0)
    assert measure(figures, "rebuffer.ratio") == pytest.approx(3 / 23)


def test_no_stall_where_each_segment_comes_in_time() -> None:
    clock = Time()
    with scripted(title([1.0, 3.9, 3.9, 3.9]), clock) as server:
        played = ground(server, clock)
        watch(played)
    assert played.figures.counts["stalls"] == 0
    assert measure(played.figures, "rebuffer.ratio") == 0


def test_it_fetches_no_further_ahead_than_its_buffer() -> None:
    clock = Time()
    asked: list[float] = []
    with scripted(title([0.0] * 10), clock) as server:
        played = ground(server, clock, "[player]\nbuffer_seconds = 8")
        played.on_request = lambda what, *_: (
            asked.append(clock.now()) if what == "segment" else None
        )
        watch(played)
    first = asked[0]
    # Two segments are 8 s; each further one is asked for when 8 s are left again.
    assert [at - first for at in asked] == pytest.approx([0, 0, 0, *range(4, 32, 4)], abs=0.01)


def test_pictures_and_sound_must_both_be_there() -> None:
    clock = Time()
    script = title([1.0, 0.0])
    script["/film/master.m3u8"] = Answer(
        b"#EXTM3U\n"
        b'#EXT-X-MEDIA:TYPE=AUDIO,GROUP-ID="a",NAME="English",LANGUAGE="en",URI="en/media.m3u8"\n'
        b'#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=640x360,AUDIO="a"\nlow/media.m3u8\n'
    )
    script["/film/en/media.m3u8"] = Answer(playlist([4.0, 4.0]))
    script["/film/en/init.mp4"] = script["/film/low/init.mp4"]
    script["/film/en/0.m4s"] = Answer(segment(10), 2.0)
    script["/film/en/1.m4s"] = Answer(segment(10), 0.0)
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
    assert measure(played.figures, "startup.max") == pytest.approx(3.0, abs=MOVED)
    assert played.figures.failures == {}


LADDER = (
    b"#EXTM3U\n"
    b"#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=640x360\nlow/media.m3u8\n"
    b"#EXT-X-STREAM-INF:BANDWIDTH=9000000,RESOLUTION=1920x1080\nhigh/media.m3u8\n"
)


def two_rungs(seconds: float) -> dict[str, Answer | list[Answer]]:
    script = title([seconds] * 4)
    script["/film/master.m3u8"] = Answer(LADDER)
    script |= {path.replace("low", "high"): answer for path, answer in script.items()}
    script["/film/master.m3u8"] = Answer(LADDER)
    return script


@pytest.mark.parametrize(
    ("seconds", "device", "segments"),
    [
        (0.0, 0, ["low/0", "high/1", "high/2", "high/3"]),  # as fast as a test's clock: 80 Mbit/s
        (1.0, 0, ["low/0", "low/1", "low/2", "low/3"]),  # 8 kbit/s
        (0.0, 720, ["low/0", "low/1", "low/2", "low/3"]),  # nothing higher for a phone
    ],
)
def test_the_rung_follows_the_throughput_and_the_device(
    seconds: float, device: int, segments: list[str]
) -> None:
    clock = Time()
    more = f'[[devices]]\nname = "one"\nshare = 1\nmax_height = {device}\n'
    with scripted(two_rungs(seconds), clock) as server:
        played = ground(server, clock, more)
        watch(played)
    paths = [path for path in server.paths() if path.endswith(".m4s")]
    assert paths == [f"/film/{path}.m4s" for path in segments]
    assert played.figures.counts["switches"] == len({path[:3] for path in segments}) - 1


def test_a_slow_network_is_a_reader_that_waits() -> None:
    clock = Time()
    script = title([0.0])
    script["/film/low/0.m4s"] = Answer(segment(100_000))
    more = '[[networks]]\nname = "slow"\nshare = 1\nkbit = 800\nrtt_ms = 100\n'
    with scripted(script, clock) as server:
        played = ground(server, clock, more)
        watch(played)
    startup = measure(played.figures, "startup.max")
    assert startup is not None
    # 100 kB at 100 kB/s, and four round trips; what comes with a head is not waited for.
    assert 1.3 < startup < 1.45


def test_a_server_that_gives_no_segment_is_a_failed_start() -> None:
    clock = Time()
    script = title([0.0])
    script["/film/low/0.m4s"] = Answer(b"no", status=503)
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
    assert played.figures.counts["failed_starts"] == 1
    assert played.figures.counts["starts"] == 0
    assert played.figures.failures == {"segment: status": 3}
    assert measure(played.figures, "startup.p99") is None


def test_a_segment_that_fails_once_is_asked_for_again() -> None:
    clock = Time()
    script = title([0.0, 0.0])
    script["/film/low/1.m4s"] = [Answer(b"no", status=503), Answer(segment())]
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
    assert played.figures.failures == {"segment: status": 1}
    assert played.figures.counts["play_seconds"] == pytest.approx(8.0)
    assert played.figures.counts["broken_sessions"] == 0


BROKEN_BOXES = segment(1000)[:-500] + bytes(499)
UNLIKE_SAMPLES = segment(1000).replace((1000).to_bytes(4, "big"), (900).to_bytes(4, "big"), 1)


@pytest.mark.parametrize(
    ("wrong", "found"),
    [
        (Answer(segment(), etag='"other"'), "segment: etag"),
        (Answer(segment(), etag=""), "segment: etag"),
        (Answer(segment(), etag="unquoted"), "segment: etag"),
        (Answer(segment(999)), "segment: length"),
        (Answer(segment(), length=1100, cut=1100), "segment: truncated"),
        (Answer(segment(), cut=500), "segment: truncated"),
        (Answer(segment() + b"more", length=len(segment())), "segment: length"),
        (Answer(segment()[:-1] + b"x"), "segment: digest"),
        (Answer(segment(), status=404), "segment: status"),
        (Answer(segment(), status=206), "segment: status"),
        (Answer(segment(), fields="Content-Length: 3\r\n"), "segment: head"),
        (Answer(segment(), fields="no field\r\n"), "segment: head"),
    ],
    ids=lambda value: value if isinstance(value, str) else "",
)
def test_what_differs_from_what_another_viewer_had_is_found(wrong: Answer, found: str) -> None:
    clock = Time()
    script = title([0.0])
    script["/film/low/0.m4s"] = [Answer(segment()), wrong, Answer(segment())]
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
        assert played.figures.failures == {}
        watch(played, 1)
    assert played.figures.failures == {found: 1}
    assert played.figures.examples[found]


def zipped(body: bytes, level: int, etag: str) -> Answer:
    packed = gzip.compress(body, level, mtime=0)
    return Answer(packed, etag=etag, fields="Content-Encoding: gzip\r\n")


OTHER = MULTIVARIANT + b"# another\n"


@pytest.mark.parametrize(
    ("first", "second", "found"),
    [
        (Answer(MULTIVARIANT), Answer(OTHER), {"manifest: digest": 1}),
        (Answer(MULTIVARIANT), Answer(OTHER, etag='"two"'), {}),
        (zipped(MULTIVARIANT, 9, '"one"'), zipped(OTHER, 9, '"one"'), {"manifest: digest": 1}),
        (
            zipped(MULTIVARIANT, 9, '"one"'),
            zipped(MULTIVARIANT, 0, '"one"'),
            {"manifest: digest": 1},
        ),
        (zipped(MULTIVARIANT, 9, 'W/"one"'), zipped(MULTIVARIANT, 0, 'W/"one"'), {}),
        (zipped(MULTIVARIANT, 9, 'W/"one"'), zipped(OTHER, 9, 'W/"one"'), {"manifest: digest": 1}),
    ],
)
def test_one_etag_stands_for_one_document(
    first: Answer, second: Answer, found: dict[str, int]
) -> None:
    """A weak one for the same text, however it was packed (RFC 9110 8.8.1)."""
    clock = Time()
    script = {**title([0.0]), "/film/master.m3u8": [first, second, first]}
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
        watch(played, 1)
    assert played.figures.failures == found
    assert played.figures.counts["starts"] == 2


def test_a_coding_that_is_none_is_found() -> None:
    clock = Time()
    script = title([0.0])
    good = Answer(MULTIVARIANT)
    wrong = Answer(MULTIVARIANT, fields="Content-Encoding: gzip\r\n")
    script["/film/master.m3u8"] = [wrong, good]
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
    assert played.figures.failures == {"manifest: truncated": 1}
    assert played.figures.counts["starts"] == 1


@pytest.mark.parametrize(
    "body",
    [BROKEN_BOXES, UNLIKE_SAMPLES, segment() + b"\0\0\0\1", segment()[1:], b"", bytes(300)],
    ids=["cut", "sizes", "rest", "shifted", "empty", "zeros"],
)
def test_boxes_that_do_not_fit_are_found(body: bytes) -> None:
    clock = Time()
    script = title([0.0])
    script["/film/low/0.m4s"] = Answer(body)
    with scripted(script, clock) as server:
        played = ground(server, clock)
        watch(played)
    assert set(played.figures.failures) == {"segment: boxes"}


def test_segments_are_drained_and_not_looked_at_where_nothing_is_sampled() -> None:
    clock = Time()
    script = title([0.0])
    script["/film/low/0.m4s"] = Answer(bytes(3_000_000))
    with scripted(script, clock) as server:
        played = ground(server, clock)
        played.scenario = replace(played.scenario, sample=0.0)
        watch(played)
    assert played.figures.failures == {}
    assert played.figures.counts["bytes"] > 3_000_000


def test_a_viewer_seeks_and_says_how_long_it_took() -> None:
    clock = Time()
    script = title([0.5] * 50)
    more = "[watching]\nseeks_per_hour = 60\n[player]\nbuffer_seconds = 4"
    with scripted(script, clock) as server:
        played = ground(server, clock, more)
        watch(played)
    figures = played.figures
    assert figures.counts["seeks"] > 0
    assert figures.histogram("seek").count == figures.counts["seeks"]
    assert measure(figures, "seek.max") == pytest.approx(0.5, abs=MOVED)
    assert figures.counts["stalls"] == 0


def test_a_paused_viewer_plays_no_time_and_does_not_stall() -> None:
    clock = Time()
    more = "[watching]\npauses_per_hour = 600\npause_seconds = 30"
    with scripted(title([0.0] * 20), clock) as server:
        played = ground(server, clock, more)
        watch(played)
    assert played.figures.counts["pauses"] > 0
    assert played.figures.counts["play_seconds"] == pytest.approx(80.0)
    assert played.figures.counts["stalls"] == 0
    assert clock.now() - 1000 > 80 + 30


def test_a_viewer_may_leave_before_the_end() -> None:
    clock = Time()
    with scripted(title([0.0] * 100), clock) as server:
        played = ground(server, clock, "[watching]\nmean_seconds = 30")
        watch(played)
    assert played.figures.counts["left_early"] == 1
    assert played.figures.counts["play_seconds"] == pytest.approx(clock.now() - 1000)
    assert played.figures.counts["play_seconds"] < 400


def test_it_tells_the_server_of_itself() -> None:
    clock = Time()
    with scripted(title([1.0, 0.0, 0.0]), clock) as server:
        played = ground(server, clock)
        played.scenario = replace(played.scenario, cmcd_mode="query", cmcd_version=2)
        watch(played)
    told = [unquote(head.split(" ")[1].partition("CMCD=")[2]) for head in server.asked]
    assert all("v=2" in line and 'cid="film"' in line for line in told)
    assert len({line.partition('sid="')[2][:32] for line in told}) == 1
    first, second = told[3], told[4]
    assert "su" in first.split(",")
    assert "msd" not in first
    assert "msd=1000" in second.split(",")
    assert "bl=(4000)" in second.split(",")
    assert 'nor=("2.m4s")' in second.split(",")
    assert "msd" not in told[5]
