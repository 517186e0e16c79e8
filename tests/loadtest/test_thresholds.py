from __future__ import annotations

import pytest

from loadtest.errors import BadThreshold
from loadtest.figures import Figures
from loadtest.thresholds import measure, parse


def seen() -> Figures:
    figures = Figures()
    figures.at = 100
    for milliseconds in range(1, 101):
        figures.observe("startup", milliseconds / 1000)
    figures.observe_number("throughput", 5_000)
    figures.count("requests", 1000)
    figures.count("bytes", 2_000_000)
    figures.count("starts", 99)
    figures.count("failed_starts", 1)
    figures.count("play_seconds", 999.0)
    figures.count("rebuffer_seconds", 1.0)
    figures.fail("segment", "status", "503")
    figures.gauge("viewers:a", 4)
    figures.gauge("viewers:b", 5)
    figures.gauge("cpu:a", 0.5)
    figures.gauge("cpu:b", 0.7)
    return figures


@pytest.mark.parametrize(
    ("text", "met"),
    [
        ("startup.p50<=51ms", True),
        ("startup.p50<50ms", False),
        ("startup.max==100ms", True),
        ("startup.max==0.1s", True),
        ("startup.max==100000us", True),
        ("startup.max<0.1s", False),
        ("startup.count==100", True),
        ("startup.min>=1ms", True),
        ("startup.mean>50ms", True),
        ("throughput.p50>=5Mbit/s", True),
        ("throughput.p50>5000kbit/s", False),
        ("traffic.rate==16Mbit/s", True),
        ("requests.rate==1000", True),
        ("rebuffer.ratio<=0.1%", True),
        ("rebuffer.ratio<0.1%", False),
        ("failed_starts.ratio==1%", True),
        ("failures.count==1", True),
        ("failures.ratio<=0.1%", True),
        ("viewers.max==9", True),
        ("generator.cpu==70%", True),
        (" startup.p99 < 2 s ", True),
    ],
)
def test_a_threshold_is_met_or_not(text: str, met: bool) -> None:
    assert parse(text).verdict(seen()).met is met


@pytest.mark.parametrize(
    "text",
    ["startup.p99<2s", "startup.p99>0s", "rebuffer.ratio<1%", "failed_starts.ratio<1%",
     "viewers.max>=0", "server.cpu<1"],
)  # fmt: skip
def test_what_was_not_seen_meets_no_threshold(text: str) -> None:
    verdict = parse(text).verdict(Figures())
    assert not verdict.met
    assert verdict.value is None


@pytest.mark.parametrize(
    ("text", "words"),
    [
        ("", "not of the form"),
        ("startup", "not of the form"),
        ("startup.p99", "not of the form"),
        ("startup.p99<", "not of the form"),
        ("startup.p99<-1s", "not of the form"),
        ("startup.p99<2s; rm", "not of the form"),
        ("startup.p98<2s", "no 'p98'"),
        ("begin.p99<2s", "no figure 'begin'"),
        ("startup.p99<2m", "no unit 'm'"),
        ("startup.p99<2", "startup.p99 is in s, not a number"),
        ("startup.p99<2%", "startup.p99 is in s"),
        ("rebuffer.ratio<2ms", "rebuffer.ratio is a number, not in s"),
        ("throughput.p50>2s", "throughput.p50 is in bit/s"),
    ],
)
def test_what_is_no_threshold_is_refused(text: str, words: str) -> None:
    with pytest.raises(BadThreshold, match=words):
        parse(text)


def test_processes_add_up_and_pass_as_json() -> None:
    first, second = seen(), seen()
    second.observe("startup", 9.0)
    second.at = 101
    second.count("requests", 5)
    sums = Figures()
    for part in (first, second):
        sums.merge(Figures.from_json(part.take()))
    assert first.counts == {}
    assert measure(sums, "startup.count") == 201
    assert measure(sums, "startup.max") == 9.0
    assert sums.counts["requests"] == 2005
    assert sums.failures == {"segment: status": 2}
    assert sums.examples == {"segment: status": ["503"]}
    assert sums.seconds[100].counts["requests"] == 2000
    assert sums.seconds[101].counts["requests"] == 5
    assert measure(sums.window(101, 102), "requests.count") == 5


def test_examples_of_failures_are_few() -> None:
    figures = Figures()
    for number in range(1000):
        figures.fail("segment", "status", str(number))
    assert figures.failures["segment: status"] == 1000
    assert len(figures.examples["segment: status"]) == 5
