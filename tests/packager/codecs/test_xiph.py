"""Opus and FLAC."""

from __future__ import annotations

import pytest

from packager.codecs import flac, opus
from packager.errors import BadMedia, UnsupportedMedia
from packager.isobmff.writer import box, full_box
from packager.model import AudioConfig
from tests.packager.codecs.assemble import as_box, audio_entry, dfla, dops, streaminfo

LAYOUTS = {1: 1, 2: 2, 3: 3, 4: 10, 5: 5, 6: 6, 7: 11, 8: 12}


def parse_opus(*boxes: bytes) -> AudioConfig:
    return opus.parse(as_box(audio_entry("Opus", *boxes)))


def parse_flac(*boxes: bytes) -> AudioConfig:
    return flac.parse(as_box(audio_entry("fLaC", *boxes)))


def test_opus() -> None:
    config = parse_opus(dops())
    assert (config.rfc6381, config.sample_rate, config.roll_distance) == ("Opus", 48_000, 3840)
    assert (config.channels, config.speaker_layout) == (2, 2)


@pytest.mark.parametrize("channels", range(1, 9))
def test_opus_surround(channels: int) -> None:
    config = parse_opus(dops(channels, 1, bytes([channels, 0, *range(channels)])))
    assert (config.channels, config.speaker_layout) == (channels, LAYOUTS[channels])


def test_opus_without_known_layout() -> None:
    config = parse_opus(dops(16, 255, bytes([16, 0, *range(16)])))
    assert (config.channels, config.speaker_layout) == (16, None)


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ((), "has no 'dOps'"),
        ((box("dOps", b"\0\2"),), "bits too early in box 'dOps'"),
        ((dops(0),), "the sound has 0 channels"),
        ((dops(3),), "3 channels need a channel mapping"),
        ((dops(6, 1, bytes(7)),), "ends 8 bits too early"),
    ],
)
def test_broken_opus(boxes: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse_opus(*boxes)


def test_unknown_opus_version() -> None:
    with pytest.raises(UnsupportedMedia, match="version 1 of the Opus configuration"):
        parse_opus(dops(version=1))


@pytest.mark.parametrize("channels", range(1, 9))
def test_flac(channels: int) -> None:
    config = parse_flac(dfla(streaminfo(96_000, channels, 24)))
    assert (config.rfc6381, config.sample_rate) == ("fLaC", 96_000)
    assert (config.channels, config.speaker_layout) == (channels, LAYOUTS[channels])


def test_flac_keeps_streaminfo_alone() -> None:
    comment = b"\4\0\0\x05hello"
    picture = b"\x86\0\0\x05image"
    assert parse_flac(dfla(None, comment, picture)) == parse_flac(dfla())


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ((), "has no 'dfLa'"),
        ((full_box("dfLa", 0, 0),), "bits too early in box 'dfLa'"),
        ((dfla(kind=4),), "does not start with a STREAMINFO block"),
        ((dfla(bytes(33)),), "does not start with a STREAMINFO block"),
        ((full_box("dfLa", 0, 0, b"\x80\0\0\x22", bytes(20)),), "bits too early"),
        ((dfla(streaminfo(rate=0)),), "2 channels at 0 Hz"),
    ],
)
def test_broken_flac(boxes: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse_flac(*boxes)
