from __future__ import annotations

import pytest

from packager.codecs import vp9
from packager.errors import BadMedia, UnsupportedMedia
from packager.isobmff.writer import box
from packager.model import Colour, VideoConfig
from tests.packager.codecs.assemble import as_box, colr_nclx, readable, visual_entry, vpcc


def parse(*boxes: bytes, width: int = 640, height: int = 360) -> VideoConfig:
    return vp9.parse(as_box(visual_entry("vp09", *boxes, width=width, height=height)))


@pytest.mark.parametrize(
    ("record", "codec"),
    [
        ("00 0a 82 01 01 01", "vp09.00.10.08"),
        ("00 1f 82 02 02 02", "vp09.00.31.08"),
        ("00 1e 80 02 02 02", "vp09.00.30.08.00.02.02.02.00"),
        ("02 0a a3 09 10 09", "vp09.02.10.10.01.09.16.09.01"),
        ("03 33 c6 01 01 01", "vp09.03.51.12.03.01.01.01.00"),
    ],
)
def test_codec_string(record: str, codec: str) -> None:
    assert parse(vpcc(record)).rfc6381 == codec


@pytest.mark.parametrize(
    ("size", "level"),
    [
        ((256, 144), 10),
        ((640, 360), 21),
        ((1920, 1080), 40),
        ((3840, 2160), 50),
        ((8192, 4320), 60),
    ],
)
def test_undefined_level_is_the_least_that_fits(size: tuple[int, int], level: int) -> None:
    width, height = size
    config = parse(vpcc("00 00 82 01 01 01"), width=width, height=height)
    assert config.rfc6381 == f"vp09.00.{level}.08"


def test_colour() -> None:
    assert parse(vpcc("02 0a a2 09 10 09")).colour == Colour(9, 16, 9)
    assert parse(vpcc("02 0a a2 09 10 09"), colr_nclx(9, 18, 9)).colour == Colour(9, 18, 9)
    assert parse(vpcc()).colour is None


@pytest.mark.parametrize(
    ("configuration", "reason"),
    [
        (b"", "has no 'vpcC'"),
        (box("vpcC"), "needs 4 bytes"),
        (vpcc()[:-4].replace(b"\0\0\0\x14", b"\0\0\0\x10"), "bits too early"),
        (vpcc("04 1f 82 02 02 02"), "VP9 profile 4 is not known"),
    ],
    ids=readable,
)
def test_broken_configuration(configuration: bytes, reason: str) -> None:
    with pytest.raises(BadMedia, match=reason):
        parse(configuration)


def test_draft_configuration() -> None:
    with pytest.raises(UnsupportedMedia, match="version 0"):
        parse(vpcc(version=0))


def test_no_size() -> None:
    with pytest.raises(BadMedia, match="the picture is 0 x 0"):
        parse(vpcc(), width=0)
