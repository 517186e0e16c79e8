from __future__ import annotations

import pytest

from origin.delivery.fields import CLOSE, Preambles, block


def test_preambles_know_the_second() -> None:
    now = 1_795_478_400.25
    preambles = Preambles(lambda: now)
    assert preambles.renew() == 0.75, "until the next one begins"
    first = preambles[200, b""]
    assert first == (
        b"HTTP/1.1 200 OK\r\nServer: vod-origin\r\nDate: Tue, 24 Nov 2026 00:00:00 GMT\r\n"
    )
    assert preambles[200, b""] is first, "made once a second"
    now += 0.75
    preambles.renew()
    assert b"00:00:01 GMT" in preambles[200, b""]
    assert preambles[404, CLOSE].startswith(b"HTTP/1.1 404 Not Found\r\n")
    assert preambles[404, CLOSE].endswith(b"\r\nConnection: close\r\n")


@pytest.mark.parametrize("value", ["a\r\nb", "a\nb", "\x00", "\x7f", "\u2028", "\xe9"])
def test_no_field_ends_its_line(value: str) -> None:
    with pytest.raises(ValueError, match="in X"):
        block([("X", value)])
