"""What is learnt of a server from its metrics and its processes."""

from __future__ import annotations

import os

import pytest

from loadtest import settings
from loadtest.errors import LoadTestError
from loadtest.server import Watch
from loadtest.settings import Settings
from tests.loadtest.scripted import Answer, Time, scripted

METRICS = """# HELP process_cpu_seconds_total x
process_cpu_seconds_total {cpu}
vod_http_requests_total{{code="200",route="a"}} {requests}
vod_http_requests_total{{code="200",route="b"}} 5.0
vod_worker_resident_bytes{{worker="0"}} 1e+06
vod_worker_resident_bytes{{worker="1"}} 2e+06
vod_event_loop_lag_seconds_bucket{{le="0.001"}} {quick}
vod_event_loop_lag_seconds_bucket{{le="0.1"}} {slow}
vod_event_loop_lag_seconds_bucket{{le="+Inf"}} {slow}
"""


def metrics(**values: float) -> Answer:
    return Answer(METRICS.format(**values).encode())


def test_metrics_become_rates() -> None:
    clock = Time()
    answers = [
        metrics(cpu=10, requests=100, quick=5, slow=5),
        metrics(cpu=11, requests=300, quick=9, slow=10),
        metrics(cpu=11, requests=300, quick=12, slow=13),
    ]
    with scripted({"/metrics": answers}, clock) as server:
        watch = Watch(f"{server.address}/metrics", 0, clock)
        assert watch.look() == {}
        clock.sleep(2.0)
        sample = watch.look()
        clock.sleep(1.0)
        quiet = watch.look()
        watch.close()
    assert sample == {
        "server:cpu": 0.5,
        "server:requests": 100.0,
        "server:memory": 3e6,
        "server:lag": 0.1,
    }
    assert quiet["server:lag"] == 0.001
    assert watch.missing == ""


def test_a_server_without_metrics_is_no_failure() -> None:
    clock = Time()
    with scripted({}, clock) as server:
        watch = Watch(f"{server.address}/metrics", 0, clock)
        assert watch.look() == {}
        watch.close()
    assert "404" in watch.missing


def test_processes_of_this_machine_are_measured() -> None:
    clock = Time()
    watch = Watch("", os.getpid(), clock)
    watch.look()
    clock.sleep(1.0)
    for number in range(3_000_000):
        hash(number)
    sample = watch.look()
    assert sample["server:memory"] > 1e6
    assert sample["server:cpu"] > 0


@pytest.mark.parametrize(
    ("wrong", "words"),
    [
        ({"url": "film.m3u8"}, "no http or https URL"),
        ({"url": "ftp://a/film.m3u8"}, "no http or https URL"),
        ({"metrics": "here"}, "no http or https URL"),
        ({"server_pid": "self"}, "server_pid"),
        ({"workers": "0"}, "workers"),
    ],
)
def test_settings_that_nothing_could_use(wrong: dict[str, str], words: str) -> None:
    settings.check(Settings(url="http://a/", metrics="off"))
    with pytest.raises(LoadTestError, match=words):
        settings.check(Settings(**({"url": "http://a/"} | wrong)))
