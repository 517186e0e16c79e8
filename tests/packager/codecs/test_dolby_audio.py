"""AC-3 and E-AC-3."""

from __future__ import annotations

import pytest

from packager.codecs import ac3, eac3
from packager.errors import BadMedia
from packager.isobmff.writer import box
from packager.model import AudioConfig
from tests.packager.codecs.assemble import as_box, audio_entry, dac3, dec3, independent, u

JOC = u(0, 7) + "1" + u(16, 8)


def parse_ac3(*boxes: bytes) -> AudioConfig:
    return ac3.parse(as_box(audio_entry("ac-3", *boxes)))


def parse_eac3(*boxes: bytes) -> AudioConfig:
    return eac3.parse(as_box(audio_entry("ec-3", *boxes)))


MODES = [
    (0, 0, 2, 8),
    (1, 0, 1, 1),
    (2, 0, 2, 2),
    (2, 1, 3, None),
    (3, 0, 3, 3),
    (4, 0, 3, 9),
    (5, 0, 4, 4),
    (6, 0, 4, 10),
    (6, 1, 5, None),
    (7, 0, 5, 5),
    (7, 1, 6, 6),
]


@pytest.mark.parametrize(("mode", "lfe", "channels", "layout"), MODES)
def test_coding_mode(mode: int, lfe: int, channels: int, layout: int | None) -> None:
    for config in (parse_ac3(dac3(mode, lfe)), parse_eac3(dec3(independent(mode, lfe)))):
        assert (config.channels, config.speaker_layout) == (channels, layout)


@pytest.mark.parametrize(
    ("code", "bsid", "rate"),
    [(0, 8, 48_000), (1, 8, 44_100), (2, 6, 32_000), (0, 9, 24_000), (1, 10, 11_025)],
)
def test_ac3_sample_rate(code: int, bsid: int, rate: int) -> None:
    config = parse_ac3(dac3(rate=code, bsid=bsid))
    assert (config.rfc6381, config.sample_rate) == ("ac-3", rate)


@pytest.mark.parametrize(("code", "rate"), [(0, 48_000), (1, 44_100), (2, 32_000)])
def test_eac3_sample_rate(code: int, rate: int) -> None:
    config = parse_eac3(dec3(independent(rate=code)))
    assert (config.rfc6381, config.sample_rate) == ("ec-3", rate)


@pytest.mark.parametrize(
    ("program", "channels", "layout"),
    [
        (independent(locations=0), 6, 6),
        (independent(locations=1 << 0), 8, 7),
        (independent(locations=1 << 1), 8, 12),
        (independent(locations=1 << 2), 7, 11),
        (independent(locations=1 << 6), 8, 14),
        (independent(locations=1 << 8), 7, None),
        (independent(locations=0b0_0100_0010), 10, None),
        (independent(locations=0b1_1111_1111), 20, None),
        (independent(2, 0, locations=1 << 1), 4, None),
    ],
)
def test_dependent_substreams(program: str, channels: int, layout: int | None) -> None:
    config = parse_eac3(dec3(program))
    assert (config.channels, config.speaker_layout) == (channels, layout)


def test_the_first_program_is_what_a_listener_gets() -> None:
    config = parse_eac3(dec3(independent(7, 1), independent(1, 0), extension=JOC))
    assert (config.channels, config.joc_objects) == (6, 16)


@pytest.mark.parametrize(
    ("extension", "objects"),
    [("", 0), (JOC, 16), (u(0, 7) + "0" + u(12, 8), 0), (u(0, 7) + "0", 0), (u(0, 7) + "1", 0)],
)
def test_joc(extension: str, objects: int) -> None:
    assert parse_eac3(dec3(extension=extension)).joc_objects == objects


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ((), "has no 'dac3'"),
        ((box("dac3", b"\0\0"),), "ends 8 bits too early in box 'dac3'"),
        ((dac3(rate=3),), "sample rate code 3 is reserved"),
        ((dac3(bsid=16),), "bitstream id 16 is not AC-3"),
    ],
)
def test_broken_ac3(boxes: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse_ac3(*boxes)


@pytest.mark.parametrize(
    ("boxes", "reason"),
    [
        ((), "has no 'dec3'"),
        ((box("dec3"),), "bits too early in box 'dec3'"),
        ((box("dec3", dec3()[8:-1]),), "bits too early"),
        ((box("dec3", b"\0\7", dec3()[10:]),), "bits too early"),
        ((dec3(independent(rate=3)),), "sample rate code 3 is reserved"),
    ],
)
def test_broken_eac3(boxes: tuple[bytes, ...], reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse_eac3(*boxes)
