"""An exchange with a control plane that is not aiohttp, and not always polite."""

from __future__ import annotations

import asyncio
from collections.abc import Callable

import pytest

from origin.delivery import fields
from origin.delivery.handover import Ending, Exchange
from origin.delivery.request import Request

OK = b"HTTP/1.1 200 OK\r\n"


class Real(asyncio.Transport):
    """The real connection's transport."""

    def __init__(self) -> None:
        super().__init__({"peername": ("10.0.0.1", 5), "socket": object()})
        self.written = bytearray()

    def write(self, data: bytes | bytearray | memoryview) -> None:
        self.written += data

    def get_write_buffer_size(self) -> int:
        return len(self.written)


class Control(asyncio.Protocol):
    """Answers whatever it gets with ``pieces``, then closes."""

    def __init__(self, *pieces: bytes, close: bool = True) -> None:
        self.pieces = pieces
        self.close = close
        self.received = b""
        self.calls: list[object] = []

    def connection_made(self, transport: asyncio.BaseTransport) -> None:
        assert isinstance(transport, asyncio.Transport)
        self.transport = transport

    def data_received(self, data: bytes) -> None:
        self.received += data
        for piece in self.pieces:
            self.transport.write(piece)
        if self.close:
            self.transport.close()

    def pause_writing(self) -> None:
        self.calls.append("pause")

    def resume_writing(self) -> None:
        self.calls.append("resume")

    def connection_lost(self, error: Exception | None) -> None:
        self.calls.append(error)
        self.transport.close()  # as aiohttp does


def asking(method: str = "GET", version: str = "1.1", **headers: bytes) -> Request:
    given = {b"host": b"a"} | {name.encode(): value for name, value in headers.items()}
    return Request(method, "/x", b"/x?y", version, given, media=False, keep_alive=True)


async def exchange(
    control: Control, request: Request | None = None, connection: bytes = b""
) -> tuple[list[Ending], bytes, Exchange]:
    real, endings = Real(), list[Ending]()
    made = Exchange(
        asyncio.get_running_loop(), real, request or asking(), connection, endings.append
    )
    made.begin(lambda: control)
    await asyncio.sleep(0)
    await asyncio.sleep(0)
    return endings, bytes(real.written), made


def split(data: bytes) -> list[Callable[[], Control]]:
    """The same answer whole, and byte by byte."""
    return [lambda: Control(data), lambda: Control(*(data[i : i + 1] for i in range(len(data))))]


WHOLE = [
    (OK + b"Content-Length: 5\r\n\r\nhello", "GET"),
    (OK + b"Content-Length: 0\r\n\r\n", "GET"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n0\r\n\r\n", "GET"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\n0\r\n\r\n0\r\n\r\n", "GET"),
    (b"HTTP/1.1 204 No Content\r\n\r\n", "GET"),
    (b"HTTP/1.1 304 Not Modified\r\nETag: x\r\n\r\n", "GET"),
    (OK + b"Content-Length: 5\r\n\r\n", "HEAD"),
    (OK + b"Transfer-Encoding: chunked\r\n\r\n", "HEAD"),
]


@pytest.mark.parametrize(("answer", "method"), WHOLE)
async def test_whole_answers(answer: bytes, method: str) -> None:
    for control in split(answer):
        endings, written, made = await exchange(control(), asking(method))
        assert endings == [Ending.WHOLE]
        assert written == answer
        assert made.sent == len(answer)
        assert made.status == int(answer[9:12])


CUT = [
    OK + b"Content-Length: 5\r\n\r\nhell",
    OK + b"Content-Length: 5\r\n\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n5\r\nhello\r\n",
    OK + b"Transfer-Encoding: chunked\r\n\r\n3\r\n0\r\n\r\n",
    OK + b"Content-Length: 5\r\n\r\nhello and more",
    OK + b"Content-Le",
    b"HTTP/1.1 2000 What\r\n\r\n",
    b"nonsense\r\n\r\n",
    OK + b"Content-Length: 1\r\nTransfer-Encoding: chunked\r\n\r\n0\r\n\r\n",
    b"HTTP/1.1 100 Continue\r\n\r\n",
    b"HTTP/1.1 101 Switching Protocols\r\nConnection: upgrade\r\nUpgrade: x\r\n\r\n",
    OK + b"X: " + b"x" * 70_000,
]


@pytest.mark.parametrize("answer", CUT, ids=lambda v: repr(v)[:50])
async def test_answers_that_must_end_the_connection(answer: bytes) -> None:
    endings, _, _ = await exchange(Control(answer))
    assert endings == [Ending.CUT]


async def test_nothing_at_all() -> None:
    endings, written, made = await exchange(Control())
    assert (endings, written, made.status) == ([Ending.NOTHING], b"", 0)


async def test_an_end_that_only_the_close_marks() -> None:
    control = Control(b"HTTP/1.0 200 OK\r\n\r\nhel", b"lo")
    endings, written, _ = await exchange(control, connection=fields.KEEP_ALIVE)
    assert endings == [Ending.BY_CLOSE]
    assert written == b"HTTP/1.0 200 OK\r\nConnection: close\r\n\r\nhello"


async def test_the_connection_field_is_the_real_connections() -> None:
    answer = OK + b"CONNECTION: close\r\nkeep-alive: timeout=3\r\nX: y\r\nContent-Length: 0\r\n\r\n"
    _, written, _ = await exchange(Control(answer))
    assert written == OK + b"X: y\r\nContent-Length: 0\r\n\r\n"
    _, written, _ = await exchange(Control(answer), connection=fields.CLOSE)
    assert written == OK + b"X: y\r\nContent-Length: 0\r\nConnection: close\r\n\r\n"


async def test_what_a_handler_of_head_streams_is_dropped() -> None:
    control = Control(OK + b"Content-Length: 5\r\n\r\n", b"hello")
    endings, written, _ = await exchange(control, asking("HEAD"))
    assert endings == [Ending.WHOLE]
    assert written == OK + b"Content-Length: 5\r\n\r\n"


async def test_the_request_as_the_control_plane_gets_it() -> None:
    control = Control()
    request = asking("POST", te=b"trailers", cookie=b"a=b", upgrade=b"h2c", connection=b"x-y")
    request.headers[b"x-y"] = b"1"
    request.headers[b"transfer-encoding"] = b"chunked"
    request.body = bytearray(b"hello")
    await exchange(control, request)
    assert control.received == (
        b"POST /x?y HTTP/1.1\r\nhost: a\r\ncookie: a=b\r\nx-y: 1\r\n"
        b"content-length: 5\r\nconnection: close\r\n\r\nhello"
    )


async def test_the_peer_is_the_real_one_but_its_socket_is_not_to_be_had() -> None:
    _, _, made = await exchange(Control(close=False))
    assert made.get_extra_info("peername") == ("10.0.0.1", 5)
    assert made.get_extra_info("socket") is None
    assert made.get_extra_info("nothing", "default") == "default"


async def test_flow_control_and_loss_reach_the_control_plane() -> None:
    control = Control(OK + b"Content-Length: 5\r\n\r\nhe", close=False)
    endings, written, made = await exchange(control)
    assert not made.is_closing()
    made.pause()
    made.resume()
    error = ConnectionResetError()
    made.lose(error)
    assert made.is_closing()
    control.transport.write(b"llo")
    control.transport.close()
    made.pause()
    await asyncio.sleep(0)
    assert control.calls == ["pause", "resume", error]
    assert endings == []
    assert written.endswith(b"he")


async def test_a_protocol_is_let_go_of_once() -> None:
    control = Control(OK + b"Content-Length: 0\r\n\r\n")
    _, _, made = await exchange(control)
    made.lose(None)
    assert control.calls == [None]
