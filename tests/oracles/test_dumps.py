"""Every sample against the ground truth that another demuxer wrote beside the file.

Each ``NAME.dump`` lists tracks by id and, per sample, the presentation time in microseconds (the
edit list applied, rounded towards zero), flags (1: sync) and length and hash of its bytes.
"""

from __future__ import annotations

import re
from dataclasses import dataclass, field

import numpy as np
import pytest

from packager.errors import BadMedia
from packager.model import MediaKind, Track
from tests.support.indexing import index_bytes
from tests.support.shared_media import (
    REFUSED,
    needs_shared_media,
    read_shared,
    shared_files,
)

EMPTY_EDIT = {("sample.mp4", 2)}
"""Tracks behind an empty edit. The delay is in ticks of the movie; we turn it into whole ticks of
the track, and they add the two in microseconds: times differ by less than one tick."""

GAPLESS = {("sample_edit_list.mp4", 2): 1698}
"""Tracks whose edit list hides nothing but the encoder's delay: they report that delay apart, in
samples, and leave the times as the media has them."""

DROPPED_PREROLL = {("sample_opus.mp4", 1): 45}
"""Samples of sound in front of the edit that they drop, but the last, and we keep: a decoder of
Opus is to run for 80 ms before its output is right."""

COUNTED_SHORT = {("sample_2_byte_NAL_length.mp4", 1, 0): 2}
"""A sample of two NAL units, each two bytes longer with a start code. They count only one of
these into the sample's length, and so hash all but its first two bytes."""

BROKEN_TRACK = {"sample_missing_stsd.mp4"}
"""Files of which one track cannot be read: both leave it out."""


@dataclass(frozen=True)
class TrueSample:
    time: int
    flags: int
    length: int
    hash: int


@dataclass
class TrueTrack:
    fields: dict[str, str] = field(default_factory=dict)
    samples: list[TrueSample] = field(default_factory=list)

    @property
    def id(self) -> int:
        return int(self.fields["id"])


_SAMPLE = re.compile(
    r"  sample \d+:\n    time = (-?\d+)\n    flags = (\d+)\n    data = length (\d+), hash (\w+)"
)


def read_dump(text: str) -> list[TrueTrack]:
    tracks = []
    for part in re.split(r"^track \d+:$", text, flags=re.MULTILINE)[1:]:
        head = part.split("  sample 0:")[0]
        fields = dict(re.findall(r"^ +(\w[\w ]*) = (.*)$", head, re.MULTILINE))
        samples = [
            TrueSample(int(time), int(flags), int(length), int(digest, 16))
            for time, flags, length, digest in _SAMPLE.findall(part)
        ]
        assert len(samples) == int(fields["sample count"])
        tracks.append(TrueTrack(fields, samples))
    return tracks


def java_hash(data: bytes) -> int:
    """``Arrays.hashCode(byte[])``: h = 31 h + b from 1, in 32 bits."""
    powers = np.cumprod(np.full(len(data) + 1, 31, np.uint32), dtype=np.uint32)
    powers = np.concatenate(([np.uint32(1)], powers))[: len(data) + 1]
    values = np.frombuffer(data, np.int8).astype(np.uint32)
    return int(np.add(powers[-1], (values * powers[-2::-1]).sum(dtype=np.uint32), dtype=np.uint32))


def with_start_codes(sample: bytes, length_size: int) -> bytes:
    made, at = b"", 0
    while at < len(sample):
        size = int.from_bytes(sample[at : at + length_size], "big")
        at += length_size
        made += b"\0\0\0\1" + sample[at : at + size]
        at += size
    return made


def as_extracted(name: str, track: Track, data: bytes, row: int) -> bytes:
    start, size = int(track.samples.rows().offset[row]), int(track.samples.rows().size[row])
    sample = data[start : start + size]
    if track.config.codec in ("avc", "hevc"):
        sample = with_start_codes(sample, 2 if name == "sample_2_byte_NAL_length.mp4" else 4)
    return sample


@pytest.mark.parametrize("dump", shared_files("*.dump"))
def test_every_sample_is_that_of_the_dump(dump: str) -> None:
    name = dump.removesuffix(".dump")
    data = read_shared(name)
    index = index_bytes(data)
    truth = {track.id: track for track in read_dump(read_shared(dump).decode())}
    assert set(truth) == {track.track_id for track in index.tracks}
    if name not in BROKEN_TRACK:
        assert all("neither video nor audio" in skipped.reason for skipped in index.skipped)
    for track in index.tracks:
        compare(name, data, track, truth[track.track_id])


@needs_shared_media
@pytest.mark.parametrize("name", REFUSED)
def test_what_is_refused(name: str) -> None:
    with pytest.raises(BadMedia, match=REFUSED[name]):
        index_bytes(read_shared(name))


def compare(name: str, data: bytes, track: Track, truth: TrueTrack) -> None:
    where = (name, track.track_id)
    kind = "video/" if track.kind is MediaKind.VIDEO else "audio/"
    assert truth.fields["sampleMimeType"].startswith(kind)
    encoder_delay = int(truth.fields.get("encoderDelay", 0))
    assert encoder_delay == GAPLESS.get(where, 0)
    dropped = DROPPED_PREROLL.get(where, 0)
    assert len(track.samples) == len(truth.samples) + dropped
    total = 0
    for row, expected in enumerate(truth.samples, dropped):
        sample = as_extracted(name, track, data, row)
        total += len(sample)
        sample = sample[COUNTED_SHORT.get((*where, row), 0) :]
        assert (len(sample), java_hash(sample)) == (expected.length, expected.hash)
        assert bool(track.samples.rows().sync[row]) == bool(expected.flags & 1)
        ticks = int(track.samples.rows().pts[row]) + encoder_delay
        if where in EMPTY_EDIT:
            assert 0 <= expected.time - ticks * 1_000_000 / track.timescale < 1e6 / track.timescale
        else:
            assert int(ticks * 1_000_000 / track.timescale) == expected.time
    assert total == int(truth.fields["total output bytes"])


def test_the_hash_is_that_of_java() -> None:
    for data in (b"", b"a", b"\xff\x80" * 9, bytes(range(256))):
        expected = 1
        for value in data:
            expected = (31 * expected + (value - 256 if value > 127 else value)) & 0xFFFFFFFF
        assert java_hash(data) == expected
