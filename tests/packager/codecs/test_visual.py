"""What all video entries share: kept boxes, colour, shape of a pixel, Dolby Vision."""

from __future__ import annotations

import struct
from fractions import Fraction

import pytest

from packager.codecs import parse_sample_entry
from packager.errors import BadMedia
from packager.isobmff.boxes import children
from packager.isobmff.writer import box
from packager.model import Colour, VideoConfig, VideoRange
from tests.packager.codecs.assemble import (
    as_box,
    av1c,
    avcc,
    colr_nclc,
    colr_nclx,
    dovi,
    hevc_sps,
    hvcc,
    pasp,
    visual_entry,
    vpcc,
)

FIELDS = 78


def parse(fourcc: str, *boxes: bytes) -> VideoConfig:
    config = parse_sample_entry(as_box(visual_entry(fourcc, *boxes)))
    assert isinstance(config, VideoConfig)
    return config


def kept(config: VideoConfig) -> list[str]:
    return [child.type for child in children(as_box(config.sample_entry), skip=FIELDS)]


def test_fields_are_normalised() -> None:
    entry = parse("avc1", avcc()).sample_entry
    assert struct.unpack(">6xH16xHHII4xH32xHh", entry[8 : 8 + FIELDS]) == (
        *(1, 1280, 720, 0x480000, 0x480000, 1),
        *(0x18, -1),
    )
    assert b"coder" not in entry


def test_known_boxes_are_kept_once() -> None:
    hdr = box("mdcv", bytes(24)), box("clli", bytes(4))
    extra = (
        box("fiel", b"\1\0"),
        box("uuid", bytes(20)),
        box("lhvC", bytes(8)),
        box("chrm", b"\1\1"),
    )
    light = box("btrt", bytes(12))
    boxes = (pasp(1, 1), *hdr, *extra, light, light, pasp(4, 3), box("clap", bytes(32)), hvcc())
    config = parse("hvc1", *boxes, hvcc())
    assert kept(config) == ["hvcC", "pasp", "clap", "btrt", "mdcv", "clli"]
    assert config.sar == Fraction(1)


def test_32_bit_zero_behind_the_boxes() -> None:
    assert kept(parse("avc1", avcc(), bytes(4))) == ["avcC"]


@pytest.mark.parametrize(
    ("boxes", "colour"),
    [
        ((), None),
        ((colr_nclx(1, 1, 1),), Colour(1, 1, 1)),
        ((colr_nclx(9, 16, 9, b"\x80"),), Colour(9, 16, 9, full_range=True)),
        ((colr_nclx(9, 16, 9, b""),), Colour(9, 16, 9)),
        ((colr_nclc(9, 18, 9),), Colour(9, 18, 9)),
        ((colr_nclx(2, 2, 2),), None),
        ((box("colr", b"prof", bytes(40)), colr_nclx(1, 1, 1)), Colour(1, 1, 1)),
        ((box("colr", b"rICC"),), None),
    ],
)
def test_colour(boxes: tuple[bytes, ...], colour: Colour | None) -> None:
    config = parse("avc1", avcc(), *boxes)
    assert config.colour == colour
    assert kept(config) == (["avcC", "colr"] if colour else ["avcC"])


@pytest.mark.parametrize(
    ("transfer", "video_range"), [(1, "SDR"), (14, "SDR"), (16, "PQ"), (18, "HLG")]
)
def test_video_range(transfer: int, video_range: VideoRange) -> None:
    colour = parse("hvc1", hvcc(), colr_nclx(9, transfer, 9)).colour
    assert colour is not None
    assert colour.video_range == video_range


@pytest.mark.parametrize(
    ("name", "reason"),
    [
        ("colr", "needs 4 bytes but holds 0 in box 'colr' at byte 1"),
        ("pasp", "needs 8 bytes but holds 0 in box 'pasp' at byte 1"),
        ("dvvC", "ends 16 bits too early in box 'dvvC' at byte 1"),
    ],
)
def test_broken_box(name: str, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse("hvc1", hvcc(), box(name))


def test_colr_ends_inside_the_code_points() -> None:
    with pytest.raises(BadMedia, match="needs 10 bytes but holds 6"):
        parse("avc1", avcc(), box("colr", b"nclx", b"\0\1"))


HLG = colr_nclx(9, 18, 9)


@pytest.mark.parametrize(
    ("fourcc", "boxes", "codec", "supplemental"),
    [
        ("dvh1", (hvcc(), dovi(5, 6, 0, "dvcC")), "dvh1.05.06", None),
        ("dvhe", (hvcc(), dovi(5, 6, 0, "dvcC")), "dvh1.05.06", None),
        ("dvhe", (hvcc((33, hevc_sps())), dovi(5, 6, 0)), "dvhe.05.06", None),
        ("hvc1", (hvcc(), dovi(8, 7, 1)), "hvc1.1.6.L93.B0", "dvh1.08.07/db1p"),
        ("hev1", (hvcc(), dovi(8, 7, 1)), "hvc1.1.6.L93.B0", "dvh1.08.07/db1p"),
        ("hvc1", (hvcc(), HLG, dovi(8, 4, 4)), "hvc1.1.6.L93.B0", "dvh1.08.04/db4h"),
        (
            "hvc1",
            (hvcc(), colr_nclx(9, 14, 9), dovi(8, 4, 4)),
            "hvc1.1.6.L93.B0",
            "dvh1.08.04/db4g",
        ),
        ("hvc1", (hvcc(), dovi(8, 33, 2)), "hvc1.1.6.L93.B0", "dvh1.08.33/db2g"),
        ("hvc1", (hvcc(), dovi(7, 6, 6)), "hvc1.1.6.L93.B0", None),
        ("av01", (av1c(), dovi(10, 8, 1)), "av01.0.04M.08", "dav1.10.08/db1p"),
        ("dav1", (av1c(), dovi(10, 8, 0)), "dav1.10.08", None),
        ("avc1", (avcc(), dovi(9, 5, 2)), "avc1.4d401f", None),
        ("dva1", (avcc(), dovi(9, 5, 2)), "dva1.09.05", None),
        ("dvav", (avcc(), dovi(9, 5, 2)), "dvav.09.05", None),
        ("vp09", (vpcc(), dovi(8, 5, 2)), "vp09.00.31.08", None),
    ],
)
def test_dolby_vision(
    fourcc: str, boxes: tuple[bytes, ...], codec: str, supplemental: str | None
) -> None:
    config = parse(fourcc, *boxes)
    assert (config.rfc6381, config.supplemental) == (codec, supplemental)
    assert kept(config)[-1] in ("dvcC", "dvvC")


@pytest.mark.parametrize(("fourcc", "record"), [("dvh1", dovi(5, 6, 0)), ("dav1", dovi(10, 6, 0))])
def test_dolby_vision_without_a_base_layer_is_pq(fourcc: str, record: bytes) -> None:
    config = parse(fourcc, hvcc(), av1c(), record)
    assert config.colour
    assert config.colour.video_range == "PQ"
    assert "colr" not in kept(config)


def test_dolby_vision_entry_without_its_configuration() -> None:
    with pytest.raises(BadMedia, match="has no Dolby Vision configuration box in box 'dvh1'"):
        parse("dvh1", hvcc())
