"""What all audio entries share: the versions of the sound description, kept boxes."""

from __future__ import annotations

import struct

import pytest

from packager.codecs import parse_sample_entry
from packager.errors import BadMedia, UnsupportedMedia
from packager.isobmff.boxes import children
from packager.isobmff.writer import box, full_box
from packager.model import AudioConfig
from tests.packager.codecs.assemble import (
    as_box,
    audio_entry,
    dac3,
    dfla,
    esds,
    quicktime_v1,
    quicktime_v2,
    streaminfo,
    wave,
)

FIELDS = 28
PLAIN = audio_entry("mp4a", esds())
SRAT = full_box("srat", 0, 0, struct.pack(">I", 48_000))


def parse(entry: bytes) -> AudioConfig:
    config = parse_sample_entry(as_box(entry))
    assert isinstance(config, AudioConfig)
    return config


def iso_v1(*boxes: bytes) -> bytes:
    """AudioSampleEntryV1: the fields of version 0 under another version number."""
    entry = bytearray(audio_entry("mp4a", *boxes))
    entry[17] = 1
    return bytes(entry)


@pytest.mark.parametrize(
    "entry",
    [
        audio_entry("mp4a", esds(), channels=6, rate=96),
        quicktime_v1("mp4a", esds()),
        quicktime_v1("mp4a", wave("mp4a", esds())),
        quicktime_v1("mp4a", wave("mp4a", box("mp4a", bytes(4)), esds()), box("chan", bytes(12))),
        quicktime_v2("mp4a", esds()),
        quicktime_v2("mp4a", wave("mp4a", esds()), bytes(4)),
        iso_v1(SRAT, esds()),
        iso_v1(esds(), SRAT),
    ],
    ids=["plain", "1", "wave", "wave and more", "2", "wave in 2", "iso", "iso, esds first"],
)
def test_every_version_becomes_version_0(entry: bytes) -> None:
    assert parse(entry) == parse(PLAIN)


def test_fields_are_those_of_the_output() -> None:
    entry = parse(audio_entry("ac-3", dac3(rate=1), channels=2)).sample_entry
    assert struct.unpack(">6xH8xHHII", entry[8 : 8 + FIELDS]) == (1, 6, 16, 0, 44_100 << 16)


def test_rates_beyond_16_bits_are_left_to_the_codec() -> None:
    config = parse(audio_entry("fLaC", dfla(streaminfo(rate=192_000, depth=24))))
    assert config.sample_rate == 192_000
    assert struct.unpack(">8xHHII", config.sample_entry[16 : 8 + FIELDS]) == (2, 24, 0, 0)


def test_known_boxes_are_kept_once() -> None:
    rates = box("btrt", bytes(12))
    config = parse(audio_entry("mp4a", box("sbtd", b"I32"), rates, esds(), rates, esds("1208")))
    boxes = children(as_box(config.sample_entry), skip=FIELDS)
    assert [child.type for child in boxes] == ["esds", "btrt"]
    assert config.channels == 2


def test_unknown_version() -> None:
    entry = bytearray(PLAIN)
    entry[17] = 3
    with pytest.raises(UnsupportedMedia, match="sound description version 3"):
        parse(bytes(entry))


@pytest.mark.parametrize("size", [0, 9, 20])
def test_fields_end_early(size: int) -> None:
    with pytest.raises(BadMedia, match=f"needs .* bytes but holds {size} in box 'mp4a'"):
        parse(box("mp4a", bytes(size)))


def test_version_2_ends_early() -> None:
    with pytest.raises(BadMedia, match="needs 64 bytes but holds 36"):
        parse(box("mp4a", quicktime_v2("mp4a")[8:44]))
