from __future__ import annotations

import pytest

from benchmarks.contests import BadPeer, peer


@pytest.mark.parametrize(
    ("url", "host", "port", "asked"),
    [
        ("http://origin.example", "origin.example", 80, "/v/a/master.m3u8"),
        ("http://127.0.0.1:9000/", "127.0.0.1", 9000, "/v/a/master.m3u8"),
        ("http://[::1]:9000/vod/", "::1", 9000, "/vod/v/a/master.m3u8"),
    ],
)
def test_where_a_peer_is_and_what_it_is_asked_for(
    url: str, host: str, port: int, asked: str
) -> None:
    with peer(url) as server:
        assert (server.host, server.port, server.pid) == (host, port, None)
        assert server.address("/v/a/master.m3u8") == asked


@pytest.mark.parametrize(
    "url",
    ["https://origin.example", "origin.example:80", "http:///v/", "http://a:b/", "http://a/?b"],
)
def test_a_url_that_cannot_be_measured_is_refused(url: str) -> None:
    with pytest.raises(BadPeer, match=r"peer is http|Port"), peer(url):
        pass
