"""A server over real sockets whose answers, and the time they take, are written down beforehand.

Time is a number: each answer moves it on by so many seconds before it is sent, and whoever sleeps
moves it on by as much. So what a viewer measures can be computed by hand.
"""

from __future__ import annotations

import re
import socket
import threading
from collections.abc import Iterator, Mapping
from contextlib import contextmanager
from dataclasses import dataclass, field


class Time:
    """A ``loadtest.clock.Clock``."""

    def __init__(self) -> None:
        self._now = 1000.0
        self._lock = threading.Lock()

    def now(self) -> float:
        with self._lock:
            return self._now

    def sleep(self, seconds: float) -> None:
        assert seconds >= 0
        with self._lock:
            self._now += seconds


@dataclass(frozen=True)
class Answer:
    """``seconds``: that it takes; ``length``: what is said instead of the body's; ``cut``: bytes of
    the body after which the connection is closed."""

    body: bytes = b""
    seconds: float = 0.0
    status: int = 200
    etag: str = '"one"'
    length: int | None = None
    cut: int | None = None
    fields: str = ""


Script = Mapping[str, Answer | list[Answer]]


@dataclass
class Scripted:
    """``asked``: heads of requests in their order; ``bodies``: of those that have one."""

    address: str
    asked: list[str] = field(default_factory=list)
    bodies: list[bytes] = field(default_factory=list)

    def paths(self) -> list[str]:
        return [head.split(" ")[1].partition("?")[0] for head in self.asked]


@contextmanager
def scripted(script: Script, clock: Time) -> Iterator[Scripted]:
    """A path's list of answers is given in turn, the last one again and again."""
    left = {path: list(a) if isinstance(a, list) else [a] for path, a in script.items()}
    with socket.create_server(("127.0.0.1", 0)) as listener:
        server = Scripted(f"http://127.0.0.1:{listener.getsockname()[1]}")
        threads: list[threading.Thread] = []

        def accept() -> None:
            while True:
                try:
                    sock, _ = listener.accept()
                except OSError:
                    return
                thread = threading.Thread(target=_serve, args=(sock, left, clock, server))
                thread.start()
                threads.append(thread)

        accepting = threading.Thread(target=accept)
        accepting.start()
        try:
            yield server
        finally:
            listener.shutdown(socket.SHUT_RDWR)
            accepting.join()
            for thread in threads:
                thread.join()


def _serve(
    sock: socket.socket, left: dict[str, list[Answer]], clock: Time, server: Scripted
) -> None:
    with sock:
        data = b""
        while True:
            while b"\r\n\r\n" not in data:
                piece = sock.recv(65536)
                if not piece:
                    return
                data += piece
            head, _, data = data.partition(b"\r\n\r\n")
            text = head.decode()
            length = int((re.search(r"Content-Length: (\d+)", text) or ["", "0"])[1])
            while len(data) < length:
                data += sock.recv(65536)
            if length:
                server.bodies.append(data[:length])
            data = data[length:]
            server.asked.append(text)
            answers = left.get(text.split(" ")[1].partition("?")[0], [Answer(status=404)])
            answer = answers.pop(0) if len(answers) > 1 else answers[0]
            clock.sleep(answer.seconds)
            said = len(answer.body) if answer.length is None else answer.length
            etag = f"ETag: {answer.etag}\r\n" if answer.etag else ""
            reply = (
                f"HTTP/1.1 {answer.status} X\r\nContent-Length: {said}\r\n{etag}{answer.fields}\r\n"
            )
            sock.sendall(reply.encode() + answer.body[: answer.cut])
            if answer.cut is not None:
                return


def atom(name: str, body: bytes) -> bytes:
    return (8 + len(body)).to_bytes(4, "big") + name.encode() + body


INIT = atom("ftyp", b"iso6\0\0\0\0") + atom(
    "moov", atom("trak", atom("mdia", atom("minf", atom("stbl", atom("stsd", bytes(8))))))
)


def segment(nbytes: int = 1000, number: int = 1) -> bytes:
    """One sample of so many bytes."""
    mfhd = atom("mfhd", bytes(4) + number.to_bytes(4, "big"))
    tfhd = atom("tfhd", (0x020000).to_bytes(4, "big") + (1).to_bytes(4, "big"))
    trun = atom(
        "trun", (0x200).to_bytes(4, "big") + (1).to_bytes(4, "big") + nbytes.to_bytes(4, "big")
    )
    return atom("moof", mfhd + atom("traf", tfhd + trun)) + atom("mdat", bytes(nbytes))


MULTIVARIANT = b"""#EXTM3U
#EXT-X-STREAM-INF:BANDWIDTH=1000000,RESOLUTION=640x360
low/media.m3u8
"""


def playlist(durations: list[float]) -> bytes:
    """Segments 0.m4s, 1.m4s, …"""
    lines = ["#EXTM3U", "#EXT-X-TARGETDURATION:10", '#EXT-X-MAP:URI="init.mp4"']
    for number, duration in enumerate(durations):
        lines += [f"#EXTINF:{duration:.3f},", f"{number}.m4s"]
    return "\n".join([*lines, "#EXT-X-ENDLIST", ""]).encode()


def title(
    seconds: list[float], *, manifest: float = 0.0, media: float = 0.0, init: float = 0.0
) -> dict[str, Answer | list[Answer]]:
    """A title of one rung, segments of 4 s, and how long each answer takes."""
    script: dict[str, Answer | list[Answer]] = {
        "/film/master.m3u8": Answer(MULTIVARIANT, manifest),
        "/film/low/media.m3u8": Answer(playlist([4.0] * len(seconds)), media),
        "/film/low/init.mp4": Answer(INIT, init),
    }
    for number, taken in enumerate(seconds):
        script[f"/film/low/{number}.m4s"] = Answer(segment(1000, number + 1), taken)
    return script
