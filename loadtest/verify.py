"""Whether an answer is what it must be.

Of each URL the first ETag and length are remembered, and must stay: segments never change under one
name. A sample is read whole: its boxes must fit into each other, and its bytes be the same for
every viewer. URLs are compared without what differs between viewers: a token in the path, and the
query.
"""

from __future__ import annotations

import re
from functools import lru_cache
from hashlib import blake2b

from loadtest.errors import Failure
from loadtest.http import STRONG, Reply
from packager.errors import PackagerError
from packager.isobmff.boxes import Box, children, require, walk

REMEMBERED = 200_000
"""So many URLs; of further ones only the form is checked."""
_ETAG = re.compile(rb'(?:W/)?"[\x21\x23-\x7e\x80-\xff]*"')
_TOKEN = re.compile(r"/t/[^/]+(?=/)")


@lru_cache(maxsize=1 << 15)
def name_of(target: str) -> str:
    """What is the same for every viewer."""
    return _TOKEN.sub("", target.partition("?")[0], count=1)


class Checks:
    """What one process knows of the answers so far."""

    def __init__(self) -> None:
        self._seen: dict[str, tuple[bytes | None, int]] = {}
        self._digests: dict[str, bytes] = {}
        self._documents: dict[str, tuple[bytes | None, bytes]] = {}

    def media(self, target: str, span: tuple[int, int] | None, reply: Reply) -> None:
        """A segment or init; ``span``: first byte and count, if a range was asked for."""
        _check_status(target, reply, 200 if span is None else 206)
        if span is not None and reply.length != span[1]:
            raise Failure("length", f"{target}: {reply.length} bytes, not the {span[1]} asked for")
        name = name_of(target)
        if span is not None:
            name = f"{name}#{span[0]}+{span[1]}"
        if self._seen.get(name) != (reply.etag, reply.length):  # else its form is known, too
            self._check_same(name, _check_etag(target, reply), reply.length)

    def _check_same(self, name: str, etag: bytes | None, length: int) -> None:
        seen = self._seen.get(name)
        if seen is None:
            if len(self._seen) < REMEMBERED:
                self._seen[name] = etag, length
        elif seen[0] != etag:
            raise Failure("etag", f"{name}: {_show(etag)}, and {_show(seen[0])} before")
        elif seen[1] != length:
            raise Failure("length", f"{name}: {length} bytes, and {seen[1]} before")

    def document(self, target: str, reply: Reply) -> None:
        """A manifest. One ETag stands for one content, and may change with it; a strong one, for
        the bytes as they were sent (RFC 9110 8.8.1)."""
        _check_status(target, reply, 200)
        etag = _check_etag(target, reply)
        content = reply.sent if etag is not None and etag.startswith(STRONG) else reply.body
        assert content is not None
        digest = blake2b(content, digest_size=16).digest()
        name = name_of(target)
        before = self._documents.get(name)
        if before is not None and etag is not None and before[0] == etag and before[1] != digest:
            raise Failure("digest", f"{name}: other bytes under the same ETag {_show(etag)}")
        if before is not None or len(self._documents) < REMEMBERED:
            self._documents[name] = etag, digest

    def sample(self, target: str, what: str, body: bytes) -> None:
        """``what``: init or segment."""
        if body[:1] == b"\x47":
            check_packets(target, body)
        else:
            check_boxes(target, what, body)
        digest = blake2b(body, digest_size=16).digest()
        name = name_of(target)
        if self._digests.setdefault(name, digest) != digest:
            raise Failure("digest", f"{name}: other bytes than another viewer had")
        if len(self._digests) > REMEMBERED:
            self._digests.clear()


def check_boxes(target: str, what: str, body: bytes) -> None:
    """An init has ``moov`` with a track, a segment ``moof`` and as many bytes in ``mdat`` as its
    samples have."""
    try:
        boxes = list(walk(memoryview(body), 0))
        if sum(box.size for box in boxes) != len(body):
            raise Failure("boxes", f"{target}: bytes behind the last box")
        if what == "init":
            moov = next((box for box in boxes if box.type == "moov"), None)
            if moov is None:
                raise Failure("boxes", f"{target}: an init without 'moov'")
            require(moov, "trak", "mdia", "minf", "stbl", "stsd")
        else:
            _check_fragments(target, boxes)
    except PackagerError as error:
        raise Failure("boxes", f"{target}: {error}") from None


def _check_fragments(target: str, boxes: list[Box]) -> None:
    fragments = 0
    for place, box in enumerate(boxes):
        if box.type != "moof":
            continue
        fragments += 1
        following = boxes[place + 1] if place + 1 < len(boxes) else None
        if following is None or following.type != "mdat":
            raise Failure("boxes", f"{target}: no 'mdat' behind 'moof'")
        wanted = sum(map(_sample_bytes, (item for item in children(box) if item.type == "traf")))
        if wanted != len(following.body):
            raise Failure(
                "boxes", f"{target}: samples of {wanted} bytes in 'mdat' of {len(following.body)}"
            )
    if not fragments:
        raise Failure("boxes", f"{target}: a segment without 'moof'")


def _sample_bytes(traf: Box) -> int:
    """What the runs of a track fragment need (ISO/IEC 14496-12 8.8.7, 8.8.8)."""
    _, flags, rest = require(traf, "tfhd").full()
    at = 4 + 8 * bool(flags & 1) + 4 * bool(flags & 2) + 4 * bool(flags & 8)
    default = int.from_bytes(rest[at : at + 4], "big") if flags & 0x10 else 0
    return sum(_run_bytes(box, default) for box in children(traf) if box.type == "trun")


def _run_bytes(trun: Box, default: int) -> int:
    trun.need(8)
    _, flags, rest = trun.full()
    count = int.from_bytes(rest[:4], "big")
    if not flags & 0x200:
        return count * default
    at = 4 + 4 * bool(flags & 1) + 4 * bool(flags & 4)
    width = 4 * (flags & 0xF00).bit_count()
    trun.need(4 + at + count * width)
    first = at + 4 * bool(flags & 0x100)
    sizes = range(first, first + count * width, width)
    return sum(int.from_bytes(rest[place : place + 4], "big") for place in sizes)


def check_packets(target: str, body: bytes) -> None:
    """MPEG-2 TS: a sync byte every 188 bytes."""
    if len(body) % 188 or body[::188].strip(b"\x47"):
        raise Failure("boxes", f"{target}: no whole packets of a transport stream")


def _check_status(target: str, reply: Reply, wanted: int) -> None:
    if reply.status != wanted:
        raise Failure("status", f"{name_of(target)}: {reply.status}, not {wanted}")


def _check_etag(target: str, reply: Reply) -> bytes | None:
    etag = reply.etag
    if etag is not None and not _ETAG.fullmatch(etag):
        raise Failure("etag", f"{name_of(target)}: {_show(etag)} is no entity tag")
    return etag


def _show(etag: bytes | None) -> str:
    return "none" if etag is None else etag[:80].decode("latin-1")
