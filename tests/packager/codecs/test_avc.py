from __future__ import annotations

from fractions import Fraction

import pytest

from packager.codecs import avc
from packager.errors import BadMedia
from packager.isobmff.writer import box
from packager.model import Colour, VideoConfig
from tests.packager.codecs.assemble import (
    AT,
    as_box,
    avc_sps,
    avcc,
    pasp,
    readable,
    se,
    u,
    ue,
    visual_entry,
    vui,
    vui_colour,
    vui_sar,
)

HIGH = ue(1) + ue(0) + ue(0) + "0"
FLAT_LISTS = "1" + "0" * 8
SCALING_LISTS = "1" + "1" + se(8) * 15 + se(8) + "1" + se(-8) + "0" * 6


def parse(*boxes: bytes, fourcc: str = "avc1", width: int = 0, height: int = 0) -> VideoConfig:
    return avc.parse(as_box(visual_entry(fourcc, *boxes, width=width, height=height)))


@pytest.mark.parametrize(
    ("profile", "codec"),
    [("42001e", "avc1.42001e"), ("4D401F", "avc1.4d401f"), ("640028", "avc1.640028")],
)
def test_codec_string(profile: str, codec: str) -> None:
    assert parse(avcc(profile=profile)).rfc6381 == codec


def test_in_band_entry_keeps_its_name() -> None:
    config = parse(avcc(), fourcc="avc3")
    assert config.rfc6381 == "avc3.4d401f"
    assert config.sample_entry[4:8] == b"avc3"


def test_in_band_entry_may_have_no_sets() -> None:
    empty = box("avcC", bytes.fromhex("014d401fffe000"))
    config = parse(empty, fourcc="avc3", width=640, height=360)
    assert (config.width, config.height) == (640, 360)
    with pytest.raises(BadMedia, match="the picture is 0 x 0"):
        parse(empty, fourcc="avc3")


@pytest.mark.parametrize(
    ("sps", "size"),
    [
        (avc_sps(80, 45), (1280, 720)),
        (avc_sps(120, 68, crop="1" + ue(0) + ue(0) + ue(0) + ue(4)), (1920, 1080)),
        (
            avc_sps(120, 34, frames_only="00", crop="1" + ue(0) * 3 + ue(2)),
            (1920, 1080),
        ),
        (avc_sps(4, 4, profile=100, chroma=HIGH + "0"), (64, 64)),
        (avc_sps(4, 4, profile=100, chroma=HIGH + FLAT_LISTS), (64, 64)),
        (avc_sps(4, 4, profile=100, chroma=HIGH + SCALING_LISTS), (64, 64)),
        (
            avc_sps(4, 4, profile=122, chroma=ue(2) + ue(2) + ue(2) + "00", crop="1" + ue(1) * 4),
            (60, 62),
        ),
        (
            avc_sps(
                4,
                4,
                profile=244,
                chroma=ue(3) + "1" + ue(0) + ue(0) + "01" + "0" * 12,
                crop="1" + ue(1) * 4,
            ),
            (62, 62),
        ),
        (avc_sps(4, 4, order=ue(1) + "0" + se(-2) + se(1) + ue(2) + se(3) + se(-3)), (64, 64)),
        (avc_sps(4, 4, order=ue(2)), (64, 64)),
    ],
    ids=[
        "macroblocks",
        "cropped",
        "interlaced",
        "high",
        "flat lists",
        "lists",
        "4:2:2",
        "separate planes",
        "order 1",
        "order 2",
    ],
)
def test_size_from_sequence_parameter_set(sps: bytes, size: tuple[int, int]) -> None:
    config = parse(avcc(sps))
    assert (config.width, config.height) == size
    assert config.sample_entry[32:36] == bytes.fromhex(f"{size[0]:04x}{size[1]:04x}")


def test_sample_entry_size_wins() -> None:
    config = parse(avcc(avc_sps(120, 68)), width=1920, height=1080)
    assert (config.width, config.height) == (1920, 1080)


@pytest.mark.parametrize(
    ("usability", "boxes", "sar"),
    [
        (vui(), (), Fraction(1)),
        (vui(vui_sar(64, 45)), (), Fraction(64, 45)),
        (vui("1" + u(14, 8)), (), Fraction(4, 3)),
        (vui("1" + u(0, 8)), (), Fraction(1)),
        (vui("1" + u(99, 8)), (), Fraction(1)),
        (vui(vui_sar(1, 0)), (), Fraction(1)),
        ("1 1" + u(3, 8) + "1 0" + "0" * 9, (), Fraction(10, 11)),
        (vui(vui_sar(64, 45)), (pasp(8, 9),), Fraction(8, 9)),
        (vui(vui_sar(64, 45)), (pasp(0, 0),), Fraction(64, 45)),
    ],
)
def test_sample_aspect_ratio(usability: str, boxes: tuple[bytes, ...], sar: Fraction) -> None:
    assert parse(avcc(avc_sps(usability=usability)), *boxes).sar == sar


def test_colour_from_usability_information() -> None:
    sps = avc_sps(usability=vui(colour=vui_colour(9, 16, 9)))
    config = parse(avcc(sps))
    assert config.colour == Colour(9, 16, 9)
    assert bytes.fromhex("00000013 636f6c72 6e636c78 000900100009 00") in config.sample_entry


def test_range_without_colour_description() -> None:
    sps = avc_sps(usability=vui(colour="1" + u(5, 3) + "1" + "0"))
    assert parse(avcc(sps)).colour == Colour(2, 2, 2, full_range=True)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (b"", "has no 'avcC' in box 'avc1' at byte 1000"),
        (box("avcC"), "ends 8 bits too early in box 'avcC' at byte 1086"),
        (box("avcC", bytes.fromhex("004d401fffe000")), "configurationVersion is not 1"),
        (box("avcC", bytes.fromhex("014d401fffe000")), "lacks a sequence or picture"),
        (box("avcC", bytes.fromhex("014d401fffff") + b"\xff" * 40), "bits too early"),
        (avcc(b""), "the sequence parameter set is not one"),
        (avcc(b"\x68\xee"), "the sequence parameter set is not one"),
        (avcc(avc_sps()[:7]), "bits too early"),
        (avcc(avc_sps(profile=101)), "AVC profile 101 is not known"),
        (avcc(avc_sps(columns=9999)), "Exp-Golomb value 9998 is above 4095"),
        (avcc(b"\x67\x4d\x40\x1f" + b"\0\xff" * 40), None),
        (avcc(b"\x67\x4d\x40\x1f" + bytes(40)), "Exp-Golomb code is longer than 63 bits"),
        (avcc(avc_sps(1, 1, crop="1" + ue(9) * 4)), "the picture is -20 x -20"),
    ],
    ids=readable,
)
def test_broken_configuration(configuration: bytes, reason: str | None) -> None:
    with pytest.raises(BadMedia, match=reason) as caught:
        parse(configuration)
    assert caught.value.offset in (AT, AT + 86)
