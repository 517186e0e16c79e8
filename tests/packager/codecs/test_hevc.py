from __future__ import annotations

import pytest

from packager.codecs import hevc
from packager.errors import BadMedia
from packager.isobmff.writer import box
from packager.model import Colour, VideoConfig
from tests.packager.codecs.assemble import (
    HEVC_PPS,
    HEVC_VPS,
    as_box,
    colr_nclc,
    colr_nclx,
    hevc_sps,
    hvcc,
    nal,
    readable,
    se,
    u,
    ue,
    visual_entry,
    vui,
    vui_colour,
    vui_sar,
)

SETS_AT = 86 + 8 + 23  # in the sample entry


def parse(*boxes: bytes, fourcc: str = "hvc1", width: int = 0, height: int = 0) -> VideoConfig:
    return hevc.parse(as_box(visual_entry(fourcc, *boxes, width=width, height=height)))


@pytest.mark.parametrize(
    ("head", "codec"),
    [
        ("01 60000000 B00000000000 5D", "hvc1.1.6.L93.B0"),
        ("02 20000000 B00000000000 99", "hvc1.2.4.L153.B0"),
        ("22 20000000 000000000000 99", "hvc1.2.4.H153"),
        ("04 08000000 9D0800000000 78", "hvc1.4.10.L120.9D.08"),
        ("C1 60000000 900000000001 5D", "hvc1.C1.6.L93.90.00.00.00.00.01"),
        ("41 80000001 000000000000 1E", "hvc1.A1.80000001.L30"),
    ],
)
def test_codec_string(head: str, codec: str) -> None:
    assert parse(hvcc(head=head)).rfc6381 == codec


def test_hev1_with_all_sets_becomes_hvc1() -> None:
    config = parse(hvcc(), fourcc="hev1")
    assert config.rfc6381 == "hvc1.1.6.L93.B0"
    assert config.sample_entry[4:8] == b"hvc1"
    assert config == parse(hvcc(completeness=0x80))
    assert config.sample_entry[SETS_AT] == 0x80 | 32


def test_hev1_without_all_sets_is_left_alone() -> None:
    config = parse(hvcc((33, hevc_sps())), fourcc="hev1")
    assert config.rfc6381 == "hev1.1.6.L93.B0"
    assert config.sample_entry[4:8] == b"hev1"
    assert config.sample_entry[SETS_AT] == 33


def test_only_parameter_sets_are_marked_complete() -> None:
    sei = (39, b"\x4e\1\5")
    config = parse(hvcc(sei, (32, HEVC_VPS), (33, hevc_sps()), (34, HEVC_PPS)))
    assert config.sample_entry[SETS_AT] == 39


def scaling_lists() -> str:
    lists = "0" + ue(0) + "1" + ue(1) * 16 + "1" + ue(0) * 16
    lists += "0" + ue(0) + "0" + ue(0) + "0" + ue(0)
    for size, count in ((64, 6), (65, 6), (65, 2)):
        lists += ("1" + se(1) * size) * count
    return "11" + lists


SHORT_TERM = (
    ue(3)
    + (ue(2) + ue(1) + (ue(0) + "1") * 3)
    + ("1" + "0" + ue(0) + "1" + "01" + "00" + "1")
    + ("0" + ue(1) + ue(0) + ue(3) + "0")
)


@pytest.mark.parametrize(
    ("sps", "size"),
    [
        (hevc_sps(), (1280, 720)),
        (hevc_sps(1920, 1088, window="1" + ue(0) + ue(0) + ue(0) + ue(4)), (1920, 1080)),
        (hevc_sps(64, 64, chroma=ue(2), window="1" + ue(1) * 4), (60, 62)),
        (hevc_sps(64, 64, chroma=ue(3) + "0", window="1" + ue(1) * 4), (62, 62)),
        (hevc_sps(64, 64, chroma=ue(3) + "1", window="1" + ue(1) * 4), (62, 62)),
        (
            hevc_sps(
                sub_layers=u(2, 3),
                layers="11" + "01" + "00" * 6 + u(0, 96) + u(90, 8),
                ordering="1" + (ue(4) + ue(2) + ue(0)) * 3,
            ),
            (1280, 720),
        ),
        (hevc_sps(scaling=scaling_lists()), (1280, 720)),
        (hevc_sps(scaling="10"), (1280, 720)),
        (hevc_sps(pcm="1" + u(0x77, 8) + ue(0) + ue(2) + "1"), (1280, 720)),
        (hevc_sps(short_term=SHORT_TERM), (1280, 720)),
        (hevc_sps(long_term="1" + ue(2) + (u(7, 8) + "1") * 2), (1280, 720)),
    ],
    ids=[
        "plain",
        "cropped",
        "4:2:2",
        "4:4:4",
        "separate planes",
        "sub-layers",
        "lists",
        "default lists",
        "pcm",
        "short-term sets",
        "long-term",
    ],
)
def test_sequence_parameter_set(sps: bytes, size: tuple[int, int]) -> None:
    """What lies behind the tested field is the VUI: it is found only where nothing was misread."""
    tail = vui(vui_sar(4, 3), vui_colour(9, 18, 9))
    for usability, colour in (("0", None), (tail, Colour(9, 18, 9))):
        config = parse(hvcc((32, HEVC_VPS), (33, with_tail(sps, usability)), (34, HEVC_PPS)))
        assert (config.width, config.height, config.colour) == (*size, colour)


def with_tail(sps: bytes, usability: str) -> bytes:
    """``sps`` with another ``usability`` in place of the "0" and the stop bit it ends with."""
    raw = sps.replace(b"\0\0\3", b"\0\0")
    bits = f"{int.from_bytes(b'1' + raw, 'big'):b}"[6:].rstrip("0")
    assert bits.endswith("01")
    return nal(raw[:2], bits[16:-2] + usability)


def test_colr_wins_over_usability_information() -> None:
    sps = hevc_sps(usability=vui(colour=vui_colour(9, 16, 9)))
    sets = hvcc((32, HEVC_VPS), (33, sps), (34, HEVC_PPS))
    assert parse(sets).colour == Colour(9, 16, 9)
    assert parse(sets, colr_nclx(9, 18, 9)).colour == Colour(9, 18, 9)
    assert parse(sets, colr_nclc(2, 2, 2)).colour == Colour(9, 16, 9)


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (b"", "has no 'hvcC'"),
        (box("hvcC"), "bits too early in box 'hvcC' at byte 1086"),
        (box("hvcC", bytes(23)), "configurationVersion is not 1"),
        (hvcc((32, HEVC_VPS), (34, HEVC_PPS)), "lacks a video, sequence or picture parameter set"),
        (hvcc((32, HEVC_VPS), (33, b""), (34, HEVC_PPS)), "bits too early"),
        (hvcc((32, HEVC_VPS), (33, hevc_sps()[:20]), (34, HEVC_PPS)), "bits too early"),
        (
            hvcc((32, HEVC_VPS), (33, hevc_sps(short_term=ue(65))), (34, HEVC_PPS)),
            "value 65 is above 64",
        ),
        (
            hvcc((32, HEVC_VPS), (33, hevc_sps(short_term=ue(1) + ue(17))), (34, HEVC_PPS)),
            "value 17 is above 16",
        ),
        (box("hvcC", hvcc()[8:30], b"\xff"), "bits too early"),
        (box("hvcC", hvcc()[8:30], b"\1\x21\0\x09", bytes(9)), "bits too early"),
        (box("hvcC", hvcc()[8:30], b"\1\x21\xff\xff"), "claims 65535 NAL units of type 33"),
    ],
    ids=readable,
)
def test_broken_configuration(configuration: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse(configuration)
