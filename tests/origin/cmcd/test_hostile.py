"""Whatever players send: reports or a ``BadReport``, within bounds, and no new series.

Drawn from a seeded generator, so a failure names the round that repeats it. The rounds of a normal
run take seconds; ``VOD_FUZZ_ROUNDS=100000 pytest tests/origin/cmcd/test_hostile.py`` looks longer.
"""

from __future__ import annotations

import math
import os
from collections.abc import Iterator
from random import Random
from urllib.parse import quote

from prometheus_client import CollectorRegistry, generate_latest

from origin.cmcd.inbox import BATCH, Inbox
from origin.cmcd.parse import of_request, read_body, read_request
from origin.cmcd.report import MOST_NEXT, MOST_SECONDS, MOST_SESSION_SECONDS, Report
from origin.errors import BadReport
from origin.telemetry.board import Board
from origin.telemetry.qoe import FAMILIES, REPORTS, QoeMetrics
from tests.origin.cmcd.asking import Asks

ROUNDS = int(os.environ.get("VOD_FUZZ_ROUNDS", "2000"))
MOST_SERIES = 300

GOOD = (
    'bl=21300,br=3200,bs,cid="faec5fc2",d=4004,dl=18500,mtp=48100,nor="..%2F300%2F1.m4s",'
    'nrr="12-48",ot=v,pr=1.08,rtp=12000,sf=h,sid="zqx-1",st=v,su,tb=6000',
    'bsd=(1200;v 800;a),bsda=(2000),e=ps,msd=900,sid="zqx-2",sn=3,sta=p,ts=1764000000000,v=2',
    'ab=(5000 6000;v),e=rr,nor=("a.m4s" "b.m4s";r="0-9"),rc=200,sid="zqx-3",sn=1,ts=1,ttfb=3,v=2',
)
NASTY = (
    '"', "\\", "(", ")", ";", ",", "=", "?", "?1", ":", "@", "%", "%00", "\n", "\x00", "\x7f",
    "é", "\ud800", "𝄞", "NaN", "Infinity", "-0", "1e999", "9" * 15, "9" * 16, "-" * 40, "(" * 80,
    ";a" * 70, "a," * 200, '"' + "x" * 5000, "sid=", 'sid=""', "sid=1", f'sid="{"y" * 65}"',
    "sn=999999999999999", "msd=-5", "msd=999999999999999", "bsd=(999999999999999;v)", "sta=(p q)",
    "ts=-1", "e=()", 'nor="//evil/1"', 'nor="http://[x"', "su=?0", "v=(2)", "v=99", "{", "[",
    '{"sid":"j","sn":1e300,"msd":1e308}', '[{"sid":["a"]},7,null,{"sid":"k","bsd":[[1],true,2]}]',
    "[" * 3000, '{"a":' * 900, "CMCD=", "CMCD=%", "&CMCD=a&CMCD=b", "+", "</script>", "{{7*7}}",
)  # fmt: skip


def hostile(rounds: int, seed: int = 20261124) -> Iterator[tuple[int, str]]:
    random = Random(seed)
    for number in range(rounds):
        text = random.choice((*GOOD, *GOOD, ""))
        for _ in range(random.randrange(1, 4)):
            at, until = sorted((random.randrange(len(text) + 1), random.randrange(len(text) + 1)))
            match random.randrange(4):
                case 0:
                    text = text[:at] + random.choice(NASTY) + text[at:]
                case 1:
                    text = text[:at] + text[until:]
                case 2:
                    text = (
                        text[:at] + chr(random.choice((random.randrange(256), 0x202E))) + text[at:]
                    )
                case _:
                    text = text + random.choice((",", "\n")) + random.choice(GOOD)[at:]
        yield number, text


def check(report: Report) -> None:
    assert 0 < len(report.sid) <= 64
    assert report.startup is None or 0 <= report.startup <= MOST_SECONDS
    assert 0 <= report.waited <= MOST_SECONDS
    assert 0 <= report.waited_in_all <= MOST_SESSION_SECONDS
    assert report.time is None or math.isfinite(report.time)
    assert len(report.next) <= MOST_NEXT


def of_body(body: bytes, content_type: str) -> list[Report | BadReport]:
    try:
        return list(read_body(body, content_type))
    except BadReport as error:
        return [error]


def read_anyhow(text: str) -> list[Report | BadReport]:
    """As a body of each kind, and as a query and as fields of a request."""
    body = text.encode("utf-8", "surrogatepass")
    found = [
        *of_body(body, "application/cmcd"),
        *of_body(body, "text/plain"),
        *of_body(body, "application/json"),
    ]
    query = Asks("x=1&CMCD=" + quote(body, safe="&=%"))
    for asks in (query, Asks(headers={b"cmcd-session": body, b"cmcd-request": b"su"})):
        told = of_request(asks)
        try:
            found.append(read_request(told or ""))
        except BadReport as error:
            found.append(error)
    return found


async def test_no_string_does_harm() -> None:
    board, registry = Board(FAMILIES, 1), CollectorRegistry()
    registry.register(board)
    inbox = Inbox(QoeMetrics(board, 0), clock=lambda: 0.0)
    good = 0
    for _, text in hostile(ROUNDS):
        found = read_anyhow(text)
        for report in found:
            if isinstance(report, Report):
                good += 1
                check(report)
        for at in range(0, len(found), BATCH):
            inbox.take(found[at : at + BATCH])
    inbox.close()
    assert good > ROUNDS // 4  # so that not all of it was refused at the door
    samples = [family for metric in registry.collect() for family in metric.samples]
    assert len(samples) < MOST_SERIES
    page = generate_latest(registry).decode()
    assert not any(word in page for word in ("zqx", "evil", "script", "yyyy"))
    seen = sum(board.totals(REPORTS, child)[0] for child in REPORTS.children)
    assert seen >= good
    for metric in registry.collect():
        assert all(math.isfinite(sample.value) and sample.value >= 0 for sample in metric.samples)
