from __future__ import annotations

import pytest

from packager.codecs import av1
from packager.errors import BadMedia
from packager.isobmff.writer import box
from packager.model import Colour, VideoConfig
from tests.packager.codecs.assemble import (
    as_box,
    av1_sequence,
    av1c,
    colr_nclx,
    packed,
    readable,
    u,
    ue,
    visual_entry,
)

PQ = "1 0 1" + u(9, 8) + u(16, 8) + u(9, 8) + "0 00 0"
TEMPORAL_DELIMITER = b"\x12\x00"


def parse(*boxes: bytes, width: int = 0, height: int = 0) -> VideoConfig:
    return av1.parse(as_box(visual_entry("av01", *boxes, width=width, height=height)))


@pytest.mark.parametrize(
    ("record", "colour", "codec"),
    [
        ("000 00001  0 0 0 0 11 00", "0 0 0 0 00 0", "av01.0.01M.08"),
        ("000 00100  0 1 0 0 11 10", PQ, "av01.0.04M.10.0.112.09.16.09.0"),
        ("000 01101  1 1 0 0 11 00", PQ, "av01.0.13H.10.0.110.09.16.09.0"),
        ("000 00000  0 0 0 0 11 01", "0 0 0 0 00 0", "av01.0.00M.08.0.111.02.02.02.0"),
        ("000 00000  0 0 0 1 11 00", "0 1 0 0", "av01.0.00M.08.1.110.02.02.02.0"),
        ("000 00000  0 0 0 0 11 00", "0 0 0 1 00 0", "av01.0.00M.08.0.110.02.02.02.1"),
    ],
)
def test_codec_string(record: str, colour: str, codec: str) -> None:
    assert parse(av1c(record, av1_sequence(colour=colour))).rfc6381 == codec


def test_codec_string_of_other_chroma_formats() -> None:
    bt709 = "1" + u(1, 8) * 3 + "0 0"
    high = av1_sequence(profile=1, colour="0" + bt709)
    assert parse(av1c("001 00100  0 0 0 0 00 00", high)).rfc6381 == (
        "av01.1.04M.08.0.000.01.01.01.0"
    )
    professional = av1_sequence(profile=2, colour="1 1 0" + bt709)
    assert parse(av1c("010 00100  0 1 1 0 10 11", professional)).rfc6381 == (
        "av01.2.04M.12.0.100.01.01.01.0"
    )


def test_srgb_is_full_range_without_saying_so() -> None:
    srgb = av1_sequence(profile=1, colour="0 1" + u(1, 8) + u(13, 8) + u(0, 8))
    assert parse(av1c("001 00100  0 0 0 0 00 00", srgb)).colour == Colour(1, 13, 0, True)


def test_colr_wins_and_shows_in_the_codec_string() -> None:
    config = parse(av1c("000 00100  0 1 0 0 11 00"), colr_nclx(9, 18, 9))
    assert config.rfc6381 == "av01.0.04M.10.0.110.09.18.09.0"
    assert config.colour == Colour(9, 18, 9)


@pytest.mark.parametrize(
    "sequence",
    [
        av1_sequence(640, 360, colour=PQ),
        av1_sequence(640, 360, colour=PQ, reduced=True, tools="000 000"),
        av1_sequence(640, 360, colour=PQ, tools="1 0000000 000 0000 0 0 1 0 1 000"),
        av1_sequence(640, 360, colour=PQ, tools="0 000 0000 1 11 0 1 1 111 000"),
        av1_sequence(640, 360, colour=PQ, tools="0 000 0000 0 0 0 000"),
        av1_sequence(640, 360, colour=PQ, timing="1" + u(1, 32) + u(60, 32) + "0 0"),
        av1_sequence(
            640,
            360,
            colour=PQ,
            timing="1" + u(1, 32) + u(60, 32) + "1" + ue(5) + "1" + u(9, 5) + u(0, 42),
            initial_delay="1",
            points=u(1, 5)
            + (u(1, 12) + u(9, 5) + "1" + "1" + u(3, 10) + u(3, 10) + "0" + "1" + u(7, 4))
            + (u(2, 12) + u(4, 5) + "0" + "0"),
        ),
    ],
    ids=[
        "plain",
        "reduced",
        "frame ids",
        "integer mv",
        "no order hint",
        "timing",
        "operating points",
    ],
)
def test_sequence_header(sequence: bytes) -> None:
    """Size lies in its middle and colour at its end."""
    config = parse(av1c(obus=TEMPORAL_DELIMITER + sequence))
    assert (config.width, config.height, config.colour) == (640, 360, Colour(9, 16, 9))


def test_sequence_header_without_size_field_and_with_extension() -> None:
    bare = av1_sequence(640, 360)[2:]
    config = parse(av1c(obus=packed("0 0001 1 0 0", u(0, 8)) + bare))
    assert (config.width, config.height) == (640, 360)


def test_no_sequence_header() -> None:
    assert parse(av1c(obus=b""), width=640, height=360).colour is None


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (b"", "has no 'av1C'"),
        (box("av1C", b"\x81\0\0"), "bits too early in box 'av1C'"),
        (box("av1C", b"\x01\0\0\0"), "marker and version are not 1"),
        (av1c("011 00000  0 0 0 0 11 00"), "AV1 profile 3 is not known"),
        (av1c(obus=b"\x0a\x7f\0"), "bits too early"),
        (av1c(obus=b"\x0a" + b"\xff" * 9), "leb128 value is longer than 8 bytes"),
        (av1c(obus=b"\x0a\x02\0\0"), "bits too early"),
        (av1c(obus=b""), "the picture is 0 x 0"),
        (av1c(obus=TEMPORAL_DELIMITER * 100 + av1_sequence()), "the picture is 0 x 0"),
        (av1c(obus=av1_sequence(65536, 16)), "the picture is 65536 x 16"),
    ],
    ids=readable,
)
def test_broken_configuration(configuration: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse(configuration)
