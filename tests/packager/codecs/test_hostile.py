"""No input, however broken, ends in anything but a result or a ``PackagerError``."""

from __future__ import annotations

import struct
from collections.abc import Callable

import pytest
from hypothesis import given, settings
from hypothesis import strategies as st

from packager.codecs import parse_sample_entry
from packager.errors import PackagerError
from packager.isobmff.writer import box, full_box
from packager.model import CodecConfig
from tests.packager.codecs.assemble import (
    EXAMPLES,
    as_box,
    audio_entry,
    avcc,
    descriptor,
    hvcc,
    visual_entry,
)

FOURCC = st.sampled_from(sorted(EXAMPLES))


def parse(entry: bytes) -> CodecConfig | None:
    """The result, after a look that it holds together; None for a refusal."""
    try:
        config = parse_sample_entry(as_box(entry))
    except PackagerError:
        return None
    assert parse_sample_entry(as_box(config.sample_entry)) == config
    return config


def resized(entry: bytes) -> bytes:
    return struct.pack(">I", len(entry)) + entry[4:]


@pytest.mark.parametrize("fourcc", EXAMPLES)
def test_truncation_at_every_byte(fourcc: str) -> None:
    entry = EXAMPLES[fourcc]
    assert parse(entry)
    for size in range(8, len(entry)):
        parse(resized(entry[:size]))


@settings(max_examples=800, deadline=None)
@given(FOURCC, st.data())
def test_mutations(fourcc: str, data: st.DataObject) -> None:
    entry = bytearray(EXAMPLES[fourcc])
    positions = st.integers(8, len(entry) - 1)
    for at, value in data.draw(st.lists(st.tuples(positions, st.integers(0, 255)), max_size=8)):
        entry[at] = value
    cut = data.draw(positions | st.none())
    parse(resized(bytes(entry[:cut])))


@settings(max_examples=500, deadline=None)
@given(FOURCC, st.binary(max_size=300))
def test_noise_behind_the_header(fourcc: str, noise: bytes) -> None:
    parse(box(fourcc, noise))


CONFIGURATIONS: dict[str, Callable[[bytes], bytes]] = {
    "avcC": lambda noise: visual_entry("avc3", box("avcC", noise)),
    "avc sps": lambda noise: visual_entry("avc1", avcc(b"\x67\x64\0\x1f\xac" + noise)),
    "hvcC": lambda noise: visual_entry("hev1", box("hvcC", b"\1" + noise)),
    "hevc sps": lambda noise: visual_entry("hev1", hvcc((33, b"\x42\1\1" + noise))),
    "av1C": lambda noise: visual_entry("av01", box("av1C", b"\x81" + noise)),
    "av1 sequence": lambda noise: visual_entry("av01", box("av1C", b"\x81\0\0\0\x08" + noise)),
    "vpcC": lambda noise: visual_entry("vp09", full_box("vpcC", 1, 0, noise)),
    "dvcC": lambda noise: visual_entry("dvh1", hvcc(), box("dvcC", noise)),
    "colr": lambda noise: visual_entry("hvc1", hvcc(), box("colr", noise)),
    "wave": lambda noise: audio_entry("mp4a", box("wave", noise)),
    "esds": lambda noise: audio_entry("mp4a", full_box("esds", 0, 0, noise)),
    "asc": lambda noise: audio_entry(
        "mp4a",
        full_box(
            *("esds", 0, 0),
            descriptor(3, bytes(3), descriptor(4, b"\x40" + bytes(12), descriptor(5, noise))),
        ),
    ),
    "dac3": lambda noise: audio_entry("ac-3", box("dac3", noise)),
    "dec3": lambda noise: audio_entry("ec-3", box("dec3", noise)),
    "dOps": lambda noise: audio_entry("Opus", box("dOps", noise)),
    "dfLa": lambda noise: audio_entry("fLaC", full_box("dfLa", 0, 0, noise)),
}


@settings(max_examples=100, deadline=None)
@pytest.mark.parametrize("kind", CONFIGURATIONS)
@given(noise=st.binary(max_size=120))
def test_noise_as_configuration(kind: str, noise: bytes) -> None:
    parse(CONFIGURATIONS[kind](noise))


@pytest.mark.parametrize("kind", CONFIGURATIONS)
@pytest.mark.parametrize("fill", [b"\0", b"\xff", b"\x80\0", b"\1"])
def test_large_configuration_ends(kind: str, fill: bytes) -> None:
    """64 KB of one pattern, the most that a NAL length can say: counts are bounded by the bytes."""
    parse(CONFIGURATIONS[kind](fill * (65_000 // len(fill))))
