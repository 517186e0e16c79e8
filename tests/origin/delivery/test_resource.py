from __future__ import annotations

import os
from collections.abc import Callable
from pathlib import Path

import pytest
from hypothesis import given
from hypothesis import strategies as st

from origin.delivery.resource import FileSpan, OpenFile, Part, slice_parts, stamp_in_python
from origin.native import NATIVE
from tests.origin.delivery.library import content, interleaved, noise, open_file, resource
from tests.support.tracks import PROPERTY

BODY = noise(1000)


@pytest.fixture(scope="module")
def file(tmp_path_factory: pytest.TempPathFactory) -> OpenFile:
    return open_file(tmp_path_factory.mktemp("library") / "file", BODY)


STAMPS = [stamp_in_python, *([NATIVE.stamp] if NATIVE else [])]


@pytest.mark.parametrize("stamp", STAMPS, ids=["python", "compiled"][: len(STAMPS)])
def test_the_stamp_of_a_file(stamp: Callable[[int], tuple[int, int]], tmp_path: Path) -> None:
    path = tmp_path / "file"
    file = open_file(path, b"abc")
    for nanoseconds in (0, 1, 1_700_000_000_123_456_789, -1, -1_500_000_000):
        os.utime(path, ns=(0, nanoseconds))
        assert stamp(file.fileno()) == (path.stat().st_mtime_ns, 3)
    os.truncate(path, 5_000_000_000)
    assert stamp(file.fileno())[1] == 5_000_000_000
    with pytest.raises(OSError, match="Bad file descriptor"):
        stamp(1 << 30)


def test_an_open_file_closes_with_its_last_reference(tmp_path: Path) -> None:
    file = open_file(tmp_path / "file", b"abc")
    span = FileSpan(file, 0, 3)
    fd = file.fileno()
    del file
    os.fstat(fd)
    del span
    with pytest.raises(OSError, match="Bad file descriptor"):
        os.fstat(fd)


def test_the_head_is_ready_made(file: OpenFile) -> None:
    made = resource(b"head", FileSpan(file, 0, 10), content_encoding="gzip")
    lines = made.whole.lines.decode().split("\r\n")
    assert lines[-2:] == ["", ""]
    assert {
        "Content-Type: video/mp4",
        "Content-Length: 14",
        'ETag: "r1"',
        "Cache-Control: public, max-age=31536000, immutable",
        "Content-Encoding: gzip",
        "Vary: Accept-Encoding",
        "Accept-Ranges: bytes",
        "Access-Control-Allow-Origin: *",
        "Timing-Allow-Origin: *",
        "X-Content-Type-Options: nosniff",
    } <= set(lines)
    assert made.whole.lines.startswith(made.validators)
    assert (
        b"Content-"
        not in made.validators.replace(b"X-Content-Type-Options", b"")
        .split(b"Expose-Headers")[1]
        .split(b"\r\n", 1)[1]
    )
    assert not made.whole.in_memory
    assert resource(b"text").whole.in_memory


@pytest.mark.parametrize("etag", ['W/"a"', "a", '"a', '"a"b"', '"a\x00"', '"\xe9"', "", "*"])
def test_only_a_strong_entity_tag(etag: str) -> None:
    with pytest.raises(ValueError, match="strong entity tag"):
        resource(b"text", etag=etag)


def test_a_size_that_is_not_the_parts() -> None:
    with pytest.raises(ValueError, match="size 5, but the parts have 4 bytes"):
        resource(b"text", size=5)


@pytest.mark.parametrize("name", ["media_type", "cache_control", "content_encoding"])
@pytest.mark.parametrize("value", ["a\r\nX: b", "a\nb", "a\x00", "a\x7f", "\xe9"])
def test_no_value_ends_its_line(name: str, value: str) -> None:
    with pytest.raises(ValueError, match="character in"):
        resource(b"text", **{name: value})


@PROPERTY
@given(data=st.data())
def test_slices(data: st.DataObject, file: OpenFile) -> None:
    spans = st.builds(FileSpan, st.just(file), st.integers(0, 500), st.integers(0, 500))
    memory = st.binary(max_size=20)
    parts: list[Part] = data.draw(st.lists(memory | spans, max_size=6))
    whole = content(parts)
    start = data.draw(st.integers(0, len(whole)))
    stop = data.draw(st.integers(start, len(whole)))
    sliced = slice_parts(tuple(parts), start, stop)
    assert content(sliced) == whole[start:stop]
    assert all(part.length if isinstance(part, FileSpan) else part for part in sliced)


def test_a_slice_of_many_spans(file: OpenFile) -> None:
    parts = interleaved(file, 40, 10, 5)
    assert content(slice_parts(parts, 22, 58)) == content(parts)[22:58]
